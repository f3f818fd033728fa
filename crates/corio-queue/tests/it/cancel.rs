use crate::counter::{Counter, poll};
use corio_queue::{Queue, ShutDown};
use futures_core::Stream;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

#[test]
fn hazard_41_a_woken_getter_that_is_dropped_wakes_the_next() {
    let (count, waker) = Counter::new();
    let queue = Queue::new(0);
    let (mut first, mut second) = (queue.get(), queue.get());
    assert!(poll(&mut first, &waker).is_pending() && poll(&mut second, &waker).is_pending());
    queue.put_nowait(1).unwrap();
    drop(first);
    assert_eq!(count.count(), 2);
    assert_eq!(poll(&mut second, &waker), Poll::Ready(Ok(1)));
}

#[test]
fn hazard_41_a_woken_putter_that_is_dropped_wakes_the_next_and_takes_its_item_along() {
    let (count, waker) = Counter::new();
    let (queue, item) = (Queue::new(1), Rc::new(()));
    queue.put_nowait(Rc::clone(&item)).unwrap();
    let (mut first, mut second) = (queue.put(Rc::clone(&item)), queue.put(Rc::clone(&item)));
    assert!(poll(&mut first, &waker).is_pending() && poll(&mut second, &waker).is_pending());
    drop(queue.get_nowait());
    assert_eq!((count.count(), Rc::strong_count(&item)), (1, 3));
    drop(first);
    assert_eq!((count.count(), Rc::strong_count(&item)), (2, 2));
    assert_eq!(poll(&mut second, &waker), Poll::Ready(Ok(())));
    assert_eq!(queue.len(), 1);
}

#[test]
fn a_woken_getter_that_was_robbed_and_is_dropped_wakes_nobody() {
    let (count, waker) = Counter::new();
    let queue = Queue::new(0);
    let (mut first, mut second) = (queue.get(), queue.get());
    assert!(poll(&mut first, &waker).is_pending() && poll(&mut second, &waker).is_pending());
    queue.put_nowait(1).unwrap();
    queue.get_nowait().unwrap();
    drop(first);
    assert_eq!(count.count(), 1);
}

#[test]
fn getters_that_all_leave_leave_the_item() {
    let (_, waker) = Counter::new();
    let queue = Queue::new(0);
    let mut line = [queue.get(), queue.get(), queue.get()];
    line.iter_mut().for_each(|get| assert!(poll(get, &waker).is_pending()));
    queue.put_nowait(1).unwrap();
    drop(line);
    assert_eq!((queue.len(), queue.get_nowait()), (1, Ok(1)));
}

#[test]
fn a_stream_that_is_dropped_passes_its_wake_up_on() {
    let (count, waker) = Counter::new();
    let queue = Queue::new(0);
    let (mut stream, mut get) = (queue.stream(), queue.get());
    assert!(Pin::new(&mut stream).poll_next(&mut Context::from_waker(&waker)).is_pending());
    assert!(poll(&mut get, &waker).is_pending());
    queue.put_nowait(1).unwrap();
    drop(stream);
    assert_eq!(count.count(), 2);
    assert_eq!(poll(&mut get, &waker), Poll::Ready(Ok(1)));
}

#[test]
fn a_joiner_just_leaves() {
    let (count, waker) = Counter::new();
    let queue = Queue::new(0);
    queue.put_nowait(1).unwrap();
    let (mut first, mut second) = (queue.join(), queue.join());
    assert!(poll(&mut first, &waker).is_pending() && poll(&mut second, &waker).is_pending());
    drop(first);
    queue.task_done().unwrap();
    assert_eq!(count.count(), 1);
    queue.put_nowait(2).unwrap();
    assert!(poll(&mut second, &waker).is_ready(), "as asyncio has it: the count was 0 once");
}

#[test]
fn hazard_13_a_forgotten_getter_keeps_its_wake_up_and_nothing_else() {
    let (_, waker) = Counter::new();
    let queue = Queue::new(0);
    let mut forgotten = queue.get();
    assert!(poll(&mut forgotten, &waker).is_pending());
    std::mem::forget(forgotten);
    let mut get = queue.get();
    assert!(poll(&mut get, &waker).is_pending());
    queue.put_nowait(1).unwrap();
    queue.put_nowait(2).unwrap();
    assert_eq!(poll(&mut get, &waker), Poll::Ready(Ok(1)));
    assert_eq!(queue.get_nowait(), Ok(2));
}

#[test]
fn hazard_7_no_waker_outlives_its_future() {
    let (count, waker) = Counter::new();
    let queue = Queue::new(1);
    let mut get = queue.get();
    assert!(poll(&mut get, &waker).is_pending());
    drop(get);
    queue.put_nowait(1).unwrap();
    let (mut put, mut join) = (queue.put(2), queue.join());
    assert!(poll(&mut put, &waker).is_pending() && poll(&mut join, &waker).is_pending());
    drop((put, join, waker));
    assert_eq!(Arc::strong_count(&count), 1);
}

#[test]
#[should_panic(expected = "`put` was polled after it had completed")]
fn hazard_3_a_put_is_not_polled_twice() {
    let (_, waker) = Counter::new();
    let queue = Queue::new(0);
    let mut put = queue.put(1);
    assert_eq!(poll(&mut put, &waker), Poll::Ready(Ok::<(), ShutDown<i32>>(())));
    let _ = poll(&mut put, &waker);
}

#[test]
fn hazard_04_the_last_waker_counts() {
    let queue = Queue::new(1);
    let ((first, first_waker), (last, last_waker)) = (Counter::new(), Counter::new());
    let counts = || (first.count(), last.count());
    let mut get = queue.get();
    assert!(poll(&mut get, &first_waker).is_pending() && poll(&mut get, &last_waker).is_pending());
    queue.put_nowait(1).unwrap();
    assert_eq!(counts(), (0, 1));
    assert_eq!(poll(&mut get, &last_waker), Poll::Ready(Ok(1)));
    queue.put_nowait(2).unwrap();
    let mut put = queue.put(3);
    assert!(poll(&mut put, &first_waker).is_pending() && poll(&mut put, &last_waker).is_pending());
    assert_eq!((queue.get_nowait(), counts()), (Ok(2), (0, 2)));
}
