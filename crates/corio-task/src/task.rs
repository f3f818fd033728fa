//! The handle of a task, and what is asked of the task that runs.

use crate::forward::{self, By};
use crate::listeners::CallbackKey;
use crate::node::Slot;
use crate::raw::{Handle, Seats, TaskRef, current};
use crate::scope;
use crate::set::Core;
use crate::{JoinError, TaskId, TaskOptions};
use corio_seam::{Cancelled, Panic, TargetId, Waitable};
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Starts a task in the set that runs on this thread; asyncio's `create_task`.
///
/// The first step is queued, not made at once (but see [`TaskSet::set_eager_tasks`](crate::TaskSet::set_eager_tasks)). The
/// set owns the task: dropping the handle detaches it. The task gets a copy of the current
/// [context](corio_seam::Context): what it sets is seen by nobody else.
///
/// # Panics
///
/// Where no task set runs, or it is closing.
///
/// # Examples
///
/// ```
/// use corio_task::{TaskSet, create_task};
///
/// let set = TaskSet::new();
/// let sum = pollster::block_on(set.run_until(async {
///     let one = create_task(async { 1 });
///     one.await.unwrap() + 1
/// }));
/// assert_eq!(sum.unwrap(), 2);
/// ```
///
/// What is no future makes no task, and the compiler says so, where asyncio raises `TypeError`:
///
/// ```compile_fail,E0277
/// corio_task::create_task(42);
/// ```
#[inline]
#[track_caller]
pub fn create_task<F: Future + 'static>(future: F) -> Task<F::Output> {
    if const { size_of::<F>() > LARGE_FUTURE } {
        return found(spawn_here(Box::pin(future)));
    }
    found(spawn_here(future))
}

/// Starts a task in the set that runs on this thread, as `options` say; asyncio's `create_task` with keywords.
///
/// An *eager* task makes its first step inside this call. Meanwhile it is the current task, in its own context, outside the
/// caller's scopes: a request aimed at those does not reach it. If that step ends it, it is done when this returns, and was
/// never queued; an error or a panic is stored in it, as ever. If it suspends, it is an ordinary task from then on. Its
/// done callbacks come through the ready queue in either case. Eager tasks that start eager tasks stand on one stack.
///
/// Only what a batch of the set runs can start a task eagerly; elsewhere the first step is queued, as in asyncio, where a
/// loop that does not run starts none.
///
/// # Panics
///
/// Where no task set runs, or it is closing.
///
/// # Examples
///
/// ```
/// use corio_task::{TaskOptions, TaskSet, create_task_with};
///
/// let set = TaskSet::new();
/// let cached = set.run_until(async {
///     let mut task = create_task_with(TaskOptions::new().eager(true), async { "from the cache" });
///     task.take_output().expect("it did not have to wait").unwrap()
/// });
/// assert_eq!(pollster::block_on(cached).unwrap(), "from the cache");
/// ```
#[track_caller]
pub fn create_task_with<F: Future + 'static>(options: TaskOptions, future: F) -> Task<F::Output> {
    if const { size_of::<F>() > LARGE_FUTURE } {
        return found(Handle::spawn_here_with(options, Box::pin(future), Location::caller()).map(Task::new));
    }
    found(Handle::spawn_here_with(options, future, Location::caller()).map(Task::new))
}

/// A future of more bytes than this is put into a box where it comes in: made a task by value, it is moved from function to
/// function, and each may keep a copy on the stack, as all do without optimisation.
pub const LARGE_FUTURE: usize = 16 * 1024;

/// Returns a task that was made, and complains where no set runs.
#[inline]
#[track_caller]
fn found<T, F>(task: Result<Task<T>, F>) -> Task<T> {
    task.unwrap_or_else(|_| {
        panic!("no event loop runs on this thread: make tasks inside `run`, or while a `TaskSet` is polled")
    })
}

/// Starts a task in the set that runs here; gives the future back where none does.
#[inline]
#[track_caller]
pub(crate) fn spawn_here<F: Future + 'static>(future: F) -> Result<Task<F::Output>, F> {
    Handle::spawn_here(future, Location::caller()).map(Task::new)
}

/// Returns the task that is being polled; asyncio's `current_task`. `None` in a callback, and outside.
#[must_use]
pub fn current_task() -> Option<TaskRef> {
    TaskRef::current()
}

/// Returns the unfinished tasks of the set that runs on this thread, in no order that means anything; asyncio's
/// `all_tasks`. Empty outside.
#[must_use]
pub fn all_tasks() -> Vec<TaskRef> {
    current::with_core(Core::unfinished).unwrap_or_default()
}

