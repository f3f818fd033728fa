use corio_executor::test::{Sequencer, wait_all_tasks_blocked};
use corio_executor::{
    Clock, EventLoop, LoopHandle, LoopTime, MonotonicClock, RunError, Runner, VirtualClock, interval, run, sleep,
    sleep_until,
};
use std::error::Error;
use std::io;
use std::time::Duration;

fn text(value: &dyn std::fmt::Debug) -> String {
    format!("{value:?}")
}

#[test]
fn loops_and_what_makes_them_say_how_they_stand() {
    let builder = EventLoop::builder().clock(VirtualClock::new()).detect_deadlocks(false).debug(true);
    let words = "EventLoopBuilder { clock: Some(Clock(LoopTime(0))), selector: false, detect_deadlocks: false, debug: Some(true) }";
    assert_eq!(text(&builder), words);
    let event_loop = builder.build().unwrap();
    let handle = event_loop.handle().clone();
    let of = |running, closed| format!("LoopHandle {{ id: {:?}, running: {running}, closed: {closed} }}", handle.id());
    assert_eq!((text(&event_loop), text(&handle)), (format!("EventLoop({})", of(false, false)), of(false, false)));
    let inside = event_loop.run_until_complete(async { text(&LoopHandle::current()) }).unwrap();
    assert_eq!(inside, of(true, false));
    assert_eq!(text(&handle.remote()), format!("RemoteHandle({:?})", handle.id()));
    let call = handle.remote().call_soon_threadsafe(|| ()).unwrap();
    assert_eq!(text(&call), "RemoteCall { cancelled: false, .. }");
    call.cancel();
    assert_eq!(text(&call), "RemoteCall { cancelled: true, .. }");
    event_loop.close().unwrap();
    assert_eq!(text(&handle), of(false, true));
    let runner = Runner::new();
    assert_eq!(text(&runner), "Runner { event_loop: None, closed: false }");
    runner.close().unwrap();
    assert!(text(&runner).ends_with("closed: true }"));
}

#[test]
fn handles_say_where_they_were_scheduled_and_when_they_are_due() {
    corio_executor::test::run(async {
        let current = LoopHandle::current();
        let (soon, later) = (current.call_soon(|| ()), current.call_at(LoopTime::MAX, || ()));
        assert!(text(&soon).starts_with("Handle { location: ") && text(&soon).contains("words.rs:"));
        assert!(text(&soon).ends_with(", cancelled: false, .. }"));
        later.cancel();
        assert!(text(&later).starts_with("TimerHandle { location: ") && text(&later).contains("words.rs:"));
        assert!(text(&later).ends_with(&format!("when: {:?}, cancelled: true, .. }}", LoopTime::MAX)));
    });
}

#[test]
fn waits_say_for_what() {
    corio_executor::test::run(async {
        assert_eq!(text(&sleep(Duration::ZERO)), "Sleep(one iteration)");
        assert_eq!(text(&sleep(Duration::from_secs(1))), "Sleep(1s)");
        assert_eq!(text(&sleep_until(LoopTime::ZERO)), "Sleep { when: LoopTime(0), armed: false }");
        let ticks = interval(Duration::from_secs(1));
        assert_eq!(ticks.period(), Duration::from_secs(1));
        let ticks = text(&ticks);
        assert!(ticks.starts_with("Interval { period: 1s, next: LoopTime("), "{ticks}");
        assert_eq!(text(&wait_all_tasks_blocked()), "WaitAllTasksBlocked { waits: false }");
        let turns = Sequencer::new();
        let step = turns.step(0);
        assert_eq!((text(&turns), text(&step)), ("Sequencer { turn: 0, .. }".into(), "Step { number: 0, .. }".into()));
        assert_eq!(text(&step.await), "StepGuard { number: 0, .. }");
        assert_eq!(text(&turns), "Sequencer { turn: 1, .. }");
    });
    let clock: &dyn Clock = &MonotonicClock::new();
    assert!(text(&clock).starts_with("Clock(LoopTime("));
}

#[test]
fn errors_are_sentences() {
    let io = RunError::Io(io::Error::other("no descriptors"));
    assert_eq!(io.to_string(), "the event loop met an error of the operating system");
    assert_eq!(io.source().unwrap().to_string(), "no descriptors");
    assert_eq!(RunError::Interrupted.to_string(), "the main future was cancelled by Ctrl-C");
    assert_eq!(RunError::Stopped.to_string(), "the event loop was stopped before its main future completed");
    assert_eq!(RunError::Closed.to_string(), "the event loop is closed");
    assert!(RunError::Closed.source().is_none() && !RunError::Closed.is_cancelled());
    let nested = run(async { run(async {}).unwrap_err().to_string() }).unwrap();
    assert_eq!(nested, "an event loop is running on this thread already");
}

#[test]
fn a_loop_that_runs_says_why_it_is_not_closed() {
    let event_loop = std::rc::Rc::new(EventLoop::new().unwrap());
    let inner = std::rc::Rc::clone(&event_loop);
    let error = event_loop.run_until_complete(async move { inner.close().unwrap_err() }).unwrap();
    assert_eq!(error.to_string(), "the event loop is running: stop it, and close it when it has returned");
}

#[test]
fn a_deadlock_says_how_many_wait_and_for_whom() {
    let (_promise, future) = corio_future::promise::<()>();
    let other = future.share();
    let error = run(future).unwrap_err();
    let words = error.to_string();
    let RunError::Deadlock(deadlock) = error else { panic!("{error}") };
    assert!(words.ends_with(deadlock.tree().trim_end()) && deadlock.tree().contains("future pending"), "{words}");
    assert!(words.starts_with("deadlock: nothing can wake the event loop, and its only task waits\n"), "{words}");
    let (_promise, future) = corio_future::promise::<()>();
    let error = run(async {
        let _other = corio_task::create_task(other);
        future.await.unwrap();
    });
    let words = error.unwrap_err().to_string();
    assert!(words.starts_with("deadlock: nothing can wake the event loop, and all its 2 tasks wait\n"), "{words}");
}
