//! asyncio's programs, ported line by line, with the lines that CPython prints (`True` is `true` here).

use crate::toy::{Handle, Toy};
use corio_queue::{LifoQueue, PriorityQueue, PutError, Queue, ShutDown};
use std::fmt::Display;

/// `asyncio.gather`, as far as these programs need it.
async fn gather(tasks: impl IntoIterator<Item = Handle>) {
    for task in tasks {
        task.join().await;
    }
}

/// `39_queue_fifo.py`.
#[test]
fn queue_fifo() {
    let log = Toy::run(|toy| async move {
        let queue = Queue::new(2);
        if queue.get_nowait().is_err() {
            toy.print(format!("Empty {} {} {}", queue.is_empty(), queue.is_full(), queue.len()));
        }
        let putters: Vec<Handle> = (0..4).map(|n| toy.spawn(put_one(toy.clone(), queue.clone(), n))).collect();
        toy.sleep(0).await;
        toy.sleep(0).await;
        toy.print(format!("size {} {}", queue.len(), queue.is_full()));
        if let Err(PutError::QueueFull(_)) = queue.put_nowait(99) {
            toy.print("Full");
        }
        for _ in 0..4 {
            toy.print(format!("get {}", queue.get().await.unwrap()));
            toy.sleep(0).await;
        }
        let getters = ['a', 'b', 'c'].map(|name| toy.spawn(get_one(toy.clone(), queue.clone(), name)));
        toy.sleep(0).await;
        (0..2).for_each(|n| queue.put_nowait(n).unwrap());
        toy.sleep(0).await;
        queue.put(2).await.unwrap();
        gather(putters.into_iter().chain(getters)).await;
        let unbounded = Queue::new(0);
        (0..100).for_each(|n| unbounded.put_nowait(n).unwrap());
        toy.print(format!("unbounded {} {}", unbounded.is_full(), unbounded.len()));
    });
    let expected = [
        "Empty true false 0",
        "put 0",
        "put 1",
        "size 2 true",
        "Full",
        "get 0",
        "put 2",
        "get 1",
        "put 3",
        "get 2",
        "get 3",
        "getter a got 0",
        "getter b got 1",
        "getter c got 2",
        "unbounded false 100",
    ];
    assert_eq!(log, expected);
}

async fn put_one(toy: Toy, queue: Queue<i32>, n: i32) {
    queue.put(n).await.unwrap();
    toy.print(format!("put {n}"));
}

async fn get_one(toy: Toy, queue: Queue<i32>, name: char) {
    let item = queue.get().await.unwrap();
    toy.print(format!("getter {name} got {item}"));
}

/// `42_queue_kinds.py`.
#[test]
fn queue_kinds() {
    let log = Toy::run(|toy| async move {
        let (lifo, priority) = (LifoQueue::new(0), PriorityQueue::new(0));
        for n in [3, 1, 2] {
            lifo.put_nowait(n).unwrap();
            priority.put_nowait((n, "item")).unwrap();
        }
        let newest = [(); 3].map(|()| lifo.get_nowait().unwrap());
        let smallest = [(); 3].map(|()| priority.get_nowait().unwrap().0);
        toy.print(format!("{newest:?} {smallest:?}"));
        let getters = ['a', 'b'].map(|name| {
            let (toy2, queue) = (toy.clone(), priority.clone());
            toy.spawn(async move { toy2.print(format!("getter {name} {}", queue.get().await.unwrap().0)) })
        });
        toy.sleep(0).await;
        priority.put_nowait((9, "x")).unwrap();
        priority.put_nowait((5, "y")).unwrap(); // a is woken for 9 but takes 5.
        gather(getters).await;
    });
    assert_eq!(log, ["[2, 1, 3] [1, 2, 3]", "getter a 5", "getter b 9"]);
}

