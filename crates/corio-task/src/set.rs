//! The set of tasks of one thread: ready queue, inbox, registry, and their end.

use crate::branch::Places;
use crate::forward::Forwarding;
use crate::inbox::{Bell, Call, Entry, Inbox};
use crate::options::TaskOptions;
use crate::raw::{Cache, Handle, Registry, TaskRef, current};
use crate::seam::TASKS;
use crate::spare::Spare;
use crate::sync::{Ordering, fence};
use crate::task::{LARGE_FUTURE, Task};
use crate::waits::Waits;
use corio_seam::{Cancelled, LoopId, Node, ReadyQueue, Remote, Report, Timer, outside_context};
use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

/// Who hears of errors that nobody looks at.
pub(crate) type Handler = Rc<dyn Fn(Report)>;

/// How far a set has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Its tasks are being ended: nothing new is taken.
    Closing,
    Closed,
}

/// What the tasks of a set share. Its memory outlives the set as long as a waker or a handle of a task exists; by then
/// it holds nothing, so that it may be freed on any thread.
pub(crate) struct Core {
    ready: ReadyQueue,
    pub(crate) tasks: Registry,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) forwarding: Forwarding,
    pub(crate) waits: Waits,
    /// Empty once the set is closed.
    pub(crate) spare_nodes: Spare<crate::node::Node>,
    /// Likewise.
    pub(crate) spare_places: Spare<Places>,
    /// The memory of tasks. Once the set is closed, that of those which a handle or a waker keeps.
    pub(crate) cells: Cache,
    /// How many cells exist whose counts are not merged: each will ask for the set's memory without having counted.
    live: Cell<usize>,
    numbers: Cell<u64>,
    phase: Cell<Phase>,
    /// A batch is being run.
    running: Cell<bool>,
    /// Tasks make their first step at once, unless they were told otherwise.
    eager: Cell<bool>,
    timer: RefCell<Option<Rc<dyn Timer>>>,
    locals: RefCell<Vec<(TypeId, Rc<dyn Any>)>>,
    handler: RefCell<Option<Handler>>,
    /// The list that is swapped with the inbox's, kept for its room.
    drained: RefCell<Vec<Entry>>,
}

