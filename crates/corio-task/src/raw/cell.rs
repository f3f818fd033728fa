//! The typed part of a cell: what depends on the type of the coroutine.

use super::cache::Class;
use super::state::{FUTURE, HANDLE, OUTPUT, PANIC, SCHEDULED, SharedWord, State};
use super::word::{ExtraWord, SlotWord};
use super::{Header, Step, TaskPtr, VTable, describe, discard, waker};
use crate::set::Core;
use crate::sync::AtomicU16;
use corio_seam::Panic;
use std::cell::{Cell, UnsafeCell};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll};

/// A cell for a coroutine of type `F`.
#[repr(C)]
struct TaskCell<F: Future> {
    header: Header,
    content: UnsafeCell<Content<F>>,
}

/// What a cell holds; the header's state says which.
#[allow(dead_code, reason = "read through pointers of the members' types")]
union Content<F: Future> {
    /// FUTURE is set.
    future: ManuallyDrop<F>,
    /// OUTPUT is set.
    output: ManuallyDrop<F::Output>,
    /// PANIC is set.
    panic: ManuallyDrop<Panic>,
}

/// Makes a task of `future`, and registers it with its set. It is SCHEDULED, but in no queue: the caller begins it.
///
/// Inlined where the coroutine is made, so that it is written into its cell at once; all else is the same for all types.
///
/// # Safety
///
/// * `core` came from [`Arc::as_ptr`], its memory is alive, and the caller runs on the set's thread.
/// * If `F` or its output borrows, the caller ends the task and takes its output before the loan does.
///
/// [`Arc::as_ptr`]: std::sync::Arc::as_ptr
#[inline(always)]
pub(crate) unsafe fn allocate<F: Future>(
    core: NonNull<Core>,
    future: F,
    location: &'static Location<'static>,
) -> TaskPtr {
    // SAFETY:
    // * the caller's own promise;
    // * the table is that of the cells for `F`, and a coroutine follows.
    let task = unsafe { register(core, &TaskCell::<F>::VTABLE, location) };
    // SAFETY:
    // * the cell was made for an `F`, and nobody has looked at it yet.
    unsafe { TaskCell::<F>::content(task).cast::<F>().write(future) };
    task
}

/// Makes a cell for which `table` is, without the coroutine that the header says is there, and registers it.
///
/// # Safety
///
/// * As [`allocate`], and the caller writes the coroutine before anybody else sees the task.
#[inline(never)]
unsafe fn register(core: NonNull<Core>, table: &'static VTable, location: &'static Location<'static>) -> TaskPtr {
    // SAFETY:
    // * the caller's own promise.
    let set = unsafe { core.as_ref() };
    let number = set.next_number();
    // SAFETY:
    // * the pointer is to all of the table.
    let node = unsafe { corio_seam::Header::new(NonNull::from(table).cast()) };
    let header = Header {
        node,
        core,
        slot: SlotWord::new(),
        extra: ExtraWord::new(),
        shared: SharedWord::new(),
        local: Cell::new(0),
        views: Cell::new(0),
        state: State::new(FUTURE.with(HANDLE).with(SCHEDULED)),
        id_upper: (number >> 32) as u16,
        id_lower: number as u32,
        kept: Cell::new(0),
        lost: AtomicU16::new(0),
        location,
    };
    let block = set.cells.take(table.class);
    // SAFETY:
    // * the block is of the class of these cells: large enough, and aligned; each begins with its header.
    unsafe { block.cast().write(header) };
    let task = TaskPtr(block.cast());
    set.add_live();
    set.tasks.add(task, table.class);
    task
}

impl<F: Future> TaskCell<F> {
    const VTABLE: VTable = VTable {
        node: corio_seam::VTable { run: Self::run, discard, describe },
        drop_content: Self::drop_content,
        content: std::mem::offset_of!(Self, content),
        put_panic: Self::put_panic,
        take_panic: Self::take_panic,
        class: Class::of::<Self>(),
    };

    /// Returns where the content lies; no reference to it is made, for user code may run while it is used.
    #[inline]
    fn content(task: TaskPtr) -> *mut Content<F> {
        let cell = task.0.cast::<TaskCell<F>>().as_ptr();
        // SAFETY:
        // * the pointer has provenance over a live cell of this very type: its table named this function.
        unsafe { UnsafeCell::raw_get(&raw const (*cell).content) }
    }

