//! The word that handlers write to besides the bell, for a loop that sleeps on it.

use rustix::thread::futex::{Flags, wake};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a handler writes.
const RUNG: u32 = 1;
/// What was there if somebody sleeps, or is about to.
const ASLEEP: u32 = u32::MAX;

/// The word, once there is one. Handlers only look whether it is there: they never wait for whoever sets it.
static WORD: OnceLock<&'static AtomicU32> = OnceLock::new();

/// Has [`ring`] write to `word`, unless it writes to another one already; true if it does.
pub(super) fn hang(word: &'static AtomicU32) -> bool {
    ptr::eq(*WORD.get_or_init(|| word), word)
}

/// Writes to the word, if there is one, and wakes who sleeps on it; in a signal handler.
pub(super) fn ring() {
    let Some(word) = WORD.get() else { return };
    if word.swap(RUNG, Ordering::SeqCst) == ASLEEP {
        let _ = wake(word, Flags::PRIVATE, 1);
    }
}
