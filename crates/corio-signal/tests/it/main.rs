//! Signals are the process's, so these tests take turns; those that may kill run in a child.
#![cfg(unix)]

mod arrive; // who hears what, and when
mod cancel; // a wait that is given up
mod panic; // wakers that panic, waits that nobody watches
mod storm; // hazard 33: the pipe is a bell, the data a bitmask
mod restore; // what a signal does once nobody listens
mod foreign_handlers; // what others install, before us and after
mod foreign; // such another, and what the system says
mod refuse; // what cannot be listened to
mod fallback; // whoever listens takes over
mod watch; // bells and loops
mod words; // what they say to a person
mod auto_traits;
mod this_program; // a child of a test

use corio_signal::Signal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::Duration;

/// Longer than anything here takes; a test that needs it fails.
const LONG: Duration = Duration::from_secs(20);

/// Lets one test at a time at the process's signals.
fn my_turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends a signal to this thread; its handler has run when this returns.
fn raise(signal: Signal) {
    signal_hook::low_level::raise(signal.as_raw()).unwrap();
}

/// A waker that counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn new() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (count.clone(), Waker::from(count))
    }

    fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
