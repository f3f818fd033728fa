//! What they say to a person.

use crate::ledger::poll;
use crate::toy_loop::Toy;
use corio_future::{Cancelled, FutureError, InvalidState, concurrent, promise};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

fn of_an_end(end: impl FnOnce(corio_future::Promise<u8>)) -> String {
    let (promise, future) = promise();
    end(promise);
    format!("{future:?} {}", future.waitable().describe())
}

#[test]
fn a_future_says_how_it_stands() {
    let (promise, mut future) = promise::<u8>();
    assert_eq!(format!("{future:?}"), r#"Future { state: "pending", listeners: 0, .. }"#);
    assert_eq!(format!("{promise:?}"), "Promise { is_cancelled: false, .. }");
    assert!(poll(&mut future).is_pending());
    assert_eq!(format!("{future:?}"), r#"Future { state: "pending", listeners: 1, .. }"#);
    assert_eq!(future.waitable().describe(), "future pending");
    future.cancel();
    assert_eq!(format!("{promise:?}"), "Promise { is_cancelled: true, .. }");
    assert!(of_an_end(|promise| promise.set_result(1).unwrap()).ends_with("future finished"));
    assert!(of_an_end(|promise| promise.cancel(Cancelled::new())).ends_with("future cancelled"));
    assert!(of_an_end(drop).ends_with("future failed"));
}

#[test]
fn a_wait_for_cancellation_says_what_it_is() {
    let (mut promise, _future) = promise::<u8>();
    assert_eq!(format!("{:?}", promise.cancelled()), "WaitCancelled { .. }");
    Toy::new().enter(|| {
        let toy = crate::toy_loop::toy().unwrap();
        assert!(poll(&mut promise.cancelled()).is_pending());
        assert_eq!(toy.waits_for(), "Promise.cancelled");
    });
}

#[test]
fn one_between_threads_too() {
    let shown = |future: &concurrent::Future<u8>| format!("{future:?}");
    let of = |state, listeners| format!("Future {{ state: {state:?}, listeners: {listeners}, .. }}");
    let (promise, future) = concurrent::promise::<u8>();
    let _key = future.add_done_callback(|_| ());
    assert_eq!(
        (shown(&future), format!("{promise:?}")),
        (of("pending", 1), r#"Promise { state: "pending", .. }"#.into())
    );
    assert!(promise.set_running_or_notify_cancel());
    assert_eq!((shown(&future), future.running()), (of("running", 1), true));
    promise.set_result(1).unwrap();
    assert_eq!((shown(&future), future.running(), future.cancelled()), (of("finished", 0), false, false));
    let (promise, future) = concurrent::promise::<u8>();
    assert!(!promise.is_cancelled());
    assert!(future.cancel());
    assert_eq!((shown(&future), promise.is_cancelled(), future.cancelled()), (of("cancelled", 0), true, true));
    let (promise, future) = concurrent::promise::<u8>();
    drop(promise);
    assert_eq!(shown(&future), of("broken", 0));
    let (promise, future) = concurrent::promise::<u8>();
    promise.set_panic(corio_seam::Panic::new(Box::new("boom")));
    assert_eq!(shown(&future), of("panicked", 0));
    let (_promise, left) = concurrent::promise::<u8>();
    let mut all = concurrent::as_completed([future, left], None);
    assert_eq!(format!("{all:?}"), "AsCompleted { total: 2, left: 2, .. }");
    assert!(all.next().is_some());
    assert_eq!(format!("{all:?}"), "AsCompleted { total: 2, left: 1, .. }");
}

#[test]
fn errors_are_sentences() {
    let late = FutureError::Cancelled(Cancelled::with_message(Some("late".into())));
    let panicked = FutureError::Panicked(Arc::from("boom"));
    assert_eq!(late.to_string(), "future was cancelled: late");
    assert_eq!(FutureError::BrokenPromise.to_string(), "the promise was dropped without a result");
    assert_eq!(panicked.to_string(), "the promise's keeper panicked: boom");
    assert_eq!(
        [late.is_cancelled(), late.is_panic(), panicked.is_cancelled(), panicked.is_panic()],
        [true, false, false, true]
    );
    assert_eq!(InvalidState::Pending.to_string(), "result is not set");
    assert_eq!(InvalidState::Taken.to_string(), "the result was moved out by whoever awaited it");
    assert_eq!(InvalidState::Ended(late).to_string(), "future was cancelled: late");
}

#[test]
fn errors_between_threads_are_too() {
    let (promise, mut future) = concurrent::promise::<u8>();
    let timed_out = future.result(Some(Duration::ZERO)).unwrap_err();
    assert_eq!(
        (timed_out.to_string(), timed_out.is_timed_out(), timed_out.is_cancelled()),
        ("timed out".into(), true, false)
    );
    promise.cancel(Cancelled::new());
    let cancelled = future.result(None).unwrap_err();
    assert_eq!(cancelled.to_string(), "future was cancelled");
    assert!(!cancelled.is_timed_out() && cancelled.is_cancelled() && cancelled.source().is_none());
    assert!(matches!(cancelled, concurrent::WaitError::Ended(end) if end.is_cancelled() && !end.is_panic()));
    let (promise, mut future) = concurrent::promise::<u8>();
    promise.set_panic(corio_seam::Panic::new(Box::new("boom")));
    let concurrent::WaitError::Ended(panicked) = future.result(None).unwrap_err() else { panic!("it has ended") };
    assert_eq!(
        (panicked.to_string(), panicked.is_panic(), panicked.is_cancelled()),
        ("the work panicked: boom".into(), true, false)
    );
    assert_eq!(concurrent::FutureError::BrokenPromise.to_string(), "the promise was dropped without a result");
    let words = concurrent::TimedOut { unfinished: 1, total: 3 }.to_string();
    assert_eq!(words, "1 (of 3) futures unfinished");
}
