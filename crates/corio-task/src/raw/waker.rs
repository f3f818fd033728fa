//! The waker of a task: one pointer, one table for all tasks.
//!
//! A waker on its owner's thread, while the owner runs, counts and schedules in plain memory; anywhere else it uses the
//! shared word and the inbox. The test is one comparison of a thread-local with the task's set. A false "no" (the owner's
//! thread between two runs) is merely slower.
//!
//! A *kept* waker has a second table. It is made by [`keep`], for a leaf that never leaves the owner's thread, and never by
//! a clone: clones of a kept waker are plain ones. So `Header::kept` says how many such leaves hold the task, exactly.

use super::state::{Left, MERGED, MOST, Wake};
use super::{Header, RemoteTask, TaskPtr, current};
use crate::sync::Ordering;
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// The one table. It is a static, not a constant, so that its address tells our wakers from others.
static WAKER: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// The table of kept wakers; also a static, to be told from the other.
static KEPT: RawWakerVTable = RawWakerVTable::new(clone, wake_kept, wake_by_ref, drop_kept);

/// Returns a waker that lives as long as a poll of `task`, and is not counted.
#[inline]
pub(super) fn borrowed(task: TaskPtr) -> ManuallyDrop<Waker> {
    ManuallyDrop::new(from_task(task))
}

/// Makes a waker of a reference that the caller has counted.
#[inline]
pub(super) fn from_task(task: TaskPtr) -> Waker {
    // SAFETY:
    // * the functions below keep `RawWaker`'s contract: they may be called from any thread.
    unsafe { Waker::from_raw(RawWaker::new(task.0.as_ptr().cast_const().cast(), &WAKER)) }
}

/// Makes a kept waker of a reference that the caller has counted as kept.
#[inline]
pub(super) fn kept(task: TaskPtr) -> Waker {
    // SAFETY:
    // * the functions below keep `RawWaker`'s contract: they may be called from any thread.
    unsafe { Waker::from_raw(RawWaker::new(task.0.as_ptr().cast_const().cast(), &KEPT)) }
}

/// Counts one more kept waker of an unfinished task of the set that runs here, for the caller to hold; false if no more can
/// be counted. A plain waker will do then: that nobody else could wake the task is not known any more, and that is all.
#[inline]
pub(super) fn add_kept(task: TaskPtr) -> bool {
    let kept = &task.header().kept;
    let more = kept.get().checked_add(1);
    kept.set(more.unwrap_or(kept.get()));
    more.is_some()
}

/// Clones a waker for a place that never leaves this thread; see [`corio_seam::local_waker`].
#[inline]
pub(crate) fn keep(waker: &Waker) -> Waker {
    match task_of(waker) {
        Some(task) if !task.header().state.has(MERGED) && add_kept(task) => kept(task),
        _ => keep_other(waker),
    }
}

/// Clones a waker that is none of the set's that runs here.
#[inline(never)]
fn keep_other(waker: &Waker) -> Waker {
    current::ask_own(|own| own.local(waker)).unwrap_or_else(|| waker.clone())
}

/// Tells whether `one`, which may be kept, wakes the same task as `other`; data and table of others' are compared.
#[inline]
pub(crate) fn will_wake(one: &Waker, other: &Waker) -> bool {
    if is_ours(other) {
        return one.data() == other.data() && is_ours(one);
    }
    one.will_wake(other) || current::ask_own(|own| own.is_local(one, other).then_some(())).is_some()
}

#[inline]
fn is_ours(waker: &Waker) -> bool {
    ptr::eq(waker.vtable(), &WAKER) || ptr::eq(waker.vtable(), &KEPT)
}

/// Returns the task that `waker` wakes, if it is one of a set that runs on this thread.
#[inline]
pub(super) fn task_of(waker: &Waker) -> Option<TaskPtr> {
    if !is_ours(waker) {
        return None;
    }
    let task = TaskPtr(NonNull::new(waker.data().cast::<Header>().cast_mut())?);
    is_owner(task).then_some(task)
}

#[inline]
fn task(data: *const ()) -> TaskPtr {
    // SAFETY:
    // * the data of our wakers is the address of a cell.
    TaskPtr(unsafe { NonNull::new_unchecked(data.cast::<Header>().cast_mut()) })
}

