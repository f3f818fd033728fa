//! Making a loop.

use super::{Core, EventLoop};
use crate::debug::Debug;
use crate::reactor::Reactor;
use crate::selector::Selector;
use crate::{Clock, LoopHandle, MonotonicClock};
use std::fmt;
use std::io;
use std::rc::Rc;

/// Makes an [`EventLoop`] with a clock and a selector of one's own; made by [`EventLoop::builder`].
///
/// A loop made with either looks at its sources in every iteration, so that their order is asyncio's to the letter; a
/// loop without them is lazier when it is busy.
///
/// # Examples
///
/// ```
/// use corio_executor::{EventLoop, VirtualClock};
///
/// let clock = VirtualClock::new();
/// let event_loop = EventLoop::builder().clock(clock.clone()).build()?;
/// clock.advance(std::time::Duration::from_secs(1));
/// assert_eq!(event_loop.time().since_start().as_secs(), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct EventLoopBuilder {
    clock: Option<Rc<dyn Clock>>,
    selector: Option<Rc<dyn Selector>>,
    detect_deadlocks: bool,
    debug: Option<bool>,
}

impl EventLoopBuilder {
    pub(super) fn new() -> EventLoopBuilder {
        EventLoopBuilder { clock: None, selector: None, detect_deadlocks: true, debug: None }
    }

    /// Takes the time from `clock` instead of a [`MonotonicClock`] started now.
    pub fn clock(mut self, clock: impl Clock + 'static) -> EventLoopBuilder {
        self.clock = Some(Rc::new(clock));
        self
    }

    /// Learns which sources are ready from `selector` instead of the operating system's, which is opened only when
    /// the first source is registered.
    pub fn selector(mut self, selector: impl Selector + 'static) -> EventLoopBuilder {
        self.selector = Some(Rc::new(selector));
        self
    }

    /// Says what happens when nothing can wake the loop any more: a run ends with
    /// [`RunError::Deadlock`](crate::RunError::Deadlock), unless `detect` is false: then it sleeps for ever, as asyncio's.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_executor::{EventLoop, RunError};
    ///
    /// let event_loop = EventLoop::builder().detect_deadlocks(true).build()?; // As it is anyway.
    /// let (_promise, future) = corio_future::promise::<()>();
    /// let ended = event_loop.run_until_complete(future); // Its promise is out here, where nothing runs.
    /// assert!(matches!(ended, Err(RunError::Deadlock(_))));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn detect_deadlocks(mut self, detect: bool) -> EventLoopBuilder {
        self.detect_deadlocks = detect;
        self
    }

    /// Starts the loop in debug mode, or out of it, whatever the environment variable `CORIO_DEBUG` says; asyncio's
    /// `run(debug=...)`. See [`LoopHandle::set_debug`].
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_executor::{EventLoop, LoopHandle, Runner};
    ///
    /// let runner = Runner::with_loop_factory(|| EventLoop::builder().debug(true).build());
    /// assert!(runner.run(async { LoopHandle::current().debug() })?);
    /// # Ok::<(), corio_executor::RunError>(())
    /// ```
    pub fn debug(mut self, on: bool) -> EventLoopBuilder {
        self.debug = Some(on);
        self
    }

    /// Makes the loop.
    ///
    /// # Errors
    ///
    /// If the operating system refuses something that the loop needs.
    pub fn build(self) -> io::Result<EventLoop> {
        let diligent = self.clock.is_some() || self.selector.is_some();
        let clock = self.clock.unwrap_or_else(|| Rc::new(MonotonicClock::new()));
        let reactor = self.selector.map_or_else(Reactor::new, Reactor::with_selector);
        let debug = Debug::new(self.debug);
        let handle = LoopHandle::new(Core::new(clock, reactor, diligent, self.detect_deadlocks, debug));
        Ok(EventLoop { handle })
    }
}

impl Default for EventLoopBuilder {
    fn default() -> EventLoopBuilder {
        EventLoopBuilder::new()
    }
}

impl fmt::Debug for EventLoopBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("EventLoopBuilder");
        text.field("clock", &self.clock).field("selector", &self.selector.is_some());
        text.field("detect_deadlocks", &self.detect_deadlocks).field("debug", &self.debug).finish()
    }
}
