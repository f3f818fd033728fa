//! Danger: an iteration that never ends, or that does not do what was asked in the order in which it was asked.
//!
//! Hazards 26 (stop), 27 (callbacks added in an iteration), and 19 (a task that never waits).

use crate::transcript::Transcript;
use corio_executor::{EventLoop, LoopHandle, RunError, VirtualClock, sleep, yield_now};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

fn virtual_loop() -> EventLoop {
    EventLoop::builder().clock(VirtualClock::new()).build().unwrap()
}

#[test]
fn an_iteration_runs_in_the_documented_order() {
    let (event_loop, out) = (virtual_loop(), Transcript::default());
    event_loop.call_soon(out.saying("ready before"));
    let remote = event_loop.remote();
    remote.call_soon_threadsafe(out.saying("inbox")).unwrap();
    event_loop.call_later(Duration::ZERO, out.saying("timer"));
    event_loop.run_once().unwrap();
    assert_eq!(out.lines(), ["ready before", "inbox", "timer"]);
}

#[test]
fn hazard_26_stop_before_the_run_leaves_one_iteration() {
    let (event_loop, out) = (virtual_loop(), Transcript::default());
    let (inner, handle) = (out.clone(), event_loop.handle().clone());
    event_loop.call_soon(move || {
        inner.say("first");
        handle.call_soon(inner.saying("second"));
    });
    event_loop.call_later(Duration::from_secs(1), out.saying("later"));
    event_loop.stop();
    event_loop.stop();
    event_loop.run_forever().unwrap();
    assert_eq!(out.lines(), ["first"]);
    assert_eq!(event_loop.time().since_start(), Duration::ZERO, "it did not wait");
    event_loop.stop();
    event_loop.run_forever().unwrap();
    assert_eq!(out.lines(), ["first", "second"]);
}

#[test]
fn hazard_26_stop_finishes_the_batch() {
    let (event_loop, out) = (virtual_loop(), Transcript::default());
    for name in ["a", "b"] {
        let (inner, handle) = (out.clone(), event_loop.handle().clone());
        event_loop.call_soon(move || {
            inner.say(name);
            handle.stop();
            handle.call_soon(inner.saying("left for the next run"));
        });
    }
    event_loop.call_soon(out.saying("c"));
    event_loop.run_forever().unwrap();
    assert_eq!(out.lines(), ["a", "b", "c"]);
}

#[test]
fn hazard_26_what_is_queued_when_main_ends_runs_once_more() {
    let (event_loop, out) = (virtual_loop(), Transcript::default());
    event_loop
        .run_until_complete(async {
            let inner = out.clone();
            LoopHandle::current().call_soon(move || {
                inner.say("queued behind main's last step");
                LoopHandle::current().call_soon(inner.saying("next run"));
            });
        })
        .unwrap();
    assert_eq!(out.lines(), ["queued behind main's last step"]);
    event_loop.run_until_complete(yield_now()).unwrap();
    assert_eq!(out.lines(), ["queued behind main's last step", "next run"]);
}

#[test]
fn hazard_26_main_stopped_half_way_is_dropped() {
    struct Dropped(Rc<Cell<bool>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let (event_loop, dropped) = (virtual_loop(), Rc::new(Cell::new(false)));
    let handle = event_loop.handle().clone();
    event_loop.call_later(Duration::from_secs(1), move || handle.stop());
    let local = String::from("borrowed by main");
    let outcome = event_loop.run_until_complete(async {
        let _guard = Dropped(Rc::clone(&dropped));
        sleep(Duration::MAX).await;
        assert!(!local.is_empty());
    });
    assert!(matches!(outcome, Err(RunError::Stopped)));
    assert!(dropped.get());
    assert_eq!(event_loop.run_until_complete(async { 1 }).unwrap(), 1, "the loop can be used again");
}

/// Schedules itself until the count is used up.
fn countdown(left: u32, total: Rc<Cell<u32>>) {
    total.set(total.get() + 1);
    if left > 0 {
        LoopHandle::current().call_soon(move || countdown(left - 1, total));
    }
}

#[test]
fn hazard_27_callbacks_that_schedule_callbacks_need_no_stack() {
    let count = if cfg!(miri) { 100 } else { 200_000 };
    let (event_loop, total) = (virtual_loop(), Rc::new(Cell::new(0)));
    let (inner, ticks) = (Rc::clone(&total), Rc::new(Cell::new(0)));
    event_loop.call_soon(move || countdown(count, inner));
    while total.get() <= count {
        event_loop.run_once().unwrap();
        ticks.set(ticks.get() + 1);
    }
    assert_eq!(ticks.get(), count + 1, "each runs in an iteration of its own");
}

#[test]
fn hazard_19_a_task_that_always_yields_starves_no_timer() {
    let clock = VirtualClock::new();
    let event_loop = EventLoop::builder().clock(clock.clone()).build().unwrap();
    let fired = Rc::new(Cell::new(false));
    let inner = Rc::clone(&fired);
    event_loop.call_later(Duration::from_secs(1), move || inner.set(true));
    event_loop
        .run_until_complete(async {
            while !fired.get() {
                clock.advance(Duration::from_millis(10)); // The task's own work.
                yield_now().await;
            }
        })
        .unwrap();
    assert_eq!(event_loop.time().since_start(), Duration::from_millis(1010));
}

/// Counts the iterations of a task that never waits, until another has read what lies in its source.
#[cfg(unix)]
fn iterations_to_a_source(event_loop: &EventLoop) -> usize {
    use std::io::{Read, Write};
    let main = async {
        let (near, mut far) = std::os::unix::net::UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let source = corio_executor::io::Source::new(near).unwrap();
        let reader = corio_task::create_task(async move { source.read_with(|mut io| io.read(&mut [0; 8])).await });
        while reader.task_ref().waiting_on().is_none() {
            yield_now().await;
        }
        far.write_all(b"!").unwrap();
        let mut iterations = 0;
        while !reader.done() {
            yield_now().await;
            iterations += 1;
        }
        iterations
    };
    event_loop.run_until_complete(main).unwrap()
}

#[test]
#[cfg(unix)]
#[cfg_attr(miri, ignore = "needs sockets")]
fn hazard_19_a_task_that_always_yields_starves_no_source() {
    assert!(iterations_to_a_source(&EventLoop::new().unwrap()) <= 70, "a look every 64 iterations, and a step");
    assert!(iterations_to_a_source(&virtual_loop()) <= 2, "a test's loop looks in each");
}
