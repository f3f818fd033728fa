//! How a task ends: who is told, what becomes of its output, and when its cell goes.
//!
//! [`TaskPtr::finish`] sets `DONE` and `ENDING`, unregisters, tells everybody in the slot, drops the output if no handle
//! is left, clears `ENDING`, and *settles*: frees, keeps, or merges. While `ENDING` is set, a dying handle or view only
//! clears its mark: whatever ends a task holds its cell until its callbacks have been handed on.
//!
//! If nobody is in the slot but a [seat](super::Seats), the task goes to the ready queue once more, as the entry that calls it;
//! unless its audience, asked there and then, has no use for that.

use super::state::{
    ATTENTION, CANCELLED, DONE, ENDING, HANDLE, Left, MERGED, OUTPUT, PANIC, QUEUE_VIEW, RUNNING, SCHEDULED,
};
use super::word::Listening;
use super::{Ended, TaskPtr, current, waker};
use corio_seam::{Cancelled, Panic, Report, enter_context, report};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

impl TaskPtr {
    /// Ends the task: has `keep` note how, if there is no output, tells everybody, and gives the registry's hold of it up.
    #[inline]
    pub(super) fn finish(self, keep: impl FnOnce(TaskPtr)) {
        let header = self.header();
        let queued = header.state.has(SCHEDULED) && !header.state.has(RUNNING);
        header.state.change(SCHEDULED.with(RUNNING).with(ATTENTION), DONE.with(ENDING));
        if queued {
            self.hold_for_queue();
        }
        keep(self);
        if !header.extra.is_empty() {
            self.leave_waits();
        }
        self.core().tasks.remove(self);
        if !header.slot.is_empty() {
            self.tell();
        }
        if !header.state.has(HANDLE) && header.state.has(OUTPUT.with(PANIC)) {
            self.drop_unclaimed();
        }
        header.state.clear(ENDING);
        self.settle_end();
    }

    /// Keeps how a task ended that has no output.
    #[cold]
    pub(super) fn keep_ending(self, ended: Ended) {
        let header = self.header();
        header.extra.forget_waiting(self.waits());
        match ended {
            Ended::Pending | Ended::Output => (),
            Ended::Cancelled(cancelled) => {
                header.state.set(CANCELLED);
                self.root().set_ended(cancelled);
            }
            // SAFETY:
            // * the content was dropped before.
            Ended::Panicked(panic) => unsafe { (self.vtable().put_panic)(self, panic) },
        }
    }

    /// Forgets what the ended task waited for, and takes its root out of the tree of scopes.
    #[inline(never)]
    fn leave_waits(self) {
        self.header().extra.forget_waiting(self.waits());
        if let Some(root) = self.root_if_any() {
            root.detach();
        }
    }

    /// Tells everybody in the slot, in the order in which they asked.
    fn tell(self) {
        let slot = &self.header().slot;
        if slot.is_seat() && self.core().is_open() {
            self.tell_seat();
        } else if let Some(waiter) = slot.take_task() {
            waker::kept(waiter).wake();
        } else {
            self.tell_others();
        }
    }

    /// As [`tell`](Self::tell), if that is not a seat alone, or a task, or if the set is closing.
    #[inline(never)]
    fn tell_others(self) {
        let slot = &self.header().slot;
        match slot.take() {
            Listening::Nobody => (),
            Listening::Task(waiter) => waker::kept(waiter).wake(),
            Listening::Seat(seat) => seat.discard_at_end(), // The set is closing.
            Listening::Many(mut listeners) => match listeners.take_only_seat() {
                Some(seat) if self.core().is_open() => {
                    slot.put(Listening::Seat(seat)); // Others were told once, and are no more.
                    self.tell_seat();
                }
                Some(seat) => seat.discard_at_end(),
                None => listeners.tell(&self.view(), self.core()),
            },
        }
    }

    /// Announces the end to the seat in the slot, or has it called.
    #[inline]
    fn tell_seat(self) {
        let header = self.header();
        if !header.slot.announce(header.state.has(OUTPUT)) {
            self.call_soon();
        }
    }

    /// Has the seat in the slot called by an entry of the ready queue: the cell itself, which needs no step any more.
    #[inline]
    pub(super) fn call_soon(self) {
        // One that was ended while it stood in the queue has its entry there already.
        if !self.header().state.has(QUEUE_VIEW) {
            self.hold_for_queue();
            self.enqueue();
        }
    }

    /// Tells whether a task that is over may stand in the ready queue once more, and somebody comes to look.
    pub(super) fn can_be_queued_after_end(self) -> bool {
        let header = self.header();
        let is_free = header.slot.is_empty() && !header.state.has(QUEUE_VIEW.with(ENDING));
        is_free && self.core().is_open() && self.core().is_current()
    }

    /// Counts the view that a finished task's entry of the ready queue is.
    fn hold_for_queue(self) {
        let header = self.header();
        header.state.set(QUEUE_VIEW);
        header.views.set(header.views.get() + 1);
    }

