use crate::ledger::odd_waker;
use crate::toy::{Counter, poll};
use corio_sync::{Barrier, BrokenBarrier, Event, Lock, Semaphore, Waiters};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

thread_local! {
    /// What the waker and its destructor do.
    static ACTION: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// A waker that runs `ACTION` when woken and when dropped.
struct Busy;

fn act() {
    ACTION.with_borrow(|action| action.as_ref().inspect(|action| action()).is_some());
}

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

#[test]
fn hazard_5_a_waker_may_use_the_primitive_when_woken_and_when_dropped() {
    let semaphore = Rc::new(Semaphore::new(0));
    let inner = Rc::clone(&semaphore);
    ACTION.set(Some(Box::new(move || {
        let semaphore = &*inner;
        drop(semaphore.try_acquire());
        let _ = format!("{semaphore:?}");
        let mut another = semaphore.acquire();
        let _ = poll(&mut another, Waker::noop());
    })));
    let mut waiting = semaphore.acquire();
    assert!(poll(&mut waiting, &Waker::from(Arc::new(Busy))).is_pending());
    // Replaced: the first waker is dropped here.
    assert!(poll(&mut waiting, &Waker::from(Arc::new(Busy))).is_pending());
    semaphore.release().unwrap();
    assert!(poll(&mut waiting, Waker::noop()).is_ready());
    // Dropped while it waits.
    let _permit = semaphore.try_acquire().unwrap();
    let mut waiting = semaphore.acquire();
    assert!(poll(&mut waiting, &Waker::from(Arc::new(Busy))).is_pending());
    drop(waiting);
    ACTION.set(None);
}

#[test]
fn who_enters_the_line_during_a_wake_up_waits_for_the_next_one() {
    let (waiters, late) = (Rc::new(Waiters::new()), Rc::new(Cell::new(None)));
    let (inner, key) = (Rc::clone(&waiters), Rc::clone(&late));
    ACTION.set(Some(Box::new(move || {
        if key.get().is_none() {
            let mut entered = None;
            assert!(inner.poll_wait(&mut entered, &Context::from_waker(Waker::noop()), &"late").is_pending());
            key.set(entered);
        }
    })));
    let ((count, counted), busy) = (Counter::new(), Waker::from(Arc::new(Busy)));
    let (mut first, mut second) = (None, None);
    for (key, waker) in [(&mut first, &busy), (&mut second, &counted)] {
        assert!(waiters.poll_wait(key, &Context::from_waker(waker), &"test").is_pending());
    }
    waiters.notify_all();
    assert_eq!((count.count(), waiters.n_waiting(), waiters.n_notified()), (1, 1, 2));
    waiters.notify_all();
    assert_eq!((waiters.n_waiting(), waiters.n_notified()), (0, 3));
    drop(busy);
    ACTION.set(None);
    let mut third = late.take();
    assert!([&mut first, &mut second, &mut third].map(|key| waiters.leave(key)).iter().all(|&notified| notified));
}

/// A waker that runs `action` when it is first cloned: just before its task enters a line.
fn on_clone(action: impl Fn() + 'static) -> Waker {
    ACTION.set(Some(Box::new(action)));
    odd_waker(|what| {
        let action = (what == "clone").then(|| ACTION.take()).flatten();
        action.into_iter().for_each(|action| action());
    })
}

#[test]
fn hazard_5_what_comes_while_a_waker_is_cloned_is_not_missed() {
    let lock = Rc::new(Lock::new());
    lock.try_acquire().unwrap().forget();
    let inner = Rc::clone(&lock);
    let waker = on_clone(move || inner.release().unwrap());
    assert!(poll(&mut lock.acquire(), &waker).is_ready());

    let semaphore = Rc::new(Semaphore::new(0));
    let inner = Rc::clone(&semaphore);
    let waker = on_clone(move || inner.release().unwrap());
    let permit = poll(&mut semaphore.acquire(), &waker);
    assert!(permit.is_ready());
    assert_eq!(semaphore.available(), 0);
    drop(permit);
    assert_eq!(semaphore.available(), 1);

    let event = Rc::new(Event::new());
    let inner = Rc::clone(&event);
    assert!(poll(&mut event.wait(), &on_clone(move || inner.set())).is_ready());

    let barrier = Rc::new(Barrier::new(2));
    let inner = Rc::clone(&barrier);
    assert_eq!(poll(&mut barrier.wait(), &on_clone(move || inner.abort())), Poll::Ready(Err(BrokenBarrier)));
}
