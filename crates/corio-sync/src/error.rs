//! What can go wrong.

use std::fmt;

/// The error of releasing a [`Lock`](crate::Lock) that nobody holds; asyncio's `RuntimeError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLocked;

impl fmt::Display for NotLocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the lock is not acquired")
    }
}

impl std::error::Error for NotLocked {}

/// The error of notifying with a [`Condition`](crate::Condition) whose lock nobody holds; asyncio's `RuntimeError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAcquired;

impl fmt::Display for NotAcquired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot notify on un-acquired lock")
    }
}

impl std::error::Error for NotAcquired {}

/// The error of waiting at a [`Barrier`](crate::Barrier) that was aborted, or reset meanwhile; asyncio's
/// `BrokenBarrierError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenBarrier;

impl fmt::Display for BrokenBarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier was aborted or reset")
    }
}

impl std::error::Error for BrokenBarrier {}

/// The error of entering a [`ResourceGuard`](crate::ResourceGuard) while somebody is inside; anyio's `BusyResource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusyResource {
    pub(crate) action: &'static str,
}

impl BusyResource {
    /// Returns what the other one is doing, in the words given to
    /// [`ResourceGuard::new`](crate::ResourceGuard::new).
    #[must_use]
    pub fn action(&self) -> &'static str {
        self.action
    }
}

impl fmt::Display for BusyResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another task is already {} this resource", self.action)
    }
}

impl std::error::Error for BusyResource {}

/// The error of releasing a [`BoundedSemaphore`](crate::BoundedSemaphore) above the number it started with, or a
/// [`Semaphore`](crate::Semaphore) above `usize::MAX`; asyncio's `ValueError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyReleases;

impl fmt::Display for TooManyReleases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the semaphore was released too many times")
    }
}

impl std::error::Error for TooManyReleases {}
