//! Who is told when a task ends, in the order in which they asked.

use crate::raw::{self, Seat, Seats, TaskRef};
use crate::set::Core;
use corio_seam::Node;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// The name of a done callback, to take it back by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallbackKey(u64);

/// What runs at the end itself, and not through the ready queue: code of ours.
type Inline = Box<dyn FnOnce(&TaskRef)>;

enum Entry {
    /// Whoever awaits the handle: at most one.
    Waker(Waker),
    /// A done callback: one entry of the ready queue.
    Call(CallbackKey, Node),
    /// A seat: likewise.
    Seat(Seat),
    Inline(Inline),
}

/// A list of those who are told.
#[derive(Default)]
pub(crate) struct Listeners {
    entries: Vec<Entry>,
    last_key: u64,
}

impl Listeners {
    pub(crate) fn of_waker(waker: Waker) -> Listeners {
        Listeners { entries: vec![Entry::Waker(waker)], last_key: 0 }
    }

    pub(crate) fn of_seat(seat: Seat) -> Listeners {
        Listeners { entries: vec![Entry::Seat(seat)], last_key: 0 }
    }

    /// Tells whether nothing is lost with the list: nobody is told, and no key was given out that another list would again.
    pub(crate) fn is_unused(&self) -> bool {
        self.entries.is_empty() && self.last_key == 0
    }

    /// Takes the seat, if nobody else is told: at the end, for the keys that were given out are forgotten with the list.
    pub(crate) fn take_only_seat(&mut self) -> Option<Seat> {
        if !matches!(*self.entries, [Entry::Seat(_)]) {
            return None;
        }
        match self.entries.pop() {
            Some(Entry::Seat(seat)) => Some(seat),
            _ => None,
        }
    }

    /// Tells whether whoever awaits the handle would be woken by `waker`.
    pub(crate) fn has_waker(&self, waker: &Waker) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Waker(old) if raw::will_wake(old, waker)))
    }

    /// Notes who awaits the handle, in the place of whoever did, which the caller drops.
    pub(crate) fn set_waker(&mut self, new: Waker) -> Option<Waker> {
        for entry in &mut self.entries {
            if let Entry::Waker(old) = entry {
                return Some(mem::replace(old, new));
            }
        }
        self.entries.push(Entry::Waker(new));
        None
    }

    pub(crate) fn take_waker(&mut self) -> Option<Waker> {
        let index = self.entries.iter().position(|entry| matches!(entry, Entry::Waker(_)))?;
        match self.entries.remove(index) {
            Entry::Waker(waker) => Some(waker),
            _ => None,
        }
    }

    pub(crate) fn add_callback(&mut self, callback: Node) -> CallbackKey {
        self.last_key += 1;
        let key = CallbackKey(self.last_key);
        self.entries.push(Entry::Call(key, callback));
        key
    }

    /// Takes a callback out; the caller drops it.
    pub(crate) fn remove_callback(&mut self, key: CallbackKey) -> Option<Node> {
        let index = self.entries.iter().position(|entry| matches!(entry, Entry::Call(at, _) if *at == key))?;
        match self.entries.remove(index) {
            Entry::Call(_, node) => Some(node),
            _ => None,
        }
    }

    pub(crate) fn add_seat(&mut self, seat: Seat) {
        self.entries.push(Entry::Seat(seat));
    }

    /// Takes a seat out; the caller drops it.
    pub(crate) fn remove_seat(&mut self, seats: &Seats, index: usize) -> Option<Seat> {
        let place =
            self.entries.iter().position(|entry| matches!(entry, Entry::Seat(seat) if seat.is(seats, index)))?;
        match self.entries.remove(place) {
            Entry::Seat(seat) => Some(seat),
            _ => None,
        }
    }

    pub(crate) fn add_inline(&mut self, inline: Inline) {
        self.entries.push(Entry::Inline(inline));
    }

    /// Tells everybody: wakes, and hands callbacks to the ready queue. What panics is told to nobody and stops nobody.
    pub(crate) fn tell(mut self, task: &TaskRef, core: &Core) {
        for entry in mem::take(&mut self.entries) {
            let told = catch_unwind(AssertUnwindSafe(|| match entry {
                Entry::Waker(waker) => waker.wake(),
                Entry::Call(_, node) => drop(core.push(node)),
                Entry::Seat(seat) => {
                    seat.note_end();
                    drop(core.push(seat.into_node()));
                }
                Entry::Inline(inline) => inline(task),
            }));
            if let Err(payload) = told {
                mem::forget(payload); // Its destructor may panic too.
            }
        }
    }
}

/// The key of a callback that was scheduled at once, for the task was over: there is nothing to take back.
pub(crate) const SCHEDULED_AT_ONCE: CallbackKey = CallbackKey(0);
