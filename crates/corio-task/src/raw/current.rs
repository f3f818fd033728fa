//! What runs on this thread now: which task set, which task, which scope.
//!
//! Four plain words without a destructor, set for the length of a call and put back afterwards, also on unwinding. The
//! pointers are never handed out: what they point to is borrowed by the frame that set them, below us on the stack.

use super::{Core, TaskPtr};
use crate::branch::Places;
use crate::deadline::Until;
use crate::scope::{OwnWakers, Polled, Scope};
use corio_seam::swap_context;
use std::cell::Cell;
use std::ptr;
use std::sync::Arc;

struct Here {
    /// The set that runs on this thread: also the answer to "is this thread the owner's?".
    core: Cell<*const Core>,
    /// The task being polled.
    task: Cell<Option<TaskPtr>>,
    /// The frame of the innermost scope being polled inside that task, or without one; null for the task's own.
    scope: Cell<*const Frame>,
    /// The wakers of the innermost combinator that has its own and is being polled.
    own: Cell<*const Own>,
}

/// What knows the wakers that a combinator makes for its children: a link of a chain that lies along the stack.
struct Own {
    wakers: *const dyn OwnWakers,
    outer: *const Own,
}

/// One scope that is being polled: a link of a chain that lies along the stack, and so can have no ring.
struct Frame {
    at: At,
    /// When it will be asked to end; null if nobody knows of a moment.
    until: *const Cell<Until>,
    /// The scope around it; null if that is the task's own, or there is none.
    outer: *const Frame,
}

/// Which scope a frame is for.
#[derive(Clone, Copy)]
enum At {
    Scope(*const Scope),
    /// That of the child being polled.
    Branch(*const Places),
}

impl Frame {
    /// Lends the scope.
    ///
    /// # Safety
    ///
    /// * The frame is on this thread's stack, and is not left while the scope is lent.
    #[inline]
    unsafe fn polled<'s>(&self) -> Polled<'s> {
        match self.at {
            // SAFETY:
            // * whoever made the frame borrows the scope until it is left: the caller's promise.
            At::Scope(scope) => Polled::Scope(unsafe { &*scope }),
            // SAFETY:
            // * likewise.
            At::Branch(places) => Polled::Child(unsafe { &*places }),
        }
    }
}

impl Here {
    const fn new() -> Here {
        Here {
            core: Cell::new(ptr::null()),
            task: Cell::new(None),
            scope: Cell::new(ptr::null()),
            own: Cell::new(ptr::null()),
        }
    }

    fn get(&self) -> Saved {
        Saved { core: self.core.get(), task: self.task.get(), scope: self.scope.get() }
    }
}

#[cfg(not(loom))]
thread_local! {
    static HERE: Here = const { Here::new() };
}
#[cfg(loom)]
loom::thread_local! {
    static HERE: Here = Here::new();
}

/// What stood in [`HERE`] before, put back by its drop.
struct Saved {
    core: *const Core,
    task: Option<TaskPtr>,
    scope: *const Frame,
}

impl Drop for Saved {
    #[inline]
    fn drop(&mut self) {
        HERE.with(|here| {
            here.core.set(self.core);
            here.task.set(self.task);
            here.scope.set(self.scope);
        });
    }
}

/// Returns the address of the set that runs here, to compare and not to read; null outside, and while a thread ends.
#[inline]
pub(crate) fn core_address() -> *const Core {
    #[cfg(not(loom))]
    return HERE.try_with(|here| here.core.get()).unwrap_or(ptr::null());
    #[cfg(loom)]
    return HERE.try_with(|here| here.core.get()).unwrap_or(ptr::null());
}

/// Calls `f` with the set that runs here.
#[inline]
pub(crate) fn with_core<R>(f: impl FnOnce(&Core) -> R) -> Option<R> {
    let core = core_address();
    // SAFETY:
    // * not null, it was set from a reference by a frame of `enter_core` that is still on this thread's stack.
    let core = unsafe { core.as_ref() }?;
    Some(f(core))
}

/// Returns the task being polled, which its set keeps alive meanwhile.
#[inline]
pub(super) fn task() -> Option<TaskPtr> {
    HERE.with(|here| here.task.get())
}

