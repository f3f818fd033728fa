//! The task's cell: the one place of unsafe code in this crate.
//!
//! One block of memory, of a slab or of its own (`cache`), holds a header, then the coroutine, or what is left of it:
//!
//! ```text
//! { next, vtable | core | slot | extra | shared, local, views, id, state, kept, lost | location | coroutine ∪ ... }
//! ```
//!
//! # Who holds a cell
//!
//! | holder | counted in | dies on |
//! |---|---|---|
//! | the set's registry, while the task is unfinished | nothing: `DONE` is not set | the owner's thread |
//! | the `Task` handle | the flag `HANDLE` | the owner's thread |
//! | each `TaskRef` | `views` | the owner's thread |
//! | an entry of the ready queue, when the task is over | `views`, and the flag `QUEUE_VIEW` | the owner's thread |
//! | each `Waker` | `local` or the shared word, whichever thread it is on | any thread |
//! | each waker kept where it never leaves the owner's thread | `kept` | the owner's thread |
//! | an entry of the inbox | the mark `QUEUED` of the shared word | the owner's thread |
//!
//! The reference count is *biased*: the owner counts in a plain integer, everybody else in an atomic one; either may be
//! negative, and only their sum means anything. An unfinished task needs no count at all, for its set owns it. When a
//! task ends and wakers of it exist, the owner adds its count to the atomic one (*merges* it), and from then on every
//! reference is atomic, so that the last one can free the memory on whatever thread it dies. `Task` and `TaskRef` never
//! touch an atomic; together they are worth one reference of the merged count. Coroutine, output and extra data die on
//! the owner's thread always; a foreign last drop frees bare memory. The scheme is PEP 703's, with the set's registry in
//! the place of its "queued for merge".
//!
//! A waker that a leaf of ours *keeps* on the owner's thread has a table of its own and is counted apart, so that the set
//! can tell whether anybody else could wake the task: [`TaskPtr::may_be_woken`]. One that dies while the set does
//! not run cannot prove that it is on the owner's thread: it is taken off the shared word, and `lost` says that it was.
//! A set that sleeps because somebody else could, *watches* the task: a bit of the shared word has whoever drops a waker ring,
//! so that the set need not wake up to see whether that is still there.
//!
//! How a task ends is in `end`.

#![allow(unsafe_code)]

mod cell;
mod cache;
mod begin;
mod end;
pub(crate) mod current;
mod reference;
mod registry;
mod seats;
mod segment;
mod slab;
mod state;
mod waker;
mod word;

pub(crate) use cache::Cache;
pub use reference::TaskRef;
pub(crate) use reference::{
    Handle, RemoteTask, current_has_attention, current_root, current_root_if_any, is_current_root, note_in_current,
    note_leaf_in_current, note_target_in_current, requests_of_current,
};
pub(crate) use registry::Registry;
pub(crate) use seats::Seat;
pub use seats::{Audience, Seats};
pub use segment::ask_for_huge_pages;
pub(crate) use waker::{keep, will_wake};

use crate::node::{Node, Slot};
use crate::set::Core;
use crate::sync::{AtomicU16, Ordering};
use crate::waits::Waits;
use cache::Class;
use cell::allocate;
use corio_seam::{Cancelled, Description, Panic, TargetId, leave_context, swap_context};
use state::{ATTENTION, CANCELLED, CONTEXT, DONE, RUNNING, SCHEDULED, SharedWord, State};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::ptr::NonNull;
use std::rc::Rc;
use word::{Extra, ExtraWord, SlotWord};

/// The untyped front of every cell. Fields without a note are touched by the owner's thread only.
#[repr(C)]
struct Header {
    /// The link of the ready queue, and the table: a [`VTable`], of which the queue knows the front.
    node: corio_seam::Header,
    /// The set, kept alive as the module's page says of `live`. Never written; read by any thread.
    core: NonNull<Core>,
    /// Who is told of the end: nothing, a task of ours that waits (tagged), or a box of listeners.
    slot: SlotWord,
    /// What it waits for, in place, or a box with the root scope and the name.
    extra: ExtraWord,
    /// The atomic part of the count. Touched by any thread.
    shared: SharedWord,
    /// The plain part of the count: wakers made minus wakers dropped on the owner's thread, until the merge.
    local: Cell<i32>,
    /// How many `TaskRef`s exist.
    views: Cell<u32>,
    /// The lower part of the number of the task in its set.
    id_lower: u32,
    /// The upper part.
    id_upper: u16,
    state: State,
    /// How many wakers are kept on the owner's thread, until the merge; as many as fit, the others are plain ones.
    kept: Cell<u16>,
    /// How many of those were dropped where that could not be proved. Touched by any thread, before the shared word.
    lost: AtomicU16,
    /// Where it was made. Never written.
    location: &'static Location<'static>,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Header>() <= 72);

