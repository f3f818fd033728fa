//! The table of timers, which does nothing by itself: no user code runs in here.

use super::EXPIRY_BATCH;
use crate::large;
use crate::timer_order::TimerOrder;
use corio_seam::{Alarm, LoopTime, OnAlarm, TimerKey, prefetch};
use std::mem;
use std::rc::Rc;
use std::task::Waker;

/// Below this many stale entries, sweeping the order is not worth it; asyncio's figure.
pub(super) const FEW_STALE: usize = 100;

/// What [`Table::poll`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Rung,
    Pending,
    /// Pending, with a waker that must be replaced.
    OtherWaker,
}

/// One timer's place.
pub(super) struct Slot {
    /// Which use of this place; counted when a use ends.
    generation: u32,
    /// While it is armed, the tie-break of its entry; while it is free, the next free slot, or [`NO_SLOT`]; once it has rung,
    /// the slot that rang behind it, or [`NO_SLOT`].
    link: u32,
    holds: Holds,
}

/// What a slot holds, and where its timer stands; see the module's picture. Half a cache line, the slot's numbers included.
pub(super) enum Holds {
    /// No timer.
    Nothing,
    /// Whom to wake.
    Sleeper(Stage, Waker),
    /// What to call.
    Callback(Stage, Rc<dyn OnAlarm>),
    /// A timer that is over, kept until the sleeper has seen it.
    Rung,
}

const _: () = assert!(size_of::<Slot>() <= 32);

/// Where a timer stands that has not rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waiting, with an entry in the order.
    Armed,
    /// Waiting for [`LoopTime::MAX`], which never comes: no entry in the order.
    Never,
    /// Expired, with an entry in the ready queue.
    Due,
}

impl Holds {
    #[inline]
    fn new(stage: Stage, alarm: Alarm) -> Holds {
        match alarm {
            Alarm::Wake(waker) => Holds::Sleeper(stage, waker),
            Alarm::Call(object) => Holds::Callback(stage, object),
        }
    }

    /// Tells where the timer stands, if it has not rung.
    #[inline]
    pub(super) fn stage(&self) -> Option<Stage> {
        match self {
            Holds::Sleeper(stage, _) | Holds::Callback(stage, _) => Some(*stage),
            Holds::Nothing | Holds::Rung => None,
        }
    }
}

/// Stands where a free slot has none behind it.
const NO_SLOT: u32 = u32::MAX;

/// The slots and the order.
pub(super) struct Table {
    pub(super) order: TimerOrder,
    slots: Vec<Slot>,
    /// The first free slot, or [`NO_SLOT`]; each names the next.
    free: u32,
    /// The slot of the sleeper that rang last, or [`NO_SLOT`].
    rang_last: u32,
    /// How many of the order's entries belong to disarmed timers.
    pub(super) stale: usize,
    /// Nothing is armed any more.
    closed: bool,
}

impl Default for Table {
    fn default() -> Table {
        Table {
            order: TimerOrder::default(),
            slots: Vec::new(),
            free: NO_SLOT,
            rang_last: NO_SLOT,
            stale: 0,
            closed: false,
        }
    }
}

impl Table {
    /// Returns the slot that `key` names, if it is still that use.
    fn slot_mut(&mut self, key: TimerKey) -> Option<&mut Slot> {
        self.slots.get_mut(key.index as usize).filter(|slot| slot.generation == key.generation)
    }

    /// Arms a timer; once closed, gives the alarm back with a key that means nothing.
    #[inline]
    pub(super) fn arm(&mut self, when: LoopTime, alarm: Alarm) -> (TimerKey, Option<Alarm>) {
        if self.closed {
            return (TimerKey { index: u32::MAX, generation: 0 }, Some(alarm));
        }
        let never = when == LoopTime::MAX;
        let (stage, tie) = if never { (Stage::Never, 0) } else { (Stage::Armed, self.tie()) };
        let key = self.occupy(tie, Holds::new(stage, alarm));
        if !never {
            self.order.push(when, tie, key.index);
        }
        (key, None)
    }

    /// Returns the next tie-break.
    #[inline]
    fn tie(&mut self) -> u32 {
        match self.order.take_tie() {
            Some(tie) => tie,
            None => self.renumber(),
        }
    }

