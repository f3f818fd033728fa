use crate::toy::{Counter, Toy, poll};
use corio_sync::{BoundedSemaphore, Lock, Semaphore};
use std::rc::Rc;

#[test]
fn a_lock_is_first_come_first_served() {
    let log = Toy::run(|toy| async move {
        let lock = Rc::new(Lock::new());
        for name in ["a", "b", "c"] {
            let (toy2, lock) = (toy.clone(), Rc::clone(&lock));
            toy.spawn(async move {
                for _ in 0..2 {
                    let _guard = lock.acquire().await;
                    toy2.sleep(0).await;
                    toy2.print(name);
                }
            });
        }
    });
    assert_eq!(log, ["a", "b", "c", "a", "b", "c"]);
}

#[test]
fn hazard_42_nobody_overtakes_a_woken_waiter_of_a_lock() {
    let (_, waker) = Counter::new();
    let lock = Lock::new();
    let guard = lock.try_acquire().unwrap();
    let mut first = lock.acquire();
    assert!(poll(&mut first, &waker).is_pending());
    drop(guard);
    assert!(!lock.locked(), "as asyncio has it: on its way, not held");
    assert!(lock.try_acquire().is_none(), "a woken, not yet run waiter counts");
    let mut second = lock.acquire();
    assert!(poll(&mut second, &waker).is_pending());
    let guard = poll(&mut first, &waker);
    assert!(guard.is_ready() && lock.locked());
    drop(guard);
    assert!(poll(&mut second, &waker).is_ready());
}

#[test]
fn a_permit_is_reserved_at_the_wake_up() {
    let (count, waker) = Counter::new();
    let semaphore = Semaphore::new(1);
    let permit = semaphore.try_acquire().unwrap();
    let mut waiting = semaphore.acquire();
    assert!(poll(&mut waiting, &waker).is_pending());
    drop(permit);
    assert_eq!((count.count(), semaphore.available()), (1, 0));
    assert!(semaphore.locked() && semaphore.try_acquire().is_none());
    let permit = poll(&mut waiting, &waker);
    assert!(permit.is_ready());
    drop(permit);
    assert_eq!(semaphore.available(), 1);
    assert!(!semaphore.locked());
}

#[test]
fn permits_left_over_behind_a_line_are_served_when_it_moves() {
    let (count, waker) = Counter::new();
    let semaphore = Semaphore::new(0);
    let mut first = semaphore.acquire();
    assert!(poll(&mut first, &waker).is_pending());
    semaphore.release().unwrap();
    semaphore.release().unwrap();
    let mut second = semaphore.acquire();
    assert!(poll(&mut second, &waker).is_pending(), "one permit is free, but somebody is in the line");
    assert_eq!((count.count(), semaphore.available()), (1, 1));
    let _permit = poll(&mut first, &waker);
    assert_eq!((count.count(), semaphore.available()), (2, 0));
    assert!(poll(&mut second, &waker).is_ready());
}

#[test]
fn a_bounded_semaphore_refuses_too_many_releases() {
    let semaphore = BoundedSemaphore::new(1);
    assert!(semaphore.release().is_err());
    let permit = semaphore.try_acquire().unwrap();
    permit.forget();
    assert!(semaphore.release().is_ok());
    assert!(semaphore.release().is_err());
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn hazard_43_permits_do_not_overflow() {
    let semaphore = Semaphore::new(usize::MAX);
    assert!(semaphore.release().is_err());
    assert_eq!(semaphore.available(), usize::MAX);
}

#[test]
fn a_lock_is_not_owned() {
    let (_, waker) = Counter::new();
    let lock = Lock::new();
    let stale = lock.try_acquire().unwrap();
    let mut waiting = lock.acquire();
    assert!(poll(&mut waiting, &waker).is_pending());
    lock.release().unwrap();
    assert_eq!(lock.release(), Err(corio_sync::NotLocked));
    let held = poll(&mut waiting, &waker);
    assert!(held.is_ready());
    drop(stale);
    assert!(lock.locked(), "the guard of an acquisition that was released by hand does nothing");
}
