//! The list of waiters: who waits, in which order, and who has been told to go on.

use crate::Wakers;
use corio_seam::will_wake;
use std::fmt;
use std::task::Waker;

/// The index that stands for no slot.
const NONE: u32 = u32::MAX;

/// A first-in, first-out list of wakers, each with a place that lasts until its owner gives it back.
///
/// This is the one list of waiters under every primitive of the family: loop-bound ones keep it in a cell (see
/// [`Waiters`](crate::Waiters), which does that for you), thread-safe ones under a lock. asyncio keeps a `deque` of
/// futures in its place.
///
/// A waiter has two states: *waiting*, from [`push`](WaiterList::push) on, and *notified*, once
/// [`notify_one`](WaiterList::notify_one) or [`notify_all`](WaiterList::notify_all) picked it. It leaves by
/// [`remove`](WaiterList::remove) alone, which tells the state it was in: a waiter that leaves *notified* without
/// using the notification (its future was dropped) owes it to the next one, and the primitive passes it on.
///
/// The list runs no code of the user's: wakers come in by value and go out by value, and the caller clones, wakes and
/// drops them where no borrow or lock is held.
///
/// # Examples
///
/// ```
/// use corio_sync::{Removed, WaiterList};
/// use std::task::Waker;
///
/// let mut list = WaiterList::new();
/// let (first, second) = (list.push(Waker::noop().clone()), list.push(Waker::noop().clone()));
///
/// list.notify_one().expect("somebody waits").wake();
/// assert!(list.is_notified(first) && !list.is_notified(second));
///
/// // The first goes away without using its notification, so the next one gets it.
/// assert!(matches!(list.remove(first), Removed::Notified));
/// list.notify_one().expect("somebody waits").wake();
/// assert!(list.is_notified(second));
/// ```
pub struct WaiterList {
    /// The slab: every slot is either linked among the waiting, notified (linked nowhere), or linked among the free.
    slots: Vec<Slot>,
    /// The waiter that came first; `NONE` when nobody waits.
    head: u32,
    /// The waiter that came last; `NONE` when nobody waits.
    tail: u32,
    /// The free slot to use next, linked through `next`; `NONE` when all are taken.
    free: u32,
    /// How many slots are taken, whatever their state.
    n_taken: u32,
    /// How many slots are notified.
    n_notified: u32,
}

/// One place of the slab.
struct Slot {
    /// The waker to wake; some exactly while the slot is waiting.
    waker: Option<Waker>,
    /// The waiter before this one; valid while waiting.
    prev: u32,
    /// The waiter behind this one while waiting, the next free slot while free.
    next: u32,
    /// Which use of the slot this is, so that an old key is recognised: odd while somebody owns the slot (he waits or
    /// has been notified), even while it is free.
    generation: u32,
}

impl Slot {
    /// Makes a free slot that of a waiter behind `before`; returns its new generation.
    #[inline]
    fn occupy(&mut self, waker: Waker, before: u32) -> u32 {
        let none = self.waker.replace(waker);
        debug_assert!(none.is_none(), "a free slot has no waker");
        std::mem::forget(none); // There is nothing to drop, so nothing need look.
        self.prev = before;
        self.next = NONE;
        self.generation = self.generation.wrapping_add(1);
        self.generation
    }

    /// Makes it the first of the free slots, before `free`. An even generation says that nobody owns it.
    #[inline]
    fn release(&mut self, free: u32) {
        self.generation = self.generation.wrapping_add(1);
        self.next = free;
    }
}

/// The name of a waiter in its [`WaiterList`]: which slot, and which use of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WaiterKey {
    index: u32,
    generation: u32,
}

/// The state in which a waiter left its list; given by [`WaiterList::remove`].
#[derive(Debug)]
#[must_use = "a notification that was not used belongs to the next waiter, and a waker is dropped outside of borrows"]
pub enum Removed {
    /// It was still waiting; this is its waker, to be dropped where no borrow or lock is held.
    Waiting(Waker),
    /// It had been notified.
    Notified,
}

impl WaiterList {
    /// Makes an empty list, without an allocation.
    #[must_use]
    pub const fn new() -> WaiterList {
        WaiterList { slots: Vec::new(), head: NONE, tail: NONE, free: NONE, n_taken: 0, n_notified: 0 }
    }

    /// Appends a waiter at the back.
    ///
    /// # Panics
    ///
    /// When there are 2³² - 1 waiters already.
    #[inline]
    pub fn push(&mut self, waker: Waker) -> WaiterKey {
        if self.free == NONE {
            self.grow();
        }
        let (index, before) = (self.free, self.tail);
        let slot = &mut self.slots[index as usize];
        self.free = slot.next;
        let key = WaiterKey { index, generation: slot.occupy(waker, before) };
        self.tail = index;
        match self.slots.get_mut(before as usize) {
            Some(before) => before.next = index,
            None => self.head = index,
        }
        self.n_taken += 1;
        key
    }

    /// Adds a free slot to the slab, which has none.
    #[cold]
    fn grow(&mut self) {
        let index = u32::try_from(self.slots.len()).ok().filter(|&index| index != NONE);
        self.free = index.expect("more than 2^32 - 1 waiters in one list");
        self.slots.push(Slot { waker: None, prev: NONE, next: NONE, generation: 0 });
    }

    /// Tells whether the waiter has been notified.
    ///
    /// # Panics
    ///
    /// When the waiter has left this list.
    #[inline]
    #[must_use]
    pub fn is_notified(&self, key: WaiterKey) -> bool {
        self.slot(key).waker.is_none()
    }