/// Calls `f` with the innermost scope being polled, if it is not the task's own.
#[inline]
pub(crate) fn with_scope<R>(f: impl FnOnce(Option<Polled<'_>>) -> R) -> R {
    let frame = HERE.with(|here| here.scope.get());
    // SAFETY:
    // * not null, it was set from a reference by a frame of `enter` that is still on this thread's stack.
    let frame = unsafe { frame.as_ref() };
    // SAFETY:
    // * that frame is not left before this call returns.
    f(frame.map(|frame| unsafe { frame.polled() }))
}

/// Calls `f` with each scope being polled inside the task, or without one, and with when it will be asked to end, the
/// innermost first, as long as it is true.
pub(crate) fn each_scope(mut f: impl FnMut(Polled<'_>, Until) -> bool) {
    let mut next = HERE.with(|here| here.scope.get());
    // SAFETY:
    // * as in `with_scope`; a frame of `enter` below us on the stack outlives those above it.
    while let Some(frame) = unsafe { next.as_ref() } {
        // SAFETY:
        // * not null, it was set from a reference by that same frame.
        let until = unsafe { frame.until.as_ref() }.map_or(Until::Never, Cell::get);
        // SAFETY:
        // * that same frame is not left before this call returns.
        if !f(unsafe { frame.polled() }, until) {
            return;
        }
        next = frame.outer;
    }
}

/// Calls `f` with `core` as the set that runs here, and no task.
pub(crate) fn enter_core<R>(core: &Arc<Core>, f: impl FnOnce() -> R) -> R {
    let _outer = task().map(AroundSet);
    let _saved = HERE.with(|here| {
        let saved = here.get();
        here.core.set(Arc::as_ptr(core));
        here.task.set(None);
        here.scope.set(ptr::null());
        saved
    });
    f()
}

/// A task that enters a set: a context that was made meanwhile, by nobody's task, is that task's.
struct AroundSet(TaskPtr);

impl Drop for AroundSet {
    fn drop(&mut self) {
        if let Some(context) = swap_context(None) {
            let own = self.0.context_or(context);
            swap_context(Some(own));
        }
    }
}

/// Says which task is being polled, where none is, or which was. Any scope is of the past.
#[inline]
pub(super) fn set_task(task: Option<TaskPtr>) {
    HERE.with(|here| {
        here.task.set(task);
        here.scope.set(ptr::null());
    });
}

/// Makes the context of the task being polled the current one, if there is none: somebody gave it one while others ran.
#[inline]
pub(super) fn resume_context() {
    if let Some(task) = task().filter(|task| task.has_context()) {
        resume_context_of(task);
    }
}

#[inline(never)]
fn resume_context_of(task: TaskPtr) {
    let before = swap_context(task.context_if_any());
    if before.is_some() {
        swap_context(before);
    }
}

/// Calls `f` with `task` as the task being polled.
#[inline]
pub(super) fn enter_task<R>(task: TaskPtr, f: impl FnOnce() -> R) -> R {
    let _saved = HERE.with(|here| {
        let saved = here.get();
        here.task.set(Some(task));
        here.scope.set(ptr::null());
        saved
    });
    f()
}

/// Calls `f` with `scope` as the innermost scope being polled, which will be asked to end at `until`.
#[inline(always)]
pub(crate) fn enter_scope<R>(scope: &Scope, until: Option<&Cell<Until>>, f: impl FnOnce() -> R) -> R {
    enter(At::Scope(scope), until.map_or(ptr::null(), ptr::from_ref), f)
}

/// Calls `f` with the scope of the child being polled as the innermost one: whichever `places` says at the time.
#[inline(always)] // With all three, what `f` captures is not moved from frame to frame.
pub(crate) fn enter_branch<R>(places: &Places, f: impl FnOnce() -> R) -> R {
    enter(At::Branch(places), ptr::null(), f)
}

#[inline(always)]
fn enter<R>(at: At, until: *const Cell<Until>, f: impl FnOnce() -> R) -> R {
    let outer = HERE.with(|here| here.scope.get());
    let frame = Frame { at, until, outer };
    HERE.with(|here| here.scope.set(&raw const frame));
    let unwinding = Unwinding(&frame);
    let result = f();
    std::mem::forget(unwinding);
    HERE.with(|here| here.scope.set(outer));
    result
}

/// Makes the outer scope the current one again after a panic; whatever `f` entered besides, it has left by itself.
struct Unwinding<'f>(&'f Frame);

impl Drop for Unwinding<'_> {
    #[cold]
    fn drop(&mut self) {
        HERE.with(|here| here.scope.set(self.0.outer));
        // SAFETY:
        // * the scope is borrowed by the call of `enter` that this ends.
        unsafe { self.0.polled() }.stop_polling();
    }
}

/// Calls `f` with the scope around the innermost one as the current one: around a branch whose child is being polled.
pub(crate) fn outside_branch<R>(f: impl FnOnce() -> R) -> R {
    struct PutBack(*const Frame);
    impl Drop for PutBack {
        fn drop(&mut self) {
            HERE.with(|here| here.scope.set(self.0));
        }
    }
    let put_back = PutBack(HERE.with(|here| here.scope.get()));
    // SAFETY:
    // * as in `with_scope`.
    if let Some(frame) = unsafe { put_back.0.as_ref() } {
        HERE.with(|here| here.scope.set(frame.outer));
    }
    f()
}

/// Calls `f`, which polls with the wakers that `wakers` knows.
#[inline]
pub(crate) fn enter_own<R>(wakers: &(impl OwnWakers + 'static), f: impl FnOnce() -> R) -> R {
    struct PutBack(*const Own);
    impl Drop for PutBack {
        fn drop(&mut self) {
            HERE.with(|here| here.own.set(self.0));
        }
    }
    let outer = HERE.with(|here| here.own.get());
    let own = Own { wakers: ptr::from_ref(wakers), outer };
    HERE.with(|here| here.own.set(&raw const own));
    let _put_back = PutBack(outer);
    f()
}

/// Asks whoever is polled with wakers of its own, the innermost first, until `f` is answered. `f` must not enter anything.
pub(super) fn ask_own<R>(f: impl Fn(&dyn OwnWakers) -> Option<R>) -> Option<R> {
    let mut next = HERE.with(|here| here.own.get());
    // SAFETY:
    // * not null, it was set from a reference by a frame of `enter_own` that is still on this thread's stack.
    while let Some(own) = unsafe { next.as_ref() } {
        // SAFETY:
        // * what knows the wakers is borrowed by that same frame.
        if let Some(answer) = f(unsafe { &*own.wakers }) {
            return Some(answer);
        }
        next = own.outer;
    }
    None
}
