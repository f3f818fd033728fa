//! Callbacks where no loop runs: a FIFO that the outermost completion on the thread drains.
//!
//! Under a loop a done callback is one entry of the ready queue. Without one, somebody must call it: the `set_result`,
//! `cancel` or `add_done_callback` that is outermost on this thread does, before it returns. A callback that completes
//! another promise only appends to the list; so nothing nests, and a chain of a million completions is not deep.

use corio_seam::Node;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

thread_local! {
    static WAITING: RefCell<VecDeque<Node>> = const { RefCell::new(VecDeque::new()) };
    static DRAINING: Cell<bool> = const { Cell::new(false) };
}

/// Has `callback` run soon: by the loop that runs here, or by [`drain`].
pub(crate) fn schedule(callback: Node) {
    let Err(callback) = corio_seam::push(callback) else { return };
    if corio_seam::loop_id().is_none() {
        WAITING.with(|waiting| waiting.borrow_mut().push_back(callback));
    } // Else the loop is closing, and the callback is dropped uncalled.
}

/// Calls what waits, unless a frame below is at it; called by whoever may have scheduled, when it is done.
#[inline]
pub(crate) fn drain() {
    if WAITING.with(|waiting| waiting.borrow().is_empty()) || DRAINING.replace(true) {
        return;
    }
    let _done = Done;
    while let Some(callback) = WAITING.with(|waiting| waiting.borrow_mut().pop_front()) {
        callback.run(); // Never unwinds: a panic of user code is reported.
    }
}

/// Ends the draining.
struct Done;

impl Drop for Done {
    fn drop(&mut self) {
        DRAINING.set(false);
    }
}
