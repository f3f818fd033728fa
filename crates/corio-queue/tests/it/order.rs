use crate::counter::{Counter, poll};
use corio_queue::{GetError, PriorityQueue, PutError, Queue};
use std::cmp::Ordering;
use std::task::Poll;

#[test]
fn hazard_41_a_robbed_getter_goes_to_the_back_of_the_line() {
    let ((first_count, first_waker), (second_count, second_waker)) = (Counter::new(), Counter::new());
    let queue = Queue::new(0);
    let (mut first, mut second) = (queue.get(), queue.get());
    assert!(poll(&mut first, &first_waker).is_pending() && poll(&mut second, &second_waker).is_pending());
    queue.put_nowait(1).unwrap();
    assert_eq!((first_count.count(), second_count.count()), (1, 0));
    assert_eq!(queue.get_nowait(), Ok(1), "barging is allowed");
    assert!(poll(&mut first, &first_waker).is_pending());
    queue.put_nowait(2).unwrap();
    assert_eq!((first_count.count(), second_count.count()), (1, 1), "second is first now");
    assert_eq!(poll(&mut second, &second_waker), Poll::Ready(Ok(2)));
}

#[test]
fn a_robbed_putter_goes_to_the_back_of_the_line() {
    let ((first_count, first_waker), (second_count, second_waker)) = (Counter::new(), Counter::new());
    let queue = Queue::new(1);
    queue.put_nowait(0).unwrap();
    let (mut first, mut second) = (queue.put(1), queue.put(2));
    assert!(poll(&mut first, &first_waker).is_pending() && poll(&mut second, &second_waker).is_pending());
    assert_eq!(queue.get_nowait(), Ok(0));
    queue.put_nowait(9).unwrap();
    assert!(poll(&mut first, &first_waker).is_pending());
    assert_eq!(queue.get_nowait(), Ok(9));
    assert_eq!((first_count.count(), second_count.count()), (1, 1));
    assert!(poll(&mut second, &second_waker).is_ready());
    assert_eq!(queue.get_nowait(), Ok(2));
    assert!(poll(&mut first, &first_waker).is_ready());
    assert_eq!(queue.get_nowait(), Ok(1));
}

#[test]
fn a_spurious_poll_takes_nothing_that_another_was_woken_for() {
    let ((_, first_waker), (second_count, second_waker)) = (Counter::new(), Counter::new());
    let queue = Queue::new(0);
    let (mut first, mut second) = (queue.get(), queue.get());
    assert!(poll(&mut first, &first_waker).is_pending() && poll(&mut second, &second_waker).is_pending());
    queue.put_nowait(1).unwrap();
    assert!(poll(&mut second, &first_waker).is_pending());
    assert_eq!(poll(&mut first, &first_waker), Poll::Ready(Ok(1)));
    assert_eq!(second_count.count(), 0);
}

#[test]
fn each_item_wakes_one_getter_at_most() {
    let (count, waker) = Counter::new();
    let queue = Queue::new(0);
    let mut line = [queue.get(), queue.get(), queue.get()];
    line.iter_mut().for_each(|get| assert!(poll(get, &waker).is_pending()));
    queue.put_nowait(1).unwrap();
    assert_eq!(count.count(), 1);
    queue.put_nowait(2).unwrap();
    assert_eq!(count.count(), 2);
}

#[test]
fn what_can_be_done_at_once_does_not_yield() {
    let (count, waker) = Counter::new();
    let queue = Queue::new(1);
    assert!(poll(&mut queue.put(1), &waker).is_ready());
    assert!(poll(&mut queue.get(), &waker).is_ready());
    assert!(poll(&mut queue.join(), &waker).is_pending());
    queue.task_done().unwrap();
    assert!(poll(&mut queue.join(), &waker).is_ready());
    assert_eq!(count.count(), 0, "the join that waited is gone");
}

/// Compares by its priority alone.
#[derive(Debug)]
struct Job(u32, &'static str);

impl Ord for Job {
    fn cmp(&self, other: &Job) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Job) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Job) -> bool {
        self.0 == other.0
    }
}

impl Eq for Job {}

#[test]
fn equal_priorities_come_out_in_the_order_of_insertion() {
    let queue = PriorityQueue::new(0);
    for job in [Job(2, "a"), Job(1, "b"), Job(2, "c"), Job(1, "d"), Job(2, "e"), Job(1, "f")] {
        queue.put_nowait(job).unwrap();
    }
    let names = [(); 6].map(|()| queue.get_nowait().unwrap().1);
    assert_eq!(names, ["b", "d", "f", "a", "c", "e"]);
}

#[test]
fn hazard_43_bounds() {
    let queue = Queue::new(usize::MAX);
    queue.put_nowait(1).unwrap();
    assert!(!queue.is_full());
    assert_eq!(queue.maxsize(), usize::MAX);
    let queue = Queue::new(1);
    queue.put_nowait(1).unwrap();
    assert_eq!(queue.put_nowait(2), Err(PutError::QueueFull(2)));
    assert_eq!(queue.get_nowait(), Ok(1));
    assert_eq!(queue.get_nowait(), Err(GetError::QueueEmpty));
    assert!(queue.task_done().is_ok());
    assert!(queue.task_done().is_err());
}
