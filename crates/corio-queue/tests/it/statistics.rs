use crate::counter::poll;
use corio_queue::{LifoQueue, PriorityQueue, Queue, concurrent};
use std::task::Waker;

/// The same program for every kind; they have the same methods and no common trait.
macro_rules! program {
    ($queue:expr) => {
        let queue = $queue;
        let (mut first, mut second) = (queue.get(), queue.get());
        assert!(poll(&mut first, Waker::noop()).is_pending() && poll(&mut second, Waker::noop()).is_pending());
        queue.put_nowait(1).unwrap();
        let now = queue.statistics();
        assert_eq!((now.getters, now.most_getters, now.len), (1, 2, 1));
        assert!(poll(&mut first, Waker::noop()).is_ready());
        drop(second);
        (2..4).for_each(|n| queue.put_nowait(n).unwrap());
        let (mut put, mut join) = (queue.put(4), queue.join());
        assert!(poll(&mut put, Waker::noop()).is_pending() && poll(&mut join, Waker::noop()).is_pending());
        let now = queue.statistics();
        assert_eq!((now.maxsize, now.len, now.most_items), (2, 2, 2));
        assert_eq!((now.put, now.got, now.thrown, now.unfinished), (3, 1, 0, 3));
        assert_eq!((now.getters, now.putters, now.joiners, now.most_putters), (0, 1, 1, 1));
        queue.get_nowait().unwrap();
        queue.task_done().unwrap();
        assert!(!queue.statistics().shut_down);
        queue.shutdown(true);
        let now = queue.statistics();
        assert_eq!((now.put, now.got, now.thrown, now.unfinished, now.len), (3, 2, 1, 1, 0));
        assert_eq!((now.shut_down, now.most_items, now.putters), (true, 2, 0));
    };
}

#[test]
fn of_every_kind() {
    program!(Queue::new(2));
    program!(LifoQueue::new(2));
    program!(PriorityQueue::new(2));
    program!(concurrent::Queue::new(2));
}

#[test]
fn what_is_done_before_it_is_got_is_not_counted_twice() {
    let queue = Queue::new(0);
    (0..3).for_each(|n| queue.put_nowait(n).unwrap());
    queue.task_done().unwrap();
    queue.task_done().unwrap();
    queue.shutdown(true);
    let now = queue.statistics();
    assert_eq!((now.unfinished, now.thrown, now.got), (0, 3, 0));
    assert!(queue.task_done().is_err());
}
