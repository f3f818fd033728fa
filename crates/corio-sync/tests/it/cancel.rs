use crate::toy::{Counter, poll};
use corio_sync::{Event, Lock, Semaphore};

#[test]
fn hazard_41_a_lock_on_its_way_to_a_dropped_waiter_goes_to_the_next() {
    let (count, waker) = Counter::new();
    let lock = Lock::new();
    let guard = lock.try_acquire().unwrap();
    let mut line = [lock.acquire(), lock.acquire(), lock.acquire()];
    line.iter_mut().for_each(|waiting| assert!(poll(waiting, &waker).is_pending()));
    let [first, second, mut third] = line;
    drop(second); // Out of the middle, never woken.
    assert_eq!(count.count(), 0);
    drop(guard);
    assert_eq!(count.count(), 1);
    drop(first);
    assert_eq!(count.count(), 2);
    assert!(poll(&mut third, &waker).is_ready());
}

#[test]
fn hazard_42_a_lock_whose_waiters_are_all_cancelled_is_free() {
    let (_, waker) = Counter::new();
    let lock = Lock::new();
    let guard = lock.try_acquire().unwrap();
    let mut line = [lock.acquire(), lock.acquire()];
    line.iter_mut().for_each(|waiting| assert!(poll(waiting, &waker).is_pending()));
    drop(guard);
    drop(line);
    assert!(lock.try_acquire().is_some());
}

#[test]
fn hazard_42_a_reserved_permit_of_a_dropped_waiter_goes_to_the_next_or_back() {
    let (count, waker) = Counter::new();
    let semaphore = Semaphore::new(0);
    let (mut first, mut second) = (semaphore.acquire(), semaphore.acquire());
    assert!(poll(&mut first, &waker).is_pending() && poll(&mut second, &waker).is_pending());
    semaphore.release().unwrap();
    drop(first);
    assert_eq!((count.count(), semaphore.available()), (2, 0));
    drop(second);
    assert_eq!(semaphore.available(), 1);
    assert!(!semaphore.locked());
}

#[test]
fn a_waiter_of_an_event_just_leaves() {
    let (count, waker) = Counter::new();
    let event = Event::new();
    let (mut first, mut second) = (event.wait(), event.wait());
    assert!(poll(&mut first, &waker).is_pending() && poll(&mut second, &waker).is_pending());
    drop(first);
    event.set();
    assert_eq!(count.count(), 1);
    drop(second);
    assert_eq!(format!("{event:?}"), "Event { set: true, waiters: 0 }");
}

#[test]
fn a_future_that_was_never_polled_is_in_no_line() {
    let lock = Lock::new();
    let guard = lock.try_acquire().unwrap();
    drop(lock.acquire());
    drop(guard);
    assert!(lock.try_acquire().is_some());
}
