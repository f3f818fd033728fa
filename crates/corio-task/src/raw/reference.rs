//! The safe faces of a cell: the handle, the view, and the entry of the inbox.

use super::state::{ATTENTION, CANCELLED, DONE, Drained, ENDING, HANDLE, OUTPUT, PANIC, RUNNING};
use super::{Extra, Seats, TaskPtr, allocate, current};
use crate::error::JoinError;
use crate::listeners::Listeners;
use crate::node::{Node, Slot};
use crate::options::TaskOptions;
use crate::scope;
use crate::set::Core;
use corio_seam::{Cancelled, Context, TargetId, ThinTarget};
use std::marker::PhantomData;
use std::panic::Location;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

/// A task without its result: to name it, watch it, or cancel it. Many may exist; none keeps the task from ending.
///
/// It is what [`current_task`](crate::current_task) and [`all_tasks`](crate::all_tasks) give. asyncio has one type,
/// `Task`, for this and for the handle.
pub struct TaskRef(TaskPtr);

impl TaskRef {
    /// Takes over a view that is counted already.
    pub(super) fn from_ptr(task: TaskPtr) -> TaskRef {
        TaskRef(task)
    }

    /// Returns the task being polled on this thread.
    pub(crate) fn current() -> Option<TaskRef> {
        current::task().map(TaskPtr::view)
    }

    pub(crate) fn is_same(&self, other: &TaskRef) -> bool {
        self.0 == other.0
    }

    pub(crate) fn address(&self) -> TargetId {
        self.0.target_id()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.0.header().state.has(DONE)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.header().state.has(CANCELLED)
    }

    pub(crate) fn is_panicked(&self) -> bool {
        self.0.header().state.has(PANIC)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.0.header().state.has(RUNNING)
    }

    pub(crate) fn number(&self) -> u64 {
        self.0.number()
    }

    pub(crate) fn place(&self) -> &'static Location<'static> {
        self.0.header().location
    }

    pub(crate) fn current_name(&self) -> String {
        self.0.name()
    }

    pub(crate) fn describe_all(&self) -> String {
        self.0.describe()
    }

    pub(crate) fn core(&self) -> &Core {
        self.0.core()
    }

    /// Returns the root scope, made now if there was none.
    pub(crate) fn root(&self) -> Rc<Node> {
        self.0.root()
    }

    pub(crate) fn root_if_any(&self) -> Option<Rc<Node>> {
        self.0.root_if_any()
    }

    /// Makes the next step look at the root scope.
    pub(crate) fn set_attention(&self) {
        self.0.header().state.set(ATTENTION);
    }

    pub(crate) fn clear_attention(&self) {
        self.0.header().state.clear(ATTENTION);
    }

    /// Schedules a step.
    pub(crate) fn wake(&self) {
        self.0.schedule();
    }

    /// Ends an unfinished task now, by dropping its coroutine; its set is closing, or its main future is given up.
    pub(crate) fn end(&self, cancelled: Cancelled) {
        if !self.is_done() {
            assert!(
                !self.0.header().state.has(RUNNING),
                "a task set cannot be closed by a task of its own while that runs"
            );
            self.0.end(cancelled);
        }
    }

    /// Returns what the task waits for.
    pub(crate) fn slot(&self) -> Slot {
        let extra = &self.0.header().extra;
        if let Some(root) = extra.root() {
            return root.slot();
        }
        let held = extra.take();
        let slot = match &held {
            Extra::Leaf(name) => Slot::Leaf(name),
            Extra::Task(task) => Slot::Task(task.view()),
            Extra::Target(target) => Slot::Target(target.clone().into_rc()),
            Extra::Place(place) => self.0.waits().get(*place),
            Extra::Nothing | Extra::Root(_) => Slot::Empty,
        };
        extra.put(held);
        slot
    }

    /// Returns the context in which the task is polled, made now if there was none.
    pub(crate) fn own_context(&self) -> Context {
        self.0.context()
    }

    /// Returns the context of the task, which is `made` if there was none.
    pub(crate) fn own_context_or(&self, made: Context) -> Context {
        self.0.context_or(made)
    }

    /// Returns what the task, and each scope inside it, waits for.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        match self.root_if_any() {
            Some(root) => root.slots(),
            None => Vec::from_iter(Some(self.slot()).filter(|slot| !matches!(slot, Slot::Empty))),
        }
    }

    /// Calls `f` with the list of those who are told of the end. `f` must not run user code.
    pub(crate) fn with_listeners<R>(&self, f: impl FnOnce(&mut Listeners) -> R) -> R {
        self.0.header().slot.with_listeners(f)
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> TaskRef {
        self.0.view()
    }
}

impl Drop for TaskRef {
    fn drop(&mut self) {
        self.0.drop_view();
    }
}