    /// Begins to count the tie-breaks anew, and returns one.
    #[cold]
    fn renumber(&mut self) -> u32 {
        self.drop_stale();
        let slots = &mut self.slots;
        self.order.renumber(|index, tie| slots[index as usize].link = tie);
        self.order.take_tie().expect("fewer than 2³² timers")
    }

    /// Finds a free slot, or makes one.
    #[inline]
    fn occupy(&mut self, tie: u32, holds: Holds) -> TimerKey {
        let index = self.free;
        let Some(slot) = self.slots.get_mut(index as usize) else { return self.add(tie, holds) };
        self.free = slot.link;
        slot.link = tie;
        slot.holds = holds; // There was nothing.
        TimerKey { index, generation: slot.generation }
    }

    /// Makes a slot.
    #[inline(never)]
    fn add(&mut self, tie: u32, holds: Holds) -> TimerKey {
        let index = u32::try_from(self.slots.len()).ok().filter(|index| *index != NO_SLOT);
        let index = index.expect("more than 2³² timers");
        large::push(&mut self.slots, Slot { generation: 0, link: tie, holds });
        TimerKey { index, generation: 0 }
    }

    /// Ends the use of a slot. Returns what it held, to be dropped.
    #[inline]
    pub(super) fn disarm(&mut self, key: TimerKey) -> Holds {
        let next = self.free;
        let Some(slot) = self.slot_mut(key) else { return Holds::Nothing };
        let (tie, held) = (slot.link, slot.vacate(next));
        self.free = key.index;
        if held.stage() == Some(Stage::Armed) && !self.order.take_back(tie, key.index) {
            self.stale += 1;
            self.sweep();
        }
        held
    }

    /// Sweeps the order when more than a few of its entries, and more than half, are stale.
    fn sweep(&mut self) {
        if self.stale > FEW_STALE && self.stale > self.order.len() / 2 {
            self.drop_stale();
        }
    }

    fn drop_stale(&mut self) {
        let slots = &self.slots;
        self.order.retain(|entry| slots[entry.index() as usize].owns(entry.tie()));
        self.stale = 0;
    }

    /// Returns when the next live timer is due, dropping stale entries on the way.
    pub(super) fn next(&mut self) -> Option<LoopTime> {
        while let Some(&entry) = self.order.peek() {
            if self.slots[entry.index() as usize].owns(entry.tie()) {
                return Some(entry.when());
            }
            self.order.pop();
            self.stale -= 1;
        }
        None
    }

    /// Tells whether a timer, or what is left of one that was taken back, is due.
    #[inline]
    pub(super) fn is_due(&mut self, now: LoopTime) -> bool {
        self.order.peek().is_some_and(|entry| entry.when() <= now)
    }

    /// Takes due timers from the order, as many as a batch can hold.
    #[inline]
    pub(super) fn take_due(&mut self, now: LoopTime) -> Due {
        let mut due = Due { keys: [TimerKey { index: 0, generation: 0 }; EXPIRY_BATCH], len: 0, calls: 0 };
        let mut entries = [(0, 0); EXPIRY_BATCH];
        let mut taken = 0;
        while taken < EXPIRY_BATCH && self.is_due(now) {
            if let Some(entry) = self.order.pop() {
                entries[taken] = (entry.index(), entry.tie());
                taken += 1;
            }
        }
        for &(index, tie) in &entries[..taken] {
            let slot = &mut self.slots[index as usize];
            if slot.owns(tie) {
                due.add(TimerKey { index, generation: slot.generation }, slot.expire());
            } else {
                self.stale -= 1;
            }
        }
        due
    }

    /// Has the processor fetch what the ringing of these timers will read. Between expiry and ringing a crowd of timers
    /// passes, and its tasks are in no cache any more; here the memory accesses of a row overlap.
    pub(super) fn fetch(&self, keys: &[TimerKey]) {
        for key in keys {
            if let Some(Slot { holds: Holds::Sleeper(_, waker), .. }) = self.slots.get(key.index as usize) {
                prefetch(waker.data());
            }
        }
    }

