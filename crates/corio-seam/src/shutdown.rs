//! What must be closed before its loop is: a list a loop, and the way on to it.

use crate::seam::current;
use crate::{Closed, IntMap, Report, local, report};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::rc::{Rc, Weak};

/// Something whose end takes awaits, and that a loop ends when it shuts down; asyncio's async generators.
pub trait OnShutdown {
    /// Returns the future that ends it. Asked for again while an earlier one is under way or was dropped, it goes on.
    ///
    /// What goes wrong is reported by the future itself; it should not panic.
    fn close(self: Rc<Self>) -> Pin<Box<dyn Future<Output = ()>>>;

    /// Describes it for a person.
    fn describe(&self) -> String;
}

/// Has `what` closed when the loop that runs here shuts down, if it still exists by then; asyncio's `_asyncgens`.
///
/// The shutdown (that of `run` and `Runner`) cancels the loop's tasks first, and joins its thread pool afterwards.
/// Keep what is returned: dropping it takes `what` off the list.
///
/// # Errors
///
/// [`Closed`] where no loop runs on this thread, and after its shutdown has closed the others, which is reported.
pub fn on_shutdown(what: Weak<dyn OnShutdown>) -> Result<ShutdownHook, Closed> {
    let hooks = hooks().ok_or(Closed)?;
    if hooks.over.get() {
        let source = what.upgrade().map_or_else(String::new, |what| what.describe());
        report(Report::new("started after the loop's shutdown, which will not close it").with_source(source));
        return Err(Closed);
    }
    let key = hooks.next.get();
    hooks.next.set(key + 1);
    hooks.entries.borrow_mut().insert(key, Entry::Owned(what));
    Ok(ShutdownHook { hooks: Rc::downgrade(&hooks), key })
}

/// Takes what is to be closed off the list of the loop that runs here, in the order in which it was registered.
///
/// For the shutdown of a loop, which asks again when that is closed, for the closing may have registered more. When there
/// was nothing, the list is closed: what comes after is reported.
#[must_use]
pub fn take_shutdown_hooks() -> Vec<Rc<dyn OnShutdown>> {
    let Some(hooks) = hooks() else { return Vec::new() };
    let entries = hooks.entries.take();
    let found: Vec<_> = entries.into_values().filter_map(Entry::into_strong).collect();
    hooks.over.set(found.is_empty());
    found
}

/// Returns the list of the loop that runs here.
fn hooks() -> Option<Rc<Hooks>> {
    local(Hooks::default)
}

/// What one loop has to close; its local value.
#[derive(Default)]
struct Hooks {
    /// By the order of registration. Nothing that runs user code is done under its borrow.
    entries: RefCell<IntMap<Entry>>,
    next: Cell<u64>,
    /// The shutdown has closed everything.
    over: Cell<bool>,
}

enum Entry {
    /// Its owner has it.
    Owned(Weak<dyn OnShutdown>),
    /// Its owner dropped it, and it is not closed yet: the list keeps it alive.
    Abandoned(Rc<dyn OnShutdown>),
}

impl Entry {
    fn into_strong(self) -> Option<Rc<dyn OnShutdown>> {
        match self {
            Entry::Owned(what) => what.upgrade(),
            Entry::Abandoned(what) => Some(what),
        }
    }
}

/// Keeps something on the list of what its loop closes; made by [`on_shutdown`].
#[must_use = "dropping it takes what was registered off the list"]
pub struct ShutdownHook {
    hooks: Weak<Hooks>,
    key: u64,
}

impl ShutdownHook {
    /// Has `what` closed by a task of the loop, because its owner dropped it; asyncio's finalizer hook.
    ///
    /// If the loop does not run now, or that task is cancelled, the shutdown does it. If the loop closes before, `what` is
    /// dropped as it stands.
    pub fn abandon(&self, what: Rc<dyn OnShutdown>) {
        let Some(hooks) = self.hooks.upgrade() else { return };
        let entry = Entry::Abandoned(Rc::clone(&what));
        let before = hooks.entries.borrow_mut().insert(self.key, entry);
        drop(before);
        let Some(seam) = current() else { return };
        if self::hooks().is_some_and(|here| Rc::ptr_eq(&here, &hooks)) {
            drop(seam.spawn(what.close())); // Refused by a loop that is closing: it drops the list, too.
        }
    }
}

impl Drop for ShutdownHook {
    fn drop(&mut self) {
        let Some(hooks) = self.hooks.upgrade() else { return };
        let entry = hooks.entries.borrow_mut().remove(self.key);
        drop(entry);
    }
}

impl fmt::Debug for ShutdownHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShutdownHook").field("loop_exists", &(self.hooks.strong_count() > 0)).finish()
    }
}