/// Notes that the task being polled waits for something, if no scope inside it does.
#[inline]
pub(crate) fn note_in_current(slot: Slot) {
    if let Some(task) = current::task() {
        task.header().extra.wait_on_slot(task.waits(), slot);
    }
}

/// As [`note_in_current`] with [`Slot::Leaf`].
#[inline]
pub(crate) fn note_leaf_in_current(name: &'static &'static str) {
    if let Some(task) = current::task() {
        task.header().extra.wait_on_leaf(task.waits(), name);
    }
}

/// As [`note_in_current`] with [`Slot::Target`].
#[inline]
pub(crate) fn note_target_in_current(target: ThinTarget) {
    if let Some(task) = current::task() {
        task.header().extra.wait_on_target(task.waits(), target);
    }
}

/// Returns the root scope of the task being polled, made now if there was none.
#[inline]
pub(crate) fn current_root() -> Option<Rc<Node>> {
    current::task().map(TaskPtr::root)
}

/// Returns the root scope of the task being polled, if it has one.
#[inline]
pub(crate) fn current_root_if_any() -> Option<Rc<Node>> {
    current::task()?.root_if_any()
}

/// Returns how many requests were aimed at the task being polled, less those taken back.
#[inline]
pub(crate) fn requests_of_current() -> usize {
    current::task().map_or(0, |task| task.header().extra.requests())
}

/// Tells whether `node` is the root scope of the task being polled.
#[inline]
pub(crate) fn is_current_root(node: &Rc<Node>) -> bool {
    current::task().is_some_and(|task| task.header().extra.is_root(node))
}

/// Tells whether the task being polled has anything for its root scope to look at.
#[inline]
pub(crate) fn current_has_attention() -> bool {
    current::task().is_some_and(|task| task.header().state.has(ATTENTION))
}

/// The one handle of a task: it owns the output.
pub(crate) struct Handle<T>(TaskPtr, PhantomData<T>);

impl<T> Handle<T> {
    /// Makes a task of `future` in the set, and begins it.
    pub(crate) fn spawn<F>(core: &Arc<Core>, future: F, location: &'static Location<'static>) -> Handle<T>
    where
        F: Future<Output = T> + 'static,
    {
        // SAFETY:
        // * neither `F` nor `T`, which is part of it, borrows.
        let handle = unsafe { Handle::make(core, future, location) };
        handle.0.begin();
        handle
    }

    /// Makes a task of `future` in the set, and begins it as `options` say.
    pub(crate) fn spawn_with<F>(
        core: &Arc<Core>,
        options: TaskOptions,
        future: F,
        location: &'static Location<'static>,
    ) -> Handle<T>
    where
        F: Future<Output = T> + 'static,
    {
        // SAFETY:
        // * neither `F` nor `T`, which is part of it, borrows.
        let handle = unsafe { Handle::make(core, future, location) };
        handle.0.begin_with(options);
        handle
    }

    /// Makes a task of `future` in the set that runs here, and begins it; gives the future back where no set does, or it
    /// is closing.
    #[inline(always)]
    pub(crate) fn spawn_here<F>(future: F, location: &'static Location<'static>) -> Result<Handle<T>, F>
    where
        F: Future<Output = T> + 'static,
    {
        let handle = Handle::make_here(future, location)?;
        handle.0.begin();
        Ok(handle)
    }

    /// As [`spawn_here`](Handle::spawn_here), and begins the task as `options` say.
    #[inline(always)]
    pub(crate) fn spawn_here_with<F>(
        options: TaskOptions,
        future: F,
        location: &'static Location<'static>,
    ) -> Result<Handle<T>, F>
    where
        F: Future<Output = T> + 'static,
    {
        let handle = Handle::make_here(future, location)?;
        handle.0.begin_with(options);
        Ok(handle)
    }

    /// Makes a task in the set that runs here. The caller begins it.
    #[inline(always)]
    fn make_here<F>(future: F, location: &'static Location<'static>) -> Result<Handle<T>, F>
    where
        F: Future<Output = T> + 'static,
    {
        let here = NonNull::new(current::core_address().cast_mut());
        let Some(core) = here.filter(|_| current::with_core(Core::is_open) == Some(true)) else { return Err(future) };
        // SAFETY:
        // * `enter_core` had the address from `Arc::as_ptr`, and is still on this thread's stack;
        // * neither `F` nor `T`, which is part of it, borrows.
        Ok(Handle(unsafe { allocate(core, future, location) }, PhantomData))
    }

