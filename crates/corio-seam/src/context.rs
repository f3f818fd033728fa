//! Values that follow a task and its callbacks: Python's `contextvars`.
//!
//! A [`ContextVar`] is a name for a value; a [`Context`] is where the values of such names lie. Each thread has a
//! *current* context, which a task or a callback replaces by its own while it runs:
//!
//! * What is made (a task, a callback) gets a **copy** of the context in which it is made, and writes to the copy alone.
//! * What is made *in* a context that is named (`call_soon_in`, `TaskOptions::context`) **shares** it.
//! * Outside tasks and callbacks, names are looked up in the thread's own context, which a task made there copies.
//!
//! # What it costs
//!
//! Where nobody has set a variable there is no context at all: a task's step pays nothing, making a task or a callback one
//! test of a thread-local flag. With one, making costs a small allocation (the values are shared until one of them is
//! written), and each step a pair of stores.
//!
//! # Who keeps whom apart
//!
//! Whoever runs callbacks and tasks keeps to one rule: between two entries of the ready queue the thread has *no* current
//! context. So a callback starts from its own or from none, a first write makes one, and it is gone when the callback
//! ends; a task is offered it ([`Seam::adopt_context`](crate::Seam::adopt_context)), and brings it back at its next step.

mod carried;
mod current;
mod map;
mod var;

pub use carried::{Carried, carry_context};
pub use current::{capture_context, copy_context, enter_context, leave_context, outside_context, swap_context};
pub use var::{ContextVar, Token};

pub(crate) use current::run_detached;

use map::{Map, Value};
use std::cell::RefCell;
use std::fmt;
use std::num::NonZeroU64;
use std::rc::Rc;

/// The values of context variables that some task or callback sees; Python's `contextvars.Context`.
///
/// A clone is the *same* context: what is written through one is read through the other. [`copy`](Context::copy) makes one
/// of its own. `!Send`; see [`carry_context`] for what can leave the thread.
///
/// # Examples
///
/// ```
/// use corio_seam::{Context, ContextVar};
///
/// static USER: ContextVar<String> = ContextVar::new("user");
///
/// let context = Context::new();
/// context.run(|| USER.set("ada".into()));
/// assert_eq!(USER.get(), None); // Not here.
/// assert_eq!(context.get(&USER), Some("ada".to_string()));
///
/// let copy = context.copy();
/// copy.run(|| USER.set("grace".into()));
/// assert_eq!(context.get(&USER), Some("ada".to_string()));
/// ```
#[derive(Clone, Default)]
pub struct Context(Rc<RefCell<Rc<Map>>>);

impl Context {
    /// Makes an empty context; Python's `Context()`.
    #[must_use]
    pub fn new() -> Context {
        Context::default()
    }

    /// Makes a context with the values of this one, in constant time; Python's `Context.copy`.
    #[must_use]
    pub fn copy(&self) -> Context {
        Context(Rc::new(RefCell::new(Rc::clone(&self.0.borrow()))))
    }

    /// Calls `f` with this as the current context; Python's `Context.run`.
    ///
    /// It may be the current one already, or that of a task that is suspended: Python refuses the former. `f` runs at
    /// once and to its end, so an `async` block that it returns is not in this context: make a task with it.
    ///
    /// # Panics
    ///
    /// If `f` does. The context that was current before is current again.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        if crate::loop_id().is_some() {
            current::current_or_new(); // So that a task that has none knows which is its own, whatever happens inside.
        }
        enter_context(Some(self.clone()), f)
    }

    /// Returns the value that `var` has in this context; Python's `context.get(var)`.
    #[must_use]
    pub fn get<T: Clone + 'static>(&self, var: &ContextVar<T>) -> Option<T> {
        self.with(var, |value| value.cloned())
    }

    /// Lends `f` the value that `var` has in this context.
    pub fn with<T: 'static, R>(&self, var: &ContextVar<T>, f: impl FnOnce(Option<&T>) -> R) -> R {
        let value = var.id().and_then(|id| self.value(id)); // A count of its own: `f` may set the variable.
        f(value.as_ref().and_then(Value::get))
    }

    /// Tells whether no variable has a value here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    fn value(&self, id: NonZeroU64) -> Option<Value> {
        self.0.borrow().find(id).cloned()
    }

    /// Gives a variable a value, and returns the one it had, which is not dropped here: its destructor is user code.
    fn insert(&self, id: NonZeroU64, name: &'static str, value: Value) -> Option<Value> {
        Rc::make_mut(&mut *self.0.borrow_mut()).insert(id, name, value)
    }

    /// Takes a variable's value away, for the caller to drop.
    fn remove(&self, id: NonZeroU64) -> Option<Value> {
        Rc::make_mut(&mut *self.0.borrow_mut()).remove(id)
    }
}

/// The same context, not merely one with equal values.
impl PartialEq for Context {
    fn eq(&self, other: &Context) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Context {}

impl fmt::Debug for Context {
    /// Names the variables that have a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let map = Rc::clone(&self.0.borrow());
        f.write_str("Context ")?;
        f.debug_set().entries(map.names()).finish()
    }
}
