//! Cleanup that is left in peace, for a while.

use crate::TimedOut;
use crate::cancel_scope;
use crate::deadline::{Deadline, Finish, Manner};
use corio_task::Scope;
use std::time::Duration;

/// Runs `future` in the caller's own task, and keeps every cancellation from outside away from it, for `limit` at most:
/// cleanup that awaits. trio's `move_on_after(limit, shield=True)`; in asyncio there is no such thing.
///
/// A request aimed at the task, at a [`timeout`](crate::timeout()) or at a [`cancel_scope`](crate::cancel_scope()) around
/// waits until this is over, and then hits the caller's next suspension. Siblings in place are hit at once. At the limit,
/// which runs from the first suspension on, the future is cancelled for good: whatever suspends inside is hit. The limit is
/// not optional: a shield without one is how programs become impossible to stop. What is asked to end inside, by its own
/// handle, ends.
///
/// Unlike in [`shield`](crate::shield()), the future may borrow, is polled in place, and is what keeps the caller waiting.
///
/// # Errors
///
/// [`TimedOut`] if the limit ended the future. If that swallows the cancellation and returns, what it returned is the
/// result, late as it is.
///
/// # Panics
///
/// At the first suspension, where there is no timer.
///
/// # Cancel safety
///
/// That of `future`. Somebody who drops it ends it: a shield keeps requests out, and cannot keep a `race` from being over.
/// Held without being polled, it keeps requests from the caller until its limit.
///
/// # Examples
///
/// ```
/// use corio_combinators::{cancel_scope, shielded};
/// use corio_task::{SleepTimer, TaskSet, catch_cancelled};
/// use std::future::pending;
/// use std::time::Duration;
///
/// # async fn sleep(_: Duration) { pending().await }
/// # async fn flush() { let mut once = false; std::future::poll_fn(|cx| {
/// #     if std::mem::replace(&mut once, true) { return std::task::Poll::Ready(()); }
/// #     cx.waker().wake_by_ref(); std::task::Poll::Pending }).await }
/// let set = TaskSet::with_timer(SleepTimer::new(sleep));
/// let cut = pollster::block_on(set.run_until(cancel_scope(async |scope| {
///     scope.cancel();
///     if let Err(cancelled) = catch_cancelled(pending::<()>()).await {
///         shielded(Duration::from_secs(5), flush()).await.expect("it took less than five seconds");
///         cancelled.resume().await;
///     }
/// })));
/// assert!(cut.unwrap().is_err());
/// ```
pub async fn shielded<F: Future>(limit: Duration, future: F) -> Result<F::Output, TimedOut> {
    let scope = Scope::shielding();
    let finish = Finish(Deadline::after(Manner::Unshield, limit));
    match cancel_scope::run(&scope, &finish.0, future).await {
        Ok(value) => Ok(value),
        Err(_) if finish.0.expired() => Err(TimedOut::new()),
        Err(cancelled) => match cancelled.resume().await {}, // Raised inside.
    }
}