/// What can be done with a cell whose coroutine is of one type.
#[repr(C)]
struct VTable {
    /// Step and discard, as the ready queue calls them. First: the queue sees only this part.
    node: corio_seam::VTable,
    /// Drops whatever the cell holds, which `state` names.
    drop_content: unsafe fn(TaskPtr),
    /// How many bytes behind the cell's address its content lies: the output, when there is one.
    content: usize,
    /// Puts a panic in the place of what was dropped.
    put_panic: unsafe fn(TaskPtr, Panic),
    /// Takes the panic.
    take_panic: unsafe fn(TaskPtr) -> Panic,
    /// The layout of the memory, which the content has left already when it is freed.
    class: Class,
}

/// What a poll came to.
enum Step {
    Pending,
    /// The output is in the cell.
    Ready,
    /// The coroutine panicked; it is dropped.
    Panicked(Panic),
}

/// A pointer to a live cell.
///
/// This module's rule: a `TaskPtr` is used only while one of the holders in the module's table exists, and, but for the
/// shared word and the never-written fields, only on the owner's thread. It is made by `allocate` with provenance over
/// the whole cell, and copied from there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskPtr(NonNull<Header>);

/// How a step, and perhaps the task, ended.
enum Ended {
    Pending,
    Output,
    Panicked(Panic),
    Cancelled(Cancelled),
}

impl TaskPtr {
    #[inline]
    fn header(&self) -> &Header {
        // SAFETY:
        // * the cell is alive: the type's rule. All that changes in a header is a `Cell` or an atomic.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    fn vtable(&self) -> &'static VTable {
        let vtable = self.header().node.vtable().cast::<VTable>();
        // SAFETY:
        // * `allocate` made the pointer from a `&'static VTable`.
        unsafe { vtable.as_ref() }
    }

    #[inline]
    fn core(&self) -> &Core {
        // SAFETY:
        // * a cell keeps its set's memory, as the module's page says.
        unsafe { self.header().core.as_ref() }
    }

    /// Returns where the set's tasks keep what they wait for.
    #[inline]
    fn waits(&self) -> &Waits {
        &self.core().waits
    }

    fn target_id(self) -> TargetId {
        TargetId::of(self.0.as_ptr())
    }

    /// Puts the task into the ready queue, unless it is there, runs right now, or is over.
    #[inline]
    fn schedule(self) {
        if self.set_scheduled() {
            self.enqueue();
        }
    }

    /// As [`schedule`](Self::schedule), where the set runs on this thread now: nobody is parked for it.
    #[inline]
    fn schedule_here(self) {
        if self.set_scheduled() {
            self.core().enqueue_here(self.entry());
        }
    }

    /// Notes that a step is wanted; tells whether the task must be put into the ready queue for it.
    #[inline]
    fn set_scheduled(self) -> bool {
        let state = &self.header().state;
        if state.has(SCHEDULED.with(DONE)) {
            return false;
        }
        state.set(SCHEDULED);
        !state.has(RUNNING)
    }

    #[inline]
    fn enqueue(self) {
        self.core().enqueue(self.entry());
    }

    /// Lends the ready queue a reference to a task that is SCHEDULED, or over with a seat to call, and stands in no queue.
    #[inline]
    fn entry(self) -> corio_seam::Node {
        // SAFETY:
        // * the cell starts with the queue's header, and the pointer has provenance over all of it;
        // * the registry owns an unfinished task, and the end of a queued one leaves a view to the entry;
        // * neither SCHEDULED nor QUEUE_VIEW was set until now, so the task stands in no queue.
        unsafe { corio_seam::Node::from_raw(self.0.cast()) }
    }

