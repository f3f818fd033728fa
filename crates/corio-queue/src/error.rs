//! What can go wrong.

use std::fmt;

/// The error of putting without waiting, or with a time limit; it gives the item back.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PutError<T> {
    /// The queue is full, or was until the time ran out; asyncio's `QueueFull`.
    QueueFull(T),
    /// The queue takes no more items; asyncio's `QueueShutDown`.
    ShutDown(T),
}

impl<T> PutError<T> {
    /// Returns the item that was not put.
    #[must_use]
    pub fn into_inner(self) -> T {
        match self {
            PutError::QueueFull(item) | PutError::ShutDown(item) => item,
        }
    }

    /// Tells whether the queue was full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, PutError::QueueFull(_))
    }

    /// Tells whether the queue was shut down.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        matches!(self, PutError::ShutDown(_))
    }
}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PutError::QueueFull(_) => "QueueFull(..)",
            PutError::ShutDown(_) => "ShutDown(..)",
        })
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PutError::QueueFull(_) => FULL,
            PutError::ShutDown(_) => SHUT_DOWN,
        })
    }
}

impl<T> std::error::Error for PutError<T> {}

/// The error of getting without waiting, or with a time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GetError {
    /// The queue is empty, or was until the time ran out; asyncio's `QueueEmpty`.
    QueueEmpty,
    /// The queue is empty, and no more items will come; asyncio's `QueueShutDown`.
    ShutDown,
}

impl GetError {
    /// Tells whether the queue was empty, and something may still come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, GetError::QueueEmpty)
    }

    /// Tells whether the queue was shut down.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        matches!(self, GetError::ShutDown)
    }
}

impl fmt::Display for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GetError::QueueEmpty => "the queue is empty",
            GetError::ShutDown => SHUT_DOWN,
        })
    }
}

impl std::error::Error for GetError {}

/// The error of waiting on a queue that was shut down; asyncio's `QueueShutDown`.
///
/// From `put` it gives the item back, from `get` it holds nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShutDown<T = ()>(pub T);

impl<T> ShutDown<T> {
    /// Returns the item that was not put.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for ShutDown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShutDown(..)")
    }
}

impl<T> fmt::Display for ShutDown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHUT_DOWN)
    }
}

impl<T> std::error::Error for ShutDown<T> {}

/// The error of saying `task_done` more often than items were put; asyncio's `ValueError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyTaskDone;

impl fmt::Display for TooManyTaskDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`task_done` was called more often than items were put")
    }
}

impl std::error::Error for TooManyTaskDone {}

const FULL: &str = "the queue is full";
const SHUT_DOWN: &str = "the queue has been shut down";
