//! Danger: a step that holds everybody up, and nobody knows which it was.
//!
//! Real time passes here, in a callback's own sleep: the check always reads the machine's clock.

use crate::transcript::Transcript;
use corio_executor::{EventLoop, EventLoopBuilder, LoopHandle, Report, Runner, VirtualClock, sleep, test, yield_now};
use corio_task::create_task;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

/// So long that a busy machine seldom takes it from a step that does nothing.
const LIMIT: Duration = Duration::from_millis(50);
const LONGER: Duration = Duration::from_millis(60);

/// Holds its thread up.
fn hold_up() {
    thread::sleep(LONGER);
}

/// Runs `main` in debug mode, under `LIMIT`, and returns the reports.
fn reports_of(main: impl AsyncFnOnce(LoopHandle)) -> Vec<Report> {
    let reports: Rc<RefCell<Vec<Report>>> = Rc::default();
    let inner = Rc::clone(&reports);
    test::run(async move {
        let event_loop = LoopHandle::current();
        event_loop.set_exception_handler(move |report| inner.borrow_mut().push(report));
        event_loop.set_debug(true);
        event_loop.set_slow_callback_duration(LIMIT);
        yield_now().await;
        main(event_loop).await;
    });
    reports.take()
}

/// Checks that there is one report about `what`, from this file. (A busy machine may hold up others as well.)
#[track_caller]
fn check_one(reports: &[Report], what: &str) {
    let ours = |report: &&Report| report.message.starts_with(&format!("executing {what}"));
    assert_eq!(reports.iter().filter(ours).count(), 1, "{reports:?}");
    let report = reports.iter().find(ours).unwrap();
    let (message, source) = (&report.message, report.source.as_deref().unwrap_or(""));
    assert!(message.contains(" took 0.") && message.ends_with(" seconds"), "{message}");
    assert!(source.starts_with("made at ") && source.contains("debug.rs:"), "{source}");
}

#[test]
fn a_slow_step_is_reported_with_the_task_s_name() {
    let reports = reports_of(async |_| {
        let task = create_task(async {
            yield_now().await;
            hold_up();
        });
        task.set_name("busy");
        task.await.unwrap();
        yield_now().await;
    });
    check_one(&reports, "task \"busy\" took");
}

#[test]
fn a_slow_callback_is_reported_with_its_place() {
    let reports = reports_of(async |event_loop| {
        event_loop.call_soon(hold_up);
        yield_now().await;
        yield_now().await;
    });
    check_one(&reports, "callback it::debug::hold_up took");
}

#[test]
fn a_slow_timer_s_callback_too() {
    let reports = reports_of(async |event_loop| {
        event_loop.call_later(Duration::from_secs(1), hold_up);
        sleep(Duration::from_secs(2)).await;
    });
    check_one(&reports, "callback it::debug::hold_up took");
}

#[test]
#[cfg(all(unix, not(miri)))]
fn a_slow_callback_of_a_descriptor_too() {
    let (near, _far) = std::os::unix::net::UnixStream::pair().unwrap();
    let called = Rc::new(Cell::new(false));
    let calling = Rc::clone(&called);
    let reports = reports_of(async |event_loop| {
        let slow = move || {
            calling.set(true);
            hold_up();
        };
        event_loop.add_writer(&near, slow).unwrap();
        while !called.get() {
            yield_now().await;
        }
        event_loop.remove_writer(&near);
    });
    let ours = |report: &&Report| report.message.starts_with("executing callback of a descriptor took 0.");
    let report = reports.iter().find(ours).unwrap_or_else(|| panic!("{reports:?}"));
    assert!(report.source.as_ref().unwrap().contains("debug.rs:"), "{report:?}");
}

#[test]
fn a_slow_callback_from_another_thread_too() {
    let reports = reports_of(async |event_loop| {
        let remote = event_loop.remote();
        thread::spawn(move || remote.call_soon_threadsafe(hold_up).unwrap()).join().unwrap();
        yield_now().await;
        yield_now().await;
    });
    check_one(&reports, "callback it::debug::hold_up took");
}

#[test]
fn one_of_the_loop_s_own_thread_too() {
    let reports = reports_of(async |event_loop| {
        event_loop.remote().call_soon_threadsafe(hold_up).unwrap();
        yield_now().await;
        yield_now().await;
    });
    check_one(&reports, "callback it::debug::hold_up took");
}

