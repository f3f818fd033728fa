use crate::toy::{Counter, poll};
use corio_sync::{Event, Lock, WaiterList, Wakers};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

/// Writes its name down when it is woken.
struct Named(&'static str, Arc<Mutex<Vec<&'static str>>>);

impl Wake for Named {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

#[test]
fn what_is_appended_is_woken_behind_what_was_there() {
    let log = Arc::<Mutex<Vec<_>>>::default();
    let waker = |name| Waker::from(Arc::new(Named(name, Arc::clone(&log))));
    let (mut wakers, mut others) = (Wakers::new(), Wakers::default());
    assert!(wakers.is_empty());
    wakers.push(waker("a"));
    wakers.push(waker("b"));
    others.push(waker("c"));
    others.push(waker("d"));
    wakers.append(others);
    assert!(!wakers.is_empty() && log.lock().unwrap().is_empty());
    wakers.append(Wakers::new());
    wakers.wake();
    assert_eq!(*log.lock().unwrap(), ["a", "b", "c", "d"]);
}

#[test]
fn a_list_knows_whom_it_would_wake() {
    let ((_, one), (_, other)) = (Counter::new(), Counter::new());
    let mut list = WaiterList::new();
    let key = list.push(one.clone());
    assert!(list.will_wake(key, &one) && !list.will_wake(key, &other));
    drop(list.set_waker(key, other.clone()));
    assert!(list.will_wake(key, &other) && !list.will_wake(key, &one));
    assert!(list.notify_one().is_some());
    assert!(list.will_wake(key, &one), "it has been notified: nothing is to be replaced");
}

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
