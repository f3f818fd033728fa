//! Edges and levels on a poller that reports each registration once, then forgets it.

use crate::selector::polling::{add_owned, to_event};
use crate::selector::{Interest, Mode, Ready};
use crate::sys::{BorrowedFd, OwnedFd};
use corio_seam::IntMap;
use polling::Poller;
use std::cell::RefCell;
use std::io;

/// What is registered, and what the poller was last asked for.
///
/// An event disarms its descriptor whole. So after a wait the directions that were not reported are asked for again;
/// those that were, in edge mode when they were used up, in level mode before the next wait.
#[derive(Debug, Default)]
pub(super) struct Oneshot {
    watched: RefCell<IntMap<Watched>>,
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
        self.watched.borrow_mut().insert(key as u64, Watched { fd, mode, interest, armed: interest });
        Ok(())
    }

    /// Changes what is watched for.
    pub(super) fn modify(&self, poller: &Poller, key: usize, interest: Interest, mode: Mode) -> io::Result<()> {
        let mut watched = self.watched.borrow_mut();
        let watched = watched.get_mut(key as u64).ok_or(io::ErrorKind::NotFound)?;
        (watched.mode, watched.interest, watched.armed) = (mode, interest, interest);
        watched.arm(poller, key)
    }

    /// Ceases to watch, then closes the duplicate.
    pub(super) fn deregister(&self, poller: &Poller, key: usize) -> io::Result<()> {
        let watched = self.watched.borrow_mut().remove(key as u64).ok_or(io::ErrorKind::NotFound)?;
        poller.delete(&watched.fd)
    }

    /// Asks again for the levels that were reported last time.
    pub(super) fn before_wait(&self, poller: &Poller) -> io::Result<()> {
        let mut watched = self.watched.borrow_mut();
        let is_reported = |watched: &Watched| watched.mode == Mode::Level && watched.armed != watched.interest;
        let reported: Vec<_> = watched.iter().filter(|(_, watched)| is_reported(watched)).map(|(key, _)| key).collect();
        for key in reported {
            let Some(watched) = watched.get_mut(key) else { continue };
            watched.armed = watched.interest;
            watched.arm(poller, key as usize)?;
        }
        Ok(())
    }

    /// Asks again for the directions that were not reported.
    pub(super) fn after_wait(&self, poller: &Poller, ready: &[Ready]) -> io::Result<()> {
        let mut watched = self.watched.borrow_mut();
        for ready in ready {
            let Some(watched) = watched.get_mut(ready.key as u64) else { continue };
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
        let watched = watched.get_mut(key as u64).ok_or(io::ErrorKind::NotFound)?;
        let armed = watched.armed.or(interest.and(watched.interest));
        if armed == watched.armed {
            return Ok(());
        }
        watched.armed = armed;
        watched.arm(poller, key)
    }
}