    /// Calls the seat of a task that is over, if there is one.
    fn step_after_end(self) {
        if let Some(seat) = self.header().slot.take_seat() {
            seat.call();
        }
        self.leave_queue();
    }

    /// Makes one step, as the ready queue asks for it; `poll` polls the coroutine. A part of the table's function, so that
    /// a usual step takes one call.
    #[inline(always)]
    fn step(self, poll: impl FnOnce() -> Step) {
        let state = &self.header().state;
        if !state.has(DONE.with(ATTENTION).with(CONTEXT)) {
            self.start_running();
        } else if !self.begin_step() {
            return;
        }
        self.header().extra.forget_waiting(self.waits());
        match poll() {
            Step::Pending if !state.has(ATTENTION.with(CONTEXT)) => {
                current::set_task(None);
                self.pause();
            }
            Step::Ready if !state.has(ATTENTION) => self.leave_with_output(),
            step => self.end_step(step),
        }
    }

    /// Makes this task the current one. A batch is run outside any task, and a step never unwinds: no guard is needed.
    #[inline]
    fn start_running(self) {
        self.header().state.change(SCHEDULED, RUNNING);
        current::set_task(Some(self));
    }

    /// Begins a step of a task that is over, has a context, or has something for its root scope to look at. Tells whether
    /// it is to be polled: else nothing is left to do.
    #[inline(never)]
    fn begin_step(self) -> bool {
        if self.header().state.has(DONE) {
            self.step_after_end();
            return false;
        }
        self.start_running();
        swap_context(self.context_if_any());
        let cancelled = if self.header().state.has(ATTENTION) { self.root().begin_poll() } else { None };
        let Some(cancelled) = cancelled else { return true };
        let ended = self.unwind(cancelled);
        self.leave_step(ended);
        false
    }

    /// Ends a step that came to more than that the task waits. The context of one that ends is the current one still.
    #[inline(never)]
    fn end_step(self, step: Step) {
        let ended = match step {
            Step::Pending => match self.end_poll() {
                Some(cancelled) => self.unwind(cancelled),
                None => Ended::Pending,
            },
            Step::Ready => match self.root().last_word() {
                Some(cancelled) => self.unwind(cancelled),
                None => Ended::Output,
            },
            Step::Panicked(panic) => Ended::Panicked(panic),
        };
        self.leave_step(ended);
    }

    /// Ends a step, and perhaps the task, which leaves its context then.
    fn leave_step(self, ended: Ended) {
        if let Ended::Output = ended {
            return self.leave_with_output();
        }
        current::set_task(None);
        if let Ended::Pending = ended {
            return self.pause();
        }
        self.finish(|task| task.keep_ending(ended));
        leave_context();
    }

    /// Ends a step, and the task, of which the output is there.
    #[inline(never)]
    fn leave_with_output(self) {
        current::set_task(None);
        self.finish(|_| ());
        leave_context();
    }

    /// Ends a poll that is pending, of a task with a context, or with something for its root: the root keeps the context,
    /// unless the task is to end.
    fn end_poll(self) -> Option<Cancelled> {
        let cancelled = if self.header().state.has(ATTENTION) { self.root().end_poll() } else { None };
        if cancelled.is_none() {
            leave_context();
        }
        cancelled
    }

    /// Drops whatever the cell holds: the task is cancelled, unless that panics.
    fn unwind(self, cancelled: Cancelled) -> Ended {
        match self.drop_content() {
            Ok(()) => Ended::Cancelled(cancelled),
            Err(panic) => Ended::Panicked(panic),
        }
    }

    /// Drops whatever the cell holds, and catches the panic of a destructor.
    fn drop_content(self) -> Result<(), Panic> {
        // SAFETY:
        // * the owner's thread; `state` names what is there, and is cleared before the drop.
        let dropped = catch_unwind(AssertUnwindSafe(|| unsafe { (self.vtable().drop_content)(self) }));
        dropped.map_err(Panic::new)
    }

    /// Returns where the output lies, when there is one.
    #[inline]
    fn output(self) -> NonNull<()> {
        // SAFETY:
        // * the content lies in the cell, so far behind its front, and the pointer has provenance over all of it.
        unsafe { self.0.cast::<()>().byte_add(self.vtable().content) }
    }

