//! Listening in default of anybody else.

use crate::listener::Listener;
use crate::{Signal, registry, sys};
use std::fmt;
use std::io;
use std::sync::Arc;

/// A listener that hears a signal only while no [`Signals`](crate::Signals) listens to it; for writers of event loops.
///
/// A loop may give Ctrl-C a meaning of its own, as asyncio does, which must yield to the program's: whoever listens to
/// the signal takes over, for as long as he does. Dropped, it leaves the signal to its default action, if nobody listens.
///
/// Nobody is woken for it, and [`is_listening`](crate::is_listening) does not count it: its owner watches the bell as
/// long as it lives.
///
/// # Examples
///
/// ```
/// use corio_signal::{Fallback, SIGUSR1, Signals};
///
/// # #[cfg(unix)] {
/// let fallback = Fallback::new(SIGUSR1).unwrap().expect("nobody else handles it");
/// let raise = || signal_hook::low_level::raise(SIGUSR1.as_raw()).unwrap();
/// raise();
/// assert!(fallback.take());
///
/// let mut signals = Signals::new([SIGUSR1]).unwrap(); // The program takes over.
/// raise();
/// assert!(!fallback.take());
/// assert_eq!(signals.try_recv(), Some(SIGUSR1));
/// # }
/// ```
pub struct Fallback {
    listener: Arc<Listener>,
}

impl Fallback {
    /// Starts to listen to `signal`; `None` if something else than its default action is in place: a handler that is not
    /// ours, or lies below ours, or an order to ignore the signal.
    ///
    /// # Errors
    ///
    /// As [`Signals::new`](crate::Signals::new).
    pub fn new(signal: Signal) -> io::Result<Option<Fallback>> {
        sys::check_allowed(signal)?;
        let listener = Arc::new(Listener::new(signal.bit(), true));
        let added = registry::add_fallback(&listener, signal)?;
        Ok(added.then(|| Fallback { listener }))
    }

    /// Takes the signal, if it has arrived while nobody else listened. While nothing has, that is one load and one lock
    /// that nobody holds.
    #[must_use]
    pub fn take(&self) -> bool {
        if registry::has_arrived(self.listener.mask()) {
            registry::dispatch();
        }
        self.listener.take().is_some()
    }

    /// Tells whether the signal has arrived and awaits a [`take`](Fallback::take), or another's dispatch: one load.
    #[inline]
    #[must_use]
    pub fn has_arrived(&self) -> bool {
        registry::has_arrived(self.listener.mask())
    }
}

impl Drop for Fallback {
    fn drop(&mut self) {
        registry::remove(&self.listener);
    }
}

impl fmt::Debug for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Signal::each(self.listener.mask())).finish()
    }
}
