use crate::counter::{Counter, poll};
use corio_queue::{PriorityQueue, Queue};
use std::cell::Cell;
use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

/// A waker that panics when woken.
struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("a waker's own affair");
    }
}

#[test]
fn hazard_6_what_was_put_is_there_though_a_waker_panicked() {
    let ((_, waker), bomb) = (Counter::new(), Waker::from(Arc::new(Bomb)));
    let queue = Queue::new(0);
    let mut get = queue.get();
    assert!(poll(&mut get, &bomb).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| queue.put_nowait(1))).is_err());
    assert_eq!(poll(&mut get, &waker), Poll::Ready(Ok(1)));
}

#[test]
fn hazard_6_a_shutdown_wakes_the_others_though_a_waker_panicked() {
    let ((count, waker), bomb) = (Counter::new(), Waker::from(Arc::new(Bomb)));
    let queue = Queue::<i32>::new(0);
    let (mut first, mut second) = (queue.get(), queue.get());
    assert!(poll(&mut first, &bomb).is_pending() && poll(&mut second, &waker).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| queue.shutdown(true))).is_err());
    assert_eq!(count.count(), 1);
}

/// An item that counts its end, and panics at it if told so.
struct Item(bool, Arc<Counter>);

impl Drop for Item {
    fn drop(&mut self) {
        Waker::from(Arc::clone(&self.1)).wake();
        assert!(!self.0, "an item's own affair");
    }
}

#[test]
fn hazard_10_an_immediate_shutdown_drops_every_item_though_one_panics() {
    let (count, _) = Counter::new();
    let queue = Queue::new(0);
    for panics in [false, true, false] {
        assert!(queue.put_nowait(Item(panics, Arc::clone(&count))).is_ok());
    }
    assert!(catch_unwind(AssertUnwindSafe(|| queue.shutdown(true))).is_err());
    assert_eq!((count.count(), queue.len()), (3, 0));
    assert!(poll(&mut queue.join(), Waker::noop()).is_ready());
}

/// A number that cannot be compared with 13.
#[derive(Debug, PartialEq, Eq)]
struct Superstitious(u32);

impl Ord for Superstitious {
    fn cmp(&self, other: &Superstitious) -> Ordering {
        assert!(self.0 != 13 && other.0 != 13, "an item's own affair");
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Superstitious {
    fn partial_cmp(&self, other: &Superstitious) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[test]
fn a_comparison_that_panics_leaves_the_queue_usable() {
    let queue = PriorityQueue::new(0);
    queue.put_nowait(Superstitious(2)).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| queue.put_nowait(Superstitious(13)))).is_err());
    let len = queue.len();
    assert!((1..=2).contains(&len));
    queue.shutdown(true);
    assert!(queue.is_empty());
}

#[test]
fn hazard_41_a_comparison_that_panics_keeps_nobody_asleep() {
    let ((_, first_waker), (count, waker)) = (Counter::new(), Counter::new());
    let queue = PriorityQueue::new(2);
    let (mut first, mut second) = (queue.get(), queue.get());
    assert!(poll(&mut first, &first_waker).is_pending() && poll(&mut second, &waker).is_pending());
    queue.put_nowait(Superstitious(13)).unwrap(); // Wakes the first.
    assert!(catch_unwind(AssertUnwindSafe(|| queue.put_nowait(Superstitious(2)))).is_err());
    assert_eq!((queue.len(), count.count()), (2, 1), "it is in the queue, so the second is woken too");
    let now = queue.statistics();
    assert_eq!((now.put, now.got, now.unfinished), (2, 0, 2));

    let ((_, waker), (count, putter)) = (Counter::new(), Counter::new());
    let queue = PriorityQueue::new(3);
    (1..=3).for_each(|n| queue.put_nowait(Fickle(n)).unwrap());
    let mut put = queue.put(Fickle(4));
    assert!(poll(&mut put, &putter).is_pending());
    MOOD.set(true);
    assert!(catch_unwind(AssertUnwindSafe(|| queue.get_nowait())).is_err());
    MOOD.set(false);
    assert_eq!((queue.len(), count.count()), (2, 1), "one is lost, so there is room");
    assert!(poll(&mut put, &waker).is_ready());
    assert_eq!(queue.statistics().got, 1);
}

thread_local! {
    /// Whether `Fickle` panics when compared.
    static MOOD: Cell<bool> = const { Cell::new(false) };
}

/// A number that can be compared only sometimes.
#[derive(Debug, PartialEq, Eq)]
struct Fickle(u32);

impl Ord for Fickle {
    fn cmp(&self, other: &Fickle) -> Ordering {
        assert!(!MOOD.get(), "an item's own affair");
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Fickle {
    fn partial_cmp(&self, other: &Fickle) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
