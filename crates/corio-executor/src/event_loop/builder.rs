//! Making a loop.

use super::{Core, EventLoop};
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
#[derive(Default)]
pub struct EventLoopBuilder {
    clock: Option<Rc<dyn Clock>>,
    selector: Option<Rc<dyn Selector>>,
}

impl EventLoopBuilder {
    pub(super) fn new() -> EventLoopBuilder {
        EventLoopBuilder::default()
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

    /// Makes the loop.
    ///
    /// # Errors
    ///
    /// If the operating system refuses something that the loop needs.
    pub fn build(self) -> io::Result<EventLoop> {
        let diligent = self.clock.is_some() || self.selector.is_some();
        let clock = self.clock.unwrap_or_else(|| Rc::new(MonotonicClock::new()));
        let reactor = self.selector.map_or_else(Reactor::new, Reactor::with_selector);
        let handle = LoopHandle::new(Core::new(clock, reactor, diligent));
        Ok(EventLoop { handle })
    }
}

impl fmt::Debug for EventLoopBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("EventLoopBuilder");
        text.field("clock", &self.clock).field("selector", &self.selector.is_some()).finish()
    }
}
