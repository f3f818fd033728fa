//! The table of timers, which does nothing by itself: no user code runs in here.

use super::EXPIRY_BATCH;
use crate::timer_order::TimerOrder;
use corio_seam::{Alarm, LoopTime, OnAlarm, TimerKey};
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
    /// While it is armed, the tie-break of its entry; while it is free, the next free slot, or [`NO_SLOT`].
    link: u32,
    phase: Phase,
    /// Some while it is armed, never due, or due.
    alarm: Option<Alarm>,
}

/// Where a slot's timer stands; see the module's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No timer.
    Free,
    /// Waiting, with an entry in the order.
    Armed,
    /// Waiting for [`LoopTime::MAX`], which never comes: no entry in the order.
    Never,
    /// Expired, with an entry in the ready queue.
    Due,
    /// Over, kept until the sleeper has seen it.
    Rung,
}

/// Stands where a free slot has none behind it.
const NO_SLOT: u32 = u32::MAX;

/// The slots and the order.
pub(super) struct Table {
    pub(super) order: TimerOrder,
    slots: Vec<Slot>,
    /// The first free slot, or [`NO_SLOT`]; each names the next.
    free: u32,
    /// How many of the order's entries belong to disarmed timers.
    pub(super) stale: usize,
    /// Nothing is armed any more.
    closed: bool,
}

impl Default for Table {
    fn default() -> Table {
        Table { order: TimerOrder::default(), slots: Vec::new(), free: NO_SLOT, stale: 0, closed: false }
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
        let (phase, tie) = if never { (Phase::Never, 0) } else { (Phase::Armed, self.tie()) };
        let key = self.occupy(tie, phase, alarm);
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
    fn occupy(&mut self, tie: u32, phase: Phase, alarm: Alarm) -> TimerKey {
        let index = self.free;
        let Some(slot) = self.slots.get_mut(index as usize) else { return self.add(tie, phase, alarm) };
        self.free = slot.link;
        slot.link = tie;
        slot.phase = phase;
        slot.alarm = Some(alarm); // There was none.
        TimerKey { index, generation: slot.generation }
    }

    /// Makes a slot.
    #[inline(never)]
    fn add(&mut self, tie: u32, phase: Phase, alarm: Alarm) -> TimerKey {
        let index = u32::try_from(self.slots.len()).ok().filter(|index| *index != NO_SLOT);
        let index = index.expect("more than 2³² timers");
        self.slots.push(Slot { generation: 0, link: tie, phase, alarm: Some(alarm) });
        TimerKey { index, generation: 0 }
    }

    /// Ends the use of a slot. Returns whether its timer had not rung, and the alarm, to be dropped.
    #[inline]
    pub(super) fn disarm(&mut self, key: TimerKey) -> (bool, Option<Alarm>) {
        let next = self.free;
        let Some(slot) = self.slot_mut(key) else { return (false, None) };
        let (tie, phase, alarm) = (slot.link, slot.phase, slot.vacate(next));
        self.free = key.index;
        if phase == Phase::Armed && !self.order.take_back(tie, key.index) {
            self.stale += 1;
            self.sweep();
        }
        (phase != Phase::Rung, alarm)
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

    /// Returns what a due timer is to do, and notes that it has been done.
    #[inline]
    pub(super) fn ring(&mut self, key: TimerKey) -> Option<Alarm> {
        let next = self.free;
        let slot = self.slot_mut(key).filter(|slot| slot.phase == Phase::Due)?;
        slot.phase = Phase::Rung;
        let alarm = slot.alarm.take();
        if let Some(Alarm::Call(_)) = alarm {
            slot.vacate(next);
            self.free = key.index;
        } // A sleeper will ask, and disarm.
        alarm
    }

    /// Returns what a timer that has not rung is to call.
    pub(super) fn object(&mut self, key: TimerKey) -> Option<Rc<dyn OnAlarm>> {
        match self.slot_mut(key)?.alarm.as_ref()? {
            Alarm::Call(object) => Some(Rc::clone(object)),
            Alarm::Wake(_) => None,
        }
    }

    pub(super) fn poll(&mut self, key: TimerKey, waker: &Waker) -> Answer {
        match self.slot_mut(key) {
            Some(Slot { phase: Phase::Rung, .. }) => Answer::Rung,
            Some(Slot { alarm: Some(Alarm::Wake(before)), .. }) if !before.will_wake(waker) => Answer::OtherWaker,
            _ => Answer::Pending, // For ever, if the loop is closed.
        }
    }

    /// Refuses timers from now on; returns those that there are, to be dropped.
    pub(super) fn close(&mut self) -> Vec<Slot> {
        let closed = Table { closed: true, ..Table::default() };
        mem::replace(self, closed).slots
    }

    /// Puts `waker` in the place of the timer's; returns the one that is to be dropped.
    pub(super) fn replace_waker(&mut self, key: TimerKey, waker: Waker) -> Option<Waker> {
        match self.slot_mut(key).and_then(|slot| slot.alarm.as_mut()) {
            Some(Alarm::Wake(before)) => Some(mem::replace(before, waker)),
            _ => Some(waker),
        }
    }
}

impl Slot {
    /// Ends the use of the slot, which is the first free one from now on, and returns its alarm.
    #[inline]
    fn vacate(&mut self, next: u32) -> Option<Alarm> {
        self.generation = self.generation.wrapping_add(1);
        self.phase = Phase::Free;
        self.link = next;
        self.alarm.take()
    }

    /// Tells whether the order's entry with this tie-break is that of the present use, and no stale one.
    #[inline]
    fn owns(&self, tie: u32) -> bool {
        self.link == tie && self.phase == Phase::Armed
    }

    /// Notes that the timer's entry has left the order; tells whether it wakes a sleeper.
    #[inline]
    fn expire(&mut self) -> bool {
        self.phase = Phase::Due;
        matches!(self.alarm, Some(Alarm::Wake(_)))
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
