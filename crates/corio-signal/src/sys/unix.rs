//! Unix: handlers of our own, the bell is a socket pair.

mod handler;
mod action;
#[cfg(target_os = "linux")]
mod word;

pub(crate) use handler::{Handler, is_default, unlisten};

use crate::{Bell, LoopBell, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// The numbers that this platform gives to the signals with a name.
pub(crate) const NAMED: &[(i32, &str)] = &[
    (libc::SIGALRM, "SIGALRM"),
    (libc::SIGCHLD, "SIGCHLD"),
    (libc::SIGCONT, "SIGCONT"),
    (libc::SIGHUP, "SIGHUP"),
    (libc::SIGINT, "SIGINT"),
    (libc::SIGPIPE, "SIGPIPE"),
    (libc::SIGQUIT, "SIGQUIT"),
    (libc::SIGTERM, "SIGTERM"),
    (libc::SIGTSTP, "SIGTSTP"),
    (libc::SIGTTIN, "SIGTTIN"),
    (libc::SIGTTOU, "SIGTTOU"),
    (libc::SIGUSR1, "SIGUSR1"),
    (libc::SIGUSR2, "SIGUSR2"),
    (libc::SIGWINCH, "SIGWINCH"),
];

/// Asks the process to stop, from the keyboard (Ctrl-C).
pub const SIGINT: Signal = Signal::known(libc::SIGINT);
/// Asks the process to stop, from another process.
pub const SIGTERM: Signal = Signal::known(libc::SIGTERM);
/// Says that the terminal is gone; daemons reload their configuration on it.
pub const SIGHUP: Signal = Signal::known(libc::SIGHUP);
/// Asks the process to stop and leave a core dump, from the keyboard (Ctrl-\\).
pub const SIGQUIT: Signal = Signal::known(libc::SIGQUIT);
/// Means what the program wants it to mean.
pub const SIGUSR1: Signal = Signal::known(libc::SIGUSR1);
/// Means what the program wants it to mean.
pub const SIGUSR2: Signal = Signal::known(libc::SIGUSR2);
/// Says that a child process stopped or ended.
pub const SIGCHLD: Signal = Signal::known(libc::SIGCHLD);
/// Says that the terminal changed its size.
pub const SIGWINCH: Signal = Signal::known(libc::SIGWINCH);
/// Says that a timer of the system has run out.
pub const SIGALRM: Signal = Signal::known(libc::SIGALRM);

/// The socket pair through which handlers ring. It carries no data: a full one has been rung already.
pub(crate) struct Pipe {
    read: UnixStream,
    write: UnixStream,
}

impl Pipe {
    pub(crate) fn open() -> io::Result<Pipe> {
        let (read, write) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        write.set_nonblocking(true)?;
        Ok(Pipe { read, write })
    }

    /// Empties the pipe. Stops at any error: the worst that can follow is a ring for nothing.
    pub(crate) fn drain(&self) {
        let mut bytes = [0; 256];
        loop {
            match (&self.read).read(&mut bytes) {
                Ok(read) if read == bytes.len() => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    }

    /// Blocks until the pipe is readable; false if the time is over first. Restarts after an interruption.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<bool> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let limit = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut [PollFd::new(&self.read, PollFlags::IN)], limit.as_ref()) {
                Ok(ready) if ready > 0 => return Ok(true),
                Ok(_) => return Ok(false),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Has the signal's flag raised and then `pipe` rung whenever the signal arrives.
pub(crate) fn listen(signal: Signal, pipe: &'static Pipe) -> io::Result<Handler> {
    handler::listen(signal, pipe.write.as_fd())
}

/// Tells whether programs may have a handler for this signal: not for those that the system keeps to itself, nor for those
/// that say that the thread cannot go on where it is.
pub(crate) fn is_allowed(signal: Signal) -> bool {
    ![libc::SIGKILL, libc::SIGSTOP, libc::SIGILL, libc::SIGFPE, libc::SIGSEGV].contains(&signal.as_raw())
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe().read.as_fd()
    }
}

/// For reactors that ask for it, as tokio's `AsyncFd` does.
impl AsRawFd for Bell {
    fn as_raw_fd(&self) -> RawFd {
        self.pipe().read.as_raw_fd()
    }
}

impl LoopBell {
    /// Returns the descriptor that becomes readable when a signal arrives. It is one for the whole process, stays open
    /// until the process ends, and must only be watched: [`dispatch`](LoopBell::dispatch) reads it.
    ///
    /// # Errors
    ///
    /// When it cannot be opened: too many open files.
    pub fn descriptor(&self) -> io::Result<BorrowedFd<'static>> {
        Ok(crate::registry::pipe()?.read.as_fd())
    }

    /// Has handlers ring by `word` as well, on which a loop without a descriptor to watch can sleep as on a private futex:
    /// when a signal that is listened to has arrived, the word is set to 1, and if it was `u32::MAX`, one sleeper is woken.
    ///
    /// So a loop sleeps while the word is `u32::MAX`, to which it was changed from 0; when it has woken up it sets it to 0,
    /// and dispatches. There is one word for the whole process, for good: false if it is another one. It is to be hung
    /// before the loop listens, lest a signal arrive in between.
    #[cfg(target_os = "linux")]
    pub fn hang_at(&self, word: &'static std::sync::atomic::AtomicU32) -> bool {
        word::hang(word)
    }
}
