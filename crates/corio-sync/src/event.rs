//! A flag that wakes everybody.

use crate::statistics::EventStatistics;
use crate::{WaiterKey, Waiters};
use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A flag that tasks wait for; asyncio's `Event`.
///
/// # Examples
///
/// ```
/// use corio_sync::Event;
///
/// let ready = Event::new();
/// assert!(!ready.is_set());
/// ready.set();
/// pollster::block_on(ready.wait()); // It is set: this does not yield.
/// ready.clear();
/// assert!(!ready.is_set());
/// ```
#[derive(Default)]
pub struct Event {
    set: Cell<bool>,
    waiters: Waiters,
}

impl Event {
    /// Makes an event that is not set.
    #[must_use]
    pub const fn new() -> Event {
        Event { set: Cell::new(false), waiters: Waiters::new() }
    }

    /// Tells whether the flag is set; asyncio's `Event.is_set`.
    #[inline]
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.set.get()
    }

    /// Sets the flag and wakes everybody who waits, first come first; asyncio's `Event.set`.
    ///
    /// Those waiting go on even if the flag is cleared before they run.
    ///
    /// # Panics
    ///
    /// With the panic of a waker, after all the others have been woken.
    #[inline]
    pub fn set(&self) {
        if !self.set.replace(true) {
            self.waiters.notify_all();
        }
    }

    /// Clears the flag: from now on `wait` waits for the next `set`; asyncio's `Event.clear`.
    #[inline]
    pub fn clear(&self) {
        self.set.set(false);
    }

    /// Waits until the flag is set; does not yield if it is; asyncio's `Event.wait`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the line; nothing is lost.
    #[inline]
    pub fn wait(&self) -> EventWait<'_> {
        EventWait { event: self, key: None }
    }

    /// Tells whether the flag is set and who waits; trio has such a method on every primitive.
    #[must_use]
    pub fn statistics(&self) -> EventStatistics {
        let (waiting, most_waiting) = (self.waiters.n_waiting(), self.waiters.peak());
        EventStatistics { set: self.is_set(), waiting, most_waiting }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("set", &self.is_set()).field("waiters", &self.waiters.n_waiting()).finish()
    }
}

/// Future of [`Event::wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct EventWait<'e> {
    event: &'e Event,
    /// The place in the line, from the first pending poll to the end.
    key: Option<WaiterKey>,
}

impl Future for EventWait<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        // Whoever is in the line was there when the flag was not set: only a notification tells him of a `set`, which
        // may have been followed by a `clear`.
        if this.key.is_none() && this.event.is_set() {
            return Poll::Ready(());
        }
        this.event.waiters.poll_wait_while(&mut this.key, cx, &"Event.wait", || !this.event.is_set())
    }
}

impl Drop for EventWait<'_> {
    #[inline]
    fn drop(&mut self) {
        // Everybody was notified at once: there is nobody to pass it on to.
        let _ = self.event.waiters.leave(&mut self.key);
    }
}
