//! The selector that runs programs, on the `polling` crate: the one place of unsafe code in this crate.

#![allow(unsafe_code)]

use crate::selector::oneshot::Oneshot;
use crate::selector::{Interest, Mode, Ready, Selector};
use crate::sys::{BorrowedFd, DirectWait, RawFd, raw};
use ::polling::{Event, Events, PollMode, Poller};
use corio_task::Bell;
use std::cell::RefCell;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Asks the operating system: epoll, kqueue, or what else there is.
///
/// On Linux it registers and waits by itself, on the poller's descriptor: one system call a wait instead of five, timeouts
/// to the nanosecond, and the end of a connection told from more of its data. Elsewhere, and wherever [`portable`](PollingSelector::portable) was asked for, the poller waits.
///
/// # Examples
///
/// ```
/// use corio_executor::{Interest, Mode, PollingSelector, Selector};
/// use std::net::UdpSocket;
/// use std::os::fd::AsFd;
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// let selector = PollingSelector::new()?;
/// selector.register(socket.as_fd(), 7, Interest::READABLE, Mode::Edge)?;
///
/// socket.send_to(b"hello", socket.local_addr()?)?;
/// let mut ready = Vec::new();
/// while ready.is_empty() {
///     selector.wait(&mut ready, None)?;
/// }
/// assert_eq!((ready[0].key, ready[0].readable), (7, true));
/// selector.deregister(socket.as_fd(), 7)?;
/// # std::io::Result::Ok(())
/// ```
pub struct PollingSelector {
    poller: Arc<Poller>,
    /// The better way to wait; none on the portable path.
    direct: Option<DirectWait>,
    /// What stands in for edges where the poller knows none; none where it does.
    oneshot: Option<Oneshot>,
    /// Where the poller puts its answer on the portable path; empty between waits.
    events: RefCell<Events>,
}

impl PollingSelector {
    /// Makes a selector that takes the best way this system has.
    ///
    /// # Errors
    ///
    /// When there is no descriptor left for it.
    pub fn new() -> io::Result<PollingSelector> {
        let mut selector = PollingSelector::portable()?;
        selector.direct = DirectWait::new(&selector.poller)?;
        Ok(selector)
    }

    /// Makes a selector that lets the poller wait, as on systems for which there is no better way.
    ///
    /// # Errors
    ///
    /// When there is no descriptor left for it.
    pub fn portable() -> io::Result<PollingSelector> {
        let poller = Arc::new(Poller::new()?);
        let oneshot = if poller.supports_edge() { None } else { Some(Oneshot::default()) };
        Ok(PollingSelector { poller, direct: None, oneshot, events: RefCell::new(Events::new()) })
    }

    /// Makes a selector that uses oneshot registrations alone, as on systems that know nothing else.
    ///
    /// It registers a duplicate of each descriptor, and asks anew after each event.
    ///
    /// # Errors
    ///
    /// When there is no descriptor left for it.
    pub fn oneshot() -> io::Result<PollingSelector> {
        let selector = PollingSelector::portable()?;
        Ok(PollingSelector { oneshot: Some(Oneshot::default()), ..selector })
    }
}

impl Selector for PollingSelector {
    fn register(&self, fd: BorrowedFd<'_>, key: usize, interest: Interest, mode: Mode) -> io::Result<()> {
        match (&self.direct, &self.oneshot) {
            (Some(direct), _) => direct.register(&self.poller, fd, key, interest, mode),
            (None, None) => self.add_in_kernel(raw(fd), to_event(key, interest), to_poll_mode(mode)),
            (None, Some(oneshot)) => oneshot.register(&self.poller, fd, key, interest, mode),
        }
    }

    fn modify(&self, fd: BorrowedFd<'_>, key: usize, interest: Interest, mode: Mode) -> io::Result<()> {
        match (&self.direct, &self.oneshot) {
            (Some(direct), _) => direct.modify(&self.poller, fd, key, interest, mode),
            (None, None) => self.poller.modify_with_mode(fd, to_event(key, interest), to_poll_mode(mode)),
            (None, Some(oneshot)) => oneshot.modify(&self.poller, key, interest, mode),
        }
    }

