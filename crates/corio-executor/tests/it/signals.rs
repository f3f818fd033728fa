//! Danger: a signal that a sleeping loop does not hear.
//!
//! Signals are the process's, and a loop watches for them as long as anybody in the process listens. So each of these
//! runs in a child, which ends with [`HEARD`], or of itself after a while.

use crate::this_program::this_program;
use corio_executor::{EventLoop, LoopHandle, MockSelector, VirtualClock, run, sleep, test, yield_now};
use corio_signal::{SIGINT, SIGUSR1, Signal, Signals, ctrl_c};
use corio_task::create_task;
use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

/// The exit status of a child that heard what it waited for.
const HEARD: i32 = 42;

/// The exit status of a child that did not.
const DEAF: i32 = 43;

/// Longer than anything here takes; a test that needs it fails.
const LONG: Duration = Duration::from_secs(20);

/// Says, in a child, that the parent may send its signal.
fn ready() {
    println!("\nready"); // The harness has begun a line.
}

fn heard() -> ! {
    std::process::exit(HEARD)
}

/// Set for a child, which then does what the test of its name is for; in the parent that test does nothing.
const CHILD: &str = "CORIO_TEST_CHILD";

/// Tells whether this is a child, which ends of itself if it waits for ever.
fn is_child() -> bool {
    let is_child = std::env::var_os(CHILD).is_some();
    if is_child {
        thread::spawn(|| {
            thread::sleep(LONG);
            std::process::exit(DEAF);
        });
    }
    is_child
}

/// Runs the test `name` in a child, sends it SIGINT each time it is ready, and returns how it ended: its exit
/// status, or minus the signal.
fn child(name: &str) -> i32 {
    let mut command = this_program();
    command.args(["--exact", &format!("signals::{name}"), "--test-threads=1", "--nocapture"]).env(CHILD, "1");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let id = child.id().to_string();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if line.unwrap() == "ready" {
            thread::sleep(Duration::from_millis(5)); // So that it sleeps, most times.
            assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        }
    }
    let status = child.wait().unwrap();
    status.code().unwrap_or_else(|| -status.signal().unwrap())
}

/// Sends a signal to this thread; its handler has run when this returns.
fn raise(signal: Signal) {
    signal_hook::low_level::raise(signal.as_raw()).unwrap();
}

#[test]
fn ctrl_c_wakes_a_loop_that_sleeps_without_a_source() {
    assert_eq!(child("child_ctrl_c"), HEARD);
}

#[test]
fn child_ctrl_c() {
    if !is_child() {
        return;
    }
    run(async {
        let mut signals = ctrl_c().unwrap();
        for _ in 0..3 {
            ready();
            assert_eq!(signals.recv().await, SIGINT);
        }
    })
    .unwrap();
    heard();
}

#[test]
fn ctrl_c_ends_a_long_sleep() {
    assert_eq!(child("child_long_sleep"), HEARD);
}

#[test]
fn child_long_sleep() {
    if !is_child() {
        return;
    }
    run(async {
        let _timer = create_task(sleep(Duration::from_secs(3600)));
        let mut signals = ctrl_c().unwrap();
        ready();
        signals.recv().await;
    })
    .unwrap();
    heard();
}

#[test]
fn after_the_last_listener_ctrl_c_kills_a_running_loop() {
    assert_eq!(child("child_drop_listener"), -SIGINT.as_raw());
}

#[test]
fn child_drop_listener() {
    if !is_child() {
        return;
    }
    run(async {
        let mut signals = ctrl_c().unwrap();
        ready();
        signals.recv().await;
        drop(signals);
        ready();
        sleep(Duration::MAX).await;
    })
    .unwrap();
}

#[test]
fn a_busy_loop_hears_as_well() {
    assert_eq!(child("child_busy"), HEARD);
}

#[test]
fn child_busy() {
    if !is_child() {
        return;
    }
    run(async {
        let _busy = create_task(async {
            loop {
                yield_now().await;
            }
        });
        let mut signals = ctrl_c().unwrap();
        ready();
        signals.recv().await;
    })
    .unwrap();
    heard();
}

#[test]
fn each_of_two_loops_hears() {
    assert_eq!(child("child_two_loops"), HEARD);
}

#[test]
fn child_two_loops() {
    if !is_child() {
        return;
    }
    let (mut one, mut other) = (ctrl_c().unwrap(), ctrl_c().unwrap());
    let thread = thread::spawn(move || run(async move { one.recv().await }).unwrap());
    run(async move {
        ready();
        other.recv().await
    })
    .unwrap();
    assert_eq!(thread.join().unwrap(), SIGINT);
    heard();
}

#[test]
fn virtual_time_does_not_overtake_a_signal() {
    assert_eq!(child("child_virtual_time"), HEARD);
}

