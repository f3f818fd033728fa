//! A limit in time for one future.

use crate::TimedOut;
use crate::deadline::{self, Deadline, Finish, set_alarm};
use corio_seam::{LoopTime, Resume};
use corio_task::{Cancelled, Scope, Until, requests_around};
use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

/// Gives a future at most `delay` from its first suspension on; asyncio's `async with timeout(delay)`.
///
/// The future is polled in the caller's own task, in a scope of its own. The deadline asks that scope to end, and never
/// the task: a sibling in place is left alone. Cleanup inside, after a `catch_cancelled`, is waited for. A future that is
/// ready at its first poll costs nothing: no clock is read and no timer armed. So a zero `delay` cuts at the first
/// suspension, and not before.
///
/// # Errors
///
/// [`TimedOut`] if the deadline ended the future. If the future swallows the cancellation and returns a value, that is
/// the result, late as it is. If the caller was cancelled as well, that wins: it unwinds.
///
/// # Panics
///
/// At the first suspension, where there is no timer: see `TaskSet::with_timer`.
///
/// # Cancel safety
///
/// That of the future. Dropping it takes the timer back.
///
/// # Examples
///
/// ```
/// use corio_combinators::timeout;
/// use std::time::Duration;
///
/// // What never suspends needs no timer, and not even a loop.
/// let ready = pollster::block_on(timeout(Duration::ZERO, async { 1 }));
/// assert_eq!(ready, Ok(1));
/// ```
pub fn timeout<F: Future>(delay: Duration, future: F) -> Timeout<F> {
    Timeout::new(Limit::Own(Cell::new(Until::After(delay))), future)
}

/// Gives a future until `when`; asyncio's `async with timeout_at(when)`.
///
/// A moment that has passed cuts at the first suspension. See [`timeout`].
///
/// # Errors
///
/// [`TimedOut`] if the deadline ended the future.
///
/// # Panics
///
/// At the first suspension, where there is no timer.
pub fn timeout_at<F: Future>(when: LoopTime, future: F) -> Timeout<F> {
    Timeout::new(Limit::Own(Cell::new(Until::At(when))), future)
}

/// When a timeout is due.
pub(crate) enum Limit {
    Own(Cell<Until>),
    /// As somebody else has set it, and may set it anew.
    Shared(Rc<Deadline>),
}

impl Limit {
    /// Arms the timer, at the first suspension.
    fn arm(&self, scope: &Scope) -> Armed {
        match self {
            Limit::Own(until) => {
                let timer = corio_seam::timer();
                let now = timer.now();
                let when = until.get().when_from(now);
                until.set(when.map_or(Until::Never, Until::At));
                Armed::Own(when.and_then(|when| set_alarm(timer, now, when, scope.handle().alarm())))
            }
            Limit::Shared(deadline) => {
                deadline.arm(scope.handle());
                Armed::Shared(Finish(Rc::clone(deadline)))
            }
        }
    }

    fn until(&self) -> &Cell<Until> {
        match self {
            Limit::Own(until) => until,
            Limit::Shared(deadline) => deadline.seen_inside(),
        }
    }
}

/// A limit from the first suspension on. Dropped, it ends nothing any more.
enum Armed {
    /// The scope is its own alarm, unless that is never.
    Own(#[expect(dead_code, reason = "it is kept, and dropped")] Option<deadline::Armed>),
    Shared(Finish),
}

impl Armed {
    fn expired(&self, scope: &Scope) -> bool {
        match self {
            Armed::Own(_) => scope.handle().expired(),
            Armed::Shared(deadline) => deadline.0.expired(),
        }
    }
}

pin_project_lite::pin_project! {
    /// Future of [`timeout`] and [`timeout_at`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Timeout<F> {
        limit: Limit,
        // From the first suspension on.
        armed: Option<Armed>,
        // How many requests there were around at the first poll.
        before: Option<usize>,
        // A cancellation that is not ours, and goes on.
        raising: Option<Resume>,
        scope: Scope,
        #[pin]
        body: Option<F>,
    }
}

impl<F: Future> Timeout<F> {
    pub(crate) fn new(limit: Limit, future: F) -> Timeout<F> {
        Timeout { limit, armed: None, before: None, raising: None, scope: Scope::new(), body: Some(future) }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, TimedOut>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(resume) = this.raising {
            return Pin::new(resume).poll(cx).map(|never| match never {});
        }
        let before = *this.before.get_or_insert_with(requests_around);
        match this.scope.poll_until(this.limit.until(), this.body, cx) {
            Poll::Ready(Ok(value)) => {
                if this.armed.is_some() {
                    *this.armed = None;
                }
                Poll::Ready(Ok(value))
            }
            Poll::Ready(Err(cancelled)) => {
                let expired = this.armed.take().is_some_and(|armed| armed.expired(this.scope));
                if expired && requests_around() <= before {
                    return Poll::Ready(Err(TimedOut::new()));
                }
                raise(this.raising, cancelled, cx)
            }
            Poll::Pending => {
                if this.armed.is_none() {
                    *this.armed = Some(this.limit.arm(this.scope));
                }
                Poll::Pending
            }
        }
    }
}

/// Cancels the scope around, which drops whoever calls this.
pub(crate) fn raise<T>(raising: &mut Option<Resume>, cancelled: Cancelled, cx: &mut Context<'_>) -> Poll<T> {
    let resume = raising.insert(cancelled.resume());
    Pin::new(resume).poll(cx).map(|never| match never {})
}

impl<F> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = self.armed.as_ref().and_then(|_| match &self.limit {
            Limit::Own(until) => until.get().when(),
            Limit::Shared(deadline) => deadline.when(),
        });
        f.debug_struct("Timeout")
            .field("when", &when)
            .field("expired", &self.armed.as_ref().is_some_and(|armed| armed.expired(&self.scope)))
            .finish_non_exhaustive()
    }
}
