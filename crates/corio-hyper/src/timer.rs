//! The loop's clock, spelled in `Instant`s.

use crate::sleep::Sleep;
use corio_seam::LoopTime;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Sleeps by the timers of the loop that runs here; hyper's timeouts ask for it.
///
/// hyper counts in [`Instant`]s, the loop in time since its start. The two are tied together at the first question, so
/// that under a virtual clock hyper's time is virtual too.
///
/// # Panics
///
/// To sleep, or to poll a sleep, panics where no loop runs on this thread.
///
/// # Examples
///
/// ```
/// use corio_executor::{EventLoop, VirtualClock};
/// use hyper::rt::Timer as _;
/// use std::time::Duration;
///
/// let event_loop = EventLoop::builder().clock(VirtualClock::new()).build()?;
/// let slept = event_loop.run_until_complete(async {
///     let start = corio_hyper::Timer.now();
///     corio_hyper::Timer.sleep(Duration::from_secs(3600)).await;
///     corio_hyper::Timer.now() - start
/// })?;
/// assert_eq!(slept, Duration::from_secs(3600)); // And no time has passed.
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Timer;

impl hyper::rt::Timer for Timer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(Sleep::until(corio_seam::now() + duration))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(Sleep::until(Anchor::here().to_loop_time(deadline)))
    }

    /// Reads the loop's clock; where no loop runs, the machine's.
    fn now(&self) -> Instant {
        if corio_seam::loop_id().is_none() {
            return Instant::now();
        }
        Anchor::here().to_instant(corio_seam::now())
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn hyper::rt::Sleep>>, new_deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<Sleep>() {
            Some(sleep) => sleep.get_mut().reset(Anchor::here().to_loop_time(new_deadline)),
            None => *sleep = self.sleep_until(new_deadline),
        }
    }
}

/// A moment read on both clocks; one a loop.
#[derive(Debug)]
struct Anchor {
    instant: Instant,
    loop_time: LoopTime,
}

impl Anchor {
    /// Returns this loop's.
    ///
    /// # Panics
    ///
    /// Where no loop runs.
    fn here() -> Rc<Anchor> {
        let loop_time = corio_seam::now(); // Panics with a sentence where there is no clock.
        let anchor = corio_seam::local(|| Anchor { instant: Instant::now(), loop_time });
        anchor.expect("a clock belongs to a loop")
    }

    /// Translates; a moment before the anchor is over, and so becomes the anchor.
    fn to_loop_time(&self, instant: Instant) -> LoopTime {
        self.loop_time + instant.saturating_duration_since(self.instant)
    }

    /// Translates; a moment that no `Instant` can name becomes the anchor, which is over.
    fn to_instant(&self, loop_time: LoopTime) -> Instant {
        let since = loop_time.saturating_since(self.loop_time);
        self.instant.checked_add(since).unwrap_or(self.instant)
    }
}
