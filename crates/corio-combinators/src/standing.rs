//! What can be asked of the handle of something that goes on by itself: a task, a cell, a gather.

use crate::gather::Gather;
use corio_future::CallbackKey as CellKey;
use corio_seam::Waitable;
use corio_task::{CallbackKey as TaskKey, Task};
use std::rc::Rc;

/// The name of a callback, to take it back by.
#[derive(Debug)]
pub enum Key {
    /// One of a task.
    Task(TaskKey),
    /// One of a cell.
    Cell(CellKey),
    /// The seat of a task, which is known by the child's number.
    Seat,
}

/// Something that goes on by itself, and can be watched and cancelled.
pub trait Standing {
    /// Tells whether it is over.
    fn is_over(&self) -> bool;

    /// Tells whether it was cancelled.
    fn was_cancelled(&self) -> bool;

    /// Asks it to end.
    fn ask(&self);

    /// Calls `callback` through the loop, when it is over.
    fn tell(&self, callback: Box<dyn FnOnce()>) -> Key;

    /// Takes a callback back: false if it ran, or is on its way.
    fn forget(&self, key: &Key) -> bool;

    /// Returns it as the await graph sees it.
    fn waitable(&self) -> Rc<dyn Waitable>;
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

    fn tell(&self, callback: Box<dyn FnOnce()>) -> Key {
        Key::Task(self.add_done_callback(|_| callback()))
    }

    fn forget(&self, key: &Key) -> bool {
        matches!(key, Key::Task(key) if self.remove_done_callback(*key))
    }

    fn waitable(&self) -> Rc<dyn Waitable> {
        Rc::new(self.task_ref())
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

    fn tell(&self, callback: Box<dyn FnOnce()>) -> Key {
        Key::Cell(self.add_done_callback(|_| callback()))
    }

    fn forget(&self, key: &Key) -> bool {
        matches!(key, Key::Cell(key) if self.remove_done_callback(*key))
    }

    fn waitable(&self) -> Rc<dyn Waitable> {
        corio_future::Future::waitable(self)
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

    fn tell(&self, callback: Box<dyn FnOnce()>) -> Key {
        Key::Cell(self.add_done_callback(callback))
    }

    fn forget(&self, key: &Key) -> bool {
        matches!(key, Key::Cell(key) if self.remove_done_callback(*key))
    }

    fn waitable(&self) -> Rc<dyn Waitable> {
        self.cell_waitable()
    }
}
