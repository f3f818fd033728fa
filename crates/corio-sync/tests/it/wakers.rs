use crate::toy::{Counter, poll};
use corio_sync::{Event, Lock};
use std::sync::Arc;

#[test]
fn hazard_4_only_the_last_waker_counts() {
    let ((old_count, old), (new_count, new)) = (Counter::new(), Counter::new());
    let event = Event::new();
    let mut waiting = event.wait();
    assert!(poll(&mut waiting, &old).is_pending() && poll(&mut waiting, &new).is_pending());
    event.set();
    assert_eq!((old_count.count(), new_count.count()), (0, 1));
}

#[test]
fn hazard_7_wakers_are_dropped_as_soon_as_they_are_not_needed() {
    let ((count, waker), (other_count, other)) = (Counter::new(), Counter::new());
    let lock = Lock::new();
    let guard = lock.try_acquire().unwrap();
    let mut waiting = lock.acquire();
    assert!(poll(&mut waiting, &waker).is_pending());
    drop(waker);
    assert_eq!(Arc::strong_count(&count), 2);
    assert!(poll(&mut waiting, &other).is_pending());
    assert_eq!(Arc::strong_count(&count), 1, "replaced");
    drop(other);
    drop(waiting);
    assert_eq!(Arc::strong_count(&other_count), 1, "the waiter is gone");
    drop(guard);
}

#[test]
fn a_spurious_poll_keeps_the_place() {
    let (_, waker) = Counter::new();
    let lock = Lock::new();
    let guard = lock.try_acquire().unwrap();
    let (mut first, mut second) = (lock.acquire(), lock.acquire());
    assert!(poll(&mut first, &waker).is_pending() && poll(&mut second, &waker).is_pending());
    assert!(poll(&mut first, &waker).is_pending());
    drop(guard);
    assert!(poll(&mut second, &waker).is_pending());
    assert!(poll(&mut first, &waker).is_ready());
}
