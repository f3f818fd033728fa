//! The ledger: each value a program makes is noted at its birth and at its death, with the thread.
//!
//! It also holds the trace, for some events happen on other threads.

use crate::trace::Event;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// What a tracked value is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Coroutine,
    Output,
    Payload,
    Callback,
    RemoteCallback,
    Value,
    Item,
    Job,
    JobValue,
    Waker,
    Source,
}

impl Role {
    /// Tells whether it must die on the loop's thread.
    fn is_bound(self) -> bool {
        match self {
            Role::Coroutine | Role::Output | Role::Callback | Role::Value | Role::Item | Role::Source => true,
            Role::Payload | Role::RemoteCallback | Role::Job | Role::JobValue | Role::Waker => false,
        }
    }
}

struct Entry {
    role: Role,
    deaths: u32,
}

/// What has lived, and what has happened.
pub(crate) struct Ledger {
    owner: ThreadId,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    entries: Vec<Entry>,
    events: Vec<Event>,
    wrongs: Vec<String>,
    alive: u32,
    /// The sum of the numbers of those alive.
    sum: u64,
    /// The program is over: only deaths are noted.
    sealed: bool,
}

impl Ledger {
    /// Makes the ledger of a loop that will run on this thread.
    pub(crate) fn new() -> Arc<Ledger> {
        Arc::new(Ledger { owner: thread::current().id(), inner: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a birth.
    pub(crate) fn track(self: &Arc<Ledger>, role: Role) -> Tracked {
        let mut inner = self.lock();
        let number = u32::try_from(inner.entries.len()).expect("few values");
        inner.entries.push(Entry { role, deaths: 0 });
        inner.alive += 1;
        inner.sum += u64::from(number);
        drop(inner);
        Tracked { number, ledger: Arc::clone(self) }
    }

    fn role(&self, number: u32) -> Role {
        self.lock().entries[number as usize].role
    }

    fn note_death(&self, number: u32) {
        let here = thread::current().id();
        let mut inner = self.lock();
        let entry = &mut inner.entries[number as usize];
        entry.deaths += 1;
        let (role, deaths) = (entry.role, entry.deaths);
        if deaths == 1 {
            inner.alive -= 1;
            inner.sum -= u64::from(number);
        } else {
            inner.wrongs.push(format!("{role:?} {number} was dropped {deaths} times"));
        }
        if role.is_bound() && here != self.owner {
            inner.wrongs.push(format!("{role:?} {number} was dropped on another thread than the loop's"));
        }
    }

    /// Notes an event.
    pub(crate) fn note(&self, event: Event) {
        let mut inner = self.lock();
        if !inner.sealed {
            inner.events.push(event);
        }
    }

    /// Ends the trace: from now on only deaths are noted.
    pub(crate) fn seal(&self) {
        self.lock().sealed = true;
    }

    /// Notes how many values live, and which.
    pub(crate) fn note_alive(&self) {
        let mut inner = self.lock();
        let event = Event::Alive(inner.alive, inner.sum);
        inner.events.push(event);
    }

    /// Notes that an invariant was found violated.
    pub(crate) fn accuse(&self, wrong: String) {
        self.lock().wrongs.push(wrong);
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> usize {
        self.lock().events.len()
    }

    /// Brings the events since `start` into an order that does not depend on the order in which they came.
    pub(crate) fn sort_from(&self, start: usize) {
        self.lock().events[start..].sort_unstable();
    }

    /// Closes the books: what happened, and what was wrong. Everything that was made must be dead by now.
    pub(crate) fn finish(&self) -> (Vec<Event>, Vec<String>) {
        let mut inner = self.lock();
        let mut wrongs = std::mem::take(&mut inner.wrongs);
        for (number, entry) in inner.entries.iter().enumerate() {
            if entry.deaths == 0 {
                wrongs.push(format!("{:?} {number} was never dropped", entry.role));
            }
        }
        (std::mem::take(&mut inner.events), wrongs)
    }
}

/// A value whose birth was noted, and whose death will be.
pub(crate) struct Tracked {
    pub(crate) number: u32,
    pub(crate) ledger: Arc<Ledger>,
}

impl Clone for Tracked {
    /// Makes a value of its own, with its own birth and death.
    fn clone(&self) -> Tracked {
        let role = self.ledger.role(self.number);
        self.ledger.track(role)
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.ledger.note_death(self.number);
    }
}
