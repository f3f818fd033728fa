//! Who is dropped when, and what is said of it.

use crate::ledger::{Counted, Wakes, poll, poll_with};
use crate::toy_loop::Toy;
use corio_future::{Future, FutureError, Promise, concurrent, promise, promise_with_canceller};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

#[test]
fn a_dropped_promise_breaks() {
    let (promise, mut future) = promise::<u32>();
    let (waker, wakes) = Wakes::new();
    assert!(poll_with(&mut future, &waker).is_pending());
    drop(promise);
    assert_eq!(wakes.count(), 1);
    assert_eq!(pollster::block_on(future), Err(FutureError::BrokenPromise));
}

#[test]
fn a_dropped_thread_safe_promise_breaks() {
    let (promise, mut future) = concurrent::promise::<u32>();
    let (waker, wakes) = Wakes::new();
    assert!(poll_with(&mut future, &waker).is_pending());
    drop(promise);
    assert_eq!(wakes.count(), 1);
    assert!(matches!(future.take(), Some(Err(concurrent::FutureError::BrokenPromise))));
}

#[test]
fn hazard_07_a_dropped_read_end_lets_its_waker_go() {
    let (_promise, mut future) = promise::<u32>();
    let (_other_promise, mut thread_safe) = concurrent::promise::<u32>();
    let (waker, wakes) = Wakes::new();
    assert!(poll_with(&mut future, &waker).is_pending());
    assert!(poll_with(&mut thread_safe, &waker).is_pending());
    drop(waker);
    assert_eq!(Arc::strong_count(&wakes), 3);
    drop((future, thread_safe));
    assert_eq!(Arc::strong_count(&wakes), 1);
}

#[test]
fn a_value_that_nobody_reads_is_dropped_once() {
    let (value, other) = (Counted::new(), Counted::new());
    let (counters, other_counters) = (value.counters(), other.counters());
    let (set, future) = promise();
    drop(future);
    set.set_result(value).unwrap();
    assert_eq!(counters(), (1, 0));

    let (set, future) = concurrent::promise();
    set.set_result(other).unwrap();
    assert_eq!(other_counters(), (0, 0));
    drop(future);
    assert_eq!(other_counters(), (1, 0));
}

#[test]
fn callbacks_go_with_the_cell_and_when_they_are_taken_back() {
    let held = Rc::new(());
    let (promise, future) = promise::<u32>();
    let (one, two) = (held.clone(), held.clone());
    let key = future.add_done_callback(move |_| drop(one));
    future.add_done_callback(move |_| drop(two));
    assert!(future.remove_done_callback(key));
    assert!(!future.remove_done_callback(key));
    assert_eq!(Rc::strong_count(&held), 2);
    drop(future);
    drop(promise);
    assert_eq!(Rc::strong_count(&held), 1);
}

#[test]
fn a_key_of_another_future_takes_no_waker_away() {
    let (promise, mut future) = promise::<u32>();
    let (_other, stranger) = corio_future::promise::<u32>();
    let key = stranger.add_done_callback(|_| ());
    let (waker, wakes) = Wakes::new();
    assert!(poll_with(&mut future, &waker).is_pending());
    assert!(!future.remove_done_callback(key));
    promise.set_result(7).unwrap();
    assert_eq!(wakes.count(), 1);
}

/// The reports that dropping what `make` returns gives.
fn reports<R>(make: impl FnOnce() -> R) -> Vec<String> {
    let toy = Toy::new();
    toy.enter(|| drop(make()));
    toy.run_batch();
    toy.close();
    toy.reports.take()
}

