//! The loop's clock and timers, as the code below sees them.

use crate::seam::current;
use crate::{Description, Waiting, wait_on};
use std::any::Any;
use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A moment on a loop's clock: the time since that loop's start, in nanoseconds.
///
/// asyncio's `loop.time()`, a float of seconds there. Arithmetic saturates: [`LoopTime::MAX`], 584 years on, means
/// never, and nothing overflows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoopTime(u64);

impl LoopTime {
    /// The loop's start.
    pub const ZERO: LoopTime = LoopTime(0);
    /// A moment that never comes.
    pub const MAX: LoopTime = LoopTime(u64::MAX);

    /// Makes a moment from nanoseconds since the loop's start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> LoopTime {
        LoopTime(nanos)
    }

    /// Returns the nanoseconds since the loop's start.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the time since the loop's start.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// Returns the time from `earlier` to `self`, or nothing if `earlier` is later.
    #[must_use]
    pub const fn saturating_since(self, earlier: LoopTime) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for LoopTime {
    type Output = LoopTime;

    #[inline]
    fn add(self, delay: Duration) -> LoopTime {
        let nanos = delay.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(delay.subsec_nanos()));
        LoopTime(self.0.saturating_add(nanos))
    }
}

impl AddAssign<Duration> for LoopTime {
    fn add_assign(&mut self, delay: Duration) {
        *self = *self + delay;
    }
}

impl Sub for LoopTime {
    type Output = Duration;

    /// Returns the time between the two, zero if `earlier` is later.
    fn sub(self, earlier: LoopTime) -> Duration {
        self.saturating_since(earlier)
    }
}

impl fmt::Display for LoopTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.since_start())
    }
}

/// What a timer does when it is due. Either runs as one entry of the ready queue.
#[derive(Clone)]
pub enum Alarm {
    /// Wakes whoever sleeps.
    Wake(Waker),
    /// Calls an object.
    Call(Rc<dyn OnAlarm>),
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Alarm::Wake(_) => "Wake",
            Alarm::Call(_) => "Call",
        })
    }
}

/// Something that a timer can call.
pub trait OnAlarm {
    /// Acts: the timer is due. Called once, from the ready queue.
    fn on_alarm(self: Rc<Self>);

    /// Says what it is, for a person, if it has more to say than that it is a timer: asked seldom, in debug mode.
    fn describe(&self) -> Option<Description> {
        None
    }
}

/// The name of an armed timer, given by [`Timer::arm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerKey {
    /// Which place of the timer's table; chosen by the [`Timer`].
    pub index: u32,
    /// Which use of that place, so that an old key means nothing.
    pub generation: u32,
}

/// What keeps a virtual clock standing still; see [`busy`].
pub type Hold = Arc<dyn Any + Send + Sync>;

/// Keeps a virtual clock standing still while something outside its loop is at work; made by [`busy`].
#[must_use = "time goes on when the guard is dropped"]
pub struct Busy(#[allow(dead_code, reason = "it is kept, and dropped")] Option<Hold>);

impl fmt::Debug for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Busy").field("holds", &self.0.is_some()).finish()
    }
}

/// Says that something outside this thread's loop is at work, so that a virtual clock does not run ahead of its answer.
///
/// The guard may be dropped on any thread; drop it after the answer was handed to the loop. Where the clock is a real one,
/// or no loop runs, it does nothing. The thread pool's bridge takes one for each call.
pub fn busy() -> Busy {
    Busy(current().and_then(crate::Seam::timer).and_then(|timer| timer.hold()))
}

/// A loop's clock and timers.
pub trait Timer {
    /// Reads the clock afresh.
    fn now(&self) -> LoopTime;

    /// Arms a timer. It is due at `when`, never earlier; ties are due in order of arming.
    fn arm(&self, when: LoopTime, alarm: Alarm) -> TimerKey;

    /// Tells whether the timer has become due. If not, `waker` replaces the one it wakes.
    fn poll(&self, key: TimerKey, waker: &Waker) -> Poll<()>;

    /// Makes this clock stand still until what is returned is dropped, on any thread; `None` if it cannot: a real one.
    fn hold(&self) -> Option<Hold> {
        None
    }

    /// Takes the timer back: true if it was still armed. Forgets it either way; an old key does nothing.
    fn disarm(&self, key: TimerKey) -> bool;
}

impl fmt::Debug for dyn Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("now", &self.now()).finish()
    }
}

/// Returns the timers of the loop that runs on this thread.
///
/// # Panics
///
/// Where no loop runs, or it has no timers.
#[inline]
#[must_use]
#[track_caller]
pub fn timer() -> Rc<dyn Timer> {
    let timer = current().and_then(crate::Seam::timer);
    timer.expect("there is no timer here: use `run`, or give the `TaskSet` a timer with `TaskSet::with_timer`")
}

/// Reads the loop's clock; asyncio's `loop.time()`.
///
/// # Panics
///
/// Where no loop runs on this thread, or it has no timers.
#[must_use]
#[track_caller]
pub fn now() -> LoopTime {
    timer().now()
}

/// Waits until the loop's clock shows `when`; always yields at least once.
///
/// # Panics
///
/// When first polled where no loop runs, or it has no timers.
///
/// # Cancel safety
///
/// Dropping it takes its timer back.
pub fn sleep_until(when: LoopTime) -> Sleep {
    Sleep { when, timer: None, key: None }
}

/// Future of [`sleep_until`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Sleep {
    when: LoopTime,
    /// The timer, from the first poll on, or given.
    timer: Option<Rc<dyn Timer>>,
    /// Its name, from the first poll to the end.
    key: Option<TimerKey>,
}

impl Sleep {
    /// Makes a wait for `when` on `timer`, which is at hand already: as [`sleep_until`], which has to ask for one.
    pub fn new(timer: Rc<dyn Timer>, when: LoopTime) -> Sleep {
        Sleep { when, timer: Some(timer), key: None }
    }

    /// Returns the moment at which it is due; asyncio's `TimerHandle.when`.
    #[must_use]
    pub fn when(&self) -> LoopTime {
        self.when
    }
}

impl Future for Sleep {
    type Output = ();

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let timer = match &this.timer {
            Some(timer) => timer,
            None => this.timer.insert(timer()),
        };
        match this.key {
            None => this.key = Some(timer.arm(this.when, Alarm::Wake(cx.waker().clone()))),
            Some(key) => {
                if timer.poll(key, cx.waker()).is_ready() {
                    return Poll::Ready(());
                }
            }
        }
        wait_on(Waiting::Leaf(&"sleep"));
        Poll::Pending
    }
}

impl Drop for Sleep {
    #[inline]
    fn drop(&mut self) {
        if let (Some(timer), Some(key)) = (&self.timer, self.key) {
            timer.disarm(key);
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("when", &self.when).field("armed", &self.key.is_some()).finish()
    }
}
