//! The ways that every system has.

use crate::selector::{Interest, Mode, Ready};
use crate::sys::BorrowedFd;
use corio_task::Bell;
use parking_lot::{Condvar, Mutex};
use polling::Poller;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A place where one thread sleeps and any thread rings; `std::thread::unpark` has no part in it.
#[derive(Debug)]
pub(crate) struct Parker {
    /// Whether a ring is owed to the next sleep.
    rung: Mutex<bool>,
    sleeper: Condvar,
}

impl Parker {
    /// Makes a place with no ring owed.
    pub(crate) fn new() -> Parker {
        Parker { rung: Mutex::new(false), sleeper: Condvar::new() }
    }

    /// Returns the place where handlers of signals ring: none, for a handler may take no lock.
    pub(crate) fn of_signals() -> Option<&'static Parker> {
        None
    }

    /// Sleeps until rung, or until `timeout` has passed; may return early. A ring that came before ends it at once.
    pub(crate) fn park(&self, timeout: Option<Duration>) {
        let deadline = timeout.map(|timeout| Instant::now().checked_add(timeout));
        let mut rung = self.rung.lock();
        if !*rung {
            match deadline.flatten() {
                None => self.sleeper.wait(&mut rung),
                Some(deadline) => drop(self.sleeper.wait_until(&mut rung, deadline)),
            }
        }
        *rung = false;
    }

    /// Ends the present sleep or the next.
    pub(crate) fn unpark(&self) {
        *self.rung.lock() = true;
        self.sleeper.notify_one();
    }
}

/// The time since a moment, in nanoseconds, on a clock that never goes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it now.
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Does nothing: only Linux lets a thread choose how late its timers may be.
#[derive(Debug)]
#[must_use = "the slack is put back when the guard is dropped"]
pub(crate) struct TimerSlack;

impl TimerSlack {
    /// Does nothing.
    pub(crate) fn lower() -> TimerSlack {
        TimerSlack
    }
}

/// A better way to wait, which there is not: no value of it exists.
#[derive(Debug)]
pub(crate) struct DirectWait(Infallible);

impl DirectWait {
    /// Returns none.
    ///
    /// # Errors
    ///
    /// None.
    pub(crate) fn new(_: &Poller) -> io::Result<Option<DirectWait>> {
        Ok(None)
    }

    /// Is never called.
    ///
    /// # Errors
    ///
    /// None.
    pub(crate) fn register(&self, _: &Poller, _: BorrowedFd<'_>, _: usize, _: Interest, _: Mode) -> io::Result<()> {
        match self.0 {}
    }

    /// Is never called.
    ///
    /// # Errors
    ///
    /// None.
    pub(crate) fn modify(&self, _: &Poller, _: BorrowedFd<'_>, _: usize, _: Interest, _: Mode) -> io::Result<()> {
        match self.0 {}
    }

    /// Is never called.
    pub(crate) fn bell(&self) -> Arc<dyn Bell> {
        match self.0 {}
    }

    /// Is never called.
    ///
    /// # Errors
    ///
    /// None.
    pub(crate) fn wait(&self, _: &Poller, _: &mut Vec<Ready>, _: Option<Duration>) -> io::Result<()> {
        match self.0 {}
    }
}

/// Tells whether this is the thread that the process began with, by the name that std gives it. Not under Miri, which has
/// no signals.
pub(crate) fn is_main_thread() -> bool {
    !cfg!(miri) && std::thread::current().name() == Some("main")
}
