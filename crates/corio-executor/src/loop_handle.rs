//! A loop as the code that runs on it sees it.

use crate::event_loop::Core;
use crate::exceptions::{self, ExceptionHandler};
use crate::reactor::Reactor;
use crate::{Handle, RemoteHandle, TimerHandle};
use corio_seam::{Context, LoopId, LoopTime, Node, Report, Timer, capture_context};
use corio_task::{Task, TaskOptions, TaskRef};
use std::fmt;
use std::io;
use std::rc::{Rc, Weak};
use std::time::Duration;

/// A handle to the loop of this thread. A clone is a handle to the same loop.
///
/// It stays behind when the loop is closed: scheduling panics then.
///
/// # Examples
///
/// ```
/// use corio_executor::{LoopHandle, sleep, test};
/// use std::cell::RefCell;
/// use std::rc::Rc;
/// use std::time::Duration;
///
/// test::run(async {
///     let event_loop = LoopHandle::current();
///     let order = Rc::new(RefCell::new(Vec::new()));
///     let note = |text: &'static str| {
///         let order = Rc::clone(&order);
///         move || order.borrow_mut().push(text)
///     };
///     event_loop.call_later(Duration::from_secs(2), note("later"));
///     event_loop.call_soon(note("soon"));
///     event_loop.call_at(event_loop.time() + Duration::from_secs(1), note("at"));
///     sleep(Duration::from_secs(3)).await;
///     assert_eq!(*order.borrow(), ["soon", "at", "later"]);
/// });
/// ```
#[derive(Clone)]
pub struct LoopHandle {
    core: Rc<Core>,
}

/// How [`LoopHandle::current`] finds the loop: one of the loop's own values.
struct Current(Weak<Core>);

impl LoopHandle {
    /// Makes the first handle of a loop, and lets [`current`](LoopHandle::current) find the loop while it runs.
    pub(crate) fn new(core: Core) -> LoopHandle {
        let core = Rc::new(core);
        core.tasks.enter(|| corio_seam::local(|| Current(Rc::downgrade(&core))));
        LoopHandle { core }
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// Returns the loop that runs on this thread; asyncio's `get_running_loop`.
    ///
    /// # Panics
    ///
    /// Where no [`EventLoop`](crate::EventLoop) runs.
    #[must_use]
    #[track_caller]
    pub fn current() -> LoopHandle {
        LoopHandle::try_current().expect("no event loop runs on this thread: call this inside `run`")
    }

    /// Returns the loop that runs on this thread, if one does; asyncio's `_get_running_loop`.
    #[must_use]
    pub fn try_current() -> Option<LoopHandle> {
        let current = corio_seam::local(|| Current(Weak::new()))?;
        Some(LoopHandle { core: current.0.upgrade()? })
    }

    /// Calls `f` in the next iteration, after what is scheduled already; asyncio's `call_soon`.
    ///
    /// It runs in a copy of the [context](Context) that is current now. [`corio_seam::call_soon`] does the same without a
    /// handle, which is cheaper. A panic in `f` goes to the exception handler, and no further.
    ///
    /// # Panics
    ///
    /// If the loop is closed.
    #[inline]
    #[track_caller]
    pub fn call_soon(&self, f: impl FnOnce() + 'static) -> Handle {
        self.schedule(capture_context(), f)
    }

    /// Calls `f` in the next iteration, in `context`, which is shared; asyncio's `call_soon(f, context=context)`.
    ///
    /// # Panics
    ///
    /// If the loop is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_executor::{LoopHandle, test, yield_now};
    /// use corio_seam::{Context, ContextVar};
    ///
    /// static STEP: ContextVar<u32> = ContextVar::new("step");
    ///
    /// test::run(async {
    ///     let context = Context::new();
    ///     LoopHandle::current().call_soon_in(&context, || drop(STEP.set(1)));
    ///     yield_now().await;
    ///     assert_eq!((context.get(&STEP), STEP.get()), (Some(1), None));
    /// });
    /// ```
    #[track_caller]
    pub fn call_soon_in(&self, context: &Context, f: impl FnOnce() + 'static) -> Handle {
        self.schedule(Some(context.clone()), f)
    }

    #[track_caller]
    #[inline]
    fn schedule(&self, context: Option<Context>, f: impl FnOnce() + 'static) -> Handle {
        let (handle, entry) = Handle::new(context, f);
        self.push(entry);
        handle
    }

    /// Calls `f` after `delay`; asyncio's `call_later`. See [`call_at`](LoopHandle::call_at).
    ///
    /// # Panics
    ///
    /// If the loop is closed.
    #[track_caller]
    pub fn call_later(&self, delay: Duration, f: impl FnOnce() + 'static) -> TimerHandle {
        self.call_at(self.time() + delay, f)
    }

    /// Calls `f` after `delay`, in `context`, which is shared; asyncio's `call_later(delay, f, context=context)`.
    ///
    /// # Panics
    ///
    /// If the loop is closed.
    #[track_caller]
    pub fn call_later_in(&self, context: &Context, delay: Duration, f: impl FnOnce() + 'static) -> TimerHandle {
        self.call_at_in(context, self.time() + delay, f)
    }

    /// Calls `f` when the loop's clock shows `when`, never earlier; asyncio's `call_at`.
    ///
    /// Never in the current iteration: a moment that has passed (asyncio's negative delay) is due in the next one. Timers
    /// are called in order of their moments, and those of the same moment in the order in which they were set: asyncio
    /// leaves that open. [`LoopTime::MAX`] never comes. `f` runs in a copy of the context that is current now.
    ///
    /// # Panics
    ///
    /// If the loop is closed.
    #[track_caller]
    pub fn call_at(&self, when: LoopTime, f: impl FnOnce() + 'static) -> TimerHandle {
        self.assert_open();
        TimerHandle::arm(&self.core.timers, when, capture_context(), f)
    }

    /// Calls `f` at `when`, in `context`, which is shared; asyncio's `call_at(when, f, context=context)`.
    ///
    /// # Panics
    ///
    /// If the loop is closed.
    #[track_caller]
    pub fn call_at_in(&self, context: &Context, when: LoopTime, f: impl FnOnce() + 'static) -> TimerHandle {
        self.assert_open();
        TimerHandle::arm(&self.core.timers, when, Some(context.clone()), f)
    }

    /// Starts a task; its first step is in the next iteration. asyncio's `create_task`.
    ///
    /// # Panics
    ///
    /// If the loop is closed.
    #[track_caller]
    pub fn create_task<F: Future + 'static>(&self, future: F) -> Task<F::Output> {
        self.core.tasks.spawn(future)
    }

