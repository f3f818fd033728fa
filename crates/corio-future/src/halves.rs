//! The table through which another thread reaches what must not leave its own.
//!
//! The loop-bound half of a chain is `!Send`. It stays in a table: that of the loop which runs where it was made, dropped
//! when the loop closes, or that of the thread where no loop runs. What crosses to other threads is its [`Address`].

use crate::sync::{ThreadId, current, thread_local};
use corio_seam::{IntMap, LoopId, Remote};
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The loop-bound half of a chain.
pub(crate) trait Half {
    /// Passes on that the other half has changed.
    fn changed(self: Rc<Self>);

    /// Gives up: the loop is closing, and news cannot come any more.
    fn closed(self: Rc<Self>);
}

/// How the table knows a half.
enum Entry {
    /// It must outlive whoever made it: its news is for callbacks too.
    Kept(Rc<dyn Half>),
    /// Somebody else keeps it, and takes it out of the table at its end.
    Known(Weak<dyn Half>),
}

/// The halves of one loop, or of one thread, by number.
#[derive(Default)]
struct Halves(RefCell<IntMap<Entry>>);

thread_local! {
    /// The halves made where no loop ran.
    static LOOPLESS: Rc<Halves> = Rc::default();
}

impl Halves {
    /// Finds a half.
    fn get(&self, number: u64) -> Option<Rc<dyn Half>> {
        match self.0.borrow().get(number)? {
            Entry::Kept(half) => Some(Rc::clone(half)),
            Entry::Known(half) => half.upgrade(),
        }
    }

    fn remove(&self, number: u64) {
        let removed = self.0.borrow_mut().remove(number);
        drop(removed); // User code: the borrow has ended.
    }
}

impl Drop for Halves {
    fn drop(&mut self) {
        for entry in std::mem::take(self.0.get_mut()).into_values() {
            if let Entry::Kept(half) = entry {
                half.closed();
            }
        }
    }
}

/// A place in a table, kept by the half itself: it is empty when this is dropped.
pub(crate) struct Place {
    table: Weak<Halves>,
    address: Address,
}

impl Place {
    /// Takes a place in the table that belongs here; it is empty yet.
    pub(crate) fn take() -> Place {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed); // Only uniqueness matters.
        let looped = || Some((corio_seam::local(Halves::default)?, corio_seam::loop_id()?, corio_seam::remote()?));
        match looped() {
            Some((table, id, remote)) => {
                Place { table: Rc::downgrade(&table), address: Address { number, home: Home::Loop(id, remote) } }
            }
            None => {
                let table = LOOPLESS.try_with(Rc::downgrade).unwrap_or_default();
                Place { table, address: Address { number, home: Home::Thread(current().id()) } }
            }
        }
    }

    /// Tells whether a loop brings news of the other half, whoever waits for it.
    pub(crate) fn is_looped(&self) -> bool {
        matches!(self.address.home, Home::Loop(..))
    }

    pub(crate) fn address(&self) -> Address {
        self.address.clone()
    }

    /// Puts a half there that the table keeps alive.
    pub(crate) fn keep(&self, half: Rc<dyn Half>) {
        self.put(Entry::Kept(half));
    }

    /// Puts a half there that somebody else keeps alive.
    pub(crate) fn know(&self, half: Weak<dyn Half>) {
        self.put(Entry::Known(half));
    }

    fn put(&self, entry: Entry) {
        if let Some(table) = self.table.upgrade() {
            table.0.borrow_mut().insert(self.address.number, entry);
        }
    }

    /// Empties the place.
    pub(crate) fn clear(&self) {
        if let Some(table) = self.table.upgrade() {
            table.remove(self.address.number);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Where a half is: what may cross to other threads.
#[derive(Clone)]
pub(crate) struct Address {
    number: u64,
    home: Home,
}

#[derive(Clone)]
enum Home {
    Loop(LoopId, Arc<dyn Remote>),
    Thread(ThreadId),
}

impl Address {
    /// Tells the half that the other has changed: at once at its home, else through its loop; false if it cannot be told.
    ///
    /// A closed loop has given its halves up: nobody is left who cares.
    pub(crate) fn notify(&self) -> bool {
        match &self.home {
            Home::Loop(id, _) if corio_seam::loop_id() == Some(*id) => self.deliver(corio_seam::local(Halves::default)),
            Home::Loop(_, remote) => {
                let address = self.clone();
                let call = remote.call(Box::new(move || _ = address.notify()));
                drop(call);
            }
            Home::Thread(home) if current().id() == *home => self.deliver(LOOPLESS.try_with(Rc::clone).ok()),
            Home::Thread(_) => return false,
        }
        true
    }

    fn deliver(&self, table: Option<Rc<Halves>>) {
        if let Some(half) = table.and_then(|table| table.get(self.number)) {
            half.changed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Deaf;

    impl Half for Deaf {
        fn changed(self: Rc<Self>) {}

        fn closed(self: Rc<Self>) {}
    }

    #[test]
    fn a_place_that_is_given_up_is_empty() {
        let places = || LOOPLESS.with(|halves| halves.0.borrow().len());
        let place = Place::take();
        let half: Rc<dyn Half> = Rc::new(Deaf);
        place.know(Rc::downgrade(&half));
        assert_eq!((places(), Rc::weak_count(&half)), (1, 1));
        drop(place);
        assert_eq!((places(), Rc::weak_count(&half)), (0, 0));
    }
}
