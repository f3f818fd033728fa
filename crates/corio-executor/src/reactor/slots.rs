//! The table of what is registered. A key is a place and the number of its use, so that an old key means nothing.

use crate::reactor::callbacks::Callbacks;
use crate::reactor::{Action, SourceState};
use crate::selector::Ready;
use std::io;
use std::rc::Rc;

/// How many bits of a key tell the place; the others tell which use of it. 40 and 24, or 20 and 12.
const INDEX_BITS: u32 = usize::BITS / 8 * 5;
/// The bits of a key that tell the place.
const INDEX_MASK: usize = (1 << INDEX_BITS) - 1;

/// What can be registered.
pub(crate) enum Slot {
    /// Edge-triggered mostly, for whoever waits.
    Source(Rc<SourceState>),
    /// Level-triggered, for whoever is called.
    Callbacks(Rc<Callbacks>),
}

/// What is registered.
#[derive(Default)]
pub(crate) struct Slots {
    places: Vec<Place>,
    /// The places that are not in use.
    free: Vec<usize>,
}

struct Place {
    /// The key under which the place is in use, or was last.
    key: usize,
    slot: Option<Slot>,
}

impl Slots {
    /// Tells whether nothing is registered.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many are registered.
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Adds what `make` makes of a new key, and returns the rest of it.
    ///
    /// # Errors
    ///
    /// When there are a million million of them; on 32 bits, a million.
    pub(crate) fn insert<R>(&mut self, make: impl FnOnce(usize) -> (Slot, R)) -> io::Result<R> {
        let index = self.free.pop().unwrap_or(self.places.len());
        if index == INDEX_MASK {
            return Err(io::Error::other("the loop has no room for another source"));
        }
        if index == self.places.len() {
            self.places.push(Place { key: index, slot: None });
        }
        let place = &mut self.places[index];
        let (slot, rest) = make(place.key);
        place.slot = Some(slot);
        Ok(rest)
    }

    /// Takes out what is registered under `key`; the place's next key is another.
    pub(crate) fn remove(&mut self, key: usize) -> Option<Slot> {
        let place = self.places.get_mut(key & INDEX_MASK).filter(|place| place.key == key)?;
        let slot = place.slot.take()?;
        place.key = key.wrapping_add(1 << INDEX_BITS); // The number of the use overflows to zero, and harms no place.
        self.free.push(key & INDEX_MASK);
        Some(slot)
    }

    /// Returns what is registered under `key`.
    fn slot(&self, key: usize) -> Option<&Slot> {
        let place = self.places.get(key & INDEX_MASK).filter(|place| place.key == key)?;
        place.slot.as_ref()
    }

    /// Returns the callbacks that are registered under `key`.
    pub(crate) fn callbacks(&self, key: usize) -> Option<Rc<Callbacks>> {
        match self.slot(key)? {
            Slot::Callbacks(callbacks) => Some(callbacks.clone()),
            Slot::Source(_) => None,
        }
    }

    /// Notes an event, and adds what is to be done about it. Returns its source if that must be watched at edges again.
    pub(crate) fn note(&self, ready: Ready, actions: &mut Vec<Action>) -> Option<Rc<SourceState>> {
        match self.slot(ready.key) {
            Some(Slot::Source(source)) => {
                if ready.interrupted {
                    source.interrupt();
                }
                let is_out_of_place = source.is_out_of_place(ready);
                source.note(ready.interest(), actions);
                return is_out_of_place.then(|| Rc::clone(source));
            }
            Some(Slot::Callbacks(callbacks)) => callbacks.note(ready.interest(), actions),
            None => (), // It was deregistered: the event is old.
        }
        None
    }

    /// Returns everything that is registered.
    pub(crate) fn all(&self) -> (Vec<Rc<SourceState>>, Vec<Rc<Callbacks>>) {
        let (mut sources, mut callbacks) = (Vec::new(), Vec::new());
        for slot in self.places.iter().filter_map(|place| place.slot.as_ref()) {
            match slot {
                Slot::Source(source) => sources.push(source.clone()),
                Slot::Callbacks(each) => callbacks.push(each.clone()),
            }
        }
        (sources, callbacks)
    }
}
