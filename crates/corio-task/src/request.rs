//! One request to cancel, shared by every scope it has been offered to.

use crate::node::Node;
use corio_seam::Cancelled;
use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// Where a request stands.
///
/// ```text
/// Pending ──▶ Taken       a scope dropped its body for it, or the task it was forwarded to ended
///    │ ▲
///    ▼ │ (the ending was not heard)
/// Forwarded ─▶ Taken
/// Pending ──▶ Withdrawn   `uncancel` brought the count to zero
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody has acted upon it: whoever is suspended next must.
    Pending,
    /// Passed to the one thing that a scope waits for, whose ending decides.
    Forwarded,
    /// Acted upon.
    Taken,
    /// Called off in time.
    Withdrawn,
}

/// A request to cancel.
pub(crate) struct Request {
    standing: Cell<Standing>,
    message: Option<Arc<str>>,
    /// The scope it was aimed at.
    target: Weak<Node>,
    /// It was delivered, and is to be delivered once more.
    rearmed: Cell<bool>,
}

impl Request {
    pub(crate) fn new(message: Option<Arc<str>>, target: Weak<Node>) -> Rc<Request> {
        Rc::new(Request { standing: Cell::new(Standing::Pending), message, target, rearmed: Cell::new(false) })
    }

    pub(crate) fn standing(&self) -> Standing {
        self.standing.get()
    }

    pub(crate) fn set(&self, standing: Standing) {
        self.standing.set(standing);
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.standing.get() == Standing::Pending
    }

    /// Returns the scope it was aimed at, if that still exists.
    pub(crate) fn target(&self) -> Option<Rc<Node>> {
        self.target.upgrade()
    }

    pub(crate) fn rearm(&self) {
        self.rearmed.set(true);
        self.set(Standing::Pending);
    }

    /// Tells whether it was delivered before.
    pub(crate) fn is_rearmed(&self) -> bool {
        self.rearmed.get()
    }

    pub(crate) fn message(&self) -> Option<Arc<str>> {
        self.message.clone()
    }

    pub(crate) fn cancelled(&self) -> Cancelled {
        Cancelled::with_message(self.message())
    }
}