    /// Starts a task as `options` say; asyncio's `create_task` with keywords. See [`corio_task::create_task_with`].
    ///
    /// # Panics
    ///
    /// If the loop is closed.
    #[track_caller]
    pub fn create_task_with<F: Future + 'static>(&self, options: TaskOptions, future: F) -> Task<F::Output> {
        self.core.tasks.spawn_with(options, future)
    }

    /// Says whether tasks make their first step at once from now on, inside the call that makes them; asyncio's
    /// `set_task_factory(eager_task_factory)`. What [`TaskOptions::eager`] says of a task goes before it.
    ///
    /// Only what this loop runs starts a task so: made from outside, its first step is queued.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_executor::{LoopHandle, test};
    /// use corio_task::{TaskOptions, create_task, create_task_with};
    ///
    /// test::run(async {
    ///     LoopHandle::current().set_eager_tasks(true);
    ///     assert!(create_task(async {}).done());
    ///     assert!(!create_task_with(TaskOptions::new().eager(false), async {}).done());
    /// });
    /// ```
    pub fn set_eager_tasks(&self, eager: bool) {
        self.core.tasks.set_eager_tasks(eager);
    }

    /// Returns the tasks that have not ended; asyncio's `all_tasks`.
    #[must_use]
    pub fn all_tasks(&self) -> Vec<TaskRef> {
        self.core.tasks.tasks()
    }

    /// Reads the loop's clock afresh; asyncio's `time`.
    #[must_use]
    pub fn time(&self) -> LoopTime {
        self.core.timers.now()
    }

    /// Makes the loop return once this iteration is finished, or, if it does not run, after one iteration; asyncio's
    /// `stop`. What is scheduled meanwhile is left for the next run.
    pub fn stop(&self) {
        self.core.stopping.set(true);
    }

    /// Tells whether the loop runs; asyncio's `is_running`.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.core.is_running()
    }

    /// Tells whether the loop is closed; asyncio's `is_closed`.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.core.tasks.is_closed()
    }

    /// Returns the loop's identity, which no other loop of this process has or will have.
    #[must_use]
    pub fn id(&self) -> LoopId {
        self.core.tasks.id()
    }

    /// Returns the handle for other threads.
    #[must_use]
    pub fn remote(&self) -> RemoteHandle {
        RemoteHandle::new(self.core.tasks.remote())
    }

    /// Tells `handler`, from now on, of errors that nobody looks at, instead of printing them to standard error;
    /// asyncio's `set_exception_handler`.
    ///
    /// They are: a callback that panicked, a task that panicked and was detached, an error nobody retrieved, a task that
    /// is unfinished when the loop is closed, and those of
    /// [`call_exception_handler`](LoopHandle::call_exception_handler). If the handler panics, that is printed
    /// to standard error with the error it was told of, and the loop goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_executor::{LoopHandle, test, yield_now};
    /// use std::cell::RefCell;
    /// use std::rc::Rc;
    ///
    /// test::run(async {
    ///     let event_loop = LoopHandle::current();
    ///     let errors = Rc::new(RefCell::new(Vec::new()));
    ///     let inner = Rc::clone(&errors);
    ///     event_loop.set_exception_handler(move |report| inner.borrow_mut().push(report));
    ///     event_loop.call_soon(|| panic!("boom"));
    ///     yield_now().await;
    ///     let report = errors.borrow_mut().pop().unwrap();
    ///     assert_eq!(report.message, "exception in callback");
    ///     assert!(report.source.unwrap().starts_with("scheduled at "));
    ///     assert_eq!(report.panic.unwrap().message(), Some("boom"));
    /// });
    /// ```
    pub fn set_exception_handler(&self, handler: impl Fn(Report) + 'static) {
        drop(self.core.exceptions.replace(Some(Rc::new(handler))));
    }

    /// Goes back to printing; asyncio's `set_exception_handler(None)`.
    pub fn clear_exception_handler(&self) {
        drop(self.core.exceptions.replace(None));
    }

    /// Returns the handler that was set; asyncio's `get_exception_handler`.
    #[must_use]
    pub fn exception_handler(&self) -> Option<ExceptionHandler> {
        self.core.exceptions.get()
    }

    /// Tells whether the loop is in debug mode; asyncio's `get_debug`.
    #[must_use]
    pub fn debug(&self) -> bool {
        self.core.debug.is_on()
    }

    /// Turns debug mode on or off, from the next iteration on; asyncio's `set_debug`.
    ///
    /// In debug mode a step of a task, or a callback, that holds the loop up for
    /// [`slow_callback_duration`](LoopHandle::slow_callback_duration) or longer is reported to the exception handler:
    /// which one it was, for how long, and where in the program it was made. The time is real, also where the loop's
    /// clock is virtual. The mode costs two readings of the clock and a description an entry of the queue; out of it
    /// nothing is measured.
    ///
    /// A loop starts in debug mode if [`EventLoopBuilder::debug`](crate::EventLoopBuilder::debug) says so, or else if the
    /// environment variable `CORIO_DEBUG` was set (neither empty nor `0`) when the process made its first loop. asyncio's mode does two more things
    /// that the compiler does here at all times: it refuses to send a loop to another thread, and warns of a future that
    /// is never awaited.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_executor::{LoopHandle, test, yield_now};
    /// use std::cell::RefCell;
    /// use std::rc::Rc;
    /// use std::time::Duration;
    ///
    /// test::run(async {
    ///     let event_loop = LoopHandle::current();
    ///     event_loop.set_debug(true);
    ///     event_loop.set_slow_callback_duration(Duration::from_millis(2));
    ///     let reports = Rc::new(RefCell::new(Vec::new()));
    ///     let inner = Rc::clone(&reports);
    ///     event_loop.set_exception_handler(move |report| inner.borrow_mut().push(report.message));
    ///     let task = event_loop.create_task(async { std::thread::sleep(Duration::from_millis(3)) });
    ///     task.set_name("sleepy");
    ///     task.await.unwrap();
    ///     yield_now().await;
    ///     let reports = reports.borrow();
    ///     let taken = |report: &str| report.strip_prefix("executing task \"sleepy\" took ")?.split(' ').next()?.parse::<f64>().ok();
    ///     assert!(reports.iter().filter_map(|report| taken(report)).any(|seconds| seconds >= 0.003));
    /// });
    /// ```
    pub fn set_debug(&self, on: bool) {
        self.core.debug.set(on);
    }

    /// Returns how long a step or a callback may take before debug mode reports it: 0.1 seconds, unless it was
    /// [set](LoopHandle::set_slow_callback_duration); asyncio's `slow_callback_duration`.
    #[must_use]
    pub fn slow_callback_duration(&self) -> Duration {
        self.core.debug.slow()
    }

    /// Sets how long a step or a callback may take before debug mode reports it; zero reports them all.
    pub fn set_slow_callback_duration(&self, duration: Duration) {
        self.core.debug.set_slow(duration);
    }

    /// Prints `report` to standard error, as a loop without a handler does; asyncio's `default_exception_handler`.
    pub fn default_exception_handler(&self, report: &Report) {
        exceptions::default_exception_handler(report);
    }

    /// Hands `report` to the handler, now; asyncio's `call_exception_handler`.
    pub fn call_exception_handler(&self, report: Report) {
        self.core.exceptions.call(report);
    }

    /// Returns the loop's reactor.
    pub(crate) fn reactor(&self) -> io::Result<Rc<Reactor>> {
        self.core.reactor()
    }

    /// Appends an entry to the ready queue.
    #[inline]
    #[track_caller]
    pub(crate) fn push(&self, node: Node) {
        let refused = self.core.tasks.push(node).is_err();
        assert!(!refused, "{CLOSED}");
    }

    #[track_caller]
    pub(crate) fn assert_open(&self) {
        assert!(!self.is_closed(), "{CLOSED}");
    }
}

/// What misuse of a closed loop says.
const CLOSED: &str = "the event loop is closed: nothing can be scheduled on it any more";

impl fmt::Debug for LoopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("LoopHandle");
        text.field("id", &self.id()).field("running", &self.is_running()).field("closed", &self.is_closed()).finish()
    }
}
