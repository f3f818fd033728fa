//! The unfinished tasks of a set, which it owns.

use super::{TaskPtr, TaskRef};
use std::cell::RefCell;

/// A list of the unfinished tasks; each knows its place.
pub(crate) struct Registry(RefCell<Vec<TaskPtr>>);

impl Registry {
    pub(crate) fn new() -> Registry {
        Registry(RefCell::new(Vec::new()))
    }

    pub(super) fn add(&self, task: TaskPtr) {
        let mut tasks = self.0.borrow_mut();
        let index = u32::try_from(tasks.len()).expect("four billion unfinished tasks");
        task.header().index.set(index);
        tasks.push(task);
    }

    pub(super) fn remove(&self, task: TaskPtr) {
        let mut tasks = self.0.borrow_mut();
        let index = task.header().index.get() as usize;
        let removed = tasks.swap_remove(index);
        debug_assert!(removed == task);
        if let Some(moved) = tasks.get(index) {
            moved.header().index.set(task.header().index.get());
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Returns the unfinished tasks, in no order that means anything.
    pub(crate) fn views(&self) -> Vec<TaskRef> {
        self.0.borrow().iter().map(|task| task.view()).collect()
    }

    /// Returns one of the unfinished tasks.
    pub(crate) fn any(&self) -> Option<TaskRef> {
        self.0.borrow().last().map(|task| task.view())
    }
}