impl Core {
    fn new(timer: Option<Rc<dyn Timer>>) -> Core {
        Core {
            ready: ReadyQueue::new(),
            tasks: Registry::default(),
            inbox: Arc::new(Inbox::new()),
            forwarding: Forwarding::default(),
            waits: Waits::default(),
            spare_nodes: Spare::default(),
            spare_places: Spare::default(),
            cells: Cache::new(),
            live: Cell::new(0),
            numbers: Cell::new(0),
            phase: Cell::new(Phase::Open),
            running: Cell::new(false),
            eager: Cell::new(false),
            timer: RefCell::new(timer),
            locals: RefCell::default(),
            handler: RefCell::default(),
            drained: RefCell::default(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.phase.get() == Phase::Open
    }

    /// Tells whether tasks are to make their first step at once if nothing else is said.
    #[inline]
    pub(crate) fn is_eager(&self) -> bool {
        self.eager.get()
    }

    /// Tells whether what calls is run by a batch of this set: only then can a task start at once.
    #[inline]
    pub(crate) fn runs_the_caller(&self) -> bool {
        self.running.get() && self.is_current()
    }

    /// Tells whether this is the set that runs on this thread now.
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        std::ptr::eq(current::core_address(), self)
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    /// Appends a task of this set to the ready queue; if the set does not run now, whoever parks for it is told.
    #[inline]
    pub(crate) fn enqueue(&self, node: Node) {
        self.ready.push(node);
        if !self.is_current() {
            self.inbox.kick();
        }
    }

    /// Appends a task of this set, which runs on this thread now, to the ready queue.
    #[inline]
    pub(crate) fn enqueue_here(&self, node: Node) {
        debug_assert!(self.is_current(), "somebody may be parked for this set");
        self.ready.push(node);
    }

    /// Appends an entry to the ready queue, unless the set is closing.
    #[inline]
    pub(crate) fn push(&self, node: Node) -> Result<(), Node> {
        if !self.is_open() {
            return Err(node);
        }
        self.enqueue(node);
        Ok(())
    }

    pub(crate) fn timer(&self) -> Option<Rc<dyn Timer>> {
        self.timer.borrow().clone()
    }

    /// Returns the set's value for `key`; `init` is user code, and runs under no borrow.
    pub(crate) fn local(&self, key: TypeId, init: &mut dyn FnMut() -> Rc<dyn Any>) -> Option<Rc<dyn Any>> {
        let find = || self.locals.borrow().iter().find(|(at, _)| *at == key).map(|(_, value)| Rc::clone(value));
        if let Some(value) = find() {
            return Some(value);
        }
        if !self.is_open() {
            return None;
        }
        let value = init();
        find().or_else(|| {
            self.locals.borrow_mut().push((key, Rc::clone(&value)));
            Some(value)
        })
    }

    pub(crate) fn report(&self, report: Report) -> Result<(), Report> {
        let handler = self.handler.borrow().clone();
        match handler {
            Some(handler) => {
                handler(report);
                Ok(())
            }
            None => Err(report),
        }
    }

    /// Returns the unfinished tasks, in no order that means anything.
    pub(crate) fn unfinished(&self) -> Vec<TaskRef> {
        let mut tasks = self.unfinished_as_made();
        corio_seam::permute(&mut tasks);
        tasks
    }

    /// Returns the unfinished tasks, in the order in which they were made.
    pub(crate) fn unfinished_as_made(&self) -> Vec<TaskRef> {
        self.tasks.views(&self.cells)
    }

    pub(crate) fn add_live(&self) {
        self.live.set(self.live.get() + 1);
    }

    /// Notes that one cell gives its claim on this memory up, or takes a count of it instead. Tells whether that was a mere
    /// claim: else `close` has counted for it.
    pub(crate) fn remove_live(&self) -> bool {
        let mere_claim = self.phase.get() != Phase::Closed;
        if mere_claim {
            self.live.set(self.live.get() - 1);
        }
        mere_claim
    }

    #[inline]
    fn run_batch(&self) {
        self.begin_batch();
        outside_context(|| {
            for node in self.ready.batch() {
                node.run(); // Never unwinds.
            }
        });
        self.running.set(false);
    }

    /// As `run_batch`, but `run`, which is user code and may unwind, is asked to run each entry.
    fn run_batch_with(&self, run: &mut dyn FnMut(Node)) {
        /// Says that the batch is over.
        struct Over<'c>(&'c Core);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.running.set(false);
            }
        }
        self.begin_batch();
        let _over = Over(self);
        outside_context(|| self.ready.batch().for_each(run));
    }

    #[inline]
    fn begin_batch(&self) {
        assert!(!self.running.replace(true), "a task set cannot be run by a task of its own");
    }

    #[inline]
    fn drain_inbox(&self) {
        if self.inbox.may_hold_entries() {
            self.drain_inbox_slow();
        }
    }

    #[cold]
    fn drain_inbox_slow(&self) {
        let mut entries = self.drained.take();
        self.inbox.drain(&mut entries);
        for entry in entries.drain(..) {
            match entry {
                Entry::Wake(task) => task.deliver(),
                Entry::Call(call) => drop(self.push(Node::bare(call))), // From a thread with contexts of its own.
            }
        }
        self.drained.replace(entries);
    }

    /// Ends all tasks, and drops all callbacks, until nothing is left of either.
    fn end_everything(&self) {
        loop {
            self.discard_ready();
            let mut tasks = self.tasks.views(&self.cells);
            if tasks.is_empty() && self.ready.is_empty() {
                return;
            }
            while let Some(last) = tasks.pop() {
                last.end(Cancelled::new());
                self.discard_ready();
            }
        }
    }

    fn discard_ready(&self) {
        while let Some(node) = self.ready.pop() {
            drop(node);
        }
    }

    /// Drops what belongs to the set and is not a task: user code, each shielded from the others' panics.
    fn drop_belongings(&self) {
        let locals = self.locals.take();
        for (_, value) in locals {
            shielded(|| drop(value));
        }
        let (handler, timer) = (self.handler.take(), self.timer.take());
        shielded(|| drop(timer));
        shielded(|| drop(handler));
        for entry in self.inbox.close() {
            shielded(|| drop(entry));
        }
        drop(self.drained.take());
    }
}

