use crate::counter::{Counter, poll};
use crate::ledger::odd_waker;
use corio_queue::{PriorityQueue, Queue, concurrent};
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

thread_local! {
    /// What wakers, their destructors and comparisons do.
    static ACTION: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
    /// Whether it is being done: one level is enough.
    static ACTING: Cell<bool> = const { Cell::new(false) };
}

fn act() {
    let action = ACTION.with_borrow(Clone::clone);
    if let Some(action) = action.filter(|_| !ACTING.replace(true)) {
        action();
        ACTING.set(false);
    }
}

/// A waker that runs `ACTION` when woken and when dropped.
struct Busy;

impl Wake for Busy {
    fn wake(self: Arc<Self>) {
        act();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        act();
    }
}

fn busy() -> Waker {
    Waker::from(Arc::new(Busy))
}

#[test]
fn hazard_5_a_waker_may_use_the_queue() {
    let queue = Queue::new(2);
    let (inner, acted) = (queue.clone(), Rc::new(Cell::new(0)));
    let counter = Rc::clone(&acted);
    ACTION.set(Some(Rc::new(move || {
        counter.set(counter.get() + 1);
        let _ = format!("{inner:?}");
        let _ = (inner.put_nowait(7), inner.get_nowait());
        assert!(poll(&mut inner.join(), Waker::noop()).is_pending());
    })));
    let mut get = queue.get();
    assert!(poll(&mut get, &busy()).is_pending());
    assert!(poll(&mut get, &busy()).is_pending()); // Replaces the first, which acts when dropped.
    // That put and took an item, so the getter has been woken for nothing, and goes to the back of the line.
    assert!(poll(&mut get, &busy()).is_pending());
    queue.put_nowait(1).unwrap(); // Wakes it: the waker takes the item away and leaves its own.
    assert_eq!(poll(&mut get, Waker::noop()), Poll::Ready(Ok(7)));
    queue.put_nowait(1).unwrap();
    queue.put_nowait(2).unwrap();
    let (mut put, mut join) = (queue.put(3), queue.join());
    assert!(poll(&mut put, &busy()).is_pending() && poll(&mut join, &busy()).is_pending());
    drop((put, join)); // Dropped while they wait: their wakers act.
    ACTION.set(None);
    assert!(acted.get() >= 4, "{}", acted.get());
}

/// A number whose comparison runs `ACTION`.
#[derive(Debug, PartialEq, Eq)]
struct Nosy(u32);

impl Ord for Nosy {
    fn cmp(&self, other: &Nosy) -> Ordering {
        act();
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Nosy {
    fn partial_cmp(&self, other: &Nosy) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[test]
fn a_comparison_may_look_at_the_queue() {
    let queue = PriorityQueue::new(0);
    let (inner, seen) = (queue.clone(), Rc::new(Cell::new(0)));
    let last = Rc::clone(&seen);
    queue.put_nowait(Nosy(2)).unwrap();
    ACTION.set(Some(Rc::new(move || {
        last.set(inner.len());
        inner.task_done().unwrap();
    })));
    queue.put_nowait(Nosy(1)).unwrap();
    ACTION.set(None);
    assert_eq!((seen.get(), queue.len()), (1, 2));
    assert_eq!(queue.get_nowait(), Ok(Nosy(1)));
}

#[test]
fn a_comparison_that_puts_panics_and_harms_nothing() {
    let (_, waker) = Counter::new();
    let queue = PriorityQueue::new(0);
    let inner = queue.clone();
    queue.put_nowait(Nosy(2)).unwrap();
    ACTION.set(Some(Rc::new(move || drop(inner.put_nowait(Nosy(9))))));
    assert!(catch_unwind(AssertUnwindSafe(|| queue.put_nowait(Nosy(1)))).is_err());
    ACTION.set(None);
    ACTING.set(false);
    queue.put_nowait(Nosy(0)).unwrap();
    assert_eq!(poll(&mut queue.get(), &waker), Poll::Ready(Ok(Nosy(0))));
}

/// Between the look at a full queue and the place in its line, the waker is cloned, which is user code.
#[test]
fn a_clone_that_makes_room_lets_the_put_through() {
    let queue = concurrent::Queue::new(1);
    queue.put_nowait(1).unwrap();
    let inner = queue.clone();
    let waker = odd_waker(move |what| {
        if what == "clone" {
            let _ = inner.get_nowait();
        }
    });
    assert_eq!(poll(&mut queue.put(2), &waker), Poll::Ready(Ok(())));
    assert_eq!(queue.get_nowait(), Ok(2));
}
