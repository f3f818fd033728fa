//! What can go wrong with a loop.

use corio_seam::Cancelled;
use std::error::Error;
use std::fmt;
use std::io;

/// The error of running a program on a loop. (A panic of the main future is none: it goes on unwinding.)
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The operating system refused something that the loop needs.
    Io(io::Error),
    /// The main future was cancelled.
    Cancelled(Cancelled),
    /// Ctrl-C (`SIGINT`) cancelled the main future, and it did not catch that; asyncio's `KeyboardInterrupt`.
    Interrupted,
    /// The loop was stopped before the main future had completed; that future was cancelled.
    Stopped,
    /// A loop runs on this thread already.
    Nested,
    /// The loop, or the runner, is closed.
    Closed,
}

impl RunError {
    /// Tells whether the main future was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, RunError::Cancelled(_))
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Io(_) => f.write_str("the event loop met an error of the operating system"),
            RunError::Cancelled(_) => f.write_str("the main future was cancelled"),
            RunError::Interrupted => f.write_str("the main future was cancelled by Ctrl-C"),
            RunError::Stopped => f.write_str("the event loop was stopped before its main future completed"),
            RunError::Nested => f.write_str("an event loop is running on this thread already"),
            RunError::Closed => f.write_str("the event loop is closed"),
        }
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            RunError::Io(error) => Some(error),
            RunError::Cancelled(cancelled) => Some(cancelled),
            RunError::Interrupted | RunError::Stopped | RunError::Nested | RunError::Closed => None,
        }
    }
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> RunError {
        RunError::Io(error)
    }
}

/// The error of closing a loop that is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StillRunning;

impl fmt::Display for StillRunning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event loop is running: stop it, and close it when it has returned")
    }
}

impl Error for StillRunning {}