    /// Returns what a due timer is to do, and notes that it has been done.
    #[inline]
    pub(super) fn ring(&mut self, key: TimerKey) -> Holds {
        let next = self.free;
        let slot = self.slot_mut(key).filter(|slot| slot.holds.stage() == Some(Stage::Due));
        let Some(slot) = slot else { return Holds::Nothing };
        if let Holds::Callback(..) = slot.holds {
            let held = slot.vacate(next);
            self.free = key.index;
            return held;
        }
        slot.link = NO_SLOT;
        let held = mem::replace(&mut slot.holds, Holds::Rung); // The sleeper will ask, and disarm.
        let before = mem::replace(&mut self.rang_last, key.index);
        if let Some(Slot { holds: Holds::Rung, link, .. }) = self.slots.get_mut(before as usize) {
            *link = key.index;
        }
        held
    }

    /// Returns what a timer that has not rung is to call.
    pub(super) fn object(&mut self, key: TimerKey) -> Option<Rc<dyn OnAlarm>> {
        match &self.slot_mut(key)?.holds {
            Holds::Callback(_, object) => Some(Rc::clone(object)),
            _ => None,
        }
    }

    /// Tells a sleeper whether its timer has rung. Whoever is woken behind it asks next: that slot is fetched.
    #[inline]
    pub(super) fn poll(&mut self, key: TimerKey, waker: &Waker) -> Answer {
        let Some(slot) = self.slot_mut(key) else { return Answer::Pending }; // For ever: the loop is closed.
        match &slot.holds {
            Holds::Rung => {
                let next = slot.link;
                if let Some(next) = self.slots.get(next as usize) {
                    prefetch(next);
                }
                Answer::Rung
            }
            Holds::Sleeper(_, before) if !before.will_wake(waker) => Answer::OtherWaker,
            _ => Answer::Pending,
        }
    }

    /// Refuses timers from now on; returns those that there are, to be dropped.
    pub(super) fn close(&mut self) -> Vec<Slot> {
        let closed = Table { closed: true, ..Table::default() };
        mem::replace(self, closed).slots
    }

    /// Puts `waker` in the place of the timer's; returns the one that is to be dropped.
    pub(super) fn replace_waker(&mut self, key: TimerKey, waker: Waker) -> Option<Waker> {
        match self.slot_mut(key).map(|slot| &mut slot.holds) {
            Some(Holds::Sleeper(_, before)) => Some(mem::replace(before, waker)),
            _ => Some(waker),
        }
    }
}

impl Slot {
    /// Ends the use of the slot, which is the first free one from now on, and returns what it held.
    #[inline]
    fn vacate(&mut self, next: u32) -> Holds {
        self.generation = self.generation.wrapping_add(1);
        self.link = next;
        mem::replace(&mut self.holds, Holds::Nothing)
    }

    /// Tells whether the order's entry with this tie-break is that of the present use, and no stale one.
    #[inline]
    fn owns(&self, tie: u32) -> bool {
        self.link == tie && self.holds.stage() == Some(Stage::Armed)
    }

    /// Notes that the timer's entry has left the order; tells whether it wakes a sleeper.
    #[inline]
    fn expire(&mut self) -> bool {
        match &mut self.holds {
            Holds::Sleeper(stage, _) => {
                *stage = Stage::Due;
                true
            }
            Holds::Callback(stage, _) => {
                *stage = Stage::Due;
                false
            }
            Holds::Nothing | Holds::Rung => false,
        }
    }
}

/// Timers that are due, in order.
pub(super) struct Due {
    keys: [TimerKey; EXPIRY_BATCH],
    len: usize,
    /// Which of them call an object: a bit each. The others wake sleepers.
    calls: u32,
}

const _: () = assert!(EXPIRY_BATCH == u32::BITS as usize, "a bit for each");

impl Due {
    #[inline]
    fn add(&mut self, key: TimerKey, wakes: bool) {
        self.keys[self.len] = key;
        self.calls |= u32::from(!wakes) << self.len;
        self.len += 1;
    }

    /// Calls `f` with each timer that calls an object, and with each unbroken row of those that wake sleepers, in order.
    #[inline]
    pub(super) fn each_row(&self, mut f: impl FnMut(&[TimerKey])) {
        let mut start = 0;
        while start < self.len {
            let wakers = (self.calls >> start).trailing_zeros() as usize;
            let end = (start + wakers.max(1)).min(self.len);
            f(&self.keys[start..end]);
            start = end;
        }
    }
}