/// The handle of a task: a future of its result.
///
/// It owns the output, and awaiting it moves the output out. Dropping it detaches the task, which goes on. A task is
/// cancelled by request, at an await of its own: see [`catch_cancelled`](crate::catch_cancelled). asyncio's `Task`.
///
/// # Errors
///
/// Awaiting gives [`JoinError`] if the task was cancelled by somebody else, or panicked. If the awaiter itself is
/// cancelled while it waits for nothing but this, the request is passed on to the task, whose ending decides: if the
/// task is cancelled, so is the awaiter, there and then; if it returns a value, the request is used up.
///
/// # Panics
///
/// When polled by the task itself, and when polled after it returned `Ready`.
///
/// # Cancel safety
///
/// Awaiting `&mut task` loses nothing: dropped, the task goes on, and can be awaited again.
///
/// # Thread-safety
///
/// `!Send`: a task lives on the thread of its set.
///
/// # Examples
///
/// Nobody but its coroutine gives a task its result; asyncio refuses `Task.set_result` when it is called, the compiler
/// earlier:
///
/// ```compile_fail,E0599
/// # async fn set(task: corio_task::Task<u32>) {
/// task.set_result(1);
/// # }
/// ```
#[must_use = "a task goes on without its handle, but then nobody hears its result"]
pub struct Task<T> {
    handle: Handle<T>,
}

impl<T> Task<T> {
    pub(crate) fn new(handle: Handle<T>) -> Task<T> {
        Task { handle }
    }

    /// Returns a view of the task that many may hold.
    #[must_use]
    pub fn task_ref(&self) -> TaskRef {
        self.handle.view()
    }

    /// Asks the task to end; false if it is over. asyncio's `Task.cancel()`.
    ///
    /// See [`TaskRef::cancel`].
    pub fn cancel(&self) -> bool {
        self.task_ref().cancel()
    }

    /// Asks the task to end, with the reason that [`Cancelled::message`] will give; asyncio's `Task.cancel(msg)`.
    pub fn cancel_with(&self, message: impl Into<String>) -> bool {
        self.task_ref().cancel_with(message)
    }

    /// Returns how many requests to end were made, less those taken back; asyncio's `Task.cancelling`.
    #[must_use]
    pub fn cancelling(&self) -> usize {
        self.task_ref().cancelling()
    }

    /// Takes one request to end back, and returns how many are left; asyncio's `Task.uncancel`.
    ///
    /// At zero, a request that was not delivered yet never will be.
    pub fn uncancel(&self) -> usize {
        self.task_ref().uncancel()
    }

    /// Tells whether the task is over; asyncio's `Task.done`.
    #[must_use]
    pub fn done(&self) -> bool {
        self.handle.is_done()
    }

    /// Tells whether the task ended by being cancelled; asyncio's `Task.cancelled`.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.handle.is_cancelled()
    }

    /// Returns the identity of the task.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.task_ref().id()
    }

    /// Returns the name: `Task-N`, if none was given. asyncio's `Task.get_name`.
    #[must_use]
    pub fn name(&self) -> String {
        self.task_ref().name()
    }

    /// Gives the task a name; asyncio's `Task.set_name`.
    pub fn set_name(&self, name: impl Into<String>) {
        self.task_ref().set_name(name);
    }

    /// Gives the task a name, where it is made: `create_task(f).named("fetch")`.
    pub fn named(self, name: impl Into<String>) -> Task<T> {
        self.set_name(name);
        self
    }

    /// Returns where the task was made.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.task_ref().location()
    }

    /// Has `callback` called when the task is over, through the loop; asyncio's `add_done_callback`.
    ///
    /// See [`TaskRef::add_done_callback`].
    pub fn add_done_callback(&self, callback: impl FnOnce(&TaskRef) + 'static) -> CallbackKey {
        self.task_ref().add_done_callback(callback)
    }

    /// Has `callback` called when the task is over, in `context`, which is shared; asyncio's
    /// `add_done_callback(f, context=context)`.
    pub fn add_done_callback_in(
        &self,
        context: &corio_seam::Context,
        callback: impl FnOnce(&TaskRef) + 'static,
    ) -> CallbackKey {
        self.task_ref().add_done_callback_in(context, callback)
    }

    /// Takes a done callback back; false if it ran, or is on its way. asyncio's `remove_done_callback`.
    pub fn remove_done_callback(&self, key: CallbackKey) -> bool {
        self.task_ref().remove_done_callback(key)
    }

    /// Has the audience of `seats` told under the number `index` when the task is over: a done callback without an
    /// allocation. See [`Seats`].
    ///
    /// # Panics
    ///
    /// If there are not so many seats.
    #[inline]
    pub fn take_seat(&self, seats: &Seats, index: usize) {
        self.handle.take_seat(seats, index);
    }

    /// As [`take_seat`](Task::take_seat), of a task that is over and whose set runs here, and without an allocation: the
    /// audience is told in a later turn. False in any other case, and while another seat of the task is still to be told:
    /// then nobody is told, and a callback is the way.
    ///
    /// # Panics
    ///
    /// If there are not so many seats.
    #[inline]
    #[must_use = "where it is false, nobody is told"]
    pub fn take_late_seat(&self, seats: &Seats, index: usize) -> bool {
        self.handle.take_late_seat(seats, index)
    }

    /// Takes that back; false if the audience was told, or is about to be.
    pub fn leave_seat(&self, seats: &Seats, index: usize) -> bool {
        self.handle.leave_seat(seats, index)
    }

    /// Lends the output, if the task returned one and nobody took it.
    #[must_use]
    pub fn output(&self) -> Option<&T> {
        self.handle.output()
    }

    /// Moves the output out, if the task is over; asyncio's `Task.result` and `Task.exception`.
    ///
    /// # Panics
    ///
    /// If the output was taken before.
    pub fn take_output(&mut self) -> Option<Result<T, JoinError>> {
        self.handle.take()
    }

    /// Moves the output out of a task that returned one, and gives the handle up; or gives it back, if the task is not
    /// over, or has no output.
    ///
    /// The same as [`take_output`](Task::take_output) and a drop, in one step.
    ///
    /// # Errors
    ///
    /// The task itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_task::TaskSet;
    ///
    /// let set = TaskSet::new();
    /// let task = set.spawn(async { 7 });
    /// let task = task.into_output().unwrap_err();
    /// set.run_batch();
    /// assert_eq!(task.into_output().unwrap(), 7);
    /// ```
    #[inline]
    pub fn into_output(self) -> Result<T, Task<T>> {
        self.handle.into_output().map_err(Task::new)
    }
}

