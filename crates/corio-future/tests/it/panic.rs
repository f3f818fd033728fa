//! User code that panics: nobody else is hurt, and somebody is told.

use crate::ledger::{Wakes, odd_waker, poll, poll_with};
use crate::toy_loop::Toy;
use corio_future::{Panic, concurrent, promise, promise_with_canceller, wrap_future};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicBool, Ordering};

fn unwinds<R>(f: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

#[test]
fn who_resumes_the_error_of_a_panicked_keeper_panics_alike() {
    let (promise, future) = promise::<u32>();
    promise.set_panic(Panic::new(Box::new("the keeper's own words")));
    let payload = catch_unwind(AssertUnwindSafe(|| {
        pollster::block_on(async { future.await.unwrap_err().resume().await });
    }));
    assert_eq!(Panic::new(payload.unwrap_err()).message(), Some("the keeper's own words"));
}

#[test]
fn hazard_09_a_callback_that_panics_stops_no_other() {
    let toy = Toy::new();
    toy.enter(|| {
        let (promise, future) = promise::<u32>();
        future.add_done_callback(|_| panic!("one callback's own affair"));
        future.add_done_callback(|_| crate::toy_loop::toy().unwrap().reports.borrow_mut().push("called".into()));
        promise.set_result(7).unwrap();
    });
    toy.run_batch();
    let reports = toy.reports.take();
    assert_eq!(reports.len(), 2, "{reports:?}");
    assert!(reports[0].contains("one callback's own affair"));
    assert_eq!(reports[1], "called");
    toy.close();
}

#[test]
#[cfg_attr(miri, ignore = "leaks the second payload, for its destructor might panic too")]
fn hazard_09_a_handler_that_panics_stops_no_callback() {
    let toy = Toy::new();
    toy.enter(|| {
        let (promise, future) = promise::<u32>();
        let (thread_safe_promise, thread_safe) = concurrent::promise::<u32>();
        future.add_done_callback(|_| panic!("and the handler panics"));
        future.add_done_callback(|_| crate::toy_loop::toy().unwrap().reports.borrow_mut().push("called".into()));
        thread_safe.add_done_callback(|_| panic!("and the handler panics"));
        thread_safe_promise.set_result(7).unwrap();
        promise.set_result(7).unwrap();
    });
    toy.run_batch();
    assert_eq!(toy.reports.take().len(), 3);
    toy.close();
}

#[test]
fn hazard_09_also_where_no_loop_runs() {
    let (promise, future) = promise::<u32>();
    let called = std::rc::Rc::new(std::cell::Cell::new(false));
    let call = called.clone();
    future.add_done_callback(|_| panic!("one callback's own affair"));
    future.add_done_callback(move |_| call.set(true));
    promise.set_result(7).unwrap();
    assert!(called.get());
}

#[test]
fn hazard_09_also_between_threads() {
    let toy = Toy::new();
    toy.enter(|| {
        let (promise, future) = concurrent::promise::<u32>();
        let called = std::sync::Arc::new(AtomicBool::new(false));
        let call = called.clone();
        future.add_done_callback(|_| panic!("one callback's own affair"));
        future.add_done_callback(move |_| call.store(true, Ordering::SeqCst));
        promise.set_result(7).unwrap();
        assert!(called.load(Ordering::SeqCst));
        future.add_done_callback(|_| panic!("another's"));
    });
    let reports = toy.reports.take();
    assert_eq!(reports.len(), 2, "{reports:?}");
    toy.close();
}

#[test]
fn hazard_06_also_those_who_await_a_thread_safe_future_without_a_loop() {
    let (promise, source) = concurrent::promise::<u32>();
    let mut first = wrap_future(source);
    let mut other = first.share();
    let bad = odd_waker(|what| assert_ne!(what, "wake"));
    let (good, wakes) = Wakes::new();
    assert!(poll_with(&mut first, &bad).is_pending());
    assert!(poll_with(&mut other, &good).is_pending());
    std::thread::spawn(move || promise.set_result(7).unwrap()).join().unwrap();
    assert_eq!(wakes.count(), 1, "the one behind it is woken all the same");
    assert_eq!(pollster::block_on(other), Ok(7));
}

#[test]
fn hazard_06_a_waker_that_panics_when_woken_stops_no_other() {
    let toy = Toy::new();
    toy.enter(|| {
        let (promise, mut future) = promise::<u32>();
        let (concurrent_promise, mut concurrent_future) = concurrent::promise::<u32>();
        let (mut other, mut concurrent_other) = (future.share(), concurrent_future.share());
        let bad = odd_waker(|what| assert_ne!(what, "wake"));
        let (good, wakes) = Wakes::new();
        assert!(poll_with(&mut future, &bad).is_pending());
        assert!(poll_with(&mut other, &good).is_pending());
        assert!(poll_with(&mut concurrent_future, &bad).is_pending());
        assert!(poll_with(&mut concurrent_other, &good).is_pending());
        promise.set_result(7).unwrap();
        concurrent_promise.set_result(7).unwrap();
        assert_eq!(wakes.count(), 2);
        assert!(poll(&mut future).is_ready());
    });
    assert_eq!(toy.reports.take().len(), 2);
    toy.close();
}

#[test]
fn hazard_06_a_waker_that_panics_when_cloned_leaves_the_future_usable() {
    let (promise, mut future) = promise::<u32>();
    let (concurrent_promise, mut concurrent_future) = concurrent::promise::<u32>();
    let bad = odd_waker(|what| assert_ne!(what, "clone"));
    assert!(unwinds(|| poll_with(&mut future, &bad)));
    assert!(unwinds(|| poll_with(&mut concurrent_future, &bad)));
    assert!(poll(&mut future).is_pending());
    assert!(poll(&mut concurrent_future).is_pending());
    promise.set_result(7).unwrap();
    concurrent_promise.set_result(7).unwrap();
    assert_eq!(pollster::block_on(future), Ok(7));
    assert_eq!(concurrent_future.result(None).unwrap(), 7);
}

#[test]
fn hazard_06_a_waker_that_panics_when_dropped_leaves_the_future_usable() {
    let (promise, mut future) = promise::<u32>();
    let (concurrent_promise, mut concurrent_future) = concurrent::promise::<u32>();
    static ARMED: AtomicBool = AtomicBool::new(false);
    let bad = odd_waker(|what| assert!(what != "drop" || !ARMED.load(Ordering::SeqCst)));
    assert!(poll_with(&mut future, &bad).is_pending());
    assert!(poll_with(&mut concurrent_future, &bad).is_pending());
    let (good, wakes) = Wakes::new();
    ARMED.store(true, Ordering::SeqCst);
    assert!(unwinds(|| poll_with(&mut future, &good)));
    assert!(unwinds(|| poll_with(&mut concurrent_future, &good)));
    ARMED.store(false, Ordering::SeqCst);
    promise.set_result(7).unwrap();
    concurrent_promise.set_result(7).unwrap();
    assert_eq!(wakes.count(), 2);
    assert_eq!(pollster::block_on(future), Ok(7));
}

#[derive(Debug)]
struct PanicsAtClone;

impl Clone for PanicsAtClone {
    fn clone(&self) -> PanicsAtClone {
        panic!("clone");
    }
}

#[test]
fn a_clone_that_panics_loses_no_value() {
    let (promise, mut one) = promise();
    let two = one.share();
    promise.set_result(PanicsAtClone).unwrap();
    assert!(unwinds(|| poll(&mut one)));
    drop(one);
    assert!(pollster::block_on(two).is_ok(), "the last one moves it");

    let (promise, mut one) = concurrent::promise();
    let mut two = one.share();
    promise.set_result(PanicsAtClone).unwrap();
    assert!(unwinds(|| one.result(None)));
    assert!(unwinds(|| one.with_value(|_| panic!("look"))));
    drop(one);
    assert!(two.result(None).is_ok());
}

struct PanicsAtDrop;

impl Drop for PanicsAtDrop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("drop");
        }
    }
}

