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

/// Has errors nobody looks at, and a handler that panics; a child of the test below, which alone asks for it.
#[test]
fn child_prints() {
    if std::env::var_os("CORIO_TEST_CHILD").is_none() {
        return;
    }
    test::run(async {
        let event_loop = LoopHandle::current();
        event_loop.call_soon(|| panic!("boom"));
        yield_now().await;
        drop(corio_task::create_task(async { panic!("bang") }).named("broken"));
        yield_now().await;
        event_loop.set_exception_handler(|_| panic!("the handler's own"));
        event_loop.call_exception_handler(Report::new("one").with_source("somewhere"));
        event_loop.clear_exception_handler();
        event_loop.call_exception_handler(Report::new("two").with_error("an error"));
        event_loop.set_exception_handler(|_| unreachable!("it is not asked"));
        event_loop.default_exception_handler(&Report::new("three"));
    });
}

#[test]
#[cfg(all(unix, not(miri)))]
fn without_a_handler_each_is_a_line_of_standard_error() {
    let mut child = crate::this_program::this_program();
    child.args(["--exact", "exceptions::child_prints", "--nocapture"]).env("CORIO_TEST_CHILD", "1");
    let output = child.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let ours = ["exception in callback", "task exception", "Unhandled", "two", "three"];
    let lines: Vec<_> = text.lines().filter(|line| ours.iter().any(|start| line.starts_with(start))).collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert!(lines[0].starts_with("exception in callback: scheduled at ") && lines[0].ends_with(": panicked: boom"));
    assert!(lines[1].starts_with("task exception was never retrieved: task \"broken\" finished, made at "));
    assert_eq!(lines[2], "Unhandled error in exception handler: one: somewhere: panicked: the handler's own");
    assert_eq!(lines[3], "two: an error");
    assert_eq!(lines[4], "three");
    assert!(output.status.success());
}

#[test]
fn a_report_says_where_the_callback_was_scheduled() {
    let sources: Rc<RefCell<Vec<String>>> = Rc::default();
    let inner = Rc::clone(&sources);
    test::run(async move {
        let event_loop = LoopHandle::current();
        event_loop.set_exception_handler(move |report| {
            assert_eq!(report.message, "exception in callback");
            inner.borrow_mut().push(report.source.unwrap());
        });
        let line = line!();
        event_loop.call_soon(|| panic!("boom"));
        event_loop.call_later(std::time::Duration::ZERO, || panic!("boom"));
        event_loop.remote().call_soon_threadsafe(|| panic!("boom")).unwrap();
        yield_now().await;
        yield_now().await;
        let mut sources = sources.take();
        sources.sort();
        for (source, line) in sources.iter().zip(line + 1..) {
            assert!(
                source.starts_with("scheduled at ") && source.contains(&format!("exceptions.rs:{line}:")),
                "{source}"
            );
        }
        assert_eq!(sources.len(), 3);
        let handle = event_loop.call_later(std::time::Duration::ZERO, || ());
        assert!(format!("{handle:?}").contains("exceptions.rs:"), "{handle:?}");
    });
}