/// Calls `f`, and lets its panic go no further: the set must be closed to the end.
fn shielded(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        std::mem::forget(payload); // Its destructor may panic too.
    }
}

/// The tasks of one thread: what an executor runs.
///
/// A set owns its tasks, their ready queue, and the inbox by which other threads reach it. It knows how to make steps,
/// not how to wait: an executor adds that (see the crate's page), or a foreign runtime polls it as the plain future that
/// it is, through [`run_until`](TaskSet::run_until). asyncio's counterpart is the part of its event loop that has
/// `_ready` and `_run_once`.
///
/// Tasks of up to half a kilobyte lie in slabs of 32 KiB, those of a size side by side. The set keeps slabs in which no task is
/// left for new tasks, of any size, up to 16 MiB, and gives all but half a mebibyte back bit by bit, each time that it is about
/// to sleep ([`fall_asleep`](TaskSet::fall_asleep)); one task that goes on keeps its slab.
///
/// `!Send`. Dropping it closes it.
pub struct TaskSet {
    pub(crate) core: Arc<Core>,
}

impl TaskSet {
    /// Makes an empty set without timers: `sleep` and `timeout` inside it panic with a sentence.
    #[must_use]
    pub fn new() -> TaskSet {
        TaskSet::of(Core::new(None))
    }

    /// Makes an empty set whose tasks find `timer` when they sleep.
    ///
    /// See [`SleepTimer`](crate::SleepTimer) for one made of a foreign runtime's `sleep`.
    #[must_use]
    pub fn with_timer(timer: Rc<dyn Timer>) -> TaskSet {
        TaskSet::of(Core::new(Some(timer)))
    }

    #[expect(clippy::arc_with_non_send_sync, reason = "the count is shared by threads, the content is the owner's")]
    fn of(core: Core) -> TaskSet {
        TaskSet { core: Arc::new(core) }
    }

    /// Returns the identity of this set.
    #[must_use]
    pub fn id(&self) -> LoopId {
        self.core.inbox.id
    }

    /// Sets what wakes whoever parks for this set.
    pub fn set_bell(&self, bell: Arc<dyn Bell>) {
        self.core.inbox.set_bell(bell);
    }

    /// Sets who hears of errors that nobody looks at; asyncio's `loop.set_exception_handler`.
    ///
    /// Without one they are printed to standard error.
    pub fn set_report_handler(&self, handler: Option<Rc<dyn Fn(Report)>>) {
        let old = self.core.handler.replace(handler);
        drop(old);
    }

