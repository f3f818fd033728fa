//! Elsewhere: nothing can be listened to, and every constructor says so.

use crate::Signal;
use std::io;
use std::time::Duration;

pub(crate) const NAMED: &[(i32, &str)] = &[(2, "SIGINT"), (15, "SIGTERM")];

/// Asks the process to stop, from the keyboard (Ctrl-C).
pub const SIGINT: Signal = Signal::known(2);
/// Asks the process to stop, from another process.
pub const SIGTERM: Signal = Signal::known(15);

/// Never made.
pub(crate) enum Pipe {}

impl Pipe {
    pub(crate) fn open() -> io::Result<Pipe> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "signals can be listened to on Unix only"))
    }

    pub(crate) fn drain(&self) {
        match *self {}
    }

    pub(crate) fn wait(&self, _: Option<Duration>) -> io::Result<bool> {
        match *self {}
    }
}

/// Never made.
pub(crate) enum Handler {}

pub(crate) fn listen(_: Signal, pipe: &Pipe) -> io::Result<Handler> {
    match *pipe {}
}

pub(crate) fn unlisten(handler: Handler) {
    match handler {}
}

pub(crate) fn is_allowed(_: Signal) -> bool {
    true
}

pub(crate) fn is_default(_: Signal) -> io::Result<bool> {
    Ok(true)
}
