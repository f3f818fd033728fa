//! The ways of Linux: the bare clock, a futex, the timer slack, and one `epoll_wait` a turn.

mod direct_wait;
mod parker;

pub(crate) use direct_wait::DirectWait;
pub(crate) use parker::Parker;

use rustix::thread::{current_timer_slack, set_current_timer_slack};
use rustix::time::{ClockId, clock_gettime};
use std::marker::PhantomData;
use std::num::NonZeroU64;

/// The time since a moment, in nanoseconds, on a clock that never goes back: the one that `Instant` reads, and the kernel
/// sleeps by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(u64);

impl Stopwatch {
    /// Starts it now.
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(read())
    }

    #[inline]
    pub(crate) fn elapsed(&self) -> u64 {
        read().saturating_sub(self.0)
    }
}

/// Reads the clock, which counts from the start of the machine. `Instant` makes a span of it by steps that check each.
#[inline]
fn read() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

/// Keeps the timer slack of this thread at one nanosecond; dropped, puts back what was there.
///
/// The kernel may end a sleep this much late, to save wake-ups: 50 µs unless told otherwise, which would be most of
/// the lateness of a timer.
#[derive(Debug)]
#[must_use = "the slack is put back when the guard is dropped"]
pub(crate) struct TimerSlack {
    /// The slack to put back; none if it could not be read.
    before: Option<u64>,
    /// The slack belongs to a thread, so the guard stays on it.
    on_this_thread: PhantomData<*const ()>,
}

impl TimerSlack {
    /// Sets the slack to one nanosecond. Where the kernel refuses, timers are merely later.
    pub(crate) fn lower() -> TimerSlack {
        let before = current_timer_slack().ok();
        if before.is_some() {
            let _ = set_current_timer_slack(Some(NonZeroU64::MIN));
        }
        TimerSlack { before, on_this_thread: PhantomData }
    }
}

impl Drop for TimerSlack {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            let _ = set_current_timer_slack(NonZeroU64::new(before));
        }
    }
}

/// Tells whether this is the thread that the process began with: its number is the process's.
pub(crate) fn is_main_thread() -> bool {
    u32::try_from(rustix::thread::gettid().as_raw_nonzero().get()).is_ok_and(|id| id == std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slack_is_put_back() {
        let before = current_timer_slack().unwrap();
        let guard = TimerSlack::lower();
        assert_eq!(current_timer_slack().unwrap(), 1);
        {
            let _inner = TimerSlack::lower();
        }
        assert_eq!(current_timer_slack().unwrap(), 1);
        drop(guard);
        assert_eq!(current_timer_slack().unwrap(), before);
    }
}
