//! What the tasks of a set wait for, as far as it takes more than a word to say.
//!
//! A task that waits for one future of ours has no root scope, as long as nobody asks anything of it; its word holds the
//! number of a place here. A place costs no allocation once as many have been in use.

use crate::node::Slot;
use std::cell::RefCell;

/// The number of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) u32);

/// The places, of the tasks of one set.
#[derive(Default)]
pub(crate) struct Waits(RefCell<Places>);

#[derive(Default)]
struct Places {
    places: Vec<Entry>,
    /// The place given up last.
    free: Option<Place>,
}

struct Entry {
    /// What somebody waits for; none while nobody has the place.
    slot: Option<Slot>,
    /// The place that was given up before this one, while nobody has it.
    next: Option<Place>,
}

impl Waits {
    /// Keeps what `slot` returns, and returns where.
    ///
    /// A function, so that the slot is made where it is to stay: put together on the stack word by word, and copied by a
    /// wider load, it would wait until the stores have left the store buffer.
    #[inline(always)]
    pub(crate) fn put(&self, slot: impl FnOnce() -> Slot) -> Place {
        let Places { places, free } = &mut *self.0.borrow_mut();
        let place = free.unwrap_or_else(|| grow(places));
        let entry = &mut places[place.0 as usize];
        *free = entry.next.take();
        entry.slot.get_or_insert_with(slot); // Without a look at what to drop: there is nothing.
        place
    }

    /// Gives a place up, and returns what it held: to be dropped by the caller, for that may be user code.
    #[inline]
    pub(crate) fn take(&self, place: Place) -> Slot {
        let Places { places, free } = &mut *self.0.borrow_mut();
        let entry = &mut places[place.0 as usize];
        let slot = entry.slot.take().expect("a place is given up once");
        entry.next = free.replace(place);
        slot
    }

    /// Returns what a place holds.
    pub(crate) fn get(&self, place: Place) -> Slot {
        self.0.borrow().places[place.0 as usize].slot.clone().unwrap_or(Slot::Empty)
    }
}

/// Adds a place that nobody has.
#[cold]
fn grow(places: &mut Vec<Entry>) -> Place {
    let place = u32::try_from(places.len()).ok().filter(|place| *place < 1 << 29);
    places.push(Entry { slot: None, next: None });
    Place(place.expect("half a billion tasks that wait for futures"))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn places_are_used_again() {
        let waits = Waits::default();
        let first = waits.put(|| Slot::Leaf(&"one"));
        let second = waits.put(|| Slot::Leaf(&"two"));
        assert!(matches!(waits.get(first), Slot::Leaf(&"one")));
        assert!(matches!(waits.take(first), Slot::Leaf(&"one")));
        assert!(matches!(waits.take(second), Slot::Leaf(&"two")));
        assert!(matches!(waits.get(second), Slot::Empty));
        assert_eq!(waits.put(|| Slot::Several), second);
        assert_eq!(waits.put(|| Slot::Several), first);
        assert_eq!(waits.0.borrow().places.len(), 2);
    }
}
