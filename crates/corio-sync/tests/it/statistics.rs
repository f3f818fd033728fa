use crate::toy::poll;
use corio_sync::{Barrier, Condition, Event, Lock, ResourceGuard, Semaphore};
use std::task::Waker;

#[test]
fn of_a_lock() {
    let lock = Lock::new();
    let guard = lock.try_acquire().unwrap();
    let mut line = [lock.acquire(), lock.acquire()];
    line.iter_mut().for_each(|wait| assert!(poll(wait, Waker::noop()).is_pending()));
    let now = lock.statistics();
    assert_eq!((now.locked, now.waiting, now.most_waiting, now.acquired), (true, 2, 2, 1));
    drop(guard);
    let now = lock.statistics();
    assert_eq!((now.locked, now.waiting, now.most_waiting), (false, 1, 2));
    assert!(poll(&mut line[0], Waker::noop()).is_ready());
    drop(line);
    let now = lock.statistics();
    assert_eq!((now.locked, now.waiting, now.most_waiting, now.acquired), (false, 0, 2, 2));
}

#[test]
fn of_an_event_and_a_condition() {
    let (event, condition) = (Event::new(), Condition::new());
    let (mut wait, mut other) = (event.wait(), condition.wait(condition.try_acquire().unwrap()));
    assert!(poll(&mut wait, Waker::noop()).is_pending() && poll(&mut other, Waker::noop()).is_pending());
    let now = event.statistics();
    assert_eq!((now.set, now.waiting, now.most_waiting), (false, 1, 1));
    event.set();
    let now = event.statistics();
    assert_eq!((now.set, now.waiting, now.most_waiting), (true, 0, 1));
    let now = condition.statistics();
    assert_eq!((now.waiting, now.most_waiting, now.lock.acquired, now.lock.locked), (1, 1, 1, false));
}

#[test]
fn of_a_semaphore() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.try_acquire().unwrap();
    let mut line = [semaphore.acquire(), semaphore.acquire()];
    line.iter_mut().for_each(|wait| assert!(poll(wait, Waker::noop()).is_pending()));
    drop(permit);
    let now = semaphore.statistics();
    assert_eq!((now.available, now.reserved, now.waiting, now.most_waiting, now.acquired), (0, 1, 1, 2, 1));
    assert!(poll(&mut line[0], Waker::noop()).is_ready());
    let now = semaphore.statistics();
    assert_eq!((now.available, now.reserved, now.waiting, now.acquired), (0, 1, 0, 2));
    drop(line);
    let now = semaphore.statistics();
    assert_eq!((now.available, now.reserved, now.waiting, now.most_waiting, now.acquired), (1, 0, 0, 2, 2));
}

#[test]
fn of_a_barrier_and_a_resource_guard() {
    let (barrier, guard) = (Barrier::new(2), ResourceGuard::new("using"));
    let mut waits = [(); 3].map(|()| barrier.wait());
    let _ = waits.each_mut().map(|wait| poll(wait, Waker::noop()));
    let now = barrier.statistics();
    assert_eq!((now.parties, now.waiting, now.queued, now.passed, now.broken), (2, 0, 1, 1, false));
    let _in_use = guard.enter();
    assert!(guard.enter().is_err());
    let now = guard.statistics();
    assert_eq!((now.busy, now.entered, now.refused), (true, 1, 1));
}

#[test]
fn an_event_that_is_cleared_is_waited_for_again() {
    let event = Event::new();
    event.set();
    assert!(poll(&mut event.wait(), Waker::noop()).is_ready());
    event.clear();
    assert!(!event.is_set() && !event.statistics().set);
    let mut waits = event.wait();
    assert!(poll(&mut waits, Waker::noop()).is_pending());
    event.set();
    event.clear();
    assert!(poll(&mut waits, Waker::noop()).is_ready(), "whoever waited then has been let through");
}

#[test]
fn a_barrier_counts_those_inside_who_have_not_left() {
    let barrier = Barrier::new(3);
    let mut waits = [(); 3].map(|()| barrier.wait());
    let inside = |count: usize| format!("{barrier:?}").contains(&format!("inside: {count}"));
    assert!(poll(&mut waits[0], Waker::noop()).is_pending() && poll(&mut waits[1], Waker::noop()).is_pending());
    assert!(inside(2) && barrier.n_waiting() == 2, "{barrier:?}");
    assert!(poll(&mut waits[2], Waker::noop()).is_ready());
    assert!(inside(2), "{barrier:?}");
    assert!(poll(&mut waits[0], Waker::noop()).is_ready());
    assert!(inside(1) && barrier.n_waiting() == 0, "{barrier:?}");
    assert!(poll(&mut waits[1], Waker::noop()).is_ready());
    assert!(inside(0), "{barrier:?}");
}