impl<T: 'static> Task<T> {
    /// Turns the handle into a [`corio_future::Future`], which can be cloned if `T` can, awaited by many, and called back.
    ///
    /// Cancelling that future asks the task to end. A panic of the task becomes
    /// [`FutureError::Panicked`](corio_future::FutureError::Panicked) with its message.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_task::{TaskSet, create_task};
    ///
    /// let set = TaskSet::new();
    /// let both = pollster::block_on(set.run_until(async {
    ///     let one = create_task(async { 21 }).share();
    ///     let two = one.clone();
    ///     one.await.unwrap() + two.await.unwrap()
    /// }));
    /// assert_eq!(both.unwrap(), 42);
    /// ```
    pub fn share(self) -> corio_future::Future<T> {
        let task = self.task_ref();
        let weak = task.clone();
        let (promise, future) = corio_future::promise_for(Shared(weak));
        let mut handle = self.handle;
        task.tell_at_once(move |_| match handle.take() {
            Some(Ok(value)) => drop(promise.set_result(value)),
            Some(Err(JoinError::Cancelled(cancelled))) => promise.cancel(cancelled),
            Some(Err(JoinError::Panicked(panic))) => promise.set_panic(panic),
            None => unreachable!("a task tells of its end when it is over"),
        });
        future
    }
}

/// What the future of a shared task stands for.
struct Shared(TaskRef);

impl Waitable for Shared {
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        forward::cancel(&self.0, message, By::Waiter)
    }

    fn describe(&self) -> String {
        "shared task".to_string()
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        visit(Rc::new(self.0.clone()));
    }
}

impl<U, E: Into<Box<dyn std::error::Error>>> Task<Result<U, E>> {
    /// Has the task's `Err` reported to the exception handler if nobody takes it; panics are, anyway.
    ///
    /// asyncio does this for every task ("Task exception was never retrieved"). Here an `Err` is a value like any other
    /// unless you say so.
    pub fn reported(self) -> Task<Result<U, E>> {
        self.handle.report_unclaimed();
        self
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    #[inline(always)] // As `take_ending` says.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let handle = &mut self.handle;
        if !handle.is_done() {
            handle.wait(cx.waker());
            return Poll::Pending;
        }
        if scope::heard(handle.address(), handle.is_cancelled()) {
            scope::note(Slot::Leaf(&"resume"));
            return Poll::Pending;
        }
        Poll::Ready(handle.take_ending())
    }
}

impl<T> Unpin for Task<T> {}

impl<T> Waitable for Task<T> {
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        Waitable::cancel(&self.task_ref(), message)
    }

    fn describe(&self) -> String {
        Waitable::describe(&self.task_ref())
    }

    fn is_over(&self) -> bool {
        self.done()
    }

    fn target_id(&self) -> TargetId {
        self.handle.address()
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&self.task_ref()).finish()
    }
}

/// A way on for whoever awaited a task that did not return a value.
impl JoinError {
    /// Ends the awaiter as the task ended, which is what asyncio does: cancelled, or by the same panic.
    ///
    /// # Panics
    ///
    /// With the task's own payload, if it panicked; and where there is nothing around the caller to cancel.
    pub async fn resume(self) -> std::convert::Infallible {
        match self {
            JoinError::Cancelled(cancelled) => Cancelled::resume(cancelled).await,
            JoinError::Panicked(panic) => Panic::resume_unwind(panic),
        }
    }
}
