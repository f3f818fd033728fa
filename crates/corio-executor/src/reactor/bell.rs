//! The one bell of a loop, whichever way it sleeps.

use crate::sys::Parker;
use corio_task::Bell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Rings the parker or the selector, whichever the loop sleeps in.
pub(crate) struct LoopBell {
    parker: Parker,
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

    /// Sleeps in the parker.
    pub(crate) fn park(&self, timeout: Option<Duration>) {
        self.parker.park(timeout);
    }
}

impl Bell for LoopBell {
    fn ring(&self) {
        match self.selector.get() {
            Some(selector) if self.in_selector.load(Ordering::Acquire) => selector.ring(),
            _ => self.parker.unpark(),
        }
    }
}

impl Default for LoopBell {
    fn default() -> LoopBell {
        LoopBell { parker: Parker::new(), selector: OnceLock::new(), in_selector: AtomicBool::new(false) }
    }
}
