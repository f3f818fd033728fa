//! What can be asked of the handle of something that goes on by itself: a task, a cell, a gather.

use crate::gather::Gather;
use corio_task::Task;

/// Something that goes on by itself, and can be watched and cancelled.
pub trait Standing {
    /// Tells whether it is over.
    fn is_over(&self) -> bool;

    /// Tells whether it was cancelled.
    fn was_cancelled(&self) -> bool;

    /// Asks it to end.
    fn ask(&self);

    /// Calls `callback` through the loop, when it is over.
    fn tell(&self, callback: Box<dyn FnOnce()>);
}

impl<T: 'static> Standing for Task<T> {
    fn is_over(&self) -> bool {
        self.done()
    }

    fn was_cancelled(&self) -> bool {
        self.cancelled()
    }

    fn ask(&self) {
        self.cancel();
    }

    fn tell(&self, callback: Box<dyn FnOnce()>) {
        self.add_done_callback(|_| callback());
    }
}

impl<T: 'static> Standing for corio_future::Future<T> {
    fn is_over(&self) -> bool {
        self.done()
    }

    fn was_cancelled(&self) -> bool {
        self.cancelled()
    }

    fn ask(&self) {
        self.cancel();
    }

    fn tell(&self, callback: Box<dyn FnOnce()>) {
        self.add_done_callback(|_| callback());
    }
}

impl<V: 'static> Standing for Gather<V> {
    fn is_over(&self) -> bool {
        self.done()
    }

    fn was_cancelled(&self) -> bool {
        self.cancelled()
    }

    fn ask(&self) {
        self.cancel();
    }

    fn tell(&self, callback: Box<dyn FnOnce()>) {
        self.add_done_callback(callback);
    }
}
