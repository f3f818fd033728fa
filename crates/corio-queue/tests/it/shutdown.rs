use crate::counter::{Counter, poll};
use corio_queue::{GetError, PutError, Queue, ShutDown};
use futures_lite::{Stream, StreamExt};
use std::rc::Rc;
use std::task::Poll;

#[test]
fn hazard_44_everybody_who_waits_is_woken() {
    let (count, waker) = Counter::new();
    let queue = Queue::new(1);
    let (mut first, mut second) = (queue.get(), queue.get());
    assert!(poll(&mut first, &waker).is_pending() && poll(&mut second, &waker).is_pending());
    queue.put_nowait(1).unwrap(); // Wakes the first.
    let mut put = queue.put(2);
    assert!(poll(&mut put, &waker).is_pending());
    queue.shutdown(false);
    assert_eq!(count.count(), 3);
    assert_eq!(poll(&mut put, &waker), Poll::Ready(Err(ShutDown(2))));
    assert_eq!(poll(&mut second, &waker), Poll::Ready(Ok(1)));
    assert_eq!(poll(&mut first, &waker), Poll::Ready(Err(ShutDown(()))));
}

#[test]
fn hazard_43_an_immediate_shutdown_drops_the_items_and_ends_a_join() {
    let (count, waker) = Counter::new();
    let (queue, item) = (Queue::new(0), Rc::new(()));
    (0..3).for_each(|_| queue.put_nowait(Rc::clone(&item)).unwrap());
    let mut join = queue.join();
    assert!(poll(&mut join, &waker).is_pending());
    queue.shutdown(true);
    assert_eq!((count.count(), Rc::strong_count(&item), queue.len()), (1, 1, 0));
    assert!(poll(&mut join, &waker).is_ready());
    assert!(queue.task_done().is_err());
    queue.shutdown(true);
}

#[test]
fn an_immediate_shutdown_may_follow_a_mild_one() {
    let queue = Queue::new(0);
    queue.put_nowait(1).unwrap();
    queue.shutdown(false);
    assert!(queue.is_shut_down());
    assert_eq!(queue.put_nowait(2), Err(PutError::ShutDown(2)));
    queue.shutdown(true);
    assert_eq!(queue.get_nowait(), Err(GetError::ShutDown));
}

#[test]
fn a_stream_drains_and_ends() {
    let queue = Queue::new(0);
    (0..3).for_each(|n| queue.put_nowait(n).unwrap());
    queue.shutdown(false);
    let mut stream = queue.stream();
    let items: Vec<i32> = pollster::block_on((&mut stream).collect());
    assert_eq!(items, [0, 1, 2]);
    assert_eq!(pollster::block_on(stream.next()), None);
}

#[test]
fn a_stream_knows_how_much_comes_once_nothing_can_be_added() {
    let queue = Queue::new(0);
    let mut items = queue.stream();
    (0..3).for_each(|item| queue.put_nowait(item).unwrap());
    assert_eq!(items.size_hint(), (0, None));
    queue.shutdown(false);
    assert_eq!(items.size_hint(), (0, Some(3)));
    assert_eq!(pollster::block_on(items.next()), Some(0));
    assert_eq!(items.size_hint(), (0, Some(2)));
}
