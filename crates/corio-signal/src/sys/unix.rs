//! Unix: handlers by `signal-hook`, the bell is a socket pair.

use crate::{Bell, LoopBell, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::FORBIDDEN;
use signal_hook::consts::signal as number;
use signal_hook::{SigId, flag, low_level};
use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// The numbers that this platform gives to the signals with a name.
pub(crate) const NAMED: &[(i32, &str)] = &[
    (number::SIGALRM, "SIGALRM"),
    (number::SIGCHLD, "SIGCHLD"),
    (number::SIGCONT, "SIGCONT"),
    (number::SIGHUP, "SIGHUP"),
    (number::SIGINT, "SIGINT"),
    (number::SIGPIPE, "SIGPIPE"),
    (number::SIGQUIT, "SIGQUIT"),
    (number::SIGTERM, "SIGTERM"),
    (number::SIGTSTP, "SIGTSTP"),
    (number::SIGTTIN, "SIGTTIN"),
    (number::SIGTTOU, "SIGTTOU"),
    (number::SIGUSR1, "SIGUSR1"),
    (number::SIGUSR2, "SIGUSR2"),
    (number::SIGWINCH, "SIGWINCH"),
];

/// Asks the process to stop, from the keyboard (Ctrl-C).
pub const SIGINT: Signal = Signal::known(number::SIGINT);
/// Asks the process to stop, from another process.
pub const SIGTERM: Signal = Signal::known(number::SIGTERM);
/// Says that the terminal is gone; daemons reload their configuration on it.
pub const SIGHUP: Signal = Signal::known(number::SIGHUP);
/// Asks the process to stop and leave a core dump, from the keyboard (Ctrl-\\).
pub const SIGQUIT: Signal = Signal::known(number::SIGQUIT);
/// Means what the program wants it to mean.
pub const SIGUSR1: Signal = Signal::known(number::SIGUSR1);
/// Means what the program wants it to mean.
pub const SIGUSR2: Signal = Signal::known(number::SIGUSR2);
/// Says that a child process stopped or ended.
pub const SIGCHLD: Signal = Signal::known(number::SIGCHLD);
/// Says that the terminal changed its size.
pub const SIGWINCH: Signal = Signal::known(number::SIGWINCH);
/// Says that a timer of the system has run out.
pub const SIGALRM: Signal = Signal::known(number::SIGALRM);

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

/// The two actions of one signal that is listened to; in this order, so that the bell never rings before the flag is up.
pub(crate) struct Handler {
    flag: SigId,
    ring: SigId,
}

/// Has `flag` raised and then `pipe` rung whenever the signal arrives.
pub(crate) fn listen(signal: Signal, flag: &'static AtomicBool, pipe: &Pipe) -> io::Result<Handler> {
    let write = pipe.write.try_clone()?;
    let flag = flag::register(signal.as_raw(), flag)?;
    match low_level::pipe::register(signal.as_raw(), write) {
        Ok(ring) => Ok(Handler { flag, ring }),
        Err(error) => {
            low_level::unregister(flag);
            Err(error)
        }
    }
}

/// Takes the actions back. The operating system's handler stays, with nothing left to do: see [`act_as_default`].
pub(crate) fn unlisten(handler: Handler) {
    low_level::unregister(handler.flag);
    low_level::unregister(handler.ring);
}

/// Does what the signal would do by default whenever it arrives while `idle` is up; cannot be taken back.
///
/// Does nothing for signals whose default action `signal-hook` does not know: the real-time ones.
pub(crate) fn act_as_default(signal: Signal, idle: &'static AtomicBool) -> io::Result<()> {
    match low_level::signal_name(signal.as_raw()) {
        Some(_) => flag::register_conditional_default(signal.as_raw(), idle).map(drop),
        None => Ok(()),
    }
}

/// Tells whether programs may have a handler for this signal.
pub(crate) fn is_allowed(signal: Signal) -> bool {
    !FORBIDDEN.contains(&signal.as_raw())
}

/// Tells whether nothing but the default action is in place for `signal`, as far as safe code can find out.
///
/// Linux tells in `/proc`. Elsewhere only `SIGPIPE` is known to differ: Rust's runtime ignores it from the start.
pub(crate) fn is_default(signal: Signal) -> bool {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return signal.as_raw() != number::SIGPIPE;
    };
    let has = |field: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & signal.bit() != 0)
    };
    !has("SigIgn:") && !has("SigCgt:")
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
}
