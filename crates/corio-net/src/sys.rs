//! What differs between systems: the one place of `cfg` in this crate.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::{accept, connect, is_exhaustion, is_of_the_connection};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::{accept, connect, is_exhaustion, is_of_the_connection};