    /// Tells whether notifying this waiter would wake `waker`, so that [`set_waker`](WaiterList::set_waker) can be
    /// spared. True for one that has been notified.
    ///
    /// # Panics
    ///
    /// When the waiter has left this list.
    #[inline]
    #[must_use]
    pub fn will_wake(&self, key: WaiterKey, waker: &Waker) -> bool {
        self.slot(key).waker.as_ref().is_none_or(|old| will_wake(old, waker))
    }

    /// Replaces the waker of a waiter, which keeps its place; only the last one counts.
    ///
    /// Gives back the waker that is not used any more, to be dropped where no borrow or lock is held: the old one, or
    /// the new one if the waiter has been notified. In that case the old one has been woken, so wake the new one too.
    ///
    /// # Panics
    ///
    /// When the waiter has left this list.
    #[must_use = "a waker is dropped outside of borrows"]
    pub fn set_waker(&mut self, key: WaiterKey, waker: Waker) -> Waker {
        match &mut self.slot_mut(key).waker {
            Some(old) => std::mem::replace(old, waker),
            None => waker,
        }
    }

    /// Notifies the waiter that has waited longest, and gives its waker, to be woken where no borrow or lock is held.
    #[inline]
    #[must_use = "the waiter sleeps on until its waker is woken"]
    pub fn notify_one(&mut self) -> Option<Waker> {
        let slot = self.slots.get_mut(self.head as usize)?;
        let waker = slot.waker.take();
        let next = slot.next;
        self.head = next;
        match self.slots.get_mut(next as usize) {
            Some(next) => next.prev = NONE,
            None => self.tail = NONE,
        }
        self.n_notified += 1;
        waker
    }

    /// Notifies the `n` that have waited longest, or all if fewer wait, and gives their wakers, longest wait first.
    #[inline]
    pub fn notify_many(&mut self, n: usize) -> Wakers {
        let mut wakers = Wakers::new();
        for _ in 0..n {
            let Some(waker) = self.notify_one() else { break };
            wakers.push(waker);
        }
        wakers
    }

    /// Notifies everybody who waits now, and gives their wakers, longest wait first.
    #[inline]
    pub fn notify_all(&mut self) -> Wakers {
        let mut wakers = Wakers::new();
        while let Some(waker) = self.notify_one() {
            wakers.push(waker);
        }
        wakers
    }

    /// Takes a waiter out of the list: its wait is over, or given up.
    ///
    /// # Panics
    ///
    /// When the waiter has left this list before.
    #[inline]
    pub fn remove(&mut self, key: WaiterKey) -> Removed {
        let free = self.free;
        let slot = self.slot_mut(key);
        let (waker, prev, next) = (slot.waker.take(), slot.prev, slot.next);
        slot.release(free);
        self.free = key.index;
        self.n_taken -= 1;
        let Some(waker) = waker else {
            self.n_notified -= 1;
            return Removed::Notified;
        };
        match self.slots.get_mut(prev as usize) {
            Some(prev) => prev.next = next,
            None => self.head = next,
        }
        match self.slots.get_mut(next as usize) {
            Some(next) => next.prev = prev,
            None => self.tail = prev,
        }
        Removed::Waiting(waker)
    }

    /// Takes a waiter out of the list if it has been notified, and tells whether it was.
    ///
    /// # Panics
    ///
    /// When the waiter has left this list before.
    #[inline]
    #[must_use]
    pub fn remove_notified(&mut self, key: WaiterKey) -> bool {
        let free = self.free;
        let slot = self.slot_mut(key);
        if slot.waker.is_some() {
            return false;
        }
        slot.release(free);
        self.free = key.index;
        self.n_taken -= 1;
        self.n_notified -= 1;
        true
    }

    /// Tells whether nobody is in the list, neither waiting nor notified.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.n_taken == 0
    }

    /// Returns how many wait and have not been notified.
    #[inline]
    #[must_use]
    pub fn n_waiting(&self) -> usize {
        (self.n_taken - self.n_notified) as usize
    }

    /// Returns how many have been notified and have not left yet.
    #[inline]
    #[must_use]
    pub fn n_notified(&self) -> usize {
        self.n_notified as usize
    }

    /// Returns the most that have been in the list at one time, waiting or notified.
    ///
    /// Nothing is counted for it: slots are taken anew only when none is free, so the slab is as long as that.
    #[inline]
    #[must_use]
    pub fn peak(&self) -> usize {
        self.slots.len()
    }

    /// Returns the slot of a waiter that is still in the list.
    #[inline]
    fn slot(&self, key: WaiterKey) -> &Slot {
        let slot = self.slots.get(key.index as usize).filter(|slot| slot.generation == key.generation);
        slot.expect(LEFT)
    }

    /// Returns the slot of a waiter that is still in the list.
    #[inline]
    fn slot_mut(&mut self, key: WaiterKey) -> &mut Slot {
        let slot = self.slots.get_mut(key.index as usize);
        slot.filter(|slot| slot.generation == key.generation).expect(LEFT)
    }
}

/// What the panic says when a key is used after `remove`, or with another list.
const LEFT: &str = "this waiter has left the list: forget its key when `remove` was called";

impl Default for WaiterList {
    fn default() -> WaiterList {
        WaiterList::new()
    }
}

impl fmt::Debug for WaiterList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_struct("WaiterList");
        list.field("waiting", &self.n_waiting()).field("notified", &self.n_notified()).finish()
    }
}
