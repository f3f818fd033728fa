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

/// The error of releasing a [`Semaphore`](crate::Semaphore) above its bound; asyncio's `ValueError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyReleases;

impl fmt::Display for TooManyReleases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the semaphore was released too many times")
    }
}

impl std::error::Error for TooManyReleases {}
