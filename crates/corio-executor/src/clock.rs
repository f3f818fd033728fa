//! Where a loop's time comes from: the machine's monotonic clock, or a virtual one that nobody waits for.

use crate::sys::Stopwatch;
use corio_seam::{Hold, LoopTime, Remote};
use parking_lot::Mutex;
use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A loop's clock, and how the loop waits on it.
///
/// Moments are counted from the loop's start, so that a clock starts at [`LoopTime::ZERO`]. asyncio's `loop.time`,
/// which a subclass may override there.
pub trait Clock {
    /// Reads the clock. It never goes back.
    fn now(&self) -> LoopTime;

    /// Says how the loop, which has nothing to do until then, waits for `until`.
    fn wait(&self, until: LoopTime) -> Wait;

    /// Moves the clock to `when`, after [`wait`](Clock::wait) has answered [`Wait::Jump`]. Never moves it back.
    fn advance_to(&self, when: LoopTime) {
        let _ = when;
    }

    /// Makes the clock stand still until what is returned is dropped; `None` if it cannot.
    fn hold(&self) -> Option<Hold> {
        None
    }

    /// Hands over the door of the loop that this clock is now used by; a clock that can stand still wakes the loop
    /// through it. Called once, when the loop is made. A loop whose clock keeps it may be woken at any time, and so never
    /// reports a deadlock.
    fn attach(&self, remote: Arc<dyn Remote>) {
        drop(remote);
    }
}

impl fmt::Debug for dyn Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// How a loop waits for a moment: what a [`Clock`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Sleep for that long, or until somebody rings.
    Park(Duration),
    /// Do not sleep: the loop moves the clock there by [`Clock::advance_to`] and goes on.
    Jump,
    /// Sleep until somebody rings; time stands still.
    Hold,
}

/// The machine's monotonic clock: what every loop uses unless it is told otherwise.
///
/// # Examples
///
/// ```
/// use corio_executor::{Clock, MonotonicClock};
///
/// let clock = MonotonicClock::new();
/// let earlier = clock.now();
/// assert!(clock.now() >= earlier);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock {
    since_start: Stopwatch,
}

impl MonotonicClock {
    /// Starts a clock now.
    #[must_use]
    pub fn new() -> MonotonicClock {
        MonotonicClock { since_start: Stopwatch::start() }
    }
}

impl Default for MonotonicClock {
    fn default() -> MonotonicClock {
        MonotonicClock::new()
    }
}

impl Clock for MonotonicClock {
    #[inline]
    fn now(&self) -> LoopTime {
        LoopTime::from_nanos(self.since_start.elapsed())
    }

    fn wait(&self, until: LoopTime) -> Wait {
        if until == LoopTime::MAX {
            return Wait::Park(Duration::MAX);
        }
        Wait::Park(until.saturating_since(self.now()))
    }
}

/// A clock that moves to the next timer when nothing is ready, and not otherwise.
///
/// A program that sleeps for an hour runs at once, and always in the same way: its time depends on its timers alone.
/// While a [`Busy`] guard lives, something outside the loop is at work and time stands still, so that a timeout does
/// not overtake a result that is only a moment away. A clone shows the same time. One clock serves one loop.
///
/// # Examples
///
/// ```
/// use corio_executor::{Clock, EventLoop, VirtualClock, sleep};
/// use std::time::Duration;
///
/// let clock = VirtualClock::new();
/// let event_loop = EventLoop::builder().clock(clock.clone()).build()?;
/// event_loop.run_until_complete(sleep(Duration::from_secs(3600)))?;
/// assert_eq!(clock.now().since_start(), Duration::from_secs(3600));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct VirtualClock {
    now: Rc<Cell<LoopTime>>,
    shared: Arc<Shared>,
}

impl VirtualClock {
    /// Makes a clock that shows the loop's start.
    #[must_use]
    pub fn new() -> VirtualClock {
        VirtualClock::default()
    }

    /// Moves the clock by hand, as a computation that takes `time` would.
    pub fn advance(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }

    /// Makes time stand still until the guard, and all its clones, are dropped.
    #[must_use = "time goes on when the guard is dropped"]
    pub fn busy(&self) -> Busy {
        self.shared.guards.fetch_add(1, Ordering::Relaxed);
        Busy { shared: Arc::clone(&self.shared) }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> LoopTime {
        self.now.get()
    }

    fn wait(&self, _: LoopTime) -> Wait {
        // Pairs with the Release in `Busy::drop`: what was handed to the loop before the guard fell is seen first. A
        // guard that falls after this load sends its call after it: the loop then finds the call when it tries to fall
        // asleep, or is woken by it.
        if self.shared.guards.load(Ordering::Acquire) > 0 { Wait::Hold } else { Wait::Jump }
    }

    fn advance_to(&self, when: LoopTime) {
        self.now.set(self.now.get().max(when));
    }

    fn hold(&self) -> Option<Hold> {
        Some(Arc::new(self.busy()))
    }

    fn attach(&self, remote: Arc<dyn Remote>) {
        *self.shared.remote.lock() = Some(Arc::downgrade(&remote));
    }
}

/// What a virtual clock and its guards on other threads share.
#[derive(Debug, Default)]
struct Shared {
    /// How many guards live.
    guards: AtomicUsize,
    /// The loop to wake when the last guard falls; none until a loop uses the clock. Weak: it is used while guards live.
    remote: Mutex<Option<Weak<dyn Remote>>>,
}

/// Keeps a [`VirtualClock`] standing still; made by [`VirtualClock::busy`]. May be sent to, and dropped on, any thread.
#[must_use = "time goes on when the guard is dropped"]
#[derive(Debug)]
pub struct Busy {
    shared: Arc<Shared>,
}

impl Clone for Busy {
    fn clone(&self) -> Busy {
        self.shared.guards.fetch_add(1, Ordering::Relaxed);
        Busy { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // Pairs with the Acquire in `VirtualClock::wait`.
        if self.shared.guards.fetch_sub(1, Ordering::Release) == 1 {
            let remote = self.shared.remote.lock().clone();
            if let Some(remote) = remote.and_then(|remote| remote.upgrade()) {
                // The loop may sleep without a limit: an empty call makes it look at the clock again. A closed loop
                // has nothing to look for.
                let _ = remote.call(Box::new(|| ()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_parks() {
        let clock = MonotonicClock::new();
        assert_eq!(clock.wait(LoopTime::ZERO), Wait::Park(Duration::ZERO));
        let Wait::Park(time) = clock.wait(LoopTime::MAX) else { panic!("a real clock parks") };
        assert!(time > Duration::from_secs(1_000_000));
    }

    #[test]
    fn the_virtual_clock_jumps_unless_busy() {
        let clock = VirtualClock::new();
        let soon = LoopTime::ZERO + Duration::from_secs(5);
        assert_eq!(clock.wait(soon), Wait::Jump);
        let busy = clock.busy();
        let other = busy.clone();
        drop(busy);
        assert_eq!(clock.wait(soon), Wait::Hold);
        std::thread::spawn(move || drop(other)).join().unwrap();
        assert_eq!(clock.wait(soon), Wait::Jump);
    }

    #[test]
    fn the_virtual_clock_never_goes_back() {
        let clock = VirtualClock::new();
        clock.advance(Duration::from_secs(2));
        clock.advance_to(LoopTime::ZERO + Duration::from_secs(1));
        assert_eq!(clock.now(), LoopTime::ZERO + Duration::from_secs(2));
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), LoopTime::MAX);
    }
}
