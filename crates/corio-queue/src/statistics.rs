//! What a queue tells of itself.

use std::fmt;

/// What [`QueueOf::statistics`](crate::QueueOf::statistics) tells, and that of the queue between threads.
///
/// All of it is read off what the queue knows anyway, but for one comparison a put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStatistics {
    /// How many items there may be, 0 for any number.
    pub maxsize: usize,
    /// How many items there are.
    pub len: usize,
    /// The most items that there were at one time.
    pub most_items: usize,
    /// How many items have been put.
    pub put: u64,
    /// How many items have been got.
    pub got: u64,
    /// How many items were thrown away by an immediate shutdown.
    pub thrown: u64,
    /// For how many items that were put `task_done` has not been said: what a `join` waits for.
    pub unfinished: u64,
    /// How many wait for an item and have not been woken.
    pub getters: usize,
    /// How many wait for room and have not been woken.
    pub putters: usize,
    /// How many wait for everything to be done.
    pub joiners: usize,
    /// The most getters that waited at one time, those that had been woken and had not run yet included.
    pub most_getters: usize,
    /// The most putters that waited at one time, those that had been woken and had not run yet included.
    pub most_putters: usize,
    /// Whether the queue was shut down.
    pub shut_down: bool,
}

impl QueueStatistics {
    /// Writes what `Debug` shows of a queue, when no borrow or lock is held. No item: its `Debug` is the user's.
    pub(crate) fn describe(&self, mut queue: fmt::DebugStruct<'_, '_>) -> fmt::Result {
        queue.field("maxsize", &self.maxsize).field("len", &self.len).field("unfinished", &self.unfinished);
        queue.field("getters", &self.getters).field("putters", &self.putters);
        queue.field("shut_down", &self.shut_down).finish()
    }
}
