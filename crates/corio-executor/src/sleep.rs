//! Waiting for time to pass, or for a turn.

use corio_seam::{LoopTime, Waiting, wait_on};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Waits until `delay` has passed; asyncio's `sleep`.
///
/// The time counts from the first poll, as a coroutine's does. It never ends early. How late it ends is up to the system,
/// mostly some microseconds; where timers crowd, less than 8 µs apart, the loop waits up to 250 µs for the crowd, for
/// a sleep between two of them would cost more than it saves. A `delay` of zero yields exactly
/// one iteration, and needs no loop; [`Duration::MAX`] never ends.
///
/// # Panics
///
/// When first polled where no loop runs, unless `delay` is zero.
///
/// # Cancel safety
///
/// Dropping it takes its timer back.
///
/// # Examples
///
/// ```
/// use corio_executor::{LoopHandle, sleep, test};
/// use std::time::Duration;
///
/// test::run(async {
///     let start = LoopHandle::current().time();
///     sleep(Duration::from_millis(1500)).await;
///     assert_eq!(LoopHandle::current().time() - start, Duration::from_millis(1500));
/// });
/// ```
pub fn sleep(delay: Duration) -> Sleep {
    Sleep(if delay.is_zero() { State::Yield(yield_now()) } else { State::After(delay) })
}

/// Waits until the loop's clock shows `when`; asyncio's `call_at` for a coroutine.
///
/// It yields at least once, also when `when` has passed; [`LoopTime::MAX`] never comes.
///
/// # Panics
///
/// When first polled where no loop runs.
///
/// # Cancel safety
///
/// Dropping it takes its timer back.
pub fn sleep_until(when: LoopTime) -> Sleep {
    Sleep(State::Until(corio_seam::sleep_until(when)))
}

/// Future of [`sleep`] and [`sleep_until`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Sleep(State);

enum State {
    /// Of no length: a turn.
    Yield(YieldNow),
    /// Not polled yet. --> Until
    After(Duration),
    /// The moment is known.
    Until(corio_seam::Sleep),
}

impl Future for Sleep {
    type Output = ();

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let State::After(delay) = self.0 {
            let timer = corio_seam::timer();
            let when = timer.now() + delay;
            self.0 = State::Until(corio_seam::Sleep::new(timer, when));
        }
        match &mut self.0 {
            State::Yield(turn) => Pin::new(turn).poll(cx),
            State::Until(sleep) => Pin::new(sleep).poll(cx),
            State::After(_) => unreachable!("replaced above"),
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            State::Yield(_) => f.write_str("Sleep(one iteration)"),
            State::After(delay) => f.debug_tuple("Sleep").field(delay).finish(),
            State::Until(sleep) => sleep.fmt(f),
        }
    }
}

/// Lets everything that is ready run first; asyncio's `sleep(0)`.
///
/// It yields exactly one iteration, under any executor.
///
/// # Examples
///
/// ```
/// use corio_executor::{LoopHandle, test, yield_now};
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// test::run(async {
///     let called = Rc::new(Cell::new(false));
///     let inner = Rc::clone(&called);
///     LoopHandle::current().call_soon(move || inner.set(true));
///     assert!(!called.get());
///     yield_now().await;
///     assert!(called.get());
/// });
/// ```
#[inline]
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// Future of [`yield_now`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
#[derive(Debug)]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        wait_on(Waiting::Leaf(&"yield_now"));
        Poll::Pending
    }
}