    /// Ends a step after which the task waits.
    #[inline]
    fn pause(self) {
        let state = &self.header().state;
        state.clear(RUNNING);
        if state.has(SCHEDULED) {
            self.core().enqueue_here(self.entry()); // Woken by its own step.
        }
    }

    /// Tells whether the unfinished task can be woken by anything but code that runs on the owner's thread, or that is not
    /// known: a waker that is not kept exists, or it waits for nothing that was noted.
    ///
    /// The count is read with Acquire: what the last holder of a waker did before it let go is then seen, and so is the
    /// inbox's entry, if it woke.
    fn may_be_woken(self) -> bool {
        self.has_hope(SharedWord::count)
    }

    /// As [`may_be_woken`](TaskPtr::may_be_woken), and if it is true, the set's bell rings should a waker be dropped elsewhere.
    ///
    /// What else there is goes by what the owner's thread does alone.
    fn watch(self) -> bool {
        self.may_be_woken() && self.has_hope(SharedWord::watch)
    }

    fn has_hope(self, count: impl FnOnce(&SharedWord) -> i32) -> bool {
        let header = self.header();
        let others = count(&header.shared) + header.local.get() + i32::from(header.lost.load(Ordering::Relaxed));
        others != 0 || header.state.has(SCHEDULED) || !self.has_noted()
    }

    /// Tells whether something is noted that the task, or a scope inside it, waits for.
    fn has_noted(self) -> bool {
        match self.root_if_any() {
            Some(root) => root.has_noted(),
            None => !self.header().extra.is_empty(),
        }
    }

    fn view(self) -> TaskRef {
        let views = &self.header().views;
        views.set(views.get().checked_add(1).expect("four billion references to one task"));
        TaskRef::from_ptr(self)
    }

    #[inline]
    fn drop_view(self) {
        let views = &self.header().views;
        views.set(views.get() - 1);
        self.settle_held();
    }

    /// Returns the root scope, made now if there was none; it takes over what the task waits for.
    fn root(self) -> Rc<Node> {
        let extra = &self.header().extra;
        if let Some(root) = extra.root() {
            return root;
        }
        let slot = match extra.take() {
            Extra::Leaf(name) => Slot::Leaf(name),
            Extra::Task(task) => Slot::Task(TaskRef::from_ptr(task)),
            Extra::Target(target) => Slot::Target(target.into_rc()),
            Extra::Place(place) => self.waits().take(place),
            Extra::Nothing | Extra::Root(_) => Slot::Empty,
        };
        let owner = if self.header().state.has(DONE) { None } else { Some(self.view()) };
        let root = Node::root(owner, slot);
        extra.put(Extra::Root(Rc::clone(&root)));
        root
    }

    fn root_if_any(self) -> Option<Rc<Node>> {
        self.header().extra.root()
    }

    fn number(self) -> u64 {
        let header = self.header();
        u64::from(header.id_upper) << 32 | u64::from(header.id_lower)
    }

    fn name(self) -> String {
        let name = self.root_if_any().and_then(|root| root.name());
        name.map_or_else(|| format!("Task-{}", self.number()), |name| name.to_string())
    }

    fn describe(self) -> String {
        let header = self.header();
        let what = if !header.state.has(DONE) {
            "pending"
        } else if header.state.has(CANCELLED) {
            "cancelled"
        } else {
            "finished"
        };
        format!("task {:?} {what}, made at {}", self.name(), header.location)
    }
}

/// Gives an entry of the ready queue up: its set is closing.
///
/// # Safety
///
/// * As for `TaskCell::run`.
unsafe fn discard(node: NonNull<corio_seam::Header>) {
    let task = TaskPtr(node.cast());
    if task.header().state.has(DONE) {
        if let Some(seat) = task.header().slot.take_seat() {
            seat.discard();
        }
        task.leave_queue();
    } else {
        task.header().state.clear(SCHEDULED);
    }
}

/// Says which task an entry of the ready queue is.
///
/// # Safety
///
/// * `node` is a cell that the queue holds, as [`TaskPtr::enqueue`] lent it.
unsafe fn describe(node: NonNull<corio_seam::Header>) -> Description {
    let task = TaskPtr(node.cast());
    let whose =
        if task.header().slot.is_seat() && task.header().state.has(DONE) { "done callback of task" } else { "task" };
    Description { what: format!("{whose} {:?}", task.name()), location: Some(task.header().location) }
}
