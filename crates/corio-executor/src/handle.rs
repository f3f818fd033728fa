//! Scheduled callbacks, as those who scheduled them hold them.

use crate::timers::Timers;
use corio_seam::{Alarm, LoopTime, OnAlarm, Timer, TimerKey};
use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

/// A callback that will be called once; asyncio's `Handle`. Dropping it lets the callback run; a clone is the same.
///
/// # Examples
///
/// ```
/// use corio_executor::{LoopHandle, test, yield_now};
///
/// test::run(async {
///     let handle = LoopHandle::current().call_soon(|| panic!("it does not run"));
///     assert!(handle.cancel());
///     assert!(handle.cancelled() && !handle.cancel());
///     yield_now().await;
/// });
/// ```
#[derive(Clone)]
pub struct Handle {
    call: Rc<dyn Call>,
}

impl Handle {
    /// Makes a handle, and the function to schedule.
    pub(crate) fn new(f: impl FnOnce() + 'static) -> (Handle, impl FnOnce() + 'static) {
        let call = Scheduled::new(f);
        (Handle { call: Rc::clone(&call) as Rc<dyn Call> }, move || call.call())
    }

    /// Keeps the callback from being called, and drops it: true if that made a difference, false if it was called or
    /// cancelled before.
    ///
    /// # Panics
    ///
    /// If the callback's destructor does.
    pub fn cancel(&self) -> bool {
        self.call.cancel()
    }

    /// Tells whether [`cancel`](Handle::cancel) has kept the callback from being called.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.call.cancelled()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("cancelled", &self.cancelled()).finish_non_exhaustive()
    }
}

/// A callback that will be called once, at a given moment; asyncio's `TimerHandle`.
#[derive(Clone)]
pub struct TimerHandle {
    handle: Handle,
    timers: Rc<Timers>,
    key: TimerKey,
    when: LoopTime,
}

impl TimerHandle {
    /// Arms a timer for `f`.
    pub(crate) fn arm(timers: &Rc<Timers>, when: LoopTime, f: impl FnOnce() + 'static) -> TimerHandle {
        let call = Scheduled::new(f);
        let key = timers.arm(when, Alarm::Call(Rc::clone(&call) as Rc<dyn OnAlarm>));
        TimerHandle { handle: Handle { call }, timers: Rc::clone(timers), key, when }
    }

    /// Keeps the callback from being called, and drops it; also when it is due already, but has not been called.
    ///
    /// True if that made a difference, false if it was called or cancelled before.
    ///
    /// # Panics
    ///
    /// If the callback's destructor does.
    pub fn cancel(&self) -> bool {
        self.timers.disarm(self.key);
        self.handle.cancel()
    }

    /// Tells whether [`cancel`](TimerHandle::cancel) has kept the callback from being called.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.handle.cancelled()
    }

    /// Returns the moment at which it is due.
    #[must_use]
    pub fn when(&self) -> LoopTime {
        self.when
    }
}

impl fmt::Debug for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("TimerHandle");
        text.field("when", &self.when).field("cancelled", &self.cancelled()).finish_non_exhaustive()
    }
}

/// What a handle can do to its callback, whatever that is.
trait Call {
    fn cancel(&self) -> bool;
    fn cancelled(&self) -> bool;
}

/// A callback with its state.
struct Scheduled<F> {
    /// The callback, until it is called or cancelled.
    f: Cell<Option<F>>,
    /// Set by the one `cancel` that made a difference.
    cancelled: Cell<bool>,
}

impl<F: FnOnce() + 'static> Scheduled<F> {
    fn new(f: F) -> Rc<Scheduled<F>> {
        Rc::new(Scheduled { f: Cell::new(Some(f)), cancelled: Cell::new(false) })
    }

    fn call(&self) {
        if let Some(f) = self.f.take() {
            f();
        }
    }
}

impl<F: FnOnce() + 'static> Call for Scheduled<F> {
    fn cancel(&self) -> bool {
        let f = self.f.take();
        if f.is_some() {
            self.cancelled.set(true);
        }
        f.is_some() // Dropped here, when the state is as it should be.
    }

    fn cancelled(&self) -> bool {
        self.cancelled.get()
    }
}

impl<F: FnOnce() + 'static> OnAlarm for Scheduled<F> {
    fn on_alarm(self: Rc<Self>) {
        self.call();
    }
}
