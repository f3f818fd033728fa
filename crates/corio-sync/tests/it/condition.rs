use crate::ledger::odd_waker;
use crate::toy::{Counter, poll};
use corio_sync::{Condition, Lock, NotAcquired, NotLocked};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Makes a waiter that is in the line, the lock being free.
fn waiter<'c>(condition: &'c Condition, waker: &Waker) -> corio_sync::ConditionWait<'c> {
    let mut wait = condition.wait(condition.try_acquire().expect("the lock is free"));
    assert!(condition.locked(), "nothing happens before the first poll");
    assert!(poll(&mut wait, waker).is_pending());
    assert!(!condition.locked());
    wait
}

#[test]
fn a_wait_releases_the_lock_and_gives_it_back() {
    let (count, waker) = Counter::new();
    let condition = Condition::new();
    let mut wait = waiter(&condition, &waker);
    let guard = condition.try_acquire().unwrap();
    condition.notify(1).unwrap();
    assert_eq!(count.count(), 1);
    assert!(poll(&mut wait, &waker).is_pending(), "the lock is still held");
    drop(guard);
    assert_eq!(count.count(), 2);
    let guard = poll(&mut wait, &waker);
    assert!(guard.is_ready() && condition.locked());
    drop(guard);
    assert!(!condition.locked());
}

#[test]
fn notify_wakes_the_oldest_and_they_queue_for_the_lock() {
    let counters = [(); 4].map(|()| Counter::new());
    let condition = Condition::new();
    let mut line = counters.each_ref().map(|(_, waker)| waiter(&condition, waker));
    let counts = || counters.each_ref().map(|(count, _)| count.count());
    let guard = condition.try_acquire().unwrap();
    condition.notify(0).unwrap();
    assert_eq!(counts(), [0, 0, 0, 0]);
    condition.notify(2).unwrap();
    assert_eq!(counts(), [1, 1, 0, 0]);
    // The second runs first, so it is the first in the lock's line.
    assert!(poll(&mut line[1], &counters[1].1).is_pending() && poll(&mut line[0], &counters[0].1).is_pending());
    drop(guard);
    assert_eq!(counts(), [1, 2, 0, 0]);
    let guard = poll(&mut line[1], &counters[1].1);
    condition.notify_all().unwrap();
    assert_eq!(counts(), [1, 2, 1, 1]);
    drop(guard);
    assert_eq!(counts(), [2, 2, 1, 1]);
}

#[test]
fn without_the_lock_it_is_an_error() {
    let condition = Condition::new();
    assert_eq!(condition.notify(1), Err(NotAcquired));
    assert_eq!(condition.notify_all(), Err(NotAcquired));
    assert_eq!(condition.release(), Err(NotLocked));
    let _ = condition.try_acquire().map(|guard| guard.forget());
    assert!(condition.notify(1).is_ok() && condition.release().is_ok(), "the lock is not owned");
}

#[test]
#[should_panic(expected = "cannot wait on un-acquired lock")]
fn a_guard_whose_lock_was_released_by_hand_is_refused() {
    let condition = Condition::new();
    let stale = condition.try_acquire().unwrap();
    condition.release().unwrap();
    let _other = condition.try_acquire();
    drop(condition.wait(stale));
}

#[test]
#[should_panic(expected = "cannot wait with the guard of another lock")]
fn the_guard_of_another_lock_is_refused() {
    let (condition, lock) = (Condition::new(), Lock::new());
    drop(condition.wait(lock.try_acquire().unwrap()));
}

#[test]
#[should_panic(expected = "`Condition.wait` was polled after it had completed")]
fn hazard_3_a_wait_is_not_polled_twice() {
    let condition = Condition::new();
    let mut wait = waiter(&condition, Waker::noop());
    condition.try_acquire().unwrap().forget();
    condition.notify(1).unwrap();
    condition.release().unwrap();
    assert!(poll(&mut wait, Waker::noop()).is_ready());
    let _ = poll(&mut wait, Waker::noop());
}

#[test]
fn hazard_41_a_notified_waiter_that_is_dropped_passes_the_notification_on() {
    let ((_, waker), (count, next_waker)) = (Counter::new(), Counter::new());
    let condition = Condition::new();
    let first = waiter(&condition, &waker);
    let _second = waiter(&condition, &next_waker);
    let guard = condition.try_acquire().unwrap();
    condition.notify(1).unwrap();
    drop(guard);
    assert_eq!(count.count(), 0);
    drop(first); // Nobody holds the lock now, and nobody need.
    assert_eq!(count.count(), 1);
}

