use crate::toy::{Counter, poll};
use corio_sync::{Event, Semaphore, WaiterList, Wakers};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Wake, Waker};

/// A waker that panics when woken.
struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("a waker's own affair");
    }
}

/// As that, with a payload of its own.
struct Loaded(fn());

impl Wake for Loaded {
    fn wake(self: Arc<Self>) {
        self.0();
    }
}

/// A payload that panics when it is dropped.
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("a payload's own affair");
    }
}

fn wakers(wakers: impl IntoIterator<Item = Waker>) -> Wakers {
    let mut all = Wakers::new();
    wakers.into_iter().for_each(|waker| all.push(waker));
    all
}

#[test]
fn of_several_panics_the_first_comes_out_and_the_others_harm_nobody() {
    let (count, waker) = Counter::new();
    let first = Waker::from(Arc::new(Loaded(|| std::panic::panic_any("first"))));
    let second = Waker::from(Arc::new(Loaded(|| std::panic::panic_any(Mine))));
    let all = wakers([first, second, waker]);
    let payload = catch_unwind(AssertUnwindSafe(|| all.wake())).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"first"));
    assert_eq!(count.count(), 1);
}

#[test]
fn wakers_that_are_dropped_by_a_panic_are_woken_and_add_none() {
    let (count, waker) = Counter::new();
    let bomb = Waker::from(Arc::new(Bomb));
    let all = wakers([bomb, waker]);
    let payload = catch_unwind(AssertUnwindSafe(|| {
        let _dropped = all;
        std::panic::panic_any("its own");
    }));
    assert_eq!(payload.unwrap_err().downcast_ref(), Some(&"its own"));
    assert_eq!(count.count(), 1);
}

#[test]
fn hazard_6_a_waker_that_panics_keeps_nobody_else_asleep() {
    let ((count, waker), bomb) = (Counter::new(), Waker::from(Arc::new(Bomb)));
    let event = Event::new();
    let mut line = [event.wait(), event.wait(), event.wait(), event.wait()];
    for (waiting, waker) in line.iter_mut().zip([&waker, &bomb, &bomb, &waker]) {
        assert!(poll(waiting, waker).is_pending());
    }
    assert!(catch_unwind(AssertUnwindSafe(|| event.set())).is_err());
    assert_eq!(count.count(), 2);
    assert!(event.is_set());
    line.iter_mut().for_each(|waiting| assert!(poll(waiting, &waker).is_ready()));
}

#[test]
fn hazard_6_a_first_waker_that_panics_keeps_nobody_else_asleep() {
    let ((count, waker), bomb) = (Counter::new(), Waker::from(Arc::new(Bomb)));
    let event = Event::new();
    let (mut first, mut second) = (event.wait(), event.wait());
    assert!(poll(&mut first, &bomb).is_pending() && poll(&mut second, &waker).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| event.set())).is_err());
    assert_eq!(count.count(), 1);
}

#[test]
fn a_permit_is_reserved_though_the_waker_panicked() {
    let ((_, waker), bomb) = (Counter::new(), Waker::from(Arc::new(Bomb)));
    let semaphore = Semaphore::new(0);
    let mut waiting = semaphore.acquire();
    assert!(poll(&mut waiting, &bomb).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| semaphore.release())).is_err());
    assert_eq!(semaphore.available(), 0);
    assert!(poll(&mut waiting, &waker).is_ready());
    assert_eq!(semaphore.available(), 1);
}

#[test]
#[should_panic(expected = "this waiter has left the list")]
fn hazard_24_a_key_of_an_earlier_use_of_the_slot_is_refused() {
    let mut list = WaiterList::new();
    let old = list.push(Waker::noop().clone());
    let _ = list.remove(old);
    let _new = list.push(Waker::noop().clone());
    let _ = list.remove(old);
}