#[test]
fn hazard_10_a_value_whose_destructor_panics() {
    let (set, future) = promise();
    set.set_result(PanicsAtDrop).ok().unwrap();
    assert!(unwinds(|| drop(future)));

    let (set, future) = concurrent::promise();
    set.set_result(PanicsAtDrop).ok().unwrap();
    assert!(unwinds(|| drop(future)));
}

#[test]
#[cfg_attr(miri, ignore = "leaks the payload of the destructor's own panic")]
fn hazard_10_a_payload_whose_destructor_panics() {
    let (promise, future) = promise::<u32>();
    future.add_done_callback(|_| panic_any(PanicsAtDrop));
    promise.set_result(7).unwrap();
    assert_eq!(pollster::block_on(future), Ok(7));

    let (threadsafe, future) = concurrent::promise::<u32>();
    future.add_done_callback(|_| panic_any(PanicsAtDrop));
    threadsafe.set_result(7).unwrap();
    assert!(future.done());

    /// A payload that panics with another of its kind when it is dropped.
    struct Again(u32);
    impl Drop for Again {
        fn drop(&mut self) {
            if self.0 > 0 {
                panic_any(Again(self.0 - 1));
            }
        }
    }
    let (promise, mut future) = corio_future::promise::<u32>();
    assert!(
        poll_with(
            &mut future,
            &odd_waker(|what| if what == "wake" {
                panic_any(Again(2))
            })
        )
        .is_pending()
    );
    promise.set_result(7).unwrap();
    assert_eq!(pollster::block_on(future), Ok(7));
}

#[test]
fn hazard_10_a_callback_whose_destructor_panics_is_taken_back() {
    let (promise, future) = promise::<u32>();
    let bomb = PanicsAtDrop;
    let key = future.add_done_callback(move |_| drop(bomb));
    assert!(future.remove_done_callback(key), "and the panic is reported");
    promise.set_result(7).unwrap();
    assert_eq!(pollster::block_on(future), Ok(7));
}

#[test]
fn a_canceller_that_panics_leaves_the_future_pending() {
    let (promise, future) = promise_with_canceller::<u32>(|_| panic!("no"));
    assert!(unwinds(|| future.cancel()));
    assert!(!future.done());
    promise.set_result(7).unwrap();
    assert_eq!(pollster::block_on(future), Ok(7));
}

#[test]
fn a_canceller_whose_destructor_panics_is_reported() {
    let bomb = PanicsAtDrop;
    let (promise, future) = promise_with_canceller::<u32>(move |_| {
        let _bomb = &bomb;
        true
    });
    promise.set_result(7).unwrap();
    assert_eq!(pollster::block_on(future), Ok(7));
}

#[test]
fn the_first_reader_has_the_payload_and_the_others_its_message() {
    let (promise, mut one) = concurrent::promise::<u32>();
    let mut two = one.share();
    promise.set_panic(Panic::new(Box::new(String::from("boom"))));
    assert!(one.with_value(|_| ()).is_none(), "looking takes no payload");
    for end in [&mut one, &mut two] {
        let Err(concurrent::WaitError::Ended(concurrent::FutureError::Panicked(panic))) = end.result(None) else {
            panic!("it panicked")
        };
        assert_eq!(panic.message(), Some("boom"));
    }
}