    fn deregister(&self, fd: BorrowedFd<'_>, key: usize) -> io::Result<()> {
        match &self.oneshot {
            None => self.poller.delete(fd),
            Some(oneshot) => oneshot.deregister(&self.poller, key),
        }
    }

    fn wait(&self, ready: &mut Vec<Ready>, timeout: Option<Duration>) -> io::Result<()> {
        if let Some(direct) = &self.direct {
            return direct.wait(&self.poller, ready, timeout);
        }
        if let Some(oneshot) = &self.oneshot {
            oneshot.before_wait(&self.poller)?;
        }
        let mut events = self.events.borrow_mut();
        self.poller.wait(&mut events, timeout)?;
        let before = ready.len();
        ready.extend(events.iter().map(to_ready));
        events.clear();
        match &self.oneshot {
            None => Ok(()),
            Some(oneshot) => oneshot.after_wait(&self.poller, &ready[before..]),
        }
    }

    fn notifier(&self) -> Arc<dyn Bell> {
        match &self.direct {
            Some(direct) => direct.bell(),
            None => Arc::new(PollerBell(self.poller.clone())),
        }
    }

    fn tells_interruptions(&self) -> bool {
        self.direct.is_some()
    }

    fn changes_modes(&self) -> bool {
        self.direct.is_some()
    }

    fn used_up(&self, key: usize, interest: Interest) -> io::Result<()> {
        match &self.oneshot {
            None => Ok(()),
            Some(oneshot) => oneshot.used_up(&self.poller, key, interest),
        }
    }
}

impl PollingSelector {
    /// Registers a descriptor that stays its owner's.
    fn add_in_kernel(&self, fd: RawFd, event: Event, mode: PollMode) -> io::Result<()> {
        // SAFETY:
        // * the descriptor is open: the caller borrows it.
        // * it must be deleted from the poller before it is closed. The reactor does so; but should another caller not,
        //   then this poller supports edges (else `oneshot` is some, and this function is not called), so it is epoll or
        //   kqueue: there `polling` keeps no record of its own, and the kernel ends a registration with its descriptor.
        unsafe { self.poller.add_with_mode(fd, event, mode) }
    }
}

/// Registers a descriptor that the selector owns, so that nobody else can close it.
pub(super) fn add_owned(poller: &Poller, fd: &crate::sys::OwnedFd, event: Event) -> io::Result<()> {
    // SAFETY:
    // * the descriptor is open: it is owned.
    // * it is deleted from the poller before it is closed: `Oneshot` closes one only in `deregister`, after the
    //   deletion, or with the poller itself.
    unsafe { poller.add(fd, event) }
}

impl fmt::Debug for PollingSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollingSelector")
            .field("direct", &self.direct.is_some())
            .field("oneshot", &self.oneshot.is_some())
            .finish_non_exhaustive()
    }
}

/// The ringing end of a poller that waits by itself.
struct PollerBell(Arc<Poller>);

impl Bell for PollerBell {
    fn ring(&self) {
        // A poller that cannot be woken is closed, or the system is beyond help: there is nobody to tell.
        let _ = self.0.notify();
    }
}

/// Spells an interest as the poller does.
pub(super) fn to_event(key: usize, interest: Interest) -> Event {
    Event::new(key, interest.readable, interest.writable)
}

/// Spells a mode as the poller does.
fn to_poll_mode(mode: Mode) -> PollMode {
    match mode {
        Mode::Edge => PollMode::Edge,
        Mode::Level => PollMode::Level,
    }
}

/// Translates an event. An error and a hang-up count as both, so that whoever tries next learns of them.
fn to_ready(event: Event) -> Ready {
    let broken = event.is_err().unwrap_or(false) || event.is_interrupt();
    Ready {
        key: event.key,
        readable: event.readable || broken,
        writable: event.writable || broken,
        interrupted: broken,
    }
}