    /// Starts a task; its first step is made by the next [`run_batch`](TaskSet::run_batch).
    ///
    /// # Panics
    ///
    /// If the set is closed.
    #[track_caller]
    pub fn spawn<F: Future + 'static>(&self, future: F) -> Task<F::Output> {
        assert!(self.core.is_open(), "a task was made in a closed task set");
        if const { size_of::<F>() > LARGE_FUTURE } {
            return Task::new(Handle::spawn(&self.core, Box::pin(future), Location::caller()));
        }
        Task::new(Handle::spawn(&self.core, future, Location::caller()))
    }

    /// Starts a task as `options` say; see [`create_task_with`](crate::create_task_with).
    ///
    /// # Panics
    ///
    /// If the set is closed.
    #[track_caller]
    pub fn spawn_with<F: Future + 'static>(&self, options: TaskOptions, future: F) -> Task<F::Output> {
        assert!(self.core.is_open(), "a task was made in a closed task set");
        if const { size_of::<F>() > LARGE_FUTURE } {
            return Task::new(Handle::spawn_with(&self.core, options, Box::pin(future), Location::caller()));
        }
        Task::new(Handle::spawn_with(&self.core, options, future, Location::caller()))
    }

    /// Says whether the tasks made from now on start eagerly, unless their options say otherwise; asyncio's
    /// `set_task_factory(eager_task_factory)`. See [`create_task_with`](crate::create_task_with).
    pub fn set_eager_tasks(&self, eager: bool) {
        self.core.eager.set(eager);
    }

    /// Appends an entry to the ready queue.
    ///
    /// # Errors
    ///
    /// The entry itself if the set is closed.
    #[inline]
    pub fn push(&self, node: Node) -> Result<(), Node> {
        self.core.push(node)
    }

    /// Returns the set's door for other threads.
    #[must_use]
    pub fn remote(&self) -> RemoteSet {
        RemoteSet::of(&self.core.inbox)
    }

    /// Calls `f` with this set as the one that runs on this thread: the seam answers for it, `create_task` starts its
    /// tasks, and wakers of its tasks work without an atomic operation.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        let _seam = corio_seam::install(&TASKS);
        current::enter_core(&self.core, f)
    }

    /// Tells whether anything is ready to run.
    #[inline]
    #[must_use]
    pub fn has_ready(&self) -> bool {
        !self.core.ready.is_empty()
    }

    /// Takes over what other threads sent: woken tasks and calls become ready, in the order in which they came.
    #[inline]
    pub fn drain_inbox(&self) {
        self.core.drain_inbox();
    }

    /// Runs exactly what is ready now; what that makes ready is left for the next call. One iteration of asyncio's loop.
    ///
    /// # Panics
    ///
    /// If called by what it runs. A panic of a task or callback does not come out of here.
    #[inline]
    pub fn run_batch(&self) {
        if std::ptr::eq(current::core_address(), Arc::as_ptr(&self.core)) {
            self.core.run_batch(); // The caller has entered the set, for the whole of its run.
        } else {
            self.enter(|| self.core.run_batch());
        }
    }

    /// Runs exactly what is ready now, as [`run_batch`](TaskSet::run_batch) does, by giving each entry to `run`: a
    /// look from outside at what the set does, and how long that takes.
    ///
    /// `run` runs the entry; if it drops it instead, a callback is not called, and a task waits for its next wake-up.
    ///
    /// # Panics
    ///
    /// If called by what it runs; and if `run` panics: what it had not yet been given stays ready.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_task::TaskSet;
    ///
    /// let set = TaskSet::new();
    /// let task = set.spawn(async { 6 * 7 }).named("sum");
    /// let mut seen = Vec::new();
    /// set.run_batch_with(|entry| {
    ///     seen.push(entry.describe().what);
    ///     entry.run();
    /// });
    /// assert_eq!(seen, ["task \"sum\""]);
    /// assert!(task.done());
    /// ```
    pub fn run_batch_with(&self, mut run: impl FnMut(Node)) {
        if std::ptr::eq(current::core_address(), Arc::as_ptr(&self.core)) {
            self.core.run_batch_with(&mut run);
        } else {
            self.enter(|| self.core.run_batch_with(&mut run));
        }
    }

    /// Says that the caller is about to park: true if it may, and the bell will ring; false if there is something to do.
    #[must_use]
    pub fn fall_asleep(&self) -> bool {
        self.core.cells.trim(); // Whoever is about to sleep has time.
        !self.has_ready() && self.core.inbox.fall_asleep()
    }

    /// Tells whether a set that has fallen asleep can be woken no more: to be asked by an executor that is about to park
    /// without a limit, after [`fall_asleep`](TaskSet::fall_asleep) has said that it may.
    ///
    /// True only if each unfinished task waits for something that is known (see [`corio_seam::wait_on`]), its wakers are all
    /// kept on this thread ([`corio_seam::local_waker`]), nothing has come in since, and no more than `doors` handles for
    /// other threads exist ([`remote`](TaskSet::remote), [`corio_seam::remote`], and their clones): those that the executor
    /// answers for itself. What else the executor waits for, timers and sources, is for it to know.
    ///
    /// It costs a look at each task, if it is true; and little where the tasks that may be woken stay the same.
    #[must_use]
    pub fn is_stuck(&self, doors: usize) -> bool {
        let inbox = &self.core.inbox;
        if Arc::strong_count(inbox) > 1 + doors || self.core.tasks.any_may_be_woken(&self.core.cells) {
            return false;
        }
        fence(Ordering::Acquire); // Pairs with the Release of a handle that is dropped: what it sent before is seen now.
        !self.has_ready() && inbox.is_asleep()
    }

    /// Tells whether somebody else may wake a task of a set that has fallen asleep: as [`is_stuck`](TaskSet::is_stuck), to be
    /// asked before parking without a limit. If it is true, the bell rings as soon as it may be so no more.
    ///
    /// A waker that another thread holds may be dropped there without a sound. Of the task by which this is true, such a
    /// drop rings; then the executor is to ask again. So it need not wake up now and then to see whether it is stuck. Of
    /// handles for other threads ([`remote`](TaskSet::remote)) this knows nothing.
    ///
    /// It costs little where the tasks that may be woken stay the same, and a look at each task where there is none.
    #[must_use]
    pub fn watch(&self) -> bool {
        self.core.tasks.watch(&self.core.cells)
    }

    /// Says that the caller is not parked any more, whatever woke it.
    pub fn wake_up(&self) {
        self.core.inbox.wake_up();
    }

    /// Returns the unfinished tasks, in no order that means anything; asyncio's `all_tasks`.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskRef> {
        self.core.unfinished()
    }

    /// Returns the unfinished tasks, in the order in which they were made, also under a seed.
    #[doc(hidden)]
    #[must_use]
    pub fn tasks_as_made(&self) -> Vec<TaskRef> {
        self.core.unfinished_as_made()
    }

    /// Returns how many tasks are unfinished.
    #[must_use]
    pub fn len(&self) -> usize {
        self.core.tasks.len()
    }

    /// Tells whether no task is unfinished.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends the set: its tasks end CANCELLED by being dropped where they stand, its callbacks are dropped unrun, and
    /// other threads are refused. Does nothing the second time.
    ///
    /// Destructors and done callbacks' destructors run now; what they wake is ended too, and what they start is refused.
    ///
    /// # Panics
    ///
    /// If called by a task or a callback of the set itself.
    pub fn close(&self) {
        if !self.core.is_open() {
            return;
        }
        assert!(!self.core.running.get(), "a task set cannot be closed by a task of its own");
        self.core.phase.set(Phase::Closing);
        self.enter(|| {
            self.core.end_everything();
            self.core.drop_belongings();
        });
        self.core.spare_nodes.close();
        self.core.spare_places.close();
        self.core.phase.set(Phase::Closed);
        self.core.cells.clear();
        for _ in 0..self.core.live.replace(0) {
            // Each finished cell that a handle still holds keeps this memory from now on, and gives it up by itself.
            std::mem::forget(Arc::clone(&self.core));
        }
    }

    /// Tells whether the set is closed, or closing.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !self.core.is_open()
    }
}

