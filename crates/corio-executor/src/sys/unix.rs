//! Descriptors as Unix has them.

use crate::selector::Interest;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl};
use std::io;
use std::os::fd::AsRawFd;

pub(crate) use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

/// Lends the descriptor of `io`.
pub(crate) fn borrow(io: &(impl AsFd + ?Sized)) -> BorrowedFd<'_> {
    io.as_fd()
}

/// Returns the number of a descriptor.
pub(crate) fn raw(fd: BorrowedFd<'_>) -> RawFd {
    fd.as_raw_fd()
}

/// Refuses a descriptor that would block the thread; in debug builds only, for it costs a system call.
///
/// # Errors
///
/// When it would.
pub(crate) fn check_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    if cfg!(all(debug_assertions, not(miri))) && !fcntl_getfl(fd)?.contains(OFlags::NONBLOCK) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the descriptor of a source must be non-blocking"));
    }
    Ok(())
}

/// Asks the kernel whether a read or a write would come through now; an error or a hang-up counts as yes.
///
/// # Errors
///
/// Whatever `poll` says.
pub(crate) fn is_ready(fd: BorrowedFd<'_>, interest: Interest) -> io::Result<bool> {
    let wanted = if interest.readable { PollFlags::IN } else { PollFlags::OUT };
    let mut fds = [PollFd::from_borrowed_fd(fd, wanted)];
    loop {
        match poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Err(rustix::io::Errno::INTR) => (),
            answer => return Ok(answer? > 0),
        }
    }
}

/// Returns the descriptor that becomes readable when a signal has arrived; for watching only.
///
/// # Errors
///
/// When it cannot be opened.
pub(crate) fn signal_bell() -> io::Result<BorrowedFd<'static>> {
    corio_signal::LoopBell::new().descriptor()
}
