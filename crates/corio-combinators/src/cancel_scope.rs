//! A region of code that can be cancelled for good, as trio has it.

use crate::deadline::{Deadline, Finish, Manner};
use corio_seam::LoopTime;
use corio_task::{Cancelled, Scope};
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Runs `body` in a scope that can be cancelled for good: by its handle, from wherever that is, or by its deadline; trio's
/// and anyio's `CancelScope`.
///
/// [`Task::cancel`](corio_task::Task::cancel) and a [`timeout`](crate::timeout()) are edges: each request is delivered
/// once, and code that catches it is then left in peace. A cancel scope is a *level*: once it was cancelled, whatever is
/// suspended inside is hit, and so is whatever suspends inside after that, until the scope has ended. So cleanup that
/// awaits, inside, is cut at its first suspension; give it a limit of its own with [`shielded`](crate::shielded()), which
/// is the only exemption. What never suspends is not disturbed. The code around the scope is not either.
///
/// Scopes nest, and each is cancelled by itself: one hit inside is hit from the inside out, and stops at the edge of the
/// outermost cancelled one. The scope covers what is polled in place, in this task. A task started inside is not
/// covered: it goes on. Tasks of a [`TaskGroup`](crate::TaskGroup) that is inside are ended by their group, which asks each
/// once, and waits for them.
///
/// Where the scope waits for a single task, cell or gather, that is asked to end in its stead, once a suspension, and its
/// ending is waited for.
///
/// # Errors
///
/// [`Cancelled`] if the body was cut because of this scope. A body that returned nevertheless has returned: see
/// [`cancel_called`](CancelScope::cancel_called). If the caller was cancelled as well, that wins: it unwinds, as it does
/// if the request was not this scope's.
///
/// # Panics
///
/// If the body panics.
///
/// # Cancel safety
///
/// That of the body.
///
/// # Examples
///
/// ```
/// use corio_combinators::cancel_scope;
/// use corio_task::{catch_cancelled, TaskSet};
/// use std::future::pending;
///
/// let set = TaskSet::new();
/// pollster::block_on(set.run_until(async {
///     let ended = cancel_scope(async |scope| {
///         scope.cancel_with("enough");
///         let first = catch_cancelled(pending::<()>()).await; // Hit here,
///         assert!(first.is_err());
///         pending::<()>().await; // and here again.
///     });
///     assert_eq!(ended.await.unwrap_err().message(), Some("enough"));
/// })).unwrap();
/// ```
pub async fn cancel_scope<T>(body: impl AsyncFnOnce(CancelScope) -> T) -> Result<T, Cancelled> {
    move_on_at(None, body).await
}

/// Runs `body` for `delay` at most, and then cancels it for good; trio's and anyio's `move_on_after`.
///
/// A [`cancel_scope`] with a deadline, which runs from now on. It is not looked at before the body's first suspension.
///
/// # Errors
///
/// [`Cancelled`] if the body was cut, by the deadline or by its scope's [`cancel`](CancelScope::cancel).
///
/// # Panics
///
/// At the first poll, where there is no timer; and if the body panics.
///
/// # Cancel safety
///
/// That of the body.
///
/// # Examples
///
/// ```
/// use corio_combinators::move_on_after;
/// use corio_task::{SleepTimer, TaskSet};
/// use std::time::Duration;
///
/// # async fn sleep(_: Duration) {}
/// let set = TaskSet::with_timer(SleepTimer::new(sleep)); // A timer of the runtime around.
/// pollster::block_on(set.run_until(async {
///     let cut = move_on_after(Duration::ZERO, async |scope| {
///         assert!(scope.deadline().is_some());
///         std::future::pending::<()>().await
///     });
///     assert!(cut.await.is_err());
///     assert_eq!(move_on_after(Duration::ZERO, async |_| "never suspends").await, Ok("never suspends"));
/// })).unwrap();
/// ```
pub async fn move_on_after<T>(delay: Duration, body: impl AsyncFnOnce(CancelScope) -> T) -> Result<T, Cancelled> {
    move_on_at(corio_seam::now() + delay, body).await
}

/// Runs `body` until `when` at most, and then cancels it for good; trio's `move_on_at`. `None` is never.
///
/// See [`move_on_after`].
///
/// # Errors
///
/// [`Cancelled`] if the body was cut.
///
/// # Panics
///
/// At the first suspension, where there is a deadline and no timer; and if the body panics.
pub async fn move_on_at<T>(
    when: impl Into<Option<LoopTime>>,
    body: impl AsyncFnOnce(CancelScope) -> T,
) -> Result<T, Cancelled> {
    let finish = Finish(Deadline::new(Manner::ForGood, when.into()));
    let deadline = &finish.0;
    let before = corio_seam::cancelling();
    let scope = CancelScope { deadline: Rc::clone(deadline) };
    let ended = run(&Scope::new(), deadline, body(scope)).await;
    match ended {
        Err(_) if deadline.expired() && corio_seam::cancelling() <= before => {
            Err(Cancelled::with_message(deadline.reason()))
        }
        Err(cancelled) => match cancelled.resume().await {},
        Ok(value) => Ok(value),
    }
}

/// Polls `body` in `scope`, and arms the deadline when it is pending for the first time.
pub(crate) async fn run<F: Future>(scope: &Scope, deadline: &Rc<Deadline>, body: F) -> Result<F::Output, Cancelled> {
    let mut body = pin!(Some(body));
    let mut armed = false;
    poll_fn(|cx| {
        let polled = scope.poll_until(deadline.seen_inside(), body.as_mut(), cx);
        if polled.is_pending() && !std::mem::replace(&mut armed, true) {
            deadline.arm(scope.handle());
        }
        polled
    })
    .await
}

/// The handle of a [`cancel_scope`], to be cloned and kept also beyond the scope. `!Send`.
#[derive(Clone)]
pub struct CancelScope {
    deadline: Rc<Deadline>,
}

impl CancelScope {
    /// Cancels the scope for good; false if it is over. trio's `CancelScope.cancel`.
    ///
    /// What is suspended inside is hit now; code that runs inside, where it suspends next. A second call does nothing.
    pub fn cancel(&self) -> bool {
        self.deadline.expire(None)
    }

    /// Cancels the scope for good, with the reason that [`Cancelled::message`] will give.
    pub fn cancel_with(&self, message: impl Into<String>) -> bool {
        self.deadline.expire(Some(Arc::from(message.into())))
    }

    /// Tells whether the scope was cancelled, by a call or by its deadline; also when it is over.
    #[must_use]
    pub fn cancel_called(&self) -> bool {
        self.deadline.expired()
    }

    /// Returns the deadline; `None` is never.
    #[must_use]
    pub fn deadline(&self) -> Option<LoopTime> {
        self.deadline.when()
    }

    /// Moves the deadline: `None` is never, and a moment that has passed cancels.
    ///
    /// A scope that was cancelled, or is over, stays so.
    ///
    /// # Panics
    ///
    /// Where there is no timer, if the body was suspended, and `when` is a moment.
    pub fn set_deadline(&self, when: impl Into<Option<LoopTime>>) {
        self.deadline.reschedule(when.into());
    }
}

impl fmt::Debug for CancelScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelScope")
            .field("deadline", &self.deadline())
            .field("cancel_called", &self.cancel_called())
            .finish_non_exhaustive()
    }
}