#[inline]
fn is_owner(task: TaskPtr) -> bool {
    ptr::eq(current::core_address(), task.header().core.as_ptr())
}

/// Tells whether this thread may count in plain memory: it is the owner's, and the counts are not merged.
#[inline]
fn counts_locally(task: TaskPtr) -> bool {
    is_owner(task) && !task.header().state.has(MERGED)
}

/// # Safety
///
/// * `data` is the address of a cell of which the caller holds a waker.
unsafe fn clone(data: *const ()) -> RawWaker {
    let task = task(data);
    if counts_locally(task) {
        let local = &task.header().local;
        if local.get() > MOST {
            std::process::abort(); // Wakers leaked in a loop.
        }
        local.set(local.get() + 1);
    } else {
        task.header().shared.add();
    }
    RawWaker::new(data, &WAKER)
}

/// # Safety
///
/// * As for [`clone`]; the caller's waker ends here.
unsafe fn wake(data: *const ()) {
    let task = task(data);
    if !is_owner(task) {
        return wake_for_good(task);
    }
    task.schedule_here();
    // SAFETY:
    // * the caller's own promise.
    unsafe { drop_waker(data) };
}

/// Sends the task through the inbox, in the place of a waker.
#[inline(never)]
fn wake_for_good(task: TaskPtr) {
    let inbox = Arc::clone(&task.core().inbox); // Kept until the ring is over: the waker is gone before.
    match task.header().shared.wake_and_sub() {
        Wake::Push => inbox.push_task(RemoteTask::new(task)),
        Wake::Nothing => (),
        Wake::Over => task.give_up_shared(),
    }
}

/// # Safety
///
/// * As for [`clone`].
unsafe fn wake_by_ref(data: *const ()) {
    let task = task(data);
    if is_owner(task) { task.schedule_here() } else { wake_from_elsewhere(task) }
}

/// Sends the task through the inbox.
#[inline(never)]
fn wake_from_elsewhere(task: TaskPtr) {
    if task.header().shared.wake() == Wake::Push {
        task.core().inbox.push_task(RemoteTask::new(task));
    }
}

/// # Safety
///
/// * As for [`clone`]; the caller's waker ends here.
unsafe fn drop_waker(data: *const ()) {
    let task = task(data);
    if counts_locally(task) {
        // Never the last: an unfinished task is its set's, and one that is over and has wakers is merged.
        let local = &task.header().local;
        local.set(local.get() - 1);
    } else {
        task.give_up_shared();
    }
}

/// # Safety
///
/// * As for [`clone`]; the caller's waker, a kept one, ends here.
unsafe fn wake_kept(data: *const ()) {
    let task = task(data);
    if counts_locally(task) {
        task.schedule_here();
        give_up_kept(task);
    } else {
        // SAFETY:
        // * the caller's own promise.
        unsafe { wake_by_ref(data) };
        lose_kept(task);
    }
}

/// # Safety
///
/// * As for [`clone`]; the caller's waker, a kept one, ends here.
unsafe fn drop_kept(data: *const ()) {
    let task = task(data);
    if counts_locally(task) { give_up_kept(task) } else { lose_kept(task) }
}

/// Counts a kept waker off. It is never the last reference, as in `drop_waker`.
#[inline]
fn give_up_kept(task: TaskPtr) {
    let kept = &task.header().kept;
    kept.set(kept.get() - 1);
}

/// Counts a kept waker off where it cannot be proved that this is the owner's thread, or the counts are merged.
#[cold]
fn lose_kept(task: TaskPtr) {
    // Before the release of the word: whoever sees the word without this waker sees that it was not counted off.
    task.header().lost.fetch_add(1, Ordering::Relaxed);
    task.give_up_shared();
}

impl TaskPtr {
    /// Gives up a reference of the shared word, and frees the cell if it was the last.
    #[inline]
    pub(super) fn give_up_shared(self) {
        // The inbox is held on its own: whatever comes after the reference is gone may be the end of the set.
        let (left, watched) = self.header().shared.sub(|| Arc::clone(&self.core().inbox));
        if left == Left::Nobody {
            self.free_merged();
        }
        if let Some(inbox) = watched {
            inbox.kick();
        }
    }
}
