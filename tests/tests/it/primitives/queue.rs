use super::runtime::{Child, Spawner};
use corio_queue::{LifoQueue, PriorityQueue, Queue, ShutDown, concurrent};
use std::cell::RefCell;
use std::rc::Rc;

on_every_runtime!(
    getters_are_served_as_they_came a_cancelled_getter_loses_nothing a_cancelled_putter_makes_room_for_the_next
    many_producers_and_consumers the_other_orders a_shutdown_ends_all_who_wait between_threads
);

async fn getters_are_served_as_they_came(at: Spawner) {
    let (queue, log) = (Queue::new(0), Rc::new(RefCell::new(Vec::new())));
    let mut children = Vec::new();
    for name in 0..4 {
        let (queue2, log) = (queue.clone(), Rc::clone(&log));
        children.push(at.spawn(async move {
            let item = queue2.get().await.unwrap();
            log.borrow_mut().push((name, item));
        }));
        at.until(|| queue.statistics().getters == name + 1).await;
    }
    for item in 0..4 {
        queue.put(item).await.unwrap();
        at.until(|| log.borrow().len() == item + 1).await;
    }
    at.join(children).await;
    assert_eq!(log.take(), [(0, 0), (1, 1), (2, 2), (3, 3)]);
}

async fn a_cancelled_getter_loses_nothing(at: Spawner) {
    let (queue, log) = (Queue::new(0), Rc::new(RefCell::new(Vec::new())));
    let start = || {
        let (queue, log) = (queue.clone(), Rc::clone(&log));
        at.spawn(async move {
            let item = queue.get().await.unwrap();
            log.borrow_mut().push(item);
        })
    };
    let (first, second) = (start(), start());
    at.until(|| queue.statistics().getters == 2).await;
    queue.put_nowait(7).unwrap();
    first.cancel().await; // Woken, and never run.
    at.join(vec![second]).await;
    assert_eq!((log.take(), queue.len()), (vec![7], 0));
    let third = start();
    at.until(|| queue.statistics().getters == 1).await;
    queue.put_nowait(8).unwrap();
    third.cancel().await;
    assert_eq!(queue.get().await, Ok(8));
}

async fn a_cancelled_putter_makes_room_for_the_next(at: Spawner) {
    let (queue, held) = (Queue::new(1), Rc::new(()));
    queue.put_nowait(Rc::clone(&held)).unwrap();
    let start = || {
        let (queue, item) = (queue.clone(), Rc::clone(&held));
        at.spawn(async move { queue.put(item).await.unwrap() })
    };
    let (first, second) = (start(), start());
    at.until(|| queue.statistics().putters == 2).await;
    drop(queue.get_nowait());
    first.cancel().await;
    at.join(vec![second]).await;
    assert_eq!((queue.len(), Rc::strong_count(&held)), (1, 2), "its item went with it");
}

async fn many_producers_and_consumers(at: Spawner) {
    let (queue, log) = (Queue::new(2), Rc::new(RefCell::new(Vec::new())));
    let mut children: Vec<Child> = Vec::new();
    for n in 0..4 {
        let (queue2, log) = (queue.clone(), Rc::clone(&log));
        children.push(at.spawn(async move {
            for item in 0..50 {
                queue2.put(n * 50 + item).await.unwrap();
            }
        }));
        let queue2 = queue.clone();
        children.push(at.spawn(async move {
            while let Ok(item) = queue2.get().await {
                log.borrow_mut().push(item);
                queue2.task_done().unwrap();
            }
        }));
    }
    at.until(|| queue.statistics().got == 200).await;
    queue.join().await;
    queue.shutdown(false);
    at.join(children).await;
    let mut log = log.take();
    log.sort_unstable();
    assert!(log.into_iter().eq(0..200));
    let now = queue.statistics();
    assert!(now.most_items <= 2 && now.put == 200 && now.unfinished == 0, "{now:?}");
}

async fn the_other_orders(at: Spawner) {
    let (lifo, priority) = (LifoQueue::new(0), PriorityQueue::new(0));
    for n in [(2, 'a'), (1, 'b'), (3, 'c')] {
        lifo.put(n).await.unwrap();
        priority.put(n).await.unwrap();
    }
    at.yield_now().await;
    for (newest, smallest) in [('c', 'b'), ('b', 'a'), ('a', 'c')] {
        assert_eq!((lifo.get().await.unwrap().1, priority.get().await.unwrap().1), (newest, smallest));
    }
}

async fn a_shutdown_ends_all_who_wait(at: Spawner) {
    let (empty, full) = (Queue::<u32>::new(1), Queue::new(1));
    full.put_nowait(1).unwrap();
    let (getter, putter) = (empty.clone(), full.clone());
    let children = vec![
        at.spawn(async move { assert_eq!(getter.get().await, Err(ShutDown(()))) }),
        at.spawn(async move { assert_eq!(putter.put(2).await, Err(ShutDown(2))) }),
    ];
    at.until(|| empty.statistics().getters == 1 && full.statistics().putters == 1).await;
    empty.shutdown(false);
    full.shutdown(false);
    at.join(children).await;
    assert_eq!((full.get().await, full.get().await), (Ok(1), Err(ShutDown(()))));
}

async fn between_threads(at: Spawner) {
    let (queue, sum) = (concurrent::Queue::new(2), Rc::new(RefCell::new(0)));
    let source = queue.clone();
    let thread = std::thread::spawn(move || {
        (0..100).for_each(|n| source.put_blocking(n, None).unwrap());
        assert!(source.join_blocking(None));
        source.shutdown(false);
    });
    let start = || {
        let (queue, sum) = (queue.clone(), Rc::clone(&sum));
        at.spawn(async move {
            while let Ok(n) = queue.get().await {
                *sum.borrow_mut() += n;
                queue.task_done().unwrap();
            }
        })
    };
    let children = vec![start(), start()];
    let third = queue.clone();
    let cancelled = at.spawn(async move {
        third.join().await;
        std::future::pending::<()>().await;
    });
    cancelled.cancel().await;
    at.join(children).await;
    thread.join().unwrap();
    assert_eq!((*sum.borrow(), queue.statistics().got), (4950, 100));
}
