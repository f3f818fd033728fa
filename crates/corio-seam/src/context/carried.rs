//! What of a context can go to another thread.

use super::current::current;
use super::map::Value;
use super::{Context, enter_context};
use std::any::Any;
use std::fmt;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::Arc;

/// Takes along, for another thread, the values of the variables that are made [`for_threads`].
///
/// What `to_thread` does, for bridges of one's own. Where nothing is set it costs a load, and allocates nothing.
///
/// # Examples
///
/// ```
/// use corio_seam::{ContextVar, carry_context};
///
/// static REQUEST: ContextVar<u64> = ContextVar::for_threads("request");
/// static LOCAL: ContextVar<std::rc::Rc<str>> = ContextVar::new("local");
///
/// REQUEST.set(7);
/// LOCAL.set("here".into());
/// let carried = carry_context();
/// let there = std::thread::spawn(move || carried.run(|| (REQUEST.get(), LOCAL.get().is_some())));
/// assert_eq!(there.join().unwrap(), (Some(7), false));
/// ```
///
/// [`for_threads`]: crate::ContextVar::for_threads
#[must_use]
pub fn carry_context() -> Carried {
    let values = current().map(|context| Rc::clone(&context.0.borrow()).shared().collect());
    Carried(values.unwrap_or_default())
}

/// Values of context variables on their way to another thread; made by [`carry_context`].
#[derive(Clone, Default)]
pub struct Carried(Vec<(NonZeroU64, &'static str, Arc<dyn Any + Send + Sync>)>);

impl Carried {
    /// Tells whether there is nothing to carry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls `f` in a context of its own, which has these values and no others.
    ///
    /// # Panics
    ///
    /// If `f` does.
    pub fn run<R>(self, f: impl FnOnce() -> R) -> R {
        enter_context(self.into_context(), f)
    }

    /// Makes a context of the values, if there are any.
    fn into_context(self) -> Option<Context> {
        if self.is_empty() {
            return None;
        }
        let context = Context::new();
        for (id, name, value) in self.0 {
            context.insert(id, name, Value::Shared(value));
        }
        Some(context)
    }
}

impl fmt::Debug for Carried {
    /// Names the variables.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carried ")?;
        f.debug_set().entries(self.0.iter().map(|(_, name, _)| name)).finish()
    }
}