impl Default for TaskSet {
    fn default() -> TaskSet {
        TaskSet::new()
    }
}

impl Drop for TaskSet {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for TaskSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskSet")
            .field("id", &self.id())
            .field("tasks", &self.len())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// A [`TaskSet`]'s door for other threads: `Send`, `Sync`, and cheap to clone.
#[derive(Clone, Debug)]
pub struct RemoteSet(Arc<Inbox>);

impl RemoteSet {
    pub(crate) fn of(inbox: &Arc<Inbox>) -> RemoteSet {
        RemoteSet(Arc::clone(inbox))
    }

    /// Calls `call` on the set's thread, as one entry of its ready queue; asyncio's `call_soon_threadsafe`.
    ///
    /// Calls of one thread keep their order. A burst of them wakes a sleeping set once.
    ///
    /// # Errors
    ///
    /// The call itself if the set is closed.
    pub fn call(&self, call: Call) -> Result<(), Call> {
        self.0.push(Entry::Call(call)).map_err(|entry| match entry {
            Entry::Call(call) => call,
            Entry::Wake(_) => unreachable!("the inbox gives back what it was given"),
        })
    }

    /// Returns the identity of the set.
    #[must_use]
    pub fn id(&self) -> LoopId {
        self.0.id
    }

    /// Tells whether the set is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl Remote for RemoteSet {
    fn call(&self, call: Call) -> Result<(), Call> {
        RemoteSet::call(self, call)
    }

    fn loop_id(&self) -> LoopId {
        self.id()
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;

    /// A set may make more tasks than a word of half the size has numbers.
    #[test]
    fn the_numbers_of_tasks_have_48_bits() {
        let set = TaskSet::new();
        for before in [0, 6, u64::from(u32::MAX) - 1, u64::from(u32::MAX), 5 << 32 | 7, (1 << 48) - 2] {
            set.core.numbers.set(before);
            let task = set.spawn(async {});
            assert_eq!((task.id().number(), task.name()), (before + 1, format!("Task-{}", before + 1)));
        }
    }
}
