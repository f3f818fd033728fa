//! The place where cancellation stops.

use crate::scope::Scope;
use corio_seam::Cancelled;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs `future`, and stops a cancellation that unwinds out of it: Python's `try: ... except CancelledError as c:`.
///
/// `catch_cancelled` is to cancellation what `catch_unwind` is to panics. What comes after it is ordinary code: it may
/// await (cleanup), go on (swallow the request), return an error (replace it), or [`Cancelled::resume`] it (`raise`).
///
/// # Errors
///
/// [`Cancelled`] if a request hit the future: it was dropped at an await, without being polled.
///
/// # Cancel safety
///
/// That of `future`. Dropped half-way, it is not a cancellation: nothing is caught.
///
/// # Examples
///
/// ```
/// use corio_task::{TaskSet, catch_cancelled, create_task};
///
/// let set = TaskSet::new();
/// let ended = pollster::block_on(set.run_until(async {
///     let task = create_task(async {
///         match catch_cancelled(std::future::pending::<u32>()).await {
///             Ok(value) => value,
///             Err(cancelled) => cancelled.message().map_or(0, |message| message.len() as u32),
///         }
///     });
///     task.cancel_with("enough");
///     let never_started = task.await; // The request came before the first step.
///     never_started.is_err()
/// }));
/// assert!(ended.unwrap());
/// ```
///
/// The idioms: cleanup that awaits, swallowing, replacing.
///
/// ```
/// # use corio_task::catch_cancelled;
/// # async fn work() -> u32 { 1 } async fn rollback() {} fn fallback() -> u32 { 2 } struct Interrupted;
/// # async fn idioms() -> Result<(), Interrupted> {
/// if let Err(c) = catch_cancelled(work()).await { rollback().await; c.resume().await; }
/// let value = match catch_cancelled(work()).await { Ok(v) => v, Err(_) => fallback() };
/// let value = catch_cancelled(work()).await.map_err(|_| Interrupted)?;
/// # let _ = value; Ok(()) }
/// ```
pub fn catch_cancelled<F: Future>(future: F) -> CatchCancelled<F> {
    CatchCancelled { scope: Scope::new(), body: Some(future) }
}

pin_project_lite::pin_project! {
    /// Future of [`catch_cancelled`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct CatchCancelled<F> {
        scope: Scope,
        #[pin]
        body: Option<F>,
    }
}

impl<F: Future> Future for CatchCancelled<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.scope.poll(this.body, cx)
    }
}

impl<F> fmt::Debug for CatchCancelled<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatchCancelled").field("scope", &self.scope).finish_non_exhaustive()
    }
}
