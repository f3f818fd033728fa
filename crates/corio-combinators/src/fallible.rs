//! Handles of tasks and cells whose values are themselves results.

use crate::Failure;
use crate::outcome::Outcome;
use crate::standing::Standing;
use corio_seam::Waitable;
use corio_task::Task;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Makes the `Err` that a task or a cell holds count as its failure.
///
/// A handle of a task that returns `Result<T, E>` gives a result in a result, of which a combinator sees the outer one:
/// whether the task was cancelled, or panicked. To have [`gather`](crate::gather()) stop at the inner one as well, and
/// [`shield`](crate::shield()) report it, wrap the handle. A future that is given directly, and made a task by the
/// combinator, needs none of this.
///
/// # Errors
///
/// Awaiting gives the [`Failure`].
///
/// # Cancel safety
///
/// That of the handle.
///
/// # Examples
///
/// ```
/// use corio_combinators::{fallible, gather};
/// use corio_task::{TaskSet, create_task};
///
/// let set = TaskSet::new();
/// pollster::block_on(set.run_until(async {
///     let tasks: Vec<_> = (1..=3).map(|n| create_task(async move { if n < 3 { Ok(n) } else { Err("three") } })).collect();
///     let failed = gather(tasks.into_iter().map(fallible)).await.unwrap_err();
///     assert_eq!(failed.to_string(), "three");
/// })).unwrap();
/// ```
pub fn fallible<H: FallibleHandle>(handle: H) -> Fallible<H::Value> {
    Fallible { handle: Box::new(handle) }
}

/// A task or a cell that holds a result. Sealed.
pub trait FallibleHandle: Handle<Self::Value> + 'static {
    /// What it holds if it did not fail.
    type Value: 'static;
}

impl<T: 'static, E: Into<Box<dyn Error>> + 'static> FallibleHandle for Task<Result<T, E>> {
    type Value = T;
}

impl<T: 'static, E: Into<Box<dyn Error>> + 'static> FallibleHandle for corio_future::Future<Result<T, E>> {
    type Value = T;
}

/// A handle without its error type.
pub trait Handle<V>: Standing + Unpin {
    /// Returns the handle as what it is a kind of; Rust 1.85 does not see that by itself.
    #[doc(hidden)]
    fn as_standing(&self) -> &dyn Standing;

    /// Asks it to end, with a reason; false if it is over.
    #[doc(hidden)]
    fn cancel_for(&self, message: Option<Arc<str>>) -> bool;

    /// Polls it.
    #[doc(hidden)]
    fn poll_flat(&mut self, cx: &mut Context<'_>) -> Poll<Result<V, Failure>>;

    /// Moves out how it ended, once it has.
    #[doc(hidden)]
    fn take_flat(&mut self) -> Option<Result<V, Failure>>;
}

impl<T: 'static, E: Into<Box<dyn Error>> + 'static> Handle<T> for Task<Result<T, E>> {
    fn as_standing(&self) -> &dyn Standing {
        self
    }

    fn cancel_for(&self, message: Option<Arc<str>>) -> bool {
        Waitable::cancel(&self.task_ref(), message)
    }

    fn poll_flat(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Failure>> {
        Pin::new(self).poll(cx).map(|ended| ended.map_err(Failure::from).and_then(Outcome::settle))
    }

    fn take_flat(&mut self) -> Option<Result<T, Failure>> {
        Some(self.take_output()?.map_err(Failure::from).and_then(Outcome::settle))
    }
}

impl<T: 'static, E: Into<Box<dyn Error>> + 'static> Handle<T> for corio_future::Future<Result<T, E>> {
    fn as_standing(&self) -> &dyn Standing {
        self
    }

    fn cancel_for(&self, message: Option<Arc<str>>) -> bool {
        match message {
            Some(message) => self.cancel_with(&*message),
            None => self.cancel(),
        }
    }

    fn poll_flat(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Failure>> {
        Pin::new(self).poll(cx).map(|ended| ended.map_err(Failure::from).and_then(Outcome::settle))
    }

    fn take_flat(&mut self) -> Option<Result<T, Failure>> {
        Some(self.take()?.map_err(Failure::from).and_then(Outcome::settle))
    }
}

/// Future of [`fallible`]. `!Send`.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Fallible<V> {
    handle: Box<dyn Handle<V>>,
}

impl<V> Fallible<V> {
    pub(crate) fn into_handle(self) -> Box<dyn Handle<V>> {
        self.handle
    }

    pub(crate) fn handle(&self) -> &dyn Handle<V> {
        &*self.handle
    }
}

impl<V> Future for Fallible<V> {
    type Output = Result<V, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.handle.poll_flat(cx)
    }
}

impl<V> fmt::Debug for Fallible<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallible").field("is_over", &self.handle.is_over()).finish_non_exhaustive()
    }
}
