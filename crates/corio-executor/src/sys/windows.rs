//! Descriptors as Windows has them: sockets only.

use crate::selector::Interest;
use std::io;
use std::os::windows::io::AsRawSocket;

pub(crate) use std::os::windows::io::{
    AsSocket as AsFd, BorrowedSocket as BorrowedFd, OwnedSocket as OwnedFd, RawSocket as RawFd,
};

/// Lends the socket of `io`.
pub(crate) fn borrow(io: &(impl AsFd + ?Sized)) -> BorrowedFd<'_> {
    io.as_socket()
}

/// Returns the number of a socket.
pub(crate) fn raw(fd: BorrowedFd<'_>) -> RawFd {
    fd.as_raw_socket()
}

/// Believes that a socket does not block: there is no way to ask.
///
/// # Errors
///
/// None.
pub(crate) fn check_nonblocking(_: BorrowedFd<'_>) -> io::Result<()> {
    Ok(())
}

/// Answers yes: there is no way to ask without unsafe code. Who believes it tries, and hears `WouldBlock`.
///
/// # Errors
///
/// None.
pub(crate) fn is_ready(_: BorrowedFd<'_>, _: Interest) -> io::Result<bool> {
    Ok(true)
}

/// Fails: nobody can listen to a signal there.
///
/// # Errors
///
/// Always.
pub(crate) fn signal_bell() -> io::Result<BorrowedFd<'static>> {
    Err(io::ErrorKind::Unsupported.into())
}