    /// Makes a step, as the ready queue's table wants it.
    ///
    /// # Safety
    ///
    /// * `node` is a cell that [`TaskPtr::enqueue`] lent to the queue, or one that was made just now.
    unsafe fn run(node: NonNull<corio_seam::Header>) {
        let task = TaskPtr(node.cast());
        // SAFETY:
        // * a step that polls is not DONE, so the cell holds the coroutine;
        // * RUNNING keeps a second step out.
        task.step(|| unsafe { Self::poll(task) });
    }

    /// Polls the coroutine; if it ends, it is dropped and its output takes its place.
    ///
    /// # Safety
    ///
    /// * FUTURE is set, and no other poll is under way.
    #[inline(always)]
    unsafe fn poll(task: TaskPtr) -> Step {
        let future: *mut F = Self::content(task).cast();
        let waker = waker::borrowed(task);
        let polled = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY:
            // * FUTURE: the coroutine is there, and RUNNING keeps everybody else from it;
            let future = unsafe { &mut *future };
            // SAFETY:
            // * it is never moved: it is dropped in place.
            let future = unsafe { Pin::new_unchecked(future) };
            future.poll(&mut Context::from_waker(&waker))
        }));
        match polled {
            Ok(Poll::Pending) => Step::Pending,
            // SAFETY:
            // * as above: the coroutine is there.
            Ok(Poll::Ready(output)) => unsafe { Self::complete(task, output) },
            Err(payload) => {
                // SAFETY:
                // * as above: the coroutine is there.
                let dropped = catch_unwind(AssertUnwindSafe(|| unsafe { Self::drop_content(task) }));
                std::mem::forget(dropped); // A second panic: its payload's destructor may panic as well.
                Step::Panicked(Panic::new(payload))
            }
        }
    }

    /// Puts the output in the place of the coroutine.
    ///
    /// # Safety
    ///
    /// * FUTURE is set.
    unsafe fn complete(task: TaskPtr, output: F::Output) -> Step {
        // SAFETY:
        // * the caller's own promise.
        let dropped = catch_unwind(AssertUnwindSafe(|| unsafe { Self::drop_content(task) }));
        if let Err(payload) = dropped {
            std::mem::forget(catch_unwind(AssertUnwindSafe(|| drop(output))));
            return Step::Panicked(Panic::new(payload));
        }
        // SAFETY:
        // * the coroutine is gone, and the place is big enough for any member of the union.
        unsafe { Self::content(task).cast::<F::Output>().write(output) };
        task.header().state.set(OUTPUT);
        Step::Ready
    }

    /// Drops what the cell holds; the flag goes first, so that a destructor that comes back finds nothing.
    ///
    /// # Safety
    ///
    /// * The owner's thread; no poll is under way, but for the one that calls.
    unsafe fn drop_content(task: TaskPtr) {
        let (state, content) = (&task.header().state, Self::content(task));
        if state.has(FUTURE) {
            state.clear(FUTURE);
            // SAFETY:
            // * FUTURE was set: the coroutine is there, once.
            unsafe { ptr::drop_in_place(content.cast::<F>()) };
        } else if state.has(OUTPUT) {
            state.clear(OUTPUT);
            // SAFETY:
            // * OUTPUT was set: the output is there, once.
            unsafe { ptr::drop_in_place(content.cast::<F::Output>()) };
        } else if state.has(PANIC) {
            state.clear(PANIC);
            // SAFETY:
            // * PANIC was set: the panic is there, once.
            unsafe { ptr::drop_in_place(content.cast::<Panic>()) };
        }
    }

    /// Puts a panic where the coroutine was.
    ///
    /// # Safety
    ///
    /// * The cell holds nothing.
    unsafe fn put_panic(task: TaskPtr, panic: Panic) {
        // SAFETY:
        // * the place is free, and big enough for any member of the union.
        unsafe { Self::content(task).cast::<Panic>().write(panic) };
        task.header().state.set(PANIC);
    }

    /// Takes the panic out.
    ///
    /// # Safety
    ///
    /// * PANIC is set.
    unsafe fn take_panic(task: TaskPtr) -> Panic {
        task.header().state.clear(PANIC);
        // SAFETY:
        // * PANIC was set: the panic is there, once.
        unsafe { Self::content(task).cast::<Panic>().read() }
    }
}
