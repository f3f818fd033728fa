use crate::toy::poll;
use corio_sync::{
    Barrier, BoundedSemaphore, Condition, Event, Lock, ResourceGuard, Semaphore, WaiterList, Waiters, Wakers,
};
use std::task::{Context, Waker};

fn shown(value: &dyn std::fmt::Debug) -> String {
    format!("{value:?}")
}

#[test]
fn a_lock_and_its_guard_say_who_waits() {
    let lock = Lock::new();
    let guard = lock.try_acquire().unwrap();
    let mut wait = lock.acquire();
    assert!(poll(&mut wait, Waker::noop()).is_pending());
    assert_eq!(shown(&lock), "Lock { locked: true, waiters: 1 }");
    assert_eq!(shown(&guard), "LockGuard { lock: Lock { locked: true, waiters: 1 } }");
}

#[test]
fn an_event_and_a_condition_say_who_waits() {
    let (event, condition) = (Event::new(), Condition::new());
    assert_eq!(shown(&condition), "Condition { locked: false, waiters: 0 }");
    let (mut wait, mut other) = (event.wait(), condition.wait(condition.try_acquire().unwrap()));
    assert!(poll(&mut wait, Waker::noop()).is_pending() && poll(&mut other, Waker::noop()).is_pending());
    assert_eq!(shown(&event), "Event { set: false, waiters: 1 }");
    assert_eq!(shown(&condition), "Condition { locked: false, waiters: 1 }");
}

#[test]
fn semaphores_say_what_is_left() {
    let (plain, bounded) = (Semaphore::new(2), BoundedSemaphore::new(3));
    let permit = plain.try_acquire().unwrap();
    assert_eq!(shown(&permit), "Permit { semaphore: Semaphore { available: 1, waiters: 0 } }");
    let _taken = bounded.try_acquire().unwrap();
    assert_eq!(shown(&bounded), "BoundedSemaphore { available: 2, bound: 3, waiters: 0 }");
}

#[test]
fn a_barrier_says_what_it_is_doing() {
    let barrier = Barrier::new(2);
    let mut wait = barrier.wait();
    assert!(poll(&mut wait, Waker::noop()).is_pending());
    assert_eq!(shown(&barrier), "Barrier { parties: 2, state: Filling, inside: 1, queue: 0 }");
    barrier.abort();
    assert!(shown(&barrier).contains("state: Broken"));
}

#[test]
fn a_resource_guard_says_who_is_inside() {
    let guard = ResourceGuard::new("reading from");
    assert_eq!(shown(&guard), r#"ResourceGuard { action: "reading from", busy: false }"#);
    let _inside = guard.enter().unwrap();
    assert_eq!(shown(&guard), r#"ResourceGuard { action: "reading from", busy: true }"#);
    assert_eq!(guard.enter().unwrap_err().to_string(), "another task is already reading from this resource");
}

#[test]
fn lists_count_who_waits_and_who_was_told() {
    let mut list = WaiterList::new();
    let [_, _] = [list.push(Waker::noop().clone()), list.push(Waker::noop().clone())];
    list.notify_one().unwrap().wake();
    assert_eq!(shown(&list), "WaiterList { waiting: 1, notified: 1 }");

    let (waiters, mut keys) = (Waiters::new(), [None, None]);
    for key in &mut keys {
        assert!(waiters.poll_wait(key, &Context::from_waker(Waker::noop()), &"a test").is_pending());
    }
    waiters.notify_one();
    assert_eq!(shown(&waiters), "Waiters { waiting: 1, notified: 1 }");

    let mut wakers = Wakers::new();
    assert!(wakers.is_empty());
    (0..3).for_each(|_| wakers.push(Waker::noop().clone()));
    assert_eq!((shown(&wakers), wakers.is_empty()), ("Wakers { len: 3 }".to_owned(), false));
}

#[test]
fn errors_are_sentences() {
    assert_eq!(Lock::new().release().unwrap_err().to_string(), "the lock is not acquired");
    assert_eq!(Condition::new().notify(1).unwrap_err().to_string(), "cannot notify on un-acquired lock");
    let full = BoundedSemaphore::new(1).release().unwrap_err();
    assert_eq!(full.to_string(), "the semaphore was released too many times");
    let barrier = Barrier::new(2);
    barrier.abort();
    let broken = pollster::block_on(barrier.wait()).unwrap_err();
    assert_eq!(broken.to_string(), "the barrier was aborted or reset");
}
