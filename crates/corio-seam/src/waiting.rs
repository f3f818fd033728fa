//! Who waits for what: the slot that cancellation follows and the await graph is read from.

use crate::seam::current;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// What the innermost scope waits for, as a leaf says it just before it returns `Pending`.
#[derive(Clone)]
pub enum Waiting {
    /// One future or task that can be cancelled: a request aimed at the waiter is forwarded to it.
    Target(Rc<dyn Waitable>),
    /// Something that is merely left, by dropping the leaf; the text names it: `Leaf(&"sleep")`. A reference to a
    /// reference is one word, which a task keeps in place.
    Leaf(&'static &'static str),
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Waiting::Target(target) => f.debug_tuple("Target").field(&target.describe()).finish(),
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
}

/// Notes what the innermost scope being polled waits for; a leaf calls it each time it is about to return `Pending`.
///
/// The last word counts if there is one leaf; a scope that hears of two in one poll forwards to neither. Does nothing
/// outside corio.
#[inline]
pub fn wait_on(waiting: Waiting) {
    if let Some(seam) = current() {
        seam.wait_on(waiting);
    }
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