#[test]
fn child_virtual_time() {
    if !is_child() {
        return;
    }
    test::run(async {
        let _timer = create_task(sleep(Duration::from_secs(3600)));
        let mut signals = Signals::new([SIGUSR1]).unwrap();
        LoopHandle::current().call_soon(|| raise(SIGUSR1)); // Called while main waits.
        assert_eq!(signals.recv().await, SIGUSR1);
        assert_eq!(LoopHandle::current().time().since_start(), Duration::ZERO);
    });
    heard();
}

#[test]
fn the_bell_is_watched_only_while_somebody_listens() {
    assert_eq!(child("child_watch"), HEARD);
}

#[test]
fn child_watch() {
    if !is_child() {
        return;
    }
    let selector = MockSelector::new();
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).selector(selector.clone()).build().unwrap();
    let turn = || event_loop.run_until_complete(yield_now()).unwrap();
    turn();
    assert!(selector.registered().is_empty());

    let one = ctrl_c().unwrap();
    let other = ctrl_c().unwrap();
    turn();
    assert_eq!(selector.registered().len(), 1);
    drop(one);
    turn();
    assert_eq!(selector.registered().len(), 1);
    drop(other);
    turn();
    assert!(selector.registered().is_empty());

    let _again = ctrl_c().unwrap();
    turn();
    assert_eq!(selector.registered().len(), 1);
    event_loop.close().unwrap();
    assert!(selector.registered().is_empty(), "closed, the loop leaves the bell alone");
    heard();
}

#[test]
fn a_loop_that_cannot_watch_looks_now_and_then() {
    assert_eq!(child("child_blind"), HEARD);
}

#[test]
fn child_blind() {
    if !is_child() {
        return;
    }
    let selector = MockSelector::new();
    selector.refuse(true);
    let event_loop = EventLoop::builder().selector(selector.clone()).build().unwrap();
    event_loop
        .run_until_complete(async {
            let mut signals = ctrl_c().unwrap();
            ready();
            assert_eq!(signals.recv().await, SIGINT);
        })
        .unwrap();
    assert!(selector.registered().is_empty());
    heard();
}

#[test]
fn a_loop_that_could_not_watch_sleeps_long_again_when_nobody_listens() {
    assert_eq!(child("child_blind_no_more"), HEARD);
}

#[test]
fn child_blind_no_more() {
    if !is_child() {
        return;
    }
    let selector = MockSelector::new();
    selector.refuse(true);
    let event_loop = EventLoop::builder().selector(selector.clone()).build().unwrap();
    let listener = ctrl_c().unwrap();
    event_loop.run_until_complete(yield_now()).unwrap();
    drop(listener);
    let (mut iterations, over) = (0, Rc::new(Cell::new(false)));
    let inner = Rc::clone(&over);
    event_loop.call_later(Duration::from_millis(400), move || inner.set(true));
    while !over.get() {
        event_loop.run_once().unwrap();
        iterations += 1;
    }
    assert!(iterations <= 4, "it sleeps in {iterations} pieces");
    heard();
}

#[test]
fn waiting_outside_a_run_is_still_an_error() {
    assert_eq!(child("child_outside"), HEARD);
}

