//! How a task can end without a result.

use corio_seam::{Cancelled, Panic};
use std::error::Error;
use std::fmt;

/// Why an awaited task has no output.
///
/// asyncio raises the one or the other out of `await task`. Here a child's end is a value: whether it is to end the
/// awaiter too is the awaiter's to say, with [`Cancelled::resume`] or [`Panic::resume_unwind`].
#[derive(Debug)]
#[non_exhaustive]
pub enum JoinError {
    /// The task was cancelled, by somebody other than the awaiter.
    Cancelled(Cancelled),
    /// The task panicked.
    Panicked(Panic),
}

impl JoinError {
    /// Tells whether the task was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, JoinError::Cancelled(_))
    }

    /// Tells whether the task panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self, JoinError::Panicked(_))
    }

    /// Returns the panic.
    ///
    /// # Errors
    ///
    /// The error itself, if the task was cancelled.
    pub fn into_panic(self) -> Result<Panic, JoinError> {
        match self {
            JoinError::Panicked(panic) => Ok(panic),
            other => Err(other),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Cancelled(cancelled) => write!(f, "task was {cancelled}"),
            JoinError::Panicked(panic) => write!(f, "task {panic}"),
        }
    }
}

impl Error for JoinError {}

impl From<Cancelled> for JoinError {
    fn from(cancelled: Cancelled) -> JoinError {
        JoinError::Cancelled(cancelled)
    }
}
