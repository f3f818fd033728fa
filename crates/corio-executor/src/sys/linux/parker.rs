//! A place to sleep on a futex.

mod futex;
#[cfg(all(test, loom))]
mod models;

use futex::{Futex, Ordering};
use std::sync::LazyLock;
use std::time::Duration;

/// Nobody sleeps, and no ring is owed. // --> PARKED by `park`, RUNG by `unpark`
const IDLE: u32 = 0;
/// A ring that the next `park` will take. // --> IDLE by `park`
const RUNG: u32 = 1;
/// The owner sleeps or is about to. // --> IDLE by the owner, RUNG by `unpark`
const PARKED: u32 = u32::MAX;

/// A place where one thread sleeps and any thread rings.
///
/// It has a word of its own, so that `std::thread::unpark`, called by anybody for any reason, neither ends a sleep nor
/// is swallowed by one.
#[derive(Debug)]
pub(crate) struct Parker {
    futex: Futex,
}

impl Parker {
    /// Makes a place with no ring owed.
    pub(crate) fn new() -> Parker {
        Parker { futex: Futex::new(IDLE) }
    }

    /// Returns the place where handlers of signals ring, as they do everything that they do by the words above; none if
    /// they ring elsewhere. It is for the loops of the main thread, of which one runs at a time.
    pub(crate) fn of_signals() -> Option<&'static Parker> {
        static PLACE: LazyLock<Parker> = LazyLock::new(Parker::new);
        let place = &*PLACE;
        place.futex.hang_for_signals().then_some(place)
    }

    /// Sleeps until rung, or until `timeout` has passed; may return early. A ring that came before ends it at once.
    ///
    /// Only one thread may park at a time: the loop's.
    pub(crate) fn park(&self, timeout: Option<Duration>) {
        // RUNG becomes IDLE, IDLE becomes PARKED. Acquire pairs with the Release in `unpark`.
        if self.futex.word().fetch_sub(1, Ordering::Acquire) == RUNG {
            return;
        }
        if timeout != Some(Duration::ZERO) {
            self.futex.wait(PARKED, timeout);
        }
        // Whether it was a ring, a signal or the end of the time; Acquire pairs with the Release in `unpark`.
        self.futex.word().swap(IDLE, Ordering::Acquire);
    }

    /// Ends the present sleep or the next.
    pub(crate) fn unpark(&self) {
        if self.futex.word().swap(RUNG, Ordering::Release) == PARKED {
            self.futex.wake();
        }
    }
}