#[test]
fn child_outside() {
    if !is_child() {
        return;
    }
    let event_loop = EventLoop::new().unwrap();
    let mut signals = ctrl_c().unwrap();
    event_loop.run_until_complete(yield_now()).unwrap();
    let wait = std::panic::AssertUnwindSafe(|| futures_lite::future::block_on(signals.recv()));
    assert!(std::panic::catch_unwind(wait).is_err(), "no loop runs that would hear it");
    heard();
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_without_listeners_opens_no_descriptor() {
    assert_eq!(child("child_no_listener"), HEARD);
}

#[test]
#[cfg(target_os = "linux")]
fn child_no_listener() {
    if !is_child() {
        return;
    }
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    run(async {
        sleep(Duration::from_millis(1)).await;
        assert_eq!(open(), before);
    })
    .unwrap();
    assert_eq!(open(), before);
    heard();
}

/// Runs the loop until `calls` shows `count`.
async fn until(calls: &Cell<u32>, count: u32) {
    while calls.get() < count {
        sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn a_handler_is_called_for_each_arrival_until_it_is_removed() {
    assert_eq!(child("child_handler"), -(SIGUSR1.as_raw()));
}

#[test]
fn child_handler() {
    if !is_child() {
        return;
    }
    run(async {
        let event_loop = LoopHandle::current();
        let calls = Rc::new(Cell::new(0));
        let (first, second) = (calls.clone(), calls.clone());
        event_loop.add_signal_handler(SIGUSR1, move || first.set(first.get() + 100)).unwrap();
        event_loop.add_signal_handler(SIGUSR1, move || second.set(second.get() + 1)).unwrap();
        for count in 1..=3 {
            raise(SIGUSR1);
            until(&calls, count).await;
            assert_eq!(calls.get(), count, "the second replaces the first");
        }
        assert!(event_loop.remove_signal_handler(SIGUSR1));
        assert!(!event_loop.remove_signal_handler(SIGUSR1));
    })
    .unwrap();
    raise(SIGUSR1); // Its default action is on again.
}

#[test]
fn two_handlers_are_told_apart() {
    assert_eq!(child("child_two_handlers"), HEARD);
}

#[test]
fn child_two_handlers() {
    if !is_child() {
        return;
    }
    run(async {
        let (event_loop, calls) = (LoopHandle::current(), Rc::new(Cell::new(0)));
        let (ones, tens) = (calls.clone(), calls.clone());
        event_loop.add_signal_handler(SIGUSR1, move || ones.set(ones.get() + 1)).unwrap();
        event_loop.add_signal_handler(corio_signal::SIGUSR2, move || tens.set(tens.get() + 10)).unwrap();
        for (signal, count) in [(corio_signal::SIGUSR2, 10), (SIGUSR1, 11), (corio_signal::SIGUSR2, 21)] {
            raise(signal);
            until(&calls, count).await;
            assert_eq!(calls.get(), count);
        }
    })
    .unwrap();
    heard();
}

#[test]
fn a_handler_set_before_the_run_hears_what_came_before_it_too() {
    assert_eq!(child("child_handler_before_the_run"), HEARD);
}

#[test]
fn child_handler_before_the_run() {
    if !is_child() {
        return;
    }
    let event_loop = EventLoop::new().unwrap();
    event_loop.add_signal_handler(SIGUSR1, || heard()).unwrap();
    raise(SIGUSR1);
    event_loop.run_until_complete(sleep(LONG)).unwrap();
}

#[test]
fn a_handler_of_ctrl_c_takes_over_and_wakes_a_sleeping_loop() {
    assert_eq!(child("child_handler_of_ctrl_c"), HEARD);
}

#[test]
fn child_handler_of_ctrl_c() {
    if !is_child() {
        return;
    }
    run(async {
        LoopHandle::current().add_signal_handler(SIGINT, || heard()).unwrap();
        yield_now().await;
        ready();
        sleep(LONG).await;
    })
    .unwrap();
}

#[test]
fn a_handler_that_panics_stays_and_one_may_remove_itself() {
    assert_eq!(child("child_handler_that_panics"), HEARD);
}

#[test]
fn child_handler_that_panics() {
    if !is_child() {
        return;
    }
    run(async {
        let event_loop = LoopHandle::current();
        let (reports, calls) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (inner, own, handle) = (reports.clone(), calls.clone(), event_loop.clone());
        event_loop.set_exception_handler(move |report| {
            assert!(report.source.unwrap().contains("signals.rs"));
            inner.set(inner.get() + 1);
        });
        event_loop
            .add_signal_handler(SIGUSR1, move || {
                own.set(own.get() + 1);
                assert!(own.get() > 1, "the first time");
                assert!(handle.remove_signal_handler(SIGUSR1));
            })
            .unwrap();
        for count in 1..=2 {
            raise(SIGUSR1);
            until(&calls, count).await;
        }
        assert_eq!(reports.get(), 1);
        assert!(!event_loop.remove_signal_handler(SIGUSR1));
        heard();
    })
    .unwrap();
}

#[test]
fn a_signal_that_another_loop_hands_out_reaches_the_handler() {
    assert_eq!(child("child_handler_elsewhere"), HEARD);
}

#[test]
fn child_handler_elsewhere() {
    if !is_child() {
        return;
    }
    thread::spawn(|| {
        run(async {
            LoopHandle::current().add_signal_handler(SIGINT, || heard()).unwrap();
            yield_now().await;
            ready();
            sleep(LONG).await;
        })
    });
    // It looks all the time, and will be first mostly.
    run(async {
        let _listener = Signals::new([SIGUSR1]).unwrap();
        loop {
            yield_now().await;
        }
    })
    .unwrap();
}

#[test]
fn a_signal_that_cannot_be_caught_and_a_closed_loop_are_errors() {
    let event_loop = EventLoop::new().unwrap();
    let kill = Signal::from_raw(9).unwrap();
    assert!(event_loop.add_signal_handler(kill, || ()).is_err());
    let held = Rc::new(());
    let inner = held.clone();
    event_loop.add_signal_handler(corio_signal::SIGUSR2, move || drop(inner.clone())).unwrap();
    event_loop.close().unwrap();
    assert_eq!(Rc::strong_count(&held), 1);
    assert!(event_loop.add_signal_handler(corio_signal::SIGUSR2, || ()).is_err());
    assert!(!event_loop.remove_signal_handler(corio_signal::SIGUSR2));
}