    /// Makes a task of a future that may borrow. The caller begins it.
    ///
    /// # Safety
    ///
    /// * The caller ends the task and takes or drops its output before the loan ends.
    unsafe fn make<F>(core: &Arc<Core>, future: F, location: &'static Location<'static>) -> Handle<T>
    where
        F: Future<Output = T>,
    {
        let core = NonNull::new(Arc::as_ptr(core).cast_mut()).expect("an `Arc` is never null");
        // SAFETY:
        // * a `Core` is `!Send`: this is its thread;
        // * the caller's own promise.
        Handle(unsafe { allocate(core, future, location) }, PhantomData)
    }

    /// Makes a task of a future that may borrow, and calls `f` with its handle; when `f` returns, or panics, the task is
    /// ended, and what is left of its output dropped.
    pub(crate) fn with_main<F, R>(
        core: &Arc<Core>,
        options: TaskOptions,
        main: F,
        location: &'static Location<'static>,
        f: impl FnOnce(&mut Handle<T>) -> R,
    ) -> R
    where
        F: Future<Output = T>,
    {
        // SAFETY:
        // * `Main` ends the task when it goes, also by a panic, and its output goes with the handle in it: both before
        //   this returns, and no other safe face of a task reaches an output.
        let mut main = Main(unsafe { Handle::make(core, main, location) });
        main.0.0.begin_with(TaskOptions { eager: Some(false), ..options });
        f(&mut main.0)
    }

    #[inline]
    pub(crate) fn view(&self) -> TaskRef {
        self.0.view()
    }

    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.0.header().state.has(DONE)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.header().state.has(CANCELLED)
    }

    pub(crate) fn address(&self) -> TargetId {
        self.0.target_id()
    }

    /// Notes that whoever is being polled, and has `waker`, awaits this handle.
    ///
    /// # Panics
    ///
    /// If it is the task itself.
    #[inline]
    pub(crate) fn wait(&self, waker: &Waker) {
        self.0.wait(waker);
    }

    /// Has a seat called through the ready queue when the task is over, or now if it is.
    #[inline]
    pub(crate) fn take_seat(&self, seats: &Seats, index: usize) {
        if self.is_done() {
            drop(self.0.core().push(seats.take_late(index).into_node()));
        } else {
            self.0.header().slot.add_seat(seats.take(index));
        }
    }

    /// Has a seat called by the task itself, which is over, as the entry of the ready queue; false if it cannot be: its set
    /// does not run here, or its entry stands in the queue already.
    #[inline]
    pub(crate) fn take_late_seat(&self, seats: &Seats, index: usize) -> bool {
        let can = self.is_done() && self.0.can_be_queued_after_end();
        if can {
            self.0.header().slot.add_seat(seats.take_late(index));
            self.0.call_soon();
        }
        can
    }

    /// Takes a seat back; false if it was called, or is about to be.
    pub(crate) fn leave_seat(&self, seats: &Seats, index: usize) -> bool {
        let left = if self.is_done() { None } else { self.0.header().slot.remove_seat(seats, index) };
        left.inspect(|seat| seat.note_end()).is_some()
    }

    /// Lends the output of a finished task, if there is one and nobody took it.
    pub(crate) fn output(&self) -> Option<&T> {
        if !self.0.header().state.has(OUTPUT) {
            return None;
        }
        // SAFETY:
        // * OUTPUT is set: an output of type `T`, the handle's, is there, and stays while the handle is borrowed: only
        //   the handle's `take` and its end move it out, and those need the handle to themselves.
        Some(unsafe { self.0.output().cast::<T>().as_ref() })
    }

    /// Moves the output out of a finished task; `None` while it is not over.
    ///
    /// # Panics
    ///
    /// If it was taken before.
    pub(crate) fn take(&mut self) -> Option<Result<T, JoinError>> {
        if self.is_done() { Some(self.take_ending()) } else { None }
    }

    /// Moves the output out of a task that is over.
    ///
    /// Inlined into whoever awaits, with the rest out of line: the output goes through registers. As a returned `Result` it
    /// would be written word by word and copied by wider loads, which wait until the stores have left the store buffer.
    ///
    /// # Panics
    ///
    /// If it was taken before.
    #[inline]
    pub(crate) fn take_ending(&mut self) -> Result<T, JoinError> {
        let state = &self.0.header().state;
        if !state.has(OUTPUT) {
            return Err(self.0.take_failure());
        }
        state.clear(OUTPUT);
        // SAFETY:
        // * OUTPUT was set: an output of type `T`, the handle's, is there, once.
        Ok(unsafe { self.0.output().cast::<T>().read() })
    }
}

impl TaskPtr {
    /// Says why a task that is over has no output.
    ///
    /// # Panics
    ///
    /// If that, or the output, was taken before.
    #[cold]
    fn take_failure(self) -> JoinError {
        let state = &self.header().state;
        if state.has(PANIC) {
            // SAFETY:
            // * PANIC is set.
            return JoinError::Panicked(unsafe { (self.vtable().take_panic)(self) });
        }
        assert!(state.has(CANCELLED), "a task's result was asked for after it had been taken");
        JoinError::Cancelled(self.root_if_any().and_then(|root| root.ended()).unwrap_or_default())
    }