#[test]
fn an_error_that_nobody_looked_at_is_reported() {
    let failed = || {
        let (promise, future) = promise::<Result<u32, String>>();
        promise.set_exception("boom".to_owned()).unwrap();
        future
    };
    assert_eq!(reports(failed), ["future exception was never retrieved: boom"]);
    assert!(reports(|| failed().exception().unwrap().is_some()).is_empty());
    assert!(reports(|| failed().result().unwrap().is_err()).is_empty());
    assert!(reports(|| failed().cancel()).is_empty());
    assert!(reports(|| poll(&mut failed())).is_empty());
    assert!(
        reports(|| {
            let (promise, future) = promise::<Result<u32, String>>();
            promise.set_result(Err("an ordinary value".to_owned())).unwrap();
            future
        })
        .is_empty()
    );
    assert!(
        reports(|| {
            let (promise, future) = promise::<Result<u32, String>>();
            future.cancel();
            promise.set_exception("given back".to_owned()).unwrap_err()
        })
        .is_empty()
    );
}

#[test]
fn an_early_look_or_cancel_does_not_silence_an_error_that_comes_later() {
    let early = |look: fn(&Future<Result<u32, String>>)| {
        reports(move || {
            let (promise, future) = promise_with_canceller::<Result<u32, String>>(|_| true);
            look(&future);
            promise.set_exception("boom".to_owned()).unwrap();
            future
        })
    };
    let reported = ["future exception was never retrieved: boom"];
    assert_eq!(early(|future| assert!(future.cancel(), "the canceller accepts, and fails later")), reported);
    assert_eq!(early(|future| assert!(future.result().is_err())), reported);
    assert_eq!(early(|future| assert!(future.exception().is_err())), reported);
}

#[test]
fn hazard_16_a_promise_that_a_dying_thread_drops_still_calls_back() {
    struct Keeper(Option<Promise<u32>>);
    thread_local! {
        static KEEPER: RefCell<Keeper> = const { RefCell::new(Keeper(None)) };
    }
    impl Drop for Keeper {
        fn drop(&mut self) {
            drop(self.0.take());
        }
    }
    let (said, hear) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        // Destroyed last, for it was touched first: the list of callbacks is gone by then.
        KEEPER.with(|keeper| keeper.borrow_mut().0 = None);
        let (first, warm) = promise::<u32>();
        warm.add_done_callback(|_| ());
        first.set_result(7).unwrap();
        let ((last, future), (other, next)) = (promise::<u32>(), promise::<u32>());
        let too = said.clone();
        next.add_done_callback(move |next| too.send(next.result().is_err()).unwrap());
        future.add_done_callback(move |future| {
            said.send(future.done()).unwrap();
            drop(other);
        });
        KEEPER.with(|keeper| keeper.borrow_mut().0 = Some(last));
    });
    thread.join().unwrap();
    assert_eq!(hear.iter().collect::<Vec<_>>(), [true, true]);
}

#[test]
fn a_panic_that_nobody_looked_at_is_reported() {
    let panicked = || {
        let (promise, future) = promise::<u32>();
        promise.set_panic(corio_future::Panic::new(Box::new("boom")));
        future
    };
    assert_eq!(reports(panicked), ["future exception was never retrieved: the promise's keeper panicked: boom"]);
    assert!(reports(|| poll(&mut panicked())).is_empty());
    assert!(reports(|| promise::<u32>().1).is_empty(), "a broken promise is no error of its own");
}

#[test]
fn hazard_13_what_is_forgotten_hurts_nobody_else() {
    let (promise, mut future) = promise::<u32>();
    let mut other = future.share();
    let (waker, wakes) = Wakes::new();
    assert!(poll_with(&mut future, &waker).is_pending());
    assert!(poll_with(&mut other, &waker).is_pending());
    // A forgotten awaiter, in leaked memory that Miri can still see.
    thread_local!(static LEAKED: std::cell::RefCell<Vec<corio_future::Future<u32>>> = const { std::cell::RefCell::new(Vec::new()) });
    LEAKED.with(|leaked| leaked.borrow_mut().push(future));
    promise.set_result(7).unwrap();
    assert_eq!(wakes.count(), 2);
    assert_eq!(pollster::block_on(other), Ok(7));
}
