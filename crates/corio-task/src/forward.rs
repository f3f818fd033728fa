//! Asking tasks to end, from task to task to task, without recursion.
//!
//! A task that waits for a task passes a request on, and that one does the same. A chain of a million tasks must not be a
//! million frames deep: a request to a task only stands in a list of its set, and whoever came first works the list off
//! before it returns. Tasks that wait for each other in a ring would be asked for ever: each task is asked once a round.

use crate::node::Node;
use crate::raw::TaskRef;
use crate::request::Request;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

/// Who asks a task to end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// A caller of `cancel`.
    Anybody,
    /// A task that waits for it and was asked itself.
    Waiter,
}

/// The requests of one set that are on their way.
#[derive(Default)]
pub(crate) struct Forwarding {
    list: RefCell<VecDeque<(Rc<Node>, Rc<Request>)>>,
    /// Somebody works the list off.
    busy: Cell<bool>,
    /// Counts the times that somebody did.
    round: Cell<u64>,
}

/// Asks a task to end: false if it is over, or was asked in this round already.
pub(crate) fn cancel(task: &TaskRef, message: Option<Arc<str>>, by: By) -> bool {
    if task.is_done() {
        return false;
    }
    let (root, forwarding) = (task.root(), &task.core().forwarding);
    if by == By::Waiter && forwarding.busy.get() && root.round() == forwarding.round.get() {
        return false;
    }
    if let Some(request) = root.record(message) {
        forwarding.add(root, request);
    }
    true
}

impl Forwarding {
    fn add(&self, root: Rc<Node>, request: Rc<Request>) {
        if !self.busy.get() {
            self.round.set(self.round.get() + 1);
        }
        root.set_round(self.round.get());
        self.list.borrow_mut().push_back((root, request));
        if !self.busy.replace(true) {
            let done = NotBusy(self);
            while let Some((root, request)) = self.next() {
                root.offer(&request);
            }
            drop(done);
        }
    }

    fn next(&self) -> Option<(Rc<Node>, Rc<Request>)> {
        self.list.borrow_mut().pop_front()
    }
}

/// Ends a round, also by a panic of somebody's `cancel`.
struct NotBusy<'f>(&'f Forwarding);

impl Drop for NotBusy<'_> {
    fn drop(&mut self) {
        self.0.busy.set(false);
    }
}