/// `43_queue_join.py`.
#[test]
fn queue_join() {
    let log = Toy::run(|toy| async move {
        let queue = Queue::new(0);
        queue.join().await;
        toy.print("fresh join");
        (0..3).for_each(|n| queue.put_nowait(n).unwrap());
        let worker = toy.spawn(work(toy.clone(), queue.clone()));
        let waited = queue.clone();
        let joiner = toy.spawn(async move { waited.join().await });
        toy.sleep(0).await;
        while !queue.is_empty() {
            toy.sleep(1).await;
        }
        toy.print(format!("empty, join done {}", joiner.done()));
        joiner.join().await;
        toy.print("joined");
        worker.cancel();
        if let Err(error) = queue.task_done() {
            toy.print(error);
        }
    });
    let expected = [
        "fresh join",
        "processed 0",
        "processed 1",
        "empty, join done false",
        "processed 2",
        "joined",
        "`task_done` was called more often than items were put",
    ];
    assert_eq!(log, expected);
}

async fn work(toy: Toy, queue: Queue<i32>) {
    while let Ok(item) = queue.get().await {
        toy.sleep(10).await;
        toy.print(format!("processed {item}"));
        queue.task_done().unwrap();
    }
}

/// Prints what came of it.
fn attempt<T: Display, E>(toy: &Toy, label: &str, result: Result<T, E>) {
    match result {
        Ok(value) => toy.print(format!("{label} -> {value}")),
        Err(_) => toy.print(format!("{label} -> ShutDown")),
    }
}

/// `put`'s result, as Python shows it.
fn none<E>(result: Result<(), E>) -> Result<&'static str, E> {
    result.map(|()| "None")
}

/// The first of the three programs in `71_queue_shutdown.py`: puts fail at once, gets drain.
#[test]
fn queue_shutdown_of_a_full_queue() {
    let log = Toy::run(|toy| async move {
        let queue = Queue::new(2);
        queue.put_nowait(1).unwrap();
        queue.put_nowait(2).unwrap();
        let (toy2, queue2) = (toy.clone(), queue.clone());
        let blocked = toy.spawn(async move { attempt(&toy2, "blocked put", none(queue2.put(3).await)) });
        toy.sleep(0).await;
        queue.shutdown(false);
        queue.shutdown(false);
        blocked.join().await;
        attempt(&toy, "put", none(queue.put(4).await));
        for _ in 0..3 {
            attempt(&toy, "get", queue.get().await);
        }
        attempt(&toy, "get_nowait", queue.get_nowait());
        let waited = queue.clone();
        let joiner = toy.spawn(async move { waited.join().await });
        toy.sleep(0).await;
        toy.print(format!("join pending {}", !joiner.done()));
        queue.task_done().unwrap();
        queue.task_done().unwrap();
        joiner.join().await;
    });
    let expected = [
        "blocked put -> ShutDown",
        "put -> ShutDown",
        "get -> 1",
        "get -> 2",
        "get -> ShutDown",
        "get_nowait -> ShutDown",
        "join pending true",
    ];
    assert_eq!(log, expected);
}

/// The rest of `71_queue_shutdown.py`: blocked gets, and `immediate`.
#[test]
fn queue_shutdown_with_getters_and_immediate() {
    let log = Toy::run(|toy| async move {
        let queue = Queue::<i32>::new(0);
        let (toy2, queue2) = (toy.clone(), queue.clone());
        let getter = toy.spawn(async move { attempt(&toy2, "blocked get", queue2.get().await) });
        toy.sleep(0).await;
        queue.shutdown(false);
        getter.join().await;

        let queue = Queue::new(0);
        (0..3).for_each(|n| queue.put_nowait(n).unwrap());
        attempt(&toy, "get", queue.get().await);
        let waited = queue.clone();
        let joiner = toy.spawn(async move { waited.join().await });
        toy.sleep(0).await;
        queue.shutdown(true);
        attempt(&toy, "get after immediate", queue.get().await);
        toy.print(format!("join pending (one item in work) {}", !joiner.done()));
        queue.task_done().unwrap();
        joiner.join().await;
        toy.print(format!("joined {}", queue.len()));
        assert_eq!(queue.put(7).await, Err(ShutDown(7)));
    });
    let expected = [
        "blocked get -> ShutDown",
        "get -> 0",
        "get after immediate -> ShutDown",
        "join pending (one item in work) true",
        "joined 0",
    ];
    assert_eq!(log, expected);
}
