//! The word for "it was cancelled", and the way to raise it again.

use crate::seam::current;
use crate::{Waiting, wait_on};
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The sign that something was cancelled, with the reason its canceller gave; asyncio's `CancelledError`.
///
/// It is a value: a future that was cancelled by somebody else hands it to whoever awaits it. To end the way asyncio's
/// awaiter would, await [`resume`](Cancelled::resume).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cancelled {
    message: Option<Arc<str>>,
}

impl Cancelled {
    /// Makes a sign without a reason.
    #[must_use]
    pub const fn new() -> Cancelled {
        Cancelled { message: None }
    }

    /// Makes a sign with the reason given to `cancel`.
    #[must_use]
    pub const fn with_message(message: Option<Arc<str>>) -> Cancelled {
        Cancelled { message }
    }

    /// Returns the reason, if the canceller gave one; asyncio's `CancelledError.args`.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns the reason as it is passed on to another `cancel`.
    #[must_use]
    pub fn into_message(self) -> Option<Arc<str>> {
        self.message
    }

    /// Cancels the scope around the caller: Python's `raise` at the end of an `except CancelledError`.
    ///
    /// The future never completes: it is dropped, with all that is around it, up to the nearest `catch_cancelled` or
    /// the task.
    ///
    /// # Panics
    ///
    /// When awaited where there is no scope and no task to cancel.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it was polled, it does nothing.
    pub fn resume(self) -> Resume {
        Resume { cancelled: Some(self) }
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message() {
            Some(message) => write!(f, "cancelled: {message}"),
            None => f.write_str("cancelled"),
        }
    }
}

impl std::error::Error for Cancelled {}

/// Future of [`Cancelled::resume`]: never ready.
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Resume {
    cancelled: Option<Cancelled>,
}

impl Future for Resume {
    type Output = Infallible;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Infallible> {
        if let Some(cancelled) = self.cancelled.take() {
            let raised = current().is_some_and(|seam| seam.raise(cancelled).is_ok());
            assert!(raised, "`Cancelled::resume` has nowhere to go: await it inside a task or `catch_cancelled`");
        }
        wait_on(Waiting::Leaf(&"resume"));
        Poll::Pending
    }
}
