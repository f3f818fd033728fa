//! One user at a time, or an error.

use crate::BusyResource;
use crate::statistics::ResourceGuardStatistics;
use std::cell::Cell;
use std::fmt;

/// Keeps two tasks from using one thing at the same time, by an error for the second; anyio's `ResourceGuard`.
///
/// It is for things that serve one user at a time by their nature, such as the reading end of a stream: two readers
/// would tear the data between them, whatever a lock did about it. A second user is a mistake in the program, and hears
/// so at once. Where a second user may wait, take a [`Lock`](crate::Lock).
///
/// # Examples
///
/// ```
/// use corio_sync::ResourceGuard;
///
/// let reading = ResourceGuard::new("reading from");
/// let entered = reading.enter().expect("nobody else reads");
/// assert!(reading.is_busy());
///
/// let refused = reading.enter().unwrap_err();
/// assert_eq!(refused.to_string(), "another task is already reading from this resource");
///
/// drop(entered);
/// assert!(reading.enter().is_ok());
/// ```
pub struct ResourceGuard {
    /// What whoever is inside does, as the error says it.
    action: &'static str,
    busy: Cell<bool>,
    entered: Cell<u64>,
    refused: Cell<u64>,
}

impl ResourceGuard {
    /// Makes a guard of something that nobody uses; `action` is what the error says the other one is doing to it:
    /// `"reading from"`, `"using"`.
    #[must_use]
    pub const fn new(action: &'static str) -> ResourceGuard {
        ResourceGuard { action, busy: Cell::new(false), entered: Cell::new(0), refused: Cell::new(0) }
    }

    /// Enters, until what it returns is dropped; anyio's `with guard`.
    ///
    /// # Errors
    ///
    /// [`BusyResource`] while somebody is inside.
    #[inline]
    pub fn enter(&self) -> Result<InUse<'_>, BusyResource> {
        if self.busy.replace(true) {
            self.refused.set(self.refused.get() + 1);
            return Err(BusyResource { action: self.action });
        }
        self.entered.set(self.entered.get() + 1);
        Ok(InUse { guard: self })
    }

    /// Tells whether somebody is inside.
    #[inline]
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.busy.get()
    }

    /// Tells how it has been used; trio has such a method on every primitive.
    #[must_use]
    pub fn statistics(&self) -> ResourceGuardStatistics {
        ResourceGuardStatistics { busy: self.busy.get(), entered: self.entered.get(), refused: self.refused.get() }
    }
}

impl Default for ResourceGuard {
    /// Makes a guard whose error says that somebody is "using" the resource.
    fn default() -> ResourceGuard {
        ResourceGuard::new("using")
    }
}

impl fmt::Debug for ResourceGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceGuard").field("action", &self.action).field("busy", &self.is_busy()).finish()
    }
}

/// Is inside a [`ResourceGuard`] until it is dropped; made by [`ResourceGuard::enter`].
#[derive(Debug)]
#[must_use = "the next one may enter when this is dropped"]
pub struct InUse<'g> {
    guard: &'g ResourceGuard,
}

impl Drop for InUse<'_> {
    #[inline]
    fn drop(&mut self) {
        self.guard.busy.set(false);
    }
}
