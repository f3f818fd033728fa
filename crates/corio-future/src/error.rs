//! How a loop-bound future can end without a value, and what may not be asked of it.

use corio_seam::Cancelled;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why an awaited future has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FutureError {
    /// It was cancelled, by somebody other than the awaiter.
    Cancelled(Cancelled),
    /// The promise was dropped unkept.
    BrokenPromise,
    /// Whoever was to keep the promise panicked, with this message.
    Panicked(Arc<str>),
}

impl FutureError {
    /// Tells whether the future was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, FutureError::Cancelled(_))
    }

    /// Tells whether whoever was to keep the promise panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self, FutureError::Panicked(_))
    }

    /// Ends the awaiter as the future ended, where asyncio would: cancelled, or by a panic with the same message.
    ///
    /// # Errors
    ///
    /// The error itself, if the promise was broken.
    ///
    /// # Panics
    ///
    /// With the message, if the keeper panicked; and where there is nothing around the caller to cancel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (promise, future) = corio_future::promise::<u32>();
    /// drop(promise);
    /// let error = pollster::block_on(async { future.await.unwrap_err().resume().await });
    /// assert_eq!(error, corio_future::FutureError::BrokenPromise);
    /// ```
    pub async fn resume(self) -> FutureError {
        match self {
            FutureError::Cancelled(cancelled) => match cancelled.resume().await {},
            FutureError::Panicked(message) => panic!("{message}"),
            FutureError::BrokenPromise => FutureError::BrokenPromise,
        }
    }
}

impl fmt::Display for FutureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FutureError::Cancelled(cancelled) => write!(f, "future was {cancelled}"),
            FutureError::BrokenPromise => f.write_str("the promise was dropped without a result"),
            FutureError::Panicked(message) => write!(f, "the promise's keeper panicked: {message}"),
        }
    }
}

impl Error for FutureError {}

impl From<Cancelled> for FutureError {
    fn from(cancelled: Cancelled) -> FutureError {
        FutureError::Cancelled(cancelled)
    }
}

/// Why a value cannot be looked at; asyncio's `InvalidStateError`, and `CancelledError` where that is raised.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidState {
    /// The future is pending: its result is not set.
    Pending,
    /// The value was moved out, by whoever awaited it.
    Taken,
    /// The future ended without a value.
    Ended(FutureError),
}

impl fmt::Display for InvalidState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidState::Pending => f.write_str("result is not set"),
            InvalidState::Taken => f.write_str("the result was moved out by whoever awaited it"),
            InvalidState::Ended(error) => error.fmt(f),
        }
    }
}

impl Error for InvalidState {}
