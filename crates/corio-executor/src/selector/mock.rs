//! The selector that runs tests.

use crate::selector::{Interest, Mode, Ready, Selector};
use crate::sys::{AsFd, BorrowedFd, RawFd, borrow, raw};
use corio_seam::IntMap;
use corio_task::Bell;
use parking_lot::{Condvar, Mutex};
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// A selector whose readiness a test writes down beforehand; it makes no system call.
///
/// Clones share one state: give one to the loop and keep the other. A wait with a timeout returns at once, so that a
/// virtual clock can move; one without a timeout and without readiness blocks until it is rung.
///
/// # Examples
///
/// ```
/// use corio_executor::{Interest, MockSelector, Mode, Selector};
/// use std::os::fd::AsFd;
///
/// let selector = MockSelector::new();
/// let fd = std::io::stdin();
/// selector.register(fd.as_fd(), 3, Interest::BOTH, Mode::Edge)?;
/// selector.make_ready(&fd, Interest::READABLE);
///
/// let mut ready = Vec::new();
/// selector.wait(&mut ready, None)?;
/// assert_eq!((ready[0].key, ready[0].interest()), (3, Interest::READABLE));
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MockSelector {
    inner: Rc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// What is registered: the key, its descriptor's number and what is wanted of it.
    registered: RefCell<IntMap<Registered>>,
    /// What the next wait will report.
    script: RefCell<Vec<Ready>>,
    /// The timeouts of all waits so far.
    waits: RefCell<Vec<Option<Duration>>>,
    /// Whether registrations are refused.
    refusing: Cell<bool>,
    /// What it promises.
    tells_interruptions: Cell<bool>,
    bell: Arc<MockBell>,
}

#[derive(Clone, Copy, Debug)]
struct Registered {
    fd: RawFd,
    interest: Interest,
    mode: Mode,
}

impl MockSelector {
    /// Makes a selector with nothing in its script.
    #[must_use]
    pub fn new() -> MockSelector {
        MockSelector::default()
    }

    /// Lets the next wait report that `fd` is ready, in those of the directions that it is registered for.
    ///
    /// # Panics
    ///
    /// When `fd` is not registered.
    pub fn make_ready(&self, fd: &impl AsFd, interest: Interest) {
        let fd = raw(borrow(fd));
        let registered = self.inner.registered.borrow();
        let found = registered.iter().find(|(_, registered)| registered.fd == fd);
        let (key, registered) = found.expect("a descriptor must be registered before it is made ready");
        let interest = interest.and(registered.interest);
        self.report(Ready {
            key: key as usize,
            readable: interest.readable,
            writable: interest.writable,
            interrupted: false,
        });
    }

    /// Lets the next wait report `ready`, whatever is registered: an event that comes too late, say.
    pub fn report(&self, ready: Ready) {
        self.inner.script.borrow_mut().push(ready);
    }

    /// Lets registrations fail from now on, as if no descriptor were left, or succeed again.
    pub fn refuse(&self, refuse: bool) {
        self.inner.refusing.set(refuse);
    }

    /// Promises from now on, or does not, what [`tells_interruptions`](Selector::tells_interruptions) says.
    pub fn tell_interruptions(&self, tell: bool) {
        self.inner.tells_interruptions.set(tell);
    }

    /// Returns the keys that are registered, with what for and how.
    #[must_use]
    pub fn registered(&self) -> Vec<(usize, Interest, Mode)> {
        let registered = self.inner.registered.borrow();
        registered.iter().map(|(key, it)| (key as usize, it.interest, it.mode)).collect()
    }

    /// Returns the timeouts of all waits so far.
    #[must_use]
    pub fn waits(&self) -> Vec<Option<Duration>> {
        self.inner.waits.borrow().clone()
    }
}

impl Selector for MockSelector {
    fn register(&self, fd: BorrowedFd<'_>, key: usize, interest: Interest, mode: Mode) -> io::Result<()> {
        if self.inner.refusing.get() {
            return Err(io::Error::other("the mock selector was told to refuse"));
        }
        let registered = Registered { fd: raw(fd), interest, mode };
        let before = self.inner.registered.borrow_mut().insert(key as u64, registered);
        if before.is_some() { Err(io::ErrorKind::AlreadyExists.into()) } else { Ok(()) }
    }

    fn modify(&self, fd: BorrowedFd<'_>, key: usize, interest: Interest, mode: Mode) -> io::Result<()> {
        let mut registered = self.inner.registered.borrow_mut();
        let registered = registered.get_mut(key as u64).ok_or(io::ErrorKind::NotFound)?;
        *registered = Registered { fd: raw(fd), interest, mode };
        Ok(())
    }

    fn deregister(&self, _: BorrowedFd<'_>, key: usize) -> io::Result<()> {
        let removed = self.inner.registered.borrow_mut().remove(key as u64);
        removed.map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn wait(&self, ready: &mut Vec<Ready>, timeout: Option<Duration>) -> io::Result<()> {
        self.inner.waits.borrow_mut().push(timeout);
        let mut script = self.inner.script.borrow_mut();
        if script.is_empty() && timeout.is_none() {
            self.inner.bell.wait();
        }
        ready.append(&mut script);
        Ok(())
    }

    fn tells_interruptions(&self) -> bool {
        self.inner.tells_interruptions.get()
    }

    fn notifier(&self) -> Arc<dyn Bell> {
        self.inner.bell.clone()
    }
}

/// The ringing end of a [`MockSelector`].
#[derive(Debug, Default)]
struct MockBell {
    rung: Mutex<bool>,
    sleeper: Condvar,
}

impl MockBell {
    /// Blocks until rung, now or before.
    fn wait(&self) {
        let mut rung = self.rung.lock();
        while !std::mem::take(&mut *rung) {
            self.sleeper.wait(&mut rung);
        }
    }
}

impl Bell for MockBell {
    fn ring(&self) {
        *self.rung.lock() = true;
        self.sleeper.notify_one();
    }
}
