//! Each of these runs in a child, which may die of the signal.

use crate::foreign::{Action, Library};
use crate::this_program::this_program;
use corio_signal::{Fallback, SIGCHLD, SIGHUP, SIGINT, SIGUSR1, SIGWINCH, Signal, Signals};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// The exit status of a child that came to its end.
const SURVIVED: i32 = 42;

/// Set for a child, which then does what the test of its name is for; in the parent that test does nothing.
const CHILD: &str = "CORIO_TEST_CHILD";

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs the test `name` in a child.
fn child(name: &str) -> ExitStatus {
    let mut command = this_program();
    command.args(["--exact", &format!("restore::{name}"), "--test-threads=1", "--nocapture"]);
    command.env(CHILD, "1").output().unwrap().status
}

fn listen_and_drop(signal: Signal) {
    let mut signals = Signals::new([signal]).unwrap();
    crate::raise(signal);
    assert_eq!(signals.try_recv(), Some(signal), "while it listens, the default action is off");
}

fn survive() -> ! {
    std::process::exit(SURVIVED)
}

#[test]
fn after_the_last_listener_ctrl_c_kills_again() {
    assert_eq!(child("child_drop_then_sigint").signal(), Some(SIGINT.as_raw()));
}

#[test]
fn child_drop_then_sigint() {
    if !is_child() {
        return;
    }
    let other = Signals::new([SIGINT]).unwrap();
    listen_and_drop(SIGINT);
    crate::raise(SIGINT); // The other one still listens.
    drop(other);
    crate::raise(SIGINT);
    survive();
}

#[test]
fn a_new_listener_takes_over_again() {
    assert_eq!(child("child_listen_again").code(), Some(SURVIVED));
}

#[test]
fn child_listen_again() {
    if !is_child() {
        return;
    }
    listen_and_drop(SIGUSR1);
    listen_and_drop(SIGUSR1);
    let _listener = Signals::new([SIGUSR1]).unwrap();
    crate::raise(SIGUSR1);
    survive();
}

#[test]
fn signals_that_do_nothing_by_default_do_nothing() {
    assert_eq!(child("child_harmless").code(), Some(SURVIVED));
}

#[test]
fn child_harmless() {
    if !is_child() {
        return;
    }
    for signal in [SIGCHLD, SIGWINCH] {
        listen_and_drop(signal);
        crate::raise(signal);
    }
    survive();
}

/// Rust's runtime ignores `SIGPIPE`: acting as the default action would kill a program at its next broken pipe.
#[test]
fn an_ignored_signal_stays_ignored() {
    assert_eq!(child("child_sigpipe").code(), Some(SURVIVED));
}

#[test]
fn child_sigpipe() {
    if !is_child() {
        return;
    }
    let sigpipe = Signal::from_raw(13).unwrap();
    listen_and_drop(sigpipe);
    crate::raise(sigpipe);
    survive();
}

/// Somebody else's handler is left at its work.
#[test]
#[cfg(target_os = "linux")]
fn a_foreign_handler_stays_alone_in_charge() {
    assert_eq!(child("child_foreign_handler").code(), Some(SURVIVED));
}

#[test]
fn child_foreign_handler() {
    if !is_child() {
        return;
    }
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    let heard = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGHUP.as_raw(), heard.clone()).unwrap();
    listen_and_drop(SIGHUP);
    assert!(heard.swap(false, Ordering::SeqCst));
    crate::raise(SIGHUP);
    assert!(heard.load(Ordering::SeqCst));
    survive();
}

#[test]
fn a_dropped_fallback_gives_the_default_action_back() {
    assert_eq!(child("child_fallback").signal(), Some(SIGINT.as_raw()));
}

#[test]
fn child_fallback() {
    if !is_child() {
        return;
    }
    let fallback = Fallback::new(SIGINT).unwrap().unwrap();
    crate::raise(SIGINT);
    assert!(fallback.take());
    drop(fallback);
    crate::raise(SIGINT);
    survive();
}

#[test]
#[cfg(target_os = "linux")]
fn a_foreign_handler_has_no_fallback() {
    assert_eq!(child("child_foreign_fallback").code(), Some(SURVIVED));
}

#[test]
fn child_foreign_fallback() {
    if !is_child() {
        return;
    }
    signal_hook::flag::register(SIGHUP.as_raw(), std::sync::Arc::default()).unwrap();
    assert!(Fallback::new(SIGHUP).unwrap().is_none());
    assert!(Fallback::new(Signal::from_raw(13).unwrap()).unwrap().is_none(), "Rust ignores SIGPIPE");
    listen_and_drop(SIGHUP);
    survive();
}

/// Theirs was put over ours, and goes after us: it puts ours back, which nobody needs any more.
#[test]
fn a_handler_that_goes_after_us_leaves_the_default_action() {
    assert_eq!(child("child_foreign_over_ours").signal(), Some(SIGINT.as_raw()));
}

#[test]
fn child_foreign_over_ours() {
    if !is_child() {
        return;
    }
    let signals = Signals::new([SIGINT]).unwrap();
    let ours = Library::install::<0>(SIGINT);
    drop(signals);
    crate::raise(SIGINT); // Theirs is in charge.
    assert_eq!(Library::calls(0), 1);
    ours.put(SIGINT);
    crate::raise(SIGINT);
    survive();
}

/// A library that takes a signal over while we listen, and means to keep it.
#[test]
fn a_handler_of_signal_hook_s_that_came_after_us_stays_alone_in_charge() {
    assert_eq!(child("child_signal_hook_over_ours").code(), Some(SURVIVED));
}

#[test]
fn child_signal_hook_over_ours() {
    if !is_child() {
        return;
    }
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    let heard = Arc::new(AtomicBool::new(false));
    let mut signals = Signals::new([SIGINT]).unwrap();
    signal_hook::flag::register(SIGINT.as_raw(), heard.clone()).unwrap();
    crate::raise(SIGINT);
    assert_eq!(signals.try_recv(), Some(SIGINT), "both hear it");
    assert!(heard.swap(false, Ordering::SeqCst));
    drop(signals);
    crate::raise(SIGINT);
    assert!(heard.swap(false, Ordering::SeqCst));
    listen_and_drop(SIGINT); // Over it, this time.
    assert!(heard.swap(false, Ordering::SeqCst));
    crate::raise(SIGINT);
    assert!(heard.load(Ordering::SeqCst));
    survive();
}

/// As under `nohup`.
#[test]
fn what_the_parent_had_ignored_is_ignored_again() {
    assert_eq!(child("child_ignored").code(), Some(SURVIVED));
}

#[test]
fn child_ignored() {
    if !is_child() {
        return;
    }
    Action::ignore().put(SIGHUP);
    assert!(Fallback::new(SIGHUP).unwrap().is_none());
    listen_and_drop(SIGHUP);
    crate::raise(SIGHUP);
    survive();
}

#[test]
fn a_real_time_signal_kills_again() {
    assert_eq!(child("child_real_time").signal(), Some(40));
}

#[test]
fn child_real_time() {
    if !is_child() {
        return;
    }
    let signal = Signal::from_raw(40).unwrap();
    listen_and_drop(signal);
    crate::raise(signal);
    survive();
}
