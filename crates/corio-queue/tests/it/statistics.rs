use crate::counter::poll;
use corio_queue::{GetError, LifoQueue, PriorityQueue, PutError, Queue, concurrent};
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

/// What a queue answers: how many there may be, how many there are, whether that is none, or all, and whether it is over.
type Answers = (usize, usize, bool, bool, bool);

#[test]
fn both_kinds_answer_the_same() {
    let (here, between) = (Queue::new(2), concurrent::Queue::new(2));
    let ask = |now: Answers| {
        assert_eq!((here.maxsize(), here.len(), here.is_empty(), here.is_full(), here.is_shut_down()), now);
        let answers = (between.maxsize(), between.len(), between.is_empty(), between.is_full(), between.is_shut_down());
        assert_eq!(answers, now);
    };
    let put = |item| (here.put_nowait(item), between.put_nowait(item));
    ask((2, 0, true, false, false));
    assert_eq!(put(1), (Ok(()), Ok(())));
    ask((2, 1, false, false, false));
    assert_eq!(put(2), (Ok(()), Ok(())));
    ask((2, 2, false, true, false));
    assert_eq!(put(3), (Err(PutError::QueueFull(3)), Err(PutError::QueueFull(3))));
    here.shutdown(false);
    between.shutdown(false);
    ask((2, 2, false, true, true));
    assert_eq!(put(3), (Err(PutError::ShutDown(3)), Err(PutError::ShutDown(3))));
}

#[test]
fn errors_say_which_they_are() {
    let (full, shut) = (PutError::QueueFull(7), PutError::ShutDown(7));
    assert_eq!([full.is_full(), full.is_shut_down(), shut.is_full(), shut.is_shut_down()], [true, false, false, true]);
    assert_eq!((full.into_inner(), shut.into_inner()), (7, 7));
    let (empty, shut) = (GetError::QueueEmpty, GetError::ShutDown);
    assert_eq!(
        [empty.is_empty(), empty.is_shut_down(), shut.is_empty(), shut.is_shut_down()],
        [true, false, false, true]
    );
}
