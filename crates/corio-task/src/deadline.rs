//! When the code that runs now will be asked to end.

use crate::raw::current;
use corio_seam::LoopTime;
use std::time::Duration;

/// When a scope will be asked to end, as its combinator knows it: see [`Scope::poll_until`](crate::Scope::poll_until).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
    /// Not by a clock.
    #[default]
    Never,
    /// So long after its first suspension, which is still to come.
    After(Duration),
    /// At this moment.
    At(LoopTime),
}

impl Until {
    /// Returns the moment; if the scope was never suspended, as if it were now. `None` is never.
    ///
    /// # Panics
    ///
    /// Where there is no timer, if it is a delay.
    #[must_use]
    pub fn when(self) -> Option<LoopTime> {
        match self {
            Until::After(_) => self.when_from(corio_seam::now()),
            Until::Never | Until::At(_) => self.when_from(LoopTime::ZERO),
        }
    }

    /// As [`when`](Until::when), where it is `now`.
    #[must_use]
    pub fn when_from(self, now: LoopTime) -> Option<LoopTime> {
        match self {
            Until::Never => None,
            Until::After(delay) => Some(now + delay),
            Until::At(when) => Some(when),
        }
    }
}

/// Returns the nearest deadline of all limits in time and cancel scopes around the caller, in its own task; `None` if there
/// is none. trio's `current_effective_deadline`.
///
/// It looks as far as a request from outside would come: not beyond a shield, whose own limit counts. A cancel scope that
/// was cancelled is a deadline that has passed. What a loop around the task may do at some time is not known here.
///
/// # Panics
///
/// Where there is no timer, inside a limit that was never suspended.
///
/// # Examples
///
/// ```
/// use corio_task::{Scope, Until, current_deadline};
/// use corio_seam::LoopTime;
/// use std::cell::Cell;
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
///
/// assert_eq!(current_deadline(), None);
/// let noon = LoopTime::from_nanos(12);
/// let mut body = pin!(Some(async { current_deadline() }));
/// let polled = Scope::new().poll_until(&Cell::new(Until::At(noon)), body.as_mut(), &mut Context::from_waker(Waker::noop()));
/// assert_eq!(polled, Poll::Ready(Ok(Some(noon))));
/// ```
#[must_use]
pub fn current_deadline() -> Option<LoopTime> {
    let mut nearest: Option<LoopTime> = None;
    current::each_scope(|scope, until| {
        if let Some(when) = until.when() {
            nearest = Some(nearest.map_or(when, |nearest| nearest.min(when)));
        }
        !scope.is_shield()
    });
    nearest
}
