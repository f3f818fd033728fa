//! What depends on the platform.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as platform;
#[cfg(unix)]
pub use unix::{SIGALRM, SIGCHLD, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

#[cfg(not(unix))]
mod other;
#[cfg(not(unix))]
use other as platform;

pub(crate) use platform::{Handler, NAMED, Pipe, is_allowed, is_default, listen, unlisten};
pub use platform::{SIGINT, SIGTERM};

use crate::Signal;
use std::io;

/// Refuses a signal that programs may not have a handler for.
pub(crate) fn check_allowed(signal: Signal) -> io::Result<()> {
    if is_allowed(signal) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{signal} cannot be listened to")))
}