#[test]
fn a_function_without_a_handle_is_known_by_its_type() {
    let reports = reports_of(async |_| {
        corio_seam::call_soon(hold_up).unwrap();
        yield_now().await;
        yield_now().await;
    });
    let ours = |report: &&Report| report.message.starts_with("executing callback it::debug::hold_up took");
    let report = reports.iter().find(ours).unwrap_or_else(|| panic!("{reports:?}"));
    assert_eq!(report.source, None);
}

#[test]
fn virtual_time_is_not_what_counts() {
    let clock = VirtualClock::new();
    let event_loop = EventLoop::builder().clock(clock.clone()).debug(true).build().unwrap();
    let out = Transcript::default();
    let inner = out.clone();
    event_loop.set_exception_handler(move |report| inner.say(report));
    event_loop.set_slow_callback_duration(Duration::from_secs(3));
    event_loop.call_soon(move || clock.advance(Duration::from_secs(3600)));
    event_loop.run_until_complete(yield_now()).unwrap();
    assert!(out.lines().is_empty(), "{:?}", out.lines());
}

#[test]
fn the_limit_itself_counts() {
    let reports = reports_of(async |event_loop| {
        event_loop.set_slow_callback_duration(Duration::ZERO);
        event_loop.call_soon(|| ());
        yield_now().await;
        event_loop.set_debug(false);
    });
    assert!(reports.len() >= 2, "zero reports everything: {reports:?}");
}

#[test]
fn out_of_debug_mode_nothing_is_said() {
    let out = Transcript::default();
    test::run(async {
        let (event_loop, inner) = (LoopHandle::current(), out.clone());
        event_loop.set_exception_handler(move |report| inner.say(report));
        event_loop.set_slow_callback_duration(LIMIT);
        event_loop.set_debug(true);
        yield_now().await;
        event_loop.set_debug(false);
        yield_now().await; // The mode changes with the iteration.
        event_loop.call_soon(hold_up);
        yield_now().await;
    });
    assert!(out.lines().is_empty(), "{:?}", out.lines());
}

#[test]
fn order_and_panics_are_those_of_every_day() {
    let run = |debug: bool| {
        let out = Transcript::default();
        let (inner, factory) = (out.clone(), move || EventLoopBuilder::debug(EventLoop::builder(), debug).build());
        let runner = Runner::with_loop_factory(factory);
        runner
            .run(async move {
                let (event_loop, handler) = (LoopHandle::current(), inner.clone());
                event_loop.set_exception_handler(move |report| handler.say(report.message));
                event_loop.set_slow_callback_duration(Duration::from_secs(60));
                event_loop.call_soon(inner.saying("one"));
                event_loop.call_soon(|| panic!("boom"));
                let (nested, handle) = (inner.clone(), event_loop.clone());
                event_loop.call_soon(move || drop(handle.call_soon(nested.saying("nested"))));
                let task = create_task(async { panic!("boom") });
                drop(task);
                yield_now().await;
                inner.say("main");
                yield_now().await;
            })
            .unwrap();
        out.lines()
    };
    assert_eq!(run(true), run(false));
    assert_eq!(run(true), ["one", "exception in callback", "task exception was never retrieved", "main", "nested"]);
}

#[test]
fn the_settings_are_asyncio_s() {
    let event_loop = EventLoop::builder().debug(true).build().unwrap();
    assert!(event_loop.debug());
    assert_eq!(event_loop.slow_callback_duration(), Duration::from_millis(100));
    event_loop.set_debug(false);
    assert!(!event_loop.debug());
    assert!(!EventLoop::builder().debug(false).build().unwrap().debug());
}

/// Prints whether a new loop is in debug mode; a child of the test below, and by itself says nothing.
#[test]
fn child_says_whether_it_debugs() {
    let said = (EventLoop::new().unwrap().debug(), EventLoop::builder().debug(false).build().unwrap().debug());
    println!("{said:?}");
}

#[test]
#[cfg(all(unix, not(miri)))]
fn the_environment_turns_it_on() {
    for (value, on) in [(None, false), (Some("1"), true), (Some("0"), false), (Some(""), false), (Some("yes"), true)] {
        let mut child = crate::this_program::this_program();
        child.env_remove("CORIO_DEBUG").args(["--exact", "debug::child_says_whether_it_debugs", "--nocapture"]);
        child.envs(value.map(|value| ("CORIO_DEBUG", value)));
        let output = String::from_utf8(child.output().unwrap().stdout).unwrap();
        assert!(output.contains(&format!("({on}, false)")), "{value:?}: {output}");
    }
}
