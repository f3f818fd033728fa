use crate::counter::{Counter, poll};
use corio_queue::concurrent::Queue;
use corio_queue::{GetError, PutError, ShutDown};
use futures_lite::StreamExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

/// How many items each producer makes.
const ITEMS: u64 = if cfg!(miri) { 20 } else { 5000 };

#[test]
fn four_ends_of_both_kinds_move_every_item_once() {
    for maxsize in [0, 1, 3] {
        let (queue, sum) = (Queue::new(maxsize), AtomicU64::new(0));
        let take = |item: u64| {
            sum.fetch_add(item, Ordering::Relaxed);
            queue.task_done().unwrap();
        };
        thread::scope(|scope| {
            scope.spawn(|| (0..ITEMS).for_each(|n| queue.put_blocking(n, None).unwrap()));
            scope.spawn(|| {
                pollster::block_on(async {
                    for n in 0..ITEMS {
                        queue.put(n).await.unwrap()
                    }
                })
            });
            scope.spawn(|| {
                while let Ok(item) = queue.get_blocking(None) {
                    take(item)
                }
            });
            scope.spawn(|| {
                pollster::block_on(async {
                    while let Ok(item) = queue.get().await {
                        take(item)
                    }
                })
            });
            scope.spawn(|| {
                // The producers may not have begun: wait for what they put in all.
                while sum.load(Ordering::Relaxed) < ITEMS * (ITEMS - 1) {
                    thread::yield_now();
                }
                assert!(queue.join_blocking(None));
                queue.shutdown(false);
            });
        });
        assert_eq!((sum.into_inner(), queue.len()), (ITEMS * (ITEMS - 1), 0));
    }
}

#[test]
fn time_limits() {
    let queue = Queue::new(1);
    let soon = Some(Duration::from_millis(2));
    let start = Instant::now();
    assert_eq!(queue.get_blocking(soon), Err(GetError::QueueEmpty));
    assert!(start.elapsed() >= Duration::from_millis(2));
    assert_eq!(queue.get_blocking(Some(Duration::ZERO)), Err(GetError::QueueEmpty));
    assert!(queue.join_blocking(soon));
    queue.put_blocking(1, Some(Duration::ZERO)).unwrap();
    assert_eq!(queue.put_blocking(2, soon), Err(PutError::QueueFull(2)));
    assert!(!queue.join_blocking(soon));
    assert_eq!(queue.get_blocking(soon), Ok(1));
    queue.shutdown(false);
    assert_eq!(queue.put_blocking(3, None), Err(PutError::ShutDown(3)));
    assert_eq!(queue.get_blocking(None), Err(GetError::ShutDown));
}

#[test]
fn hazard_28_a_time_limit_beyond_the_clock_is_for_ever() {
    let queue = Queue::new(0);
    let other = queue.clone();
    let thread = thread::spawn(move || other.get_blocking(Some(Duration::MAX)));
    queue.put_nowait(1).unwrap();
    assert_eq!(thread.join().unwrap(), Ok(1));
}

#[test]
fn hazard_34_a_blocked_thread_tolerates_an_unpark_of_somebody_elses() {
    let queue = Queue::new(0);
    let other = queue.clone();
    let thread = thread::spawn(move || other.get_blocking(None));
    (0..10).for_each(|_| thread.thread().unpark());
    queue.put_nowait(1).unwrap();
    assert_eq!(thread.join().unwrap(), Ok(1));
}

#[test]
fn hazard_44_a_shutdown_wakes_blocked_threads_on_both_sides() {
    let (empty, full) = (Queue::<i32>::new(1), Queue::new(1));
    full.put_nowait(1).unwrap();
    thread::scope(|scope| {
        let getter = scope.spawn(|| empty.get_blocking(None));
        let putter = scope.spawn(|| full.put_blocking(2, None));
        empty.shutdown(false);
        full.shutdown(true);
        assert_eq!(getter.join().unwrap(), Err(GetError::ShutDown));
        assert_eq!(putter.join().unwrap(), Err(PutError::ShutDown(2)));
    });
}

#[test]
fn hazard_41_a_thread_whose_time_runs_out_passes_its_wake_up_on() {
    let (count, waker) = Counter::new();
    let queue = Queue::new(0);
    let (mut first, mut second) = (queue.get(), queue.get());
    assert!(poll(&mut first, &waker).is_pending() && poll(&mut second, &waker).is_pending());
    queue.put_nowait(1).unwrap();
    drop(first);
    assert_eq!(count.count(), 2);
    assert_eq!(poll(&mut second, &waker), Poll::Ready(Ok(1)));
    queue.shutdown(true);
    assert_eq!(pollster::block_on(queue.put(2)), Err(ShutDown(2)));
    assert!(queue.task_done().is_ok() && queue.task_done().is_err());
}

#[test]
fn a_stream_drains_and_ends() {
    let queue = Queue::new(0);
    let (sender, receiver) = (queue.clone(), queue.stream());
    let thread = thread::spawn(move || {
        (0..3).for_each(|n| sender.put_blocking(n, None).unwrap());
        sender.shutdown(false);
    });
    let items: Vec<i32> = pollster::block_on(receiver.collect());
    assert_eq!(items, [0, 1, 2]);
    thread.join().unwrap();
}

#[test]
fn a_stream_that_is_dropped_passes_its_wake_up_on() {
    let queue = Queue::new(0);
    let (mut first, mut second) = (queue.stream(), queue.stream());
    let ((one, first_waker), (two, second_waker)) = (Counter::new(), Counter::new());
    assert!(poll(&mut first.next(), &first_waker).is_pending() && poll(&mut second.next(), &second_waker).is_pending());
    queue.put_nowait(7).unwrap();
    assert_eq!((one.count(), two.count(), queue.statistics().getters), (1, 0, 1));
    drop(first);
    assert_eq!(two.count(), 1);
    assert_eq!(poll(&mut second.next(), &second_waker), Poll::Ready(Some(7)));
    drop(second);
    assert_eq!(queue.statistics().getters, 0);
}

#[test]
fn hazard_04_the_last_waker_counts() {
    let queue = Queue::new(1);
    let ((first, first_waker), (last, last_waker)) = (Counter::new(), Counter::new());
    let mut get = queue.get();
    assert!(poll(&mut get, &first_waker).is_pending() && poll(&mut get, &last_waker).is_pending());
    queue.put_nowait(1).unwrap();
    assert_eq!((first.count(), last.count()), (0, 1));
    assert_eq!(poll(&mut get, &last_waker), Poll::Ready(Ok(1)));
}

#[test]
fn a_joiner_just_leaves() {
    let queue = Queue::new(0);
    queue.put_nowait(1).unwrap();
    let (count, waker) = Counter::new();
    let mut join = queue.join();
    assert!(poll(&mut join, &waker).is_pending());
    assert_eq!(queue.statistics().joiners, 1);
    drop(join);
    assert_eq!(queue.statistics().joiners, 0);
    queue.get_nowait().unwrap();
    queue.task_done().unwrap();
    assert_eq!(count.count(), 0);
}
