//! A limit in time that the body can ask about, and move.

use crate::TimedOut;
use crate::deadline::{Deadline, Finish, Manner, Phase};
use crate::timeout::{Limit, Timeout};
use corio_seam::LoopTime;
use std::error::Error;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// Runs `body` with a limit in time that it can ask about and move; asyncio's `async with timeout(delay) as t`.
///
/// `None` is no limit, until [`reschedule`](TimeoutScope::reschedule) sets one. Unlike in [`timeout`](crate::timeout),
/// the clock is read here, for the body may ask.
///
/// # Errors
///
/// [`TimedOut`] if the deadline ended the body. As in asyncio, a body that swallows the cancellation and returns is no
/// timeout, though [`expired`](TimeoutScope::expired) is true.
///
/// # Panics
///
/// At the first poll, where there is no timer, unless `delay` is `None`.
///
/// # Cancel safety
///
/// That of the body.
///
/// # Examples
///
/// ```
/// use corio_combinators::timeout_scope;
///
/// let ended = pollster::block_on(timeout_scope(None, async |limit| {
///     assert_eq!(limit.when(), None);
///     !limit.expired()
/// }));
/// assert_eq!(ended, Ok(true));
/// ```
pub async fn timeout_scope<T>(
    delay: impl Into<Option<Duration>>,
    body: impl AsyncFnOnce(TimeoutScope) -> T,
) -> Result<T, TimedOut> {
    let when = delay.into().map(|delay| corio_seam::now() + delay);
    timeout_scope_at(when, body).await
}

/// As [`timeout_scope`], with a moment in the place of a delay; asyncio's `async with timeout_at(when) as t`.
///
/// # Errors
///
/// [`TimedOut`] if the deadline ended the body.
pub async fn timeout_scope_at<T>(
    when: impl Into<Option<LoopTime>>,
    body: impl AsyncFnOnce(TimeoutScope) -> T,
) -> Result<T, TimedOut> {
    let deadline = Deadline::new(Manner::Once, when.into());
    let scope = TimeoutScope { deadline: Rc::clone(&deadline) };
    let finish = Finish(Rc::clone(&deadline));
    let ended = Timeout::new(Limit::Shared(deadline), body(scope)).await;
    drop(finish);
    ended
}

/// The limit of a [`timeout_scope`]: a handle, to be cloned and kept also beyond the scope. `!Send`.
#[derive(Clone)]
pub struct TimeoutScope {
    deadline: Rc<Deadline>,
}

impl TimeoutScope {
    /// Returns the deadline; asyncio's `Timeout.when`.
    #[must_use]
    pub fn when(&self) -> Option<LoopTime> {
        self.deadline.when()
    }

    /// Moves the deadline: `None` is never, a moment that has passed cuts at the next suspension; asyncio's
    /// `Timeout.reschedule`.
    ///
    /// # Errors
    ///
    /// [`NotActive`] if the deadline has passed, or the body is over.
    pub fn reschedule(&self, when: impl Into<Option<LoopTime>>) -> Result<(), NotActive> {
        match self.deadline.phase() {
            Phase::New | Phase::Armed => {
                self.deadline.reschedule(when.into());
                Ok(())
            }
            phase => Err(NotActive { phase }),
        }
    }

    /// Tells whether the deadline has passed, and the body was asked to end; asyncio's `Timeout.expired`.
    #[must_use]
    pub fn expired(&self) -> bool {
        self.deadline.expired()
    }
}

impl fmt::Debug for TimeoutScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeoutScope").field("when", &self.when()).field("phase", &self.deadline.phase()).finish()
    }
}

/// The error of moving a deadline that has passed, or whose body is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotActive {
    phase: Phase,
}

impl fmt::Display for NotActive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.phase {
            Phase::Finished => f.write_str("a finished timeout cannot be rescheduled"),
            _ => f.write_str("an expired timeout cannot be rescheduled"),
        }
    }
}

impl Error for NotActive {}
