//! A series of moments.

use corio_seam::{LoopTime, sleep_until};
use futures_core::Stream;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Makes a series of moments, `period` apart; the first is one period from now.
///
/// A moment that is seen late does not shift those after it, and of several that have passed unseen only the last
/// is seen: the phase is kept, and nothing is caught up on.
///
/// # Panics
///
/// If `period` is zero, and where no loop runs.
///
/// # Examples
///
/// ```
/// use corio_executor::{LoopHandle, interval, sleep, test};
/// use std::time::Duration;
///
/// test::run(async {
///     let (start, second) = (LoopHandle::current().time(), Duration::from_secs(1));
///     let mut ticks = interval(second);
///     assert_eq!(ticks.tick().await, start + second);
///     sleep(second * 5 / 2).await;
///     // It is 3.5 seconds past the start: the second tick is skipped, the third is late, the fourth on time.
///     assert_eq!(ticks.tick().await, start + second * 3);
///     assert_eq!(ticks.tick().await, start + second * 4);
///     assert_eq!(LoopHandle::current().time(), start + second * 4);
/// });
/// ```
#[track_caller]
#[must_use = "an interval does nothing unless its ticks are awaited"]
pub fn interval(period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval needs a period longer than zero");
    Interval { period, next: corio_seam::now() + period, sleep: None }
}

/// A series of moments, made by [`interval`]. It is also a [`Stream`], which never ends.
pub struct Interval {
    period: Duration,
    /// The first moment that has not been seen.
    next: LoopTime,
    /// The wait for it, once somebody has asked.
    sleep: Option<corio_seam::Sleep>,
}

impl Interval {
    /// Returns the time between two moments.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Waits for the next moment and returns it; always yields at least once.
    ///
    /// # Panics
    ///
    /// Where no loop runs.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it loses no tick.
    pub async fn tick(&mut self) -> LoopTime {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// Polls for the next moment.
    ///
    /// # Panics
    ///
    /// Where no loop runs.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<LoopTime> {
        let sleep = self.sleep.get_or_insert_with(|| sleep_until(self.next));
        ready!(Pin::new(sleep).poll(cx));
        self.sleep = None;
        let last = self.last_before(corio_seam::now());
        self.next = last + self.period;
        Poll::Ready(last)
    }

    /// Returns the last moment of the series that is not after `now`; at least the next one.
    fn last_before(&self, now: LoopTime) -> LoopTime {
        let late = now.saturating_since(self.next).as_nanos();
        let into_period = late % self.period.as_nanos();
        let skipped = u64::try_from(late - into_period).unwrap_or(u64::MAX);
        self.next + Duration::from_nanos(skipped)
    }
}

impl Stream for Interval {
    type Item = LoopTime;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<LoopTime>> {
        self.poll_tick(cx).map(Some)
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interval").field("period", &self.period).field("next", &self.next).finish_non_exhaustive()
    }
}
