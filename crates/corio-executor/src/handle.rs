//! Scheduled callbacks, as those who scheduled them hold them.

use crate::debug;
use crate::timers::Timers;
use corio_seam::{
    Alarm, Context, Description, LoopTime, Node, OnAlarm, Shared, SharedEntry, Timer, TimerKey, catch_and_report_from,
    enter_context,
};
use std::any::type_name;
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::panic::Location;
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
    /// Makes a handle, and the entry to queue, which sees to the context by itself.
    #[track_caller]
    #[inline]
    pub(crate) fn new(context: Option<Context>, f: impl FnOnce() + 'static) -> (Handle, Node) {
        let (call, node) = Node::shared(Scheduled::new(context, f));
        (Handle { call }, node)
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

    /// Returns the context in which the callback runs; asyncio's `Handle.get_context`.
    ///
    /// It is the callback's own, not a copy: what is set in it the callback sees.
    #[must_use]
    pub fn context(&self) -> Context {
        self.call.context()
    }

    /// Returns where in the program the callback was scheduled.
    fn location(&self) -> &'static Location<'static> {
        self.call.location()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Handle");
        text.field("location", &format_args!("{}", self.location())).field("cancelled", &self.cancelled());
        text.finish_non_exhaustive()
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
    #[inline]
    #[track_caller]
    pub(crate) fn arm(
        timers: &Rc<Timers>,
        when: LoopTime,
        context: Option<Context>,
        f: impl FnOnce() + 'static,
    ) -> TimerHandle {
        let call = Rc::new(Scheduled::new(context, f));
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

    /// Returns the context in which the callback runs. See [`Handle::context`].
    #[must_use]
    pub fn context(&self) -> Context {
        self.handle.context()
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
        text.field("location", &format_args!("{}", self.handle.location())).field("when", &self.when);
        text.field("cancelled", &self.cancelled()).finish_non_exhaustive()
    }
}

/// What a handle can do to its callback, whatever that is.
trait Call {
    fn cancel(&self) -> bool;
    fn cancelled(&self) -> bool;
    fn context(&self) -> Context;
    fn location(&self) -> &'static Location<'static>;
}

/// A callback with its state.
struct Scheduled<F> {
    /// The callback, until it is called or cancelled.
    f: Cell<Option<F>>,
    /// Set by the one `cancel` that made a difference.
    cancelled: Cell<bool>,
    /// The context to call it in: none until somebody asks, if nothing was set where it was scheduled.
    context: OnceCell<Context>,
    /// Where it was scheduled.
    location: &'static Location<'static>,
}

impl<F: FnOnce() + 'static> Scheduled<F> {
    #[inline]
    #[track_caller]
    fn new(context: Option<Context>, f: F) -> Scheduled<F> {
        let context = context.map_or_else(OnceCell::new, OnceCell::from);
        let (f, cancelled, location) = (Cell::new(Some(f)), Cell::new(false), Location::caller());
        Scheduled { f, cancelled, context, location }
    }

    /// Calls the callback; it runs in an entry of the ready queue, which reports a panic where there is no context.
    fn call(&self) {
        let Some(f) = self.f.take() else { return };
        match self.context.get() {
            None => f(),
            Some(context) => call_in(context.clone(), self.location, f),
        }
    }

    fn describe(&self) -> Description {
        debug::callback(type_name::<F>(), self.location)
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

    fn context(&self) -> Context {
        self.context.get_or_init(Context::new).clone()
    }

    fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

impl<F: FnOnce() + 'static> OnAlarm for Scheduled<F> {
    fn on_alarm(self: Rc<Self>) {
        catch_and_report_from("exception in callback", Some(self.location), || self.call());
    }

    fn describe(&self) -> Option<Description> {
        Some(self.describe())
    }
}

/// A callback that shares its place with its entry of the ready queue.
impl<F: FnOnce() + 'static> Call for Shared<Scheduled<F>> {
    fn cancel(&self) -> bool {
        (**self).cancel()
    }

    fn cancelled(&self) -> bool {
        (**self).cancelled()
    }

    fn context(&self) -> Context {
        (**self).context()
    }

    fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

impl<F: FnOnce() + 'static> SharedEntry for Scheduled<F> {
    #[inline]
    fn run(&self) {
        self.call();
    }

    #[inline]
    fn location(&self) -> Option<&'static Location<'static>> {
        Some(self.location)
    }

    fn describe(&self) -> Description {
        self.describe()
    }
}

/// Calls `f`, scheduled at `location`, in `context`, in which a panic of it is reported, too.
#[cold]
pub(crate) fn call_in(context: Context, location: &'static Location<'static>, f: impl FnOnce()) {
    enter_context(Some(context), || catch_and_report_from("exception in callback", Some(location), f));
}