    /// Notes that whoever is being polled, and has `waker`, awaits the handle of this task.
    ///
    /// # Panics
    ///
    /// If it is the task itself.
    #[inline(never)]
    fn wait(self, waker: &Waker) {
        assert!(current::task() != Some(self), "a task awaits itself, which would never end");
        self.header().slot.set_waker(waker);
        if current::with_scope(|scope| scope.is_some()) {
            scope::note(Slot::Task(self.view()));
        } else if let Some(task) = current::task() {
            task.header().extra.wait_on_task(task.waits(), self);
        }
    }
}

impl<T> Handle<T> {
    /// Moves the output out of a finished task, and gives the handle up with it; or gives it back, if there is no output.
    #[inline]
    pub(crate) fn into_output(self) -> Result<T, Handle<T>> {
        let state = &self.0.header().state;
        if !state.has(OUTPUT) {
            return Err(self);
        }
        let task = std::mem::ManuallyDrop::new(self).0;
        task.header().state.clear(OUTPUT.with(HANDLE));
        // SAFETY:
        // * OUTPUT was set: an output of type `T`, the handle's, is there, once.
        let output = unsafe { task.output().cast::<T>().read() };
        // The slot was emptied when the end was told, but for a seat that is to be called. An end that is being told is
        // settled by `finish`.
        task.settle_held();
        Ok(output)
    }
}

impl<U, E: Into<Box<dyn std::error::Error>>> Handle<Result<U, E>> {
    /// Has an `Err` that nobody takes reported.
    pub(crate) fn report_unclaimed(&self) {
        self.0.root().set_reporter(report_unclaimed::<U, E>);
    }
}

/// Reports the error in an output that nobody took.
///
/// # Safety
///
/// * `output` points to a `Result<U, E>` that the caller gives away.
unsafe fn report_unclaimed<U, E: Into<Box<dyn std::error::Error>>>(output: NonNull<()>, source: &str) {
    // SAFETY:
    // * the caller's own promise.
    let output = unsafe { output.cast::<Result<U, E>>().read() };
    crate::report::unclaimed(output, source);
}

impl<T> Drop for Handle<T> {
    #[inline]
    fn drop(&mut self) {
        let state = &self.0.header().state;
        if state.is(DONE, DONE.with(ENDING).with(OUTPUT).with(PANIC)) {
            state.clear(HANDLE); // It was awaited: the usual case.
            self.0.settle_held_after_end();
        } else {
            self.0.drop_handle();
        }
    }
}

impl TaskPtr {
    /// Gives up the handle of a task that goes on, or is just ending, or whose output or panic nobody took.
    #[inline(never)]
    fn drop_handle(self) {
        let header = self.header();
        if !header.state.has(DONE) {
            header.slot.drop_waker(); // At the end nobody is left there who could be one.
        }
        if !header.state.has(DONE) || header.state.has(ENDING) {
            header.state.clear(HANDLE); // `finish` sees to the output.
            return;
        }
        let held = self.view(); // A destructor may drop the last of the others.
        header.state.clear(HANDLE);
        self.drop_unclaimed();
        drop(held);
    }
}

/// A main task: ended when it goes.
struct Main<T>(Handle<T>);

impl<T> Drop for Main<T> {
    fn drop(&mut self) {
        let task = self.0.view();
        if !task.is_done() {
            task.end(Cancelled::new());
        }
    }
}

/// A task on its way through the inbox: the reference that the mark QUEUED stands for.
pub(crate) struct RemoteTask(TaskPtr);

// SAFETY:
// * On a foreign thread an entry is only moved, and dropped if the inbox refuses it: that touches the shared word and,
//   if it was the last reference, frees bare memory, which any thread may.
unsafe impl Send for RemoteTask {}

impl RemoteTask {
    /// Takes over the mark that the caller set.
    pub(super) fn new(task: TaskPtr) -> RemoteTask {
        RemoteTask(task)
    }

    /// Schedules the task, on the owner's thread.
    pub(crate) fn deliver(self) {
        let task = self.0;
        std::mem::forget(self);
        match task.header().shared.drained() {
            Drained::Schedule => task.schedule(),
            Drained::Nothing => (),
            Drained::Free => task.free_merged(),
        }
    }
}

impl Drop for RemoteTask {
    /// Takes the mark back: the inbox is closed.
    fn drop(&mut self) {
        if self.0.header().shared.drained() == Drained::Free {
            self.0.free_merged();
        }
    }
}
