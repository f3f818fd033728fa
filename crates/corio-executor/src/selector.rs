//! Who knows which descriptors are ready: the trait, and what it speaks of.

mod polling;
mod oneshot;
mod mock;

pub use mock::MockSelector;
pub use polling::PollingSelector;

use crate::sys::BorrowedFd;
use corio_task::Bell;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Tells which descriptors are ready, and waits until some are; asyncio's `selectors.BaseSelector`.
///
/// Readiness only: a selector never reads nor writes. A loop has one, asks it from its own thread alone, and makes it at
/// the first source, so that a loop without sources needs none. [`PollingSelector`] is the one that runs programs,
/// [`MockSelector`] the one that runs tests.
///
/// # What an implementation owes
///
/// * No method runs user code or panics, and none is called from inside another.
/// * `fd` in [`modify`](Selector::modify) and [`deregister`](Selector::deregister) is the descriptor that was registered
///   with that key. It is deregistered before it is closed; a selector that is not told so may answer with wrong
///   readiness, and must not do worse.
/// * In [`Mode::Edge`] readiness is reported once each time it arises, and once at first if it is there already; it is
///   reported again when it arises again after [`used_up`](Selector::used_up). In [`Mode::Level`] it is reported by
///   each wait while it lasts.
/// * An error or a hang-up of a descriptor is reported as readable and writable, whatever was asked for: whoever tries
///   then learns of it.
/// * Events of a key are not reported after it was deregistered.
/// * It may promise more: see [`tells_interruptions`](Selector::tells_interruptions) and
///   [`changes_modes`](Selector::changes_modes).
pub trait Selector {
    /// Begins to watch a descriptor, whose events will bear `key`. `usize::MAX` is no key.
    ///
    /// # Errors
    ///
    /// When the system refuses: too many descriptors, a kind that cannot be watched, one that is watched already.
    fn register(&self, fd: BorrowedFd<'_>, key: usize, interest: Interest, mode: Mode) -> io::Result<()>;

    /// Changes what is watched for.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    fn modify(&self, fd: BorrowedFd<'_>, key: usize, interest: Interest, mode: Mode) -> io::Result<()>;

    /// Ceases to watch a descriptor.
    ///
    /// # Errors
    ///
    /// When the system refuses; the key means nothing afterwards either way.
    fn deregister(&self, fd: BorrowedFd<'_>, key: usize) -> io::Result<()>;

    /// Waits until a descriptor is ready, the [`notifier`](Selector::notifier) was rung since the last wait, or
    /// `timeout` has passed (`None`: never), and appends what is ready.
    ///
    /// It may return early, with nothing appended, and does so when a signal interrupts it. Never late by rounding: a
    /// timeout is as good as the system's clock.
    ///
    /// # Errors
    ///
    /// When the system refuses to wait.
    fn wait(&self, ready: &mut Vec<Ready>, timeout: Option<Duration>) -> io::Result<()>;

    /// Returns what ends the present wait, or else the next, from any thread.
    fn notifier(&self) -> Arc<dyn Bell>;

    /// Promises that [`Ready::interrupted`] is set whenever it should be.
    ///
    /// Then a read from a TCP connection that fills only a part of its buffer has read all there was, and the next one
    /// can wait for an edge, without a system call that would only say so.
    fn tells_interruptions(&self) -> bool {
        false
    }

    /// Promises that [`modify`](Selector::modify) may change the mode of a descriptor, at the price of one system call, and
    /// loses nothing: what is ready is reported by the next wait, in the new mode. Also that it
    /// [tells interruptions](Selector::tells_interruptions), in either mode, of a descriptor that it watches for reading;
    /// urgent data only at edges.
    ///
    /// Then a TCP connection whose reads fill their buffers, and leave nothing, is watched at the level while that lasts.
    fn changes_modes(&self) -> bool {
        false
    }

    /// Hears that an edge-triggered descriptor would block now, in the directions of `interest`.
    ///
    /// Where the system reports edges by itself there is nothing to do; elsewhere the selector asks again.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    fn used_up(&self, key: usize, interest: Interest) -> io::Result<()> {
        let _ = (key, interest);
        Ok(())
    }
}

/// Which directions of a descriptor are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Interest {
    /// Data has come, or the end of it, or a connection.
    pub readable: bool,
    /// There is room to write, or a connection was made.
    pub writable: bool,
}

impl Interest {
    /// Neither direction.
    pub const NONE: Interest = Interest { readable: false, writable: false };
    /// Reading.
    pub const READABLE: Interest = Interest { readable: true, writable: false };
    /// Writing.
    pub const WRITABLE: Interest = Interest { readable: false, writable: true };
    /// Both directions.
    pub const BOTH: Interest = Interest { readable: true, writable: true };

    /// Tells whether neither direction is meant.
    #[must_use]
    pub const fn is_none(self) -> bool {
        !self.readable && !self.writable
    }

    /// Returns what is in either.
    #[must_use]
    pub const fn or(self, other: Interest) -> Interest {
        Interest { readable: self.readable || other.readable, writable: self.writable || other.writable }
    }

    /// Returns what is in both.
    #[must_use]
    pub const fn and(self, other: Interest) -> Interest {
        Interest { readable: self.readable && other.readable, writable: self.writable && other.writable }
    }

    /// Returns what is in `self` and not in `other`.
    #[must_use]
    pub const fn without(self, other: Interest) -> Interest {
        Interest { readable: self.readable && !other.readable, writable: self.writable && !other.writable }
    }
}

/// When readiness is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// When it arises: for whoever remembers it until an operation would block.
    Edge,
    /// As long as it lasts: asyncio's way, for callbacks, and for connections that [`changes_modes`](Selector::changes_modes)
    /// speaks of.
    Level,
}

/// That a descriptor is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ready {
    /// The key it was registered with.
    pub key: usize,
    /// Whether reading would not block.
    pub readable: bool,
    /// Whether writing would not block.
    pub writable: bool,
    /// Whether something else may stand behind the data than more of it: its end, an error, urgent data.
    ///
    /// It says so, if the selector [promises](Selector::tells_interruptions) it, in every event since it happened.
    pub interrupted: bool,
}

impl Ready {
    /// Returns the directions.
    #[must_use]
    pub const fn interest(self) -> Interest {
        Interest { readable: self.readable, writable: self.writable }
    }
}
