//! The one bell of a loop, whichever way it sleeps.

use crate::sys::Parker;
use corio_task::Bell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Rings the parker or the selector, whichever the loop sleeps in.
pub(crate) struct LoopBell {
    parker: Parker,
    /// The place of the main thread, where signals ring as well. Set once, by the loop's thread while it is awake: whoever
    /// rings has seen it fall asleep since, as with `in_selector`. From then on it is the parker.
    of_signals: OnceLock<&'static Parker>,
    /// Set once, before `in_selector` is first set.
    selector: OnceLock<Arc<dyn Bell>>,
    /// Where the loop sleeps next.
    ///
    /// Written by the loop's thread while it is awake. Whoever rings has since seen, under the inbox's lock, that it
    /// fell asleep, and so reads what it wrote before; the Release and Acquire here are for whoever rings without.
    in_selector: AtomicBool,
}

impl LoopBell {
    /// Says what ends a sleep in the selector; the first word counts.
    pub(crate) fn set_selector(&self, bell: Arc<dyn Bell>) {
        let _ = self.selector.set(bell);
    }

    /// Says where the loop sleeps from now on.
    pub(crate) fn sleep_in_selector(&self, in_selector: bool) {
        self.in_selector.store(in_selector, Ordering::Release);
    }

    /// Sleeps in the parker from now on where signals ring as well, if there is such a place: true if it does.
    pub(crate) fn park_for_signals(&self) -> bool {
        self.of_signals.get().is_some() || Parker::of_signals().is_some_and(|place| self.of_signals.set(place).is_ok())
    }

    /// Sleeps in the parker.
    pub(crate) fn park(&self, timeout: Option<Duration>) {
        self.parker().park(timeout);
    }

    fn parker(&self) -> &Parker {
        self.of_signals.get().copied().unwrap_or(&self.parker)
    }
}

impl Bell for LoopBell {
    fn ring(&self) {
        match self.selector.get() {
            Some(selector) if self.in_selector.load(Ordering::Acquire) => selector.ring(),
            _ => self.parker().unpark(),
        }
    }
}

impl Default for LoopBell {
    fn default() -> LoopBell {
        LoopBell {
            parker: Parker::new(),
            of_signals: OnceLock::new(),
            selector: OnceLock::new(),
            in_selector: AtomicBool::new(false),
        }
    }
}
