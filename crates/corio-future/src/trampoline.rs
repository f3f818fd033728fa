//! Callbacks where no loop runs: a FIFO that the outermost completion on the thread drains.
//!
//! Under a loop a done callback is one entry of the ready queue. Without one, somebody must call it: the `set_result`,
//! `cancel` or `add_done_callback` that is outermost on this thread does, before it returns. A callback that completes
//! another promise only appends to the list; so nothing nests, and a chain of a million completions is not deep.
//!
//! A loop that is closing takes no entries, and its callbacks are to be dropped uncalled. That goes through a list too:
//! dropping one may break the promise of the next.

use corio_seam::{Node, ReadyQueue};
use std::cell::Cell;
use std::thread::LocalKey;

thread_local! {
    static CALLED: ReadyQueue = const { ReadyQueue::new() };
    static DROPPED: ReadyQueue = const { ReadyQueue::new() };
    /// Whether a list has entries. Without a destructor, so that the usual case, no, is a plain load.
    static ANY: Cell<bool> = const { Cell::new(false) };
    /// Whether a frame below is draining.
    static DRAINING: Cell<bool> = const { Cell::new(false) };
}

/// Has `callback` run soon: by the loop that runs here, or by [`drain`].
#[inline]
pub(crate) fn schedule(callback: Node) {
    if let Err(callback) = corio_seam::push(callback) {
        refused(callback);
    }
}

/// Lists what no loop takes.
#[cold]
fn refused(callback: Node) {
    let closing = corio_seam::loop_id().is_some();
    let unlisted = list(if closing { &DROPPED } else { &CALLED }, callback);
    match unlisted {
        None => ANY.set(true),
        Some(callback) if closing => drop(callback),
        Some(callback) => callback.run(), // The thread is ending, and its list is gone: now or never.
    }
}

fn list(queue: &'static LocalKey<ReadyQueue>, callback: Node) -> Option<Node> {
    let mut callback = Some(callback);
    let _ = queue.try_with(|queue| callback.take().into_iter().for_each(|callback| queue.push(callback)));
    callback
}

/// Calls what waits, unless a frame below is at it; called by whoever may have scheduled, at its end.
#[inline]
pub(crate) fn drain() {
    if ANY.get() {
        drain_all();
    }
}

#[cold]
fn drain_all() {
    if DRAINING.replace(true) {
        return;
    }
    let pop = |queue: &'static LocalKey<ReadyQueue>| queue.try_with(ReadyQueue::pop).ok().flatten();
    loop {
        // Neither unwinds: a panic of user code is reported.
        if let Some(callback) = pop(&CALLED) {
            callback.run();
        } else if let Some(callback) = pop(&DROPPED) {
            drop(callback);
        } else {
            break;
        }
    }
    ANY.set(false);
    DRAINING.set(false);
}
