//! The unfinished tasks of a set, which it owns.

use super::{TaskPtr, TaskRef};
use std::cell::{Cell, RefCell};

/// A list of the unfinished tasks; each knows its place.
pub(crate) struct Registry {
    tasks: RefCell<Vec<TaskPtr>>,
    /// Where the last search for a task that may be woken ended.
    cursor: Cell<usize>,
}

impl Registry {
    pub(crate) fn new() -> Registry {
        Registry { tasks: RefCell::default(), cursor: Cell::new(0) }
    }

    pub(super) fn add(&self, task: TaskPtr) {
        let mut tasks = self.tasks.borrow_mut();
        let index = u32::try_from(tasks.len()).expect("four billion unfinished tasks");
        task.header().index.set(index);
        tasks.push(task);
    }

    pub(super) fn remove(&self, task: TaskPtr) {
        let mut tasks = self.tasks.borrow_mut();
        let index = task.header().index.get() as usize;
        let removed = tasks.swap_remove(index);
        debug_assert!(removed == task);
        if let Some(moved) = tasks.get(index) {
            moved.header().index.set(task.header().index.get());
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.tasks.borrow().len()
    }

    /// Returns the unfinished tasks, in no order that means anything.
    pub(crate) fn views(&self) -> Vec<TaskRef> {
        let mut views: Vec<_> = self.tasks.borrow().iter().map(|task| task.view()).collect();
        corio_seam::permute(&mut views);
        views
    }

    /// Returns one of the unfinished tasks.
    pub(crate) fn any(&self) -> Option<TaskRef> {
        self.tasks.borrow().last().map(|task| task.view())
    }

    /// Tells whether some unfinished task may be woken by anything but code on this thread.
    ///
    /// The search begins where the last one ended: a set that falls asleep again and again finds the same task, or one
    /// near by, and looks at few others.
    pub(crate) fn any_may_be_woken(&self) -> bool {
        let tasks = self.tasks.borrow();
        let start = self.cursor.get().min(tasks.len());
        let found = (start..tasks.len()).chain(0..start).find(|&index| tasks[index].may_be_woken());
        self.cursor.set(found.unwrap_or(0));
        found.is_some()
    }
}
