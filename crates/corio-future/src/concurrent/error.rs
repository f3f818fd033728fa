//! How a thread-safe future can end without a value, or not end in time.

use corio_seam::{Cancelled, Panic};
use std::error::Error;
use std::fmt;

/// Why a future has no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum FutureError {
    /// It was cancelled before its work began.
    Cancelled(Cancelled),
    /// The promise was dropped unkept.
    BrokenPromise,
    /// The work panicked. Of several readers the first has the payload, the others its message.
    Panicked(Panic),
}

impl FutureError {
    /// Tells whether the future was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, FutureError::Cancelled(_))
    }

    /// Tells whether the work panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self, FutureError::Panicked(_))
    }
}

impl fmt::Display for FutureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FutureError::Cancelled(cancelled) => write!(f, "future was {cancelled}"),
            FutureError::BrokenPromise => f.write_str("the promise was dropped without a result"),
            FutureError::Panicked(panic) => write!(f, "the work {panic}"),
        }
    }
}

impl Error for FutureError {}

/// Why a blocking read has no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum WaitError {
    /// The time was up; the future goes on.
    TimedOut,
    /// The future ended without a value.
    Ended(FutureError),
}

impl WaitError {
    /// Tells whether the time was up.
    #[must_use]
    pub fn is_timed_out(&self) -> bool {
        matches!(self, WaitError::TimedOut)
    }

    /// Tells whether the future was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, WaitError::Ended(FutureError::Cancelled(_)))
    }
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitError::TimedOut => f.write_str("timed out"),
            WaitError::Ended(error) => error.fmt(f),
        }
    }
}

impl Error for WaitError {}

impl From<FutureError> for WaitError {
    fn from(error: FutureError) -> WaitError {
        WaitError::Ended(error)
    }
}

/// The error of [`as_completed`](super::as_completed) when the time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    /// How many futures are unfinished.
    pub unfinished: usize,
    /// How many there were.
    pub total: usize,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (of {}) futures unfinished", self.unfinished, self.total)
    }
}

impl Error for TimedOut {}
