//! Danger: an error that vanishes, or that takes the loop with it.

use crate::transcript::Transcript;
use corio_executor::{LoopHandle, test, yield_now};
use corio_seam::Report;
use std::cell::RefCell;
use std::rc::Rc;

/// Something whose destructor panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a destructor's own");
    }
}

#[test]
fn the_handler_may_be_replaced_while_it_runs() {
    let out = Transcript::default();
    test::run(async {
        let event_loop = LoopHandle::current();
        let (first, second, handle) = (out.clone(), out.clone(), event_loop.clone());
        event_loop.set_exception_handler(move |report| {
            first.say(format!("first: {report}"));
            let second = second.clone();
            handle.set_exception_handler(move |report| second.say(format!("second: {report}")));
        });
        event_loop.call_exception_handler(Report::new("one"));
        event_loop.call_exception_handler(Report::new("two"));
        assert!(event_loop.exception_handler().is_some());
        event_loop.clear_exception_handler();
        assert!(event_loop.exception_handler().is_none());
    });
    assert_eq!(out.lines(), ["first: one", "second: two"]);
}

#[test]
fn a_handler_may_schedule() {
    let out = Transcript::default();
    test::run(async {
        let event_loop = LoopHandle::current();
        let (inner, handle) = (out.clone(), event_loop.clone());
        event_loop.set_exception_handler(move |_| drop(handle.call_soon(inner.saying("scheduled"))));
        event_loop.call_soon(|| panic!("boom"));
        yield_now().await;
        yield_now().await;
    });
    assert_eq!(out.lines(), ["scheduled"]);
}

#[test]
fn destructors_of_callbacks_panic_into_the_handler() {
    let errors: Rc<RefCell<Vec<String>>> = Rc::default();
    let inner = Rc::clone(&errors);
    test::run(async move {
        let event_loop = LoopHandle::current();
        event_loop.set_exception_handler(move |report| inner.borrow_mut().push(report.to_string()));
        let bomb = Bomb;
        event_loop.call_soon(move || drop(bomb));
        event_loop.call_later(std::time::Duration::ZERO, || drop(Bomb));
        yield_now().await;
        yield_now().await;
    });
    let errors = errors.take();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors.iter().all(|error| error.contains("a destructor's own")));
}

#[test]
#[cfg_attr(miri, ignore = "leaks the payload")]
fn a_payload_that_panics_when_dropped_kills_nobody() {
    test::run(async {
        let event_loop = LoopHandle::current();
        event_loop.set_exception_handler(std::mem::forget);
        event_loop.call_soon(|| std::panic::panic_any(Bomb));
        yield_now().await;
    });
}
