//! Who waits for what: the slot that cancellation follows and the await graph is read from.

mod thin;

pub use thin::{Thin, ThinTarget};

use crate::seam::current;
use std::fmt;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

/// What the innermost scope waits for, as a leaf says it just before it returns `Pending`.
#[derive(Clone)]
pub enum Waiting {
    /// One future or task that can be cancelled: a request aimed at the waiter is forwarded to it.
    Target(Rc<dyn Waitable>),
    /// One thing that is only listened to, and shown in the await graph: a request aimed at the waiter is not forwarded to
    /// it. A shield, a task group, or tasks that are waited for and stay what they are.
    Listened(Rc<dyn Waitable>),
    /// Something that is merely left, by dropping the leaf; the text names it: `Leaf(&"sleep")`. A reference to a
    /// reference is one word, which a task keeps in place.
    Leaf(&'static &'static str),
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Waiting::Target(target) => f.debug_tuple("Target").field(&target.describe()).finish(),
            Waiting::Listened(target) => f.debug_tuple("Listened").field(&target.describe()).finish(),
            Waiting::Leaf(name) => f.debug_tuple("Leaf").field(name).finish(),
        }
    }
}

/// Something that can be waited for and asked to end.
pub trait Waitable {
    /// Asks it to end; false if it has ended already. asyncio's `Future.cancel`.
    fn cancel(&self, message: Option<Arc<str>>) -> bool;

    /// Describes it for a person: what it is, its name, its state.
    fn describe(&self) -> String;

    /// Tells whether it is over: then nobody waits for it any more, even if they have not run since.
    fn is_over(&self) -> bool {
        false
    }

    /// Returns its identity, which is the same for all handles of one thing.
    fn target_id(&self) -> TargetId {
        TargetId::of(ptr::from_ref(self))
    }

    /// Calls `visit` with each thing that it waits for in its turn: a gather with its unfinished children.
    ///
    /// The await graph asks this, and leads through whatever names something here. It is asked at any time between two
    /// steps of the loop; `visit` runs no user code.
    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        let _ = visit;
    }
}

/// The identity of a [`Waitable`] while somebody waits for it: its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TargetId(usize);

impl TargetId {
    /// Returns the identity of what `target` points to.
    #[inline]
    #[must_use]
    pub fn of<T: ?Sized>(target: *const T) -> TargetId {
        TargetId(target.cast::<()>().addr())
    }

    /// Returns the identity as a number, by which an `IntMap` can be kept.
    #[doc(hidden)]
    #[must_use]
    pub fn number(self) -> u64 {
        self.0 as u64
    }
}

/// Notes what the innermost scope being polled waits for; a leaf calls it each time it is about to return `Pending`.
///
/// The last word counts if there is one leaf; a scope that hears of two in one poll forwards to neither. Does nothing
/// outside corio.
#[inline]
pub fn wait_on(waiting: Waiting) {
    match waiting {
        Waiting::Leaf(name) => {
            if let Some(seam) = current() {
                seam.wait_on_leaf(name);
            }
        }
        other => wait_on_slow(other),
    }
}

/// As [`wait_on`] with [`Waiting::Target`], for what is waited for often: nothing is allocated, and a task notes it in one word.
#[inline]
pub fn wait_on_target<W: Waitable + 'static>(target: &Rc<Thin<W>>) {
    if let Some(seam) = current() {
        seam.wait_on_target(ThinTarget::of(target));
    }
}

/// A function of its own, so that a leaf has no destructor to see to.
fn wait_on_slow(waiting: Waiting) {
    if let Some(seam) = current() {
        seam.wait_on(waiting);
    }
}

/// Clones `waker` for a place that never leaves this thread; any other place takes a plain clone.
///
/// A loop that is about to sleep for ever reports a deadlock if nobody but such places could wake its tasks: code on its
/// own thread, which does not run while it sleeps. So a leaf that is `!Send` keeps its waker by this, and one that another
/// thread may wake, or that does not know, by [`Clone`]: a task with a plain clone somewhere is never called stuck. The
/// waker returned wakes the same task; its own clones are plain ones. Compare it by [`will_wake`].
#[inline]
#[must_use]
pub fn local_waker(waker: &Waker) -> Waker {
    match current() {
        Some(seam) => seam.local_waker(waker),
        None => waker.clone(),
    }
}

/// Tells whether `kept` wakes the same task as `waker`, where either may come of [`local_waker`].
///
/// As with [`Waker::will_wake`], false proves nothing.
#[inline]
#[must_use]
pub fn will_wake(kept: &Waker, waker: &Waker) -> bool {
    kept.will_wake(waker) || current().is_some_and(|seam| seam.will_wake(kept, waker))
}

/// Tells the innermost scope that `target` has ended, `cancelled` or not; a leaf calls it before it returns `Ready`.
///
/// True if a cancellation request that was forwarded to `target` has thereby come back: the leaf must then return
/// `Pending`, for the scope around it is about to be dropped. False everywhere else, and outside corio.
#[inline]
#[must_use = "if true, the leaf must stay pending"]
pub fn heard(target: TargetId, cancelled: bool) -> bool {
    current().is_some_and(|seam| seam.heard(target, cancelled))
}
