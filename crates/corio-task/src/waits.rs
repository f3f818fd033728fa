//! What the tasks of a set wait for, as far as it takes more than a word to say.
//!
//! A task that waits for one future of ours has no root scope, as long as nobody asks anything of it; its word holds the
//! number of a place here. A place costs no allocation once as many have been in use.

use crate::node::Slot;
use std::cell::RefCell;
use std::mem;

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

enum Entry {
    Used(Slot),
    /// And the place that was given up before it.
    Free(Option<Place>),
}

impl Waits {
    /// Keeps `slot`, and returns where.
    #[inline]
    pub(crate) fn put(&self, slot: Slot) -> Place {
        let Places { places, free } = &mut *self.0.borrow_mut();
        let Some(place) = *free else {
            let place = u32::try_from(places.len()).ok().filter(|place| *place < 1 << 29);
            places.push(Entry::Used(slot));
            return Place(place.expect("half a billion tasks that wait for futures"));
        };
        if let Entry::Free(next) = mem::replace(&mut places[place.0 as usize], Entry::Used(slot)) {
            *free = next;
        }
        place
    }

    /// Gives a place up, and returns what it held: to be dropped by the caller, for that may be user code.
    #[inline]
    pub(crate) fn take(&self, place: Place) -> Slot {
        let Places { places, free } = &mut *self.0.borrow_mut();
        match mem::replace(&mut places[place.0 as usize], Entry::Free(*free)) {
            Entry::Used(slot) => {
                *free = Some(place);
                slot
            }
            Entry::Free(_) => unreachable!("a place is given up once"),
        }
    }

    /// Returns what a place holds.
    pub(crate) fn get(&self, place: Place) -> Slot {
        match &self.0.borrow().places[place.0 as usize] {
            Entry::Used(slot) => slot.clone(),
            Entry::Free(_) => Slot::Empty,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn places_are_used_again() {
        let waits = Waits::default();
        let first = waits.put(Slot::Leaf(&"one"));
        let second = waits.put(Slot::Leaf(&"two"));
        assert!(matches!(waits.get(first), Slot::Leaf(&"one")));
        assert!(matches!(waits.take(first), Slot::Leaf(&"one")));
        assert!(matches!(waits.take(second), Slot::Leaf(&"two")));
        assert!(matches!(waits.get(second), Slot::Empty));
        assert_eq!(waits.put(Slot::Several), second);
        assert_eq!(waits.put(Slot::Several), first);
        assert_eq!(waits.0.borrow().places.len(), 2);
    }
}
