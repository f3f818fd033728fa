//! What can go wrong with a loop.

use corio_seam::Cancelled;
use corio_task::format_all_tasks;
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
    /// Nothing could wake the loop any more: each task waits for what only another task of the loop could bring about. The
    /// main future was dropped.
    ///
    /// asyncio would hang. It is reported only if it is certain: a timer, a source, a listener to signals, a
    /// [`RemoteHandle`](crate::RemoteHandle), a waker that another thread may have, a call in a thread pool, or a task that
    /// waits for something that is not corio's, each keeps the loop waiting.
    /// [`detect_deadlocks`](crate::EventLoopBuilder::detect_deadlocks) turns it off.
    Deadlock(Deadlock),
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
            RunError::Deadlock(deadlock) => deadlock.fmt(f),
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
            RunError::Interrupted | RunError::Deadlock(_) | RunError::Stopped | RunError::Nested | RunError::Closed => {
                None
            }
        }
    }
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> RunError {
        RunError::Io(error)
    }
}

/// What a loop that can never wake has to say: who waits for whom. Its [`Display`](fmt::Display) is a sentence, and the
/// tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlock {
    tasks: usize,
    tree: Box<str>,
}

impl Deadlock {
    /// Draws the tree, where the loop runs.
    pub(crate) fn new(tasks: usize) -> Deadlock {
        Deadlock { tasks, tree: format_all_tasks().into() }
    }

    /// Returns who waits for whom, as [`format_all_tasks`] draws it: a line for each task, below who waits for it.
    #[must_use]
    pub fn tree(&self) -> &str {
        &self.tree
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tasks {
            0 => return f.write_str("deadlock: the event loop has nothing to do, and nobody can give it something"),
            1 => f.write_str("deadlock: nothing can wake the event loop, and its only task waits")?,
            tasks => write!(f, "deadlock: nothing can wake the event loop, and all its {tasks} tasks wait")?,
        }
        write!(f, "\n{}", self.tree.trim_end())
    }
}

impl Error for Deadlock {}

/// The error of closing a loop that is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StillRunning;

impl fmt::Display for StillRunning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event loop is running: stop it, and close it when it has returned")
    }
}

impl Error for StillRunning {}
