//! The names of values.

use super::current::{current, current_or_new};
use super::{Context, Value};
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A name for a value that follows tasks and callbacks; Python's `contextvars.ContextVar`.
///
/// Declare it as a `static`. Its value is looked up in the current context: that of the task or the callback that runs,
/// or the thread's own (which is not a task's: on a runtime that moves tasks between threads it does not follow them,
/// unless they are polled by a `TaskSet`). There is no default: write `get().unwrap_or(..)`.
///
/// # Examples
///
/// ```
/// use corio_seam::ContextVar;
///
/// static REQUEST: ContextVar<u64> = ContextVar::new("request");
///
/// assert_eq!(REQUEST.get(), None);
/// let token = REQUEST.set(7);
/// assert_eq!(REQUEST.get(), Some(7));
/// REQUEST.reset(token);
/// assert_eq!(REQUEST.get(), None);
/// ```
pub struct ContextVar<T> {
    name: &'static str,
    /// The identity, which no other variable of this process has; 0 until a value is first set. Relaxed, for nothing
    /// else is published by it: a value reaches another thread by ways of its own.
    id: AtomicU64,
    /// How a value is kept, and so whether it can travel.
    wrap: fn(T) -> Value,
}

impl<T: 'static> ContextVar<T> {
    /// Makes a variable whose values stay on their thread, and need not be `Send`.
    #[must_use]
    pub const fn new(name: &'static str) -> ContextVar<T> {
        ContextVar { name, id: AtomicU64::new(0), wrap: |value| Value::Local(Rc::new(value)) }
    }

    /// Makes a variable whose value goes along when a call is sent to another thread, by `to_thread` and
    /// `call_soon_threadsafe`.
    ///
    /// Both threads see one value, so it must be `Sync`. What the other thread sets stays there.
    #[must_use]
    pub const fn for_threads(name: &'static str) -> ContextVar<T>
    where
        T: Send + Sync,
    {
        ContextVar { name, id: AtomicU64::new(0), wrap: |value| Value::Shared(Arc::new(value)) }
    }

    /// Gives the variable a value in the current context; Python's `ContextVar.set`.
    ///
    /// The token puts back what was there before, by [`reset`](ContextVar::reset); whoever does not want to ignores it.
    pub fn set(&self, value: T) -> Token<T> {
        let (id, context) = (self.id_or_new(), current_or_new());
        let before = context.insert(id, self.name, (self.wrap)(value));
        Token { id, before, context, value: PhantomData }
    }

    /// Returns the value in the current context; Python's `ContextVar.get`, with `None` for its `LookupError`.
    #[must_use]
    pub fn get(&self) -> Option<T>
    where
        T: Clone,
    {
        self.with(|value| value.cloned())
    }

    /// Lends `f` the value in the current context.
    ///
    /// `f` may set the variable: it keeps what it was lent.
    pub fn with<R>(&self, f: impl FnOnce(Option<&T>) -> R) -> R {
        match current() {
            Some(context) => context.with(self, f),
            None => f(None),
        }
    }

    /// Puts back the value, or its absence, that the `set` which gave `token` replaced; Python's `ContextVar.reset`.
    ///
    /// A token is used up, so that it cannot be used twice.
    ///
    /// # Panics
    ///
    /// If the token was given by another variable, or in another context than the current one.
    pub fn reset(&self, token: Token<T>) {
        assert!(self.id() == Some(token.id), "a token of another context variable was given to {:?}", self.name);
        let same = current().is_some_and(|context| context == token.context);
        assert!(same, "a token of {:?} was given back in another context than it was made in", self.name);
        let replaced = match token.before {
            Some(before) => token.context.insert(token.id, self.name, before),
            None => token.context.remove(token.id),
        };
        drop(replaced); // User code: no borrow is held.
    }

    /// Returns the name, which is for people to read; Python's `ContextVar.name`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the identity, if a value was ever set.
    pub(super) fn id(&self) -> Option<NonZeroU64> {
        NonZeroU64::new(self.id.load(Ordering::Relaxed))
    }

    fn id_or_new(&self) -> NonZeroU64 {
        self.id().unwrap_or_else(|| {
            static NEXT: AtomicU64 = AtomicU64::new(1);
            let new = NEXT.fetch_add(1, Ordering::Relaxed);
            let id = match self.id.compare_exchange(0, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => new,
                Err(of_another_thread) => of_another_thread,
            };
            NonZeroU64::new(id).expect("no identities are left")
        })
    }
}

impl<T> fmt::Debug for ContextVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextVar").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a [`ContextVar`] was before it was set; Python's `contextvars.Token`. Dropping it leaves the variable as it is.
pub struct Token<T> {
    id: NonZeroU64,
    before: Option<Value>,
    context: Context,
    value: PhantomData<T>,
}

impl<T: Clone + 'static> Token<T> {
    /// Returns the value that the variable had before; Python's `Token.old_value`.
    #[must_use]
    pub fn old_value(&self) -> Option<T> {
        self.before.as_ref().and_then(Value::get).cloned()
    }
}

impl<T> fmt::Debug for Token<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("was_set", &self.before.is_some()).finish_non_exhaustive()
    }
}
