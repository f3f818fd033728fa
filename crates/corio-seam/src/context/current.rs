//! The thread's current context, and how it changes.

use super::Context;
use crate::seam;
use std::cell::{Cell, RefCell};

/// How it stands with the current context.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// There is none. One that is made now is offered to the task being polled.
    Absent,
    /// There is none, and one that is made now is that of a callback, and goes with it.
    Detached,
    /// There is one.
    Present,
}

thread_local! {
    /// Without a destructor, so that the usual case is a plain load.
    static STANDING: Cell<Standing> = const { Cell::new(Standing::Absent) };
    /// The current context. Borrowed for moments in which no user code runs.
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

#[inline]
fn is_present() -> bool {
    STANDING.get() == Standing::Present
}

/// Puts `context` in the place of the current one. The caller sees to the standing.
#[inline(never)] // Out of the way of those who have looked at the standing, and seen that there is nothing to do.
fn replace(context: Option<Context>) -> Option<Context> {
    CURRENT.try_with(|current| current.replace(context)).ok().flatten() // A thread that is ending has none.
}

/// Leaves the current context, and any that the destructors of its values make.
#[inline(never)]
fn leave() {
    while is_present() {
        let left = replace(None);
        STANDING.set(Standing::Detached);
        drop(left); // User code perhaps, which does not unwind.
    }
}

/// Leaves the current context, for none: for those who run tasks, at the end of a step. Otherwise it costs one load.
///
/// Perhaps it was the last of it; what its values' destructors set goes with it.
#[inline]
pub fn leave_context() {
    if is_present() {
        leave();
        STANDING.set(Standing::Absent);
    }
}

/// Makes `context` the current one, and returns the one that was: for those who run tasks, at the beginning of a step.
///
/// Where none is and none is to be, it costs one load.
#[inline]
pub fn swap_context(context: Option<Context>) -> Option<Context> {
    if context.is_none() && !is_present() {
        return None;
    }
    let standing = if context.is_some() { Standing::Present } else { Standing::Absent };
    let before = replace(context);
    STANDING.set(standing);
    before
}

/// Returns the current context, if there is one.
#[inline]
pub(super) fn current() -> Option<Context> {
    if !is_present() {
        return None;
    }
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Returns the current context, which is made if there is none; whoever runs tasks here is told.
pub(super) fn current_or_new() -> Context {
    if let Some(context) = current() {
        return context;
    }
    let made = Context::new();
    let context = match seam::current() {
        Some(seam) if STANDING.get() == Standing::Absent => seam.adopt_context(made),
        _ => made,
    };
    swap_context(Some(context.clone()));
    context
}

/// Makes a copy of the current context; Python's `copy_context`. An empty one, if nothing was ever set.
///
/// # Examples
///
/// ```
/// use corio_seam::{ContextVar, copy_context};
///
/// static DEPTH: ContextVar<u32> = ContextVar::new("depth");
///
/// DEPTH.set(1);
/// let copy = copy_context();
/// DEPTH.set(2);
/// assert_eq!(copy.get(&DEPTH), Some(1));
/// ```
#[must_use]
pub fn copy_context() -> Context {
    current().map_or_else(Context::new, |context| context.copy())
}

/// Returns what a new task or callback gets: a copy of the current context, or none if nothing is set in it.
#[inline]
#[must_use]
pub fn capture_context() -> Option<Context> {
    if is_present() { capture() } else { None }
}

#[inline(never)]
fn capture() -> Option<Context> {
    current().filter(|context| !context.is_empty()).map(|context| context.copy())
}

/// Calls `f` with `context` as the current one, or, with `None`, as a callback that has none: what it sets is gone when it
/// ends. For those who run callbacks; [`Context::run`] is for everybody.
///
/// # Panics
///
/// If `f` does.
#[inline]
pub fn enter_context<R>(context: Option<Context>, f: impl FnOnce() -> R) -> R {
    let _entered = Entered::new(context, Standing::Detached);
    f()
}

/// Leaves the current context, and puts back what was there before.
#[inline]
fn leave_for(before: Option<Context>, standing: Standing) {
    if is_present() {
        leave();
    }
    if before.is_some() {
        replace(before);
    }
    STANDING.set(standing);
}

/// Calls `f`, which does not unwind, as [`enter_context`] does with `None`: the way of every callback.
#[inline]
pub(crate) fn run_detached(f: impl FnOnce()) {
    if STANDING.get() != Standing::Absent {
        return run_nested(f);
    }
    STANDING.set(Standing::Detached);
    f();
    if is_present() {
        leave();
    }
    STANDING.set(Standing::Absent);
}

#[cold]
fn run_nested(f: impl FnOnce()) {
    enter_context(None, f);
}

/// Calls `f`, which runs tasks, outside the current context: each is to find none, and to leave none.
///
/// Where there is none, it costs one load.
///
/// # Panics
///
/// If `f` does.
#[inline]
pub fn outside_context<R>(f: impl FnOnce() -> R) -> R {
    if STANDING.get() == Standing::Absent { f() } else { put_aside(f) }
}

#[cold]
fn put_aside<R>(f: impl FnOnce() -> R) -> R {
    let _entered = Entered::new(None, Standing::Absent);
    f()
}

/// What there was before a context was entered, put back by its drop.
struct Entered {
    before: Option<Context>,
    standing: Standing,
}

impl Entered {
    #[inline]
    fn new(context: Option<Context>, absent: Standing) -> Entered {
        let standing = STANDING.get();
        let new = if context.is_some() { Standing::Present } else { absent };
        let before = if context.is_some() || standing == Standing::Present { replace(context) } else { None };
        STANDING.set(new);
        Entered { before, standing }
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        leave_for(self.before.take(), self.standing);
    }
}
