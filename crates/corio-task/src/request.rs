//! One request to cancel, shared by every scope it has been offered to.

use crate::node::Node;
use corio_seam::Cancelled;
use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// Where a request stands, for all scopes that have it.
///
/// ```text
/// Pending ──▶ Taken       a scope dropped its body for it, or what it was forwarded to has ended
/// Pending ──▶ Withdrawn   `uncancel` brought the count to zero
/// ```
/// Of several scopes side by side that have it, each acts upon it; for those around them it is done once one has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody has acted upon it: whoever is suspended next must, unless an ending is awaited.
    Pending,
    /// Acted upon.
    Taken,
    /// Called off in time.
    Withdrawn,
}

/// A request to cancel.
pub(crate) struct Request {
    standing: Cell<Standing>,
    /// How many scopes have passed it to the one thing that they wait for, and have not heard of its end.
    forwards: Cell<usize>,
    /// How many scopes hold it back until the shields inside them are gone.
    holds: Cell<usize>,
    message: Option<Arc<str>>,
    /// The scope it was aimed at.
    target: Weak<Node>,
    /// It was delivered, and is to be delivered once more.
    rearmed: Cell<bool>,
}

impl Request {
    pub(crate) fn new(message: Option<Arc<str>>, target: &Rc<Node>) -> Rc<Request> {
        Rc::new(Request {
            standing: Cell::new(Standing::Pending),
            forwards: Cell::new(0),
            holds: Cell::new(0),
            message,
            target: Rc::downgrade(target),
            rearmed: Cell::new(false),
        })
    }

    /// Makes one more of those that a cancelled scope is owed at each suspension.
    pub(crate) fn again(message: Option<Arc<str>>, target: &Rc<Node>) -> Rc<Request> {
        let request = Request::new(message, target);
        request.rearmed.set(true);
        request
    }

    /// Notes that a scope has acted upon it.
    pub(crate) fn take(&self) {
        if self.is_pending() {
            self.standing.set(Standing::Taken);
        }
    }

    /// Calls it off.
    pub(crate) fn withdraw(&self) {
        self.standing.set(Standing::Withdrawn);
    }

    pub(crate) fn is_taken(&self) -> bool {
        self.standing.get() == Standing::Taken
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.standing.get() == Standing::Pending
    }

    /// Tells whether it was passed on, and an ending is awaited that may settle it.
    pub(crate) fn is_forwarded(&self) -> bool {
        self.forwards.get() > 0
    }

    /// Tells whether somebody must act upon it now.
    pub(crate) fn is_due(&self) -> bool {
        self.is_pending() && !self.is_forwarded() && self.holds.get() == 0
    }

    pub(crate) fn is_withdrawn(&self) -> bool {
        self.standing.get() == Standing::Withdrawn
    }

    /// Notes that a scope awaits the ending of what it passed the request to.
    pub(crate) fn forward(&self) {
        self.forwards.set(self.forwards.get() + 1);
    }

    /// Notes that a scope awaits it no more.
    pub(crate) fn stop_forwarding(&self) {
        self.forwards.set(self.forwards.get() - 1);
    }

    /// Notes that a scope holds it back.
    pub(crate) fn hold(&self) {
        self.holds.set(self.holds.get() + 1);
    }

    /// Notes that a scope holds it back no more.
    pub(crate) fn stop_holding(&self) {
        self.holds.set(self.holds.get() - 1);
    }

    /// Returns the scope it was aimed at, if that still exists.
    pub(crate) fn target(&self) -> Option<Rc<Node>> {
        self.target.upgrade()
    }

    pub(crate) fn is_aimed_at(&self, node: &Node) -> bool {
        std::ptr::eq(self.target.as_ptr(), node)
    }

    pub(crate) fn rearm(&self) {
        self.rearmed.set(true);
        self.standing.set(Standing::Pending);
    }

    /// Tells whether it, or one before it for the same reason, was delivered before.
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
