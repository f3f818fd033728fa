//! Edges and levels on a poller that reports each registration once, then forgets it.

use crate::selector::polling::{add_owned, to_event};
use crate::selector::{Interest, Mode, Ready};
use crate::sys::{BorrowedFd, OwnedFd};
use polling::Poller;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;

/// What is registered, and what the poller was last asked for.
///
/// An event disarms its descriptor whole. So after a wait the directions that were not reported are asked for again;
/// those that were, in edge mode when they were used up, in level mode before the next wait.
#[derive(Debug, Default)]
pub(super) struct Oneshot {
    watched: RefCell<HashMap<usize, Watched>>,
}

/// One registration.
#[derive(Debug)]
struct Watched {
    /// A duplicate, so that nobody closes it under the poller; on these systems the poller may hold on to its number.
    fd: OwnedFd,
    mode: Mode,
    /// What its owner wants to know.
    interest: Interest,
    /// What the poller will report.
    armed: Interest,
}

impl Watched {
    /// Asks the poller for what is in `armed` now.
    fn arm(&self, poller: &Poller, key: usize) -> io::Result<()> {
        poller.modify(&self.fd, to_event(key, self.armed))
    }
}

impl Oneshot {
    /// Begins to watch.
    pub(super) fn register(
        &self,
        poller: &Poller,
        fd: BorrowedFd<'_>,
        key: usize,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        let fd = fd.try_clone_to_owned()?;
        add_owned(poller, &fd, to_event(key, interest))?;
        self.watched.borrow_mut().insert(key, Watched { fd, mode, interest, armed: interest });
        Ok(())
    }

    /// Changes what is watched for.
    pub(super) fn modify(&self, poller: &Poller, key: usize, interest: Interest, mode: Mode) -> io::Result<()> {
        let mut watched = self.watched.borrow_mut();
        let watched = watched.get_mut(&key).ok_or(io::ErrorKind::NotFound)?;
        (watched.mode, watched.interest, watched.armed) = (mode, interest, interest);
        watched.arm(poller, key)
    }

    /// Ceases to watch, then closes the duplicate.
    pub(super) fn deregister(&self, poller: &Poller, key: usize) -> io::Result<()> {
        let watched = self.watched.borrow_mut().remove(&key).ok_or(io::ErrorKind::NotFound)?;
        poller.delete(&watched.fd)
    }

    /// Asks again for the levels that were reported last time.
    pub(super) fn before_wait(&self, poller: &Poller) -> io::Result<()> {
        let mut watched = self.watched.borrow_mut();
        let levels = watched.iter_mut().filter(|(_, watched)| watched.mode == Mode::Level);
        for (&key, watched) in levels.filter(|(_, watched)| watched.armed != watched.interest) {
            watched.armed = watched.interest;
            watched.arm(poller, key)?;
        }
        Ok(())
    }

    /// Asks again for the directions that were not reported.
    pub(super) fn after_wait(&self, poller: &Poller, ready: &[Ready]) -> io::Result<()> {
        let mut watched = self.watched.borrow_mut();
        for ready in ready {
            let Some(watched) = watched.get_mut(&ready.key) else { continue };
            watched.armed = watched.armed.without(ready.interest());
            if !watched.armed.is_none() {
                watched.arm(poller, ready.key)?;
            }
        }
        Ok(())
    }

    /// Asks again for what was used up.
    pub(super) fn used_up(&self, poller: &Poller, key: usize, interest: Interest) -> io::Result<()> {
        let mut watched = self.watched.borrow_mut();
        let watched = watched.get_mut(&key).ok_or(io::ErrorKind::NotFound)?;
        let armed = watched.armed.or(interest.and(watched.interest));
        if armed == watched.armed {
            return Ok(());
        }
        watched.armed = armed;
        watched.arm(poller, key)
    }
}
