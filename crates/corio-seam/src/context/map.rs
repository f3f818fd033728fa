//! What a context holds: a map that copies share until one of them is written.

use crate::catch_and_report;
use std::any::Any;
use std::mem;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::Arc;

/// One value; a clone is the same.
#[derive(Clone)]
pub(super) enum Value {
    /// It stays on its thread.
    Local(Rc<dyn Any>),
    /// It may be carried to another.
    Shared(Arc<dyn Any + Send + Sync>),
}

impl Value {
    /// Lends the value; its type is that of the variable it was found by.
    pub(super) fn get<T: 'static>(&self) -> Option<&T> {
        match self {
            Value::Local(value) => value.downcast_ref(),
            Value::Shared(value) => value.downcast_ref(),
        }
    }
}

#[derive(Clone)]
struct Entry {
    id: NonZeroU64,
    name: &'static str,
    value: Value,
}

/// The values of some variables, by ascending identity. Contexts hold few, so a list is faster than a tree.
#[derive(Clone, Default)]
pub(super) struct Map(Vec<Entry>);

impl Map {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(&self, id: NonZeroU64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |entry| entry.id)
    }

    pub(super) fn find(&self, id: NonZeroU64) -> Option<&Value> {
        Some(&self.0[self.place(id).ok()?].value)
    }

    pub(super) fn insert(&mut self, id: NonZeroU64, name: &'static str, value: Value) -> Option<Value> {
        match self.place(id) {
            Ok(index) => Some(mem::replace(&mut self.0[index].value, value)),
            Err(index) => {
                self.0.insert(index, Entry { id, name, value });
                None
            }
        }
    }

    pub(super) fn remove(&mut self, id: NonZeroU64) -> Option<Value> {
        let index = self.place(id).ok()?;
        Some(self.0.remove(index).value)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|entry| entry.name)
    }

    /// Returns the values that may go to another thread, with what names them.
    pub(super) fn shared(&self) -> impl Iterator<Item = (NonZeroU64, &'static str, Arc<dyn Any + Send + Sync>)> {
        self.0.iter().filter_map(|entry| match &entry.value {
            Value::Shared(value) => Some((entry.id, entry.name, Arc::clone(value))),
            Value::Local(_) => None,
        })
    }
}

impl Drop for Map {
    /// Drops the values, each shielded from the panics of the others: a context dies in the midst of a loop's work, or of
    /// a thread's end.
    fn drop(&mut self) {
        for entry in mem::take(&mut self.0) {
            catch_and_report("exception while a context variable's value was dropped", move || drop(entry));
        }
    }
}
