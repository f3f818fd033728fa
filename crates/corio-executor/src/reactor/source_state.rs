//! What is remembered of a source: what it is ready for, and who waits for the rest.

use crate::reactor::{Action, Watch};
use crate::selector::{Interest, Ready};
use std::cell::{Cell, RefCell};
use std::task::Waker;

/// How many wakers the poll functions of a direction leave behind before the oldest is woken to make room.
///
/// A poll function cannot know that its caller is gone, so its waker stays until the source is ready: without a bound, a
/// task that polls an idle source each time with another waker would fill the memory.
const POLLERS: usize = 8;

/// The name of a future that waits for a source.
pub(crate) type WaiterId = u64;

/// The readiness and the waiters of one source.
#[derive(Debug)]
pub(crate) struct SourceState {
    key: usize,
    /// What it was found ready for and has not been used up. At first both, so that operations are tried at once.
    readiness: Cell<Interest>,
    /// Set when an event said that data may be followed by something else; never cleared. Then only `WouldBlock` proves
    /// that everything was read.
    interrupted: Cell<bool>,
    watch: Watch,
    readers: RefCell<Vec<Waiter>>,
    writers: RefCell<Vec<Waiter>>,
    /// The name of the next future that waits.
    next_id: Cell<WaiterId>,
    /// Set when the source or its loop is closed, never cleared.
    closed: Cell<bool>,
}

/// Somebody who waits for one direction of a source.
#[derive(Debug)]
struct Waiter {
    /// The future that will take it back; none for a poll function.
    id: Option<WaiterId>,
    waker: Waker,
}

impl SourceState {
    /// Makes the state of a source that nobody has tried yet.
    pub(crate) fn new(key: usize) -> SourceState {
        SourceState {
            key,
            readiness: Cell::new(Interest::BOTH),
            interrupted: Cell::new(false),
            watch: Watch::new(),
            readers: RefCell::default(),
            writers: RefCell::default(),
            next_id: Cell::new(0),
            closed: Cell::new(false),
        }
    }

    /// Returns the key that its events bear.
    pub(crate) fn key(&self) -> usize {
        self.key
    }

    /// Tells whether the source or its loop is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Marks it closed, and lets go of its descriptor.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        self.watch.leave_level();
    }

    /// Tells whether an operation in these directions is worth trying.
    pub(crate) fn is_ready(&self, interest: Interest) -> bool {
        !self.readiness.get().and(interest).is_none()
    }

    /// Forgets that it is ready: an operation would block.
    pub(crate) fn clear(&self, interest: Interest) {
        self.readiness.set(self.readiness.get().without(interest));
    }

    /// Tells whether data may be followed by something else than more of it.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.get()
    }

    /// Notes that data may be followed by something else than more of it.
    pub(crate) fn interrupt(&self) {
        self.interrupted.set(true);
    }

    /// Returns how it is watched.
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Tells whether an event is one that the level must not report again: nobody is about to read, or what it tells of
    /// does not end by reading. To be asked before it is noted.
    pub(crate) fn is_out_of_place(&self, ready: Ready) -> bool {
        let is_awaited = !self.is_ready(Interest::READABLE) && !self.readers.borrow().is_empty();
        self.watch.is_at_level() && (ready.interrupted || (ready.readable && !is_awaited))
    }

    /// Notes that it is ready, and gives up the wakers of whoever waits for that.
    pub(crate) fn note(&self, interest: Interest, actions: &mut Vec<Action>) {
        self.readiness.set(self.readiness.get().or(interest));
        for (is_meant, waiters) in [(interest.readable, &self.readers), (interest.writable, &self.writers)] {
            if is_meant {
                give_up(&mut waiters.borrow_mut(), actions);
            }
        }
    }

    /// Returns a name for a future that is going to wait.
    pub(crate) fn new_id(&self) -> WaiterId {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        id
    }

    /// Has `waker` woken when the source is ready: for the future `id`, or for a poll function.
    pub(crate) fn enlist(&self, interest: Interest, id: Option<WaiterId>, waker: &Waker) {
        let waiters = self.waiters(interest);
        let is_known = |waiter: &Waiter| waiter.id == id && waiter.waker.will_wake(waker);
        if waiters.borrow().iter().any(is_known) {
            return;
        }
        // Cloning, dropping and waking are user code: none of it happens while the list is borrowed.
        let waiter = Waiter { id, waker: waker.clone() };
        let mut list = waiters.borrow_mut();
        let (former, displaced) = match id {
            Some(_) => (replace(&mut list, waiter), None),
            None => (None, push_bounded(&mut list, waiter)),
        };
        drop(list);
        drop(former);
        if let Some(displaced) = displaced {
            displaced.waker.wake();
        }
    }

    /// Takes back what the future `id` enlisted.
    pub(crate) fn retire(&self, interest: Interest, id: WaiterId) {
        let mut waiters = self.waiters(interest).borrow_mut();
        let place = waiters.iter().position(|waiter| waiter.id == Some(id));
        let waiter = place.map(|place| waiters.remove(place));
        drop(waiters);
        drop(waiter);
    }

    /// Returns whoever waits for a direction.
    fn waiters(&self, interest: Interest) -> &RefCell<Vec<Waiter>> {
        if interest.readable { &self.readers } else { &self.writers }
    }

    /// Returns how many wait for a direction.
    #[cfg(test)]
    pub(crate) fn n_waiters(&self, interest: Interest) -> usize {
        self.waiters(interest).borrow().len()
    }
}

/// Gives up the wakers of a direction, in order. Mostly there is one or none, which is worth a way of its own.
#[inline]
fn give_up(waiters: &mut Vec<Waiter>, actions: &mut Vec<Action>) {
    match waiters.len() {
        0 => (),
        1 => actions.extend(waiters.pop().map(|waiter| Action::Wake(waiter.waker))),
        _ => actions.extend(waiters.drain(..).map(|waiter| Action::Wake(waiter.waker))),
    }
}

/// Puts a future's waiter in the place of its former one, which is returned, or at the end.
fn replace(waiters: &mut Vec<Waiter>, waiter: Waiter) -> Option<Waiter> {
    match waiters.iter_mut().find(|each| each.id == waiter.id) {
        Some(place) => Some(std::mem::replace(place, waiter)),
        None => {
            waiters.push(waiter);
            None
        }
    }
}

/// Adds a poll function's waiter; returns the oldest of its kind if there are too many.
fn push_bounded(waiters: &mut Vec<Waiter>, waiter: Waiter) -> Option<Waiter> {
    let n_pollers = waiters.iter().filter(|waiter| waiter.id.is_none()).count();
    let oldest = waiters.iter().position(|waiter| waiter.id.is_none());
    let displaced = oldest.filter(|_| n_pollers >= POLLERS).map(|oldest| waiters.remove(oldest));
    waiters.push(waiter);
    displaced
}