#[test]
fn hazard_41_so_does_one_that_is_dropped_in_the_locks_line_and_the_lock_too() {
    let ((_, waker), (count, next_waker), (lock_count, lock_waker)) = (Counter::new(), Counter::new(), Counter::new());
    let condition = Condition::new();
    let mut first = waiter(&condition, &waker);
    let _second = waiter(&condition, &next_waker);
    let guard = condition.try_acquire().unwrap();
    condition.notify(1).unwrap();
    assert!(poll(&mut first, &waker).is_pending());
    let mut third = condition.acquire();
    assert!(poll(&mut third, &lock_waker).is_pending());
    drop(guard); // The lock is on its way to the first.
    assert_eq!((count.count(), lock_count.count()), (0, 0));
    drop(first);
    assert_eq!((count.count(), lock_count.count()), (1, 1));
    assert!(poll(&mut third, &lock_waker).is_ready());
}

#[test]
fn one_that_got_the_lock_has_spent_its_notification() {
    let ((_, waker), (count, next_waker)) = (Counter::new(), Counter::new());
    let condition = Condition::new();
    let mut first = waiter(&condition, &waker);
    let _second = waiter(&condition, &next_waker);
    let guard = condition.try_acquire().unwrap();
    condition.notify(1).unwrap();
    drop(guard);
    assert!(poll(&mut first, &waker).is_ready());
    drop(first);
    assert_eq!(count.count(), 0);
}

#[test]
fn a_waiter_that_was_not_notified_just_leaves() {
    let ((_, waker), (count, next_waker)) = (Counter::new(), Counter::new());
    let condition = Condition::new();
    let first = waiter(&condition, &waker);
    let _second = waiter(&condition, &next_waker);
    drop(first);
    assert_eq!((count.count(), condition.statistics().waiting), (0, 1));
    // Never polled: the guard was never given up, and goes with the future.
    drop(condition.wait(condition.try_acquire().unwrap()));
    assert!(!condition.locked());
}

#[test]
fn wait_for_asks_first_and_gives_what_it_was_told() {
    let (count, waker) = Counter::new();
    let (condition, value) = (Condition::new(), Cell::new(Some(1)));
    let mut cx = Context::from_waker(&waker);
    let at_once = pin!(condition.wait_for(condition.try_acquire().unwrap(), || value.get()));
    let Poll::Ready((guard, 1)) = at_once.poll(&mut cx) else { panic!("the first answer was there") };
    drop(guard);
    value.set(None);
    let mut later = pin!(condition.wait_for(condition.try_acquire().unwrap(), || value.get()));
    assert!(later.as_mut().poll(&mut cx).is_pending());
    for (answer, ready) in [(None, false), (Some(2), true)] {
        let guard = condition.try_acquire().unwrap();
        value.set(answer);
        condition.notify(1).unwrap();
        drop(guard);
        assert_eq!(later.as_mut().poll(&mut cx).is_ready(), ready);
    }
    assert_eq!(count.count(), 2);
}

#[test]
fn a_predicate_that_panics_releases_the_lock() {
    let condition = Condition::new();
    let wait = condition.wait_for(condition.try_acquire().unwrap(), || -> Option<()> { panic!("its own affair") });
    let mut wait = Box::pin(wait);
    let polled = catch_unwind(AssertUnwindSafe(|| poll(&mut wait, Waker::noop()).is_ready()));
    assert!(polled.is_err() && !condition.locked());
}

#[test]
fn two_conditions_on_one_lock() {
    let ((count, waker), (other_count, other_waker)) = (Counter::new(), Counter::new());
    let lock = Rc::new(Lock::new());
    let (not_empty, not_full) = (Condition::with_lock(Rc::clone(&lock)), Condition::with_lock(Rc::clone(&lock)));
    let mut wait = not_empty.wait(lock.try_acquire().unwrap());
    assert!(poll(&mut wait, &waker).is_pending());
    let mut other = not_full.wait(lock.try_acquire().unwrap());
    assert!(poll(&mut other, &other_waker).is_pending());
    let guard = lock.try_acquire().unwrap();
    not_empty.notify_all().unwrap();
    assert_eq!((count.count(), other_count.count()), (1, 0));
    drop(guard);
    assert!(poll(&mut wait, &waker).is_ready());
}

thread_local! {
    /// What the cloning of a waker does.
    static ON_CLONE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

#[test]
fn the_lock_is_released_only_when_the_waiter_is_in_the_line() {
    let condition = Rc::new(Condition::new());
    let (seen, inner) = (Rc::new(Cell::new(None)), Rc::clone(&condition));
    let locked = Rc::clone(&seen);
    ON_CLONE.set(Some(Box::new(move || locked.set(Some((inner.locked(), inner.statistics().waiting))))));
    let waker = odd_waker(|what| {
        if what == "clone" {
            ON_CLONE.take().into_iter().for_each(|action| action());
        }
    });
    let _wait = waiter(&condition, &waker);
    assert_eq!(seen.get(), Some((true, 0)));
}