    /// Drops an output that nobody can read any more; a panic is reported, and so is a panic of the drop.
    pub(super) fn drop_unclaimed(self) {
        let state = &self.header().state;
        if state.has(PANIC) {
            // SAFETY:
            // * PANIC says that it is there, and is cleared by the taking.
            let panic = unsafe { (self.vtable().take_panic)(self) };
            self.report("task exception was never retrieved", panic);
        } else if state.has(OUTPUT) {
            let reporter = self.root_if_any().and_then(|root| root.reporter());
            if let Some(reporter) = reporter {
                state.clear(OUTPUT);
                // SAFETY:
                // * `reporter` was given by the handle of this task, for its type of output;
                // * OUTPUT said that the output is there; it is moved out once.
                unsafe { reporter(self.output(), &self.describe()) };
            } else if let Err(panic) = self.drop_content() {
                self.report("exception while a task's result was dropped", panic);
            }
        }
    }

    fn report(self, message: &'static str, panic: Panic) {
        let source = self.describe();
        let told = catch_unwind(AssertUnwindSafe(|| {
            let report_it = || report(Report::new(message).with_source(source).with_panic(panic));
            enter_context(self.context_if_any(), report_it);
        }));
        if let Err(payload) = told {
            std::mem::forget(payload); // Its destructor may panic too; there is nobody left to tell.
        }
    }

    /// Returns the owner's part of the count: of the wakers made and dropped on its thread, kept or not.
    fn plain_count(self) -> i32 {
        let header = self.header();
        header.local.get() + i32::from(header.kept.get())
    }

    /// Tells whether the handle or a view exists.
    fn is_held(self) -> bool {
        let header = self.header();
        header.state.has(HANDLE) || header.views.get() > 0
    }

    /// Frees, keeps or merges: the last act of `finish`.
    #[inline(always)] // Into each of the two that finish: a usual end frees nothing yet.
    fn settle_end(self) {
        let header = self.header();
        let held = self.is_held();
        if !held && !header.extra.is_empty() {
            header.extra.clear(self.waits()); // Values of its context may go, and hold wakers of this task: so we count after.
        }
        let local = self.plain_count();
        if !header.shared.is_unreferenced(local) {
            self.merge(local, held);
        } else if !held {
            self.free_unmerged();
        }
    }

    /// Adds the owner's count, and the handle and the views as one, to the shared word: from now on any thread may free the
    /// cell.
    #[inline(never)]
    fn merge(self, local: i32, held: bool) {
        let header = self.header();
        header.state.set(MERGED);
        header.local.set(0);
        header.kept.set(0);
        if self.core().remove_live() {
            // SAFETY:
            // * the pointer came from `Arc::as_ptr`, and the cell keeps its set's memory.
            unsafe { Arc::increment_strong_count(header.core.as_ptr()) };
        }
        if header.shared.merge(local + i32::from(held)) == Left::Nobody {
            self.free_merged();
        }
    }

    /// Gives up what the handle and the views together hold, once none of them is left.
    #[inline]
    pub(super) fn settle_held(self) {
        if self.header().state.is(DONE, DONE.with(ENDING)) {
            self.settle_held_after_end();
        }
    }

    /// As [`settle_held`](Self::settle_held), of a task of which the end has been told.
    #[inline(never)]
    pub(super) fn settle_held_after_end(self) {
        let header = self.header();
        if self.is_held() {
            return;
        }
        if !header.extra.is_empty() {
            header.extra.clear(self.waits());
        }
        if !header.state.has(MERGED) {
            self.free_unmerged(); // At the end no waker existed, and only a waker makes another.
        } else {
            self.give_up_shared();
        }
    }

    /// Frees a cell that the owner alone knows.
    #[inline]
    fn free_unmerged(self) {
        let (core, class) = (self.header().core, self.vtable().class);
        let is_mere_claim = self.core().remove_live();
        // SAFETY:
        // * no holder is left, the cell was made as a block of this class, and this is the owner's thread.
        unsafe { self.core().cells.put(class, self.0.cast()) };
        if !is_mere_claim {
            // SAFETY:
            // * `close` counted once for each cell that was live, and this one gives it up here, and nowhere else.
            unsafe { Arc::decrement_strong_count(core.as_ptr()) };
        }
    }

    /// Frees a cell on whatever thread its last reference died.
    pub(super) fn free_merged(self) {
        let (core, class) = (self.header().core, self.vtable().class);
        // SAFETY:
        // * no holder is left, and what they did happened before: `SharedWord::sub` acquired;
        // * the cell was made as a block of this class, and keeps the cache until below.
        unsafe { self.core().cells.put_anywhere(class, self.0.cast()) };
        // SAFETY:
        // * the merge took one unit of the set's memory for this cell.
        unsafe { Arc::decrement_strong_count(core.as_ptr()) };
    }

    /// Gives the queue's view of a finished task up.
    #[inline]
    pub(super) fn leave_queue(self) {
        self.header().state.clear(QUEUE_VIEW);
        self.drop_view();
    }

    /// Ends an unfinished task now, by dropping its coroutine.
    pub(super) fn end(self, cancelled: Cancelled) {
        debug_assert!(!self.header().state.has(RUNNING), "a set is closed from outside its tasks");
        enter_context(self.context_if_any(), || {
            let ended = current::enter_task(self, || self.unwind(cancelled));
            self.finish(|task| task.keep_ending(ended));
        });
    }
}
