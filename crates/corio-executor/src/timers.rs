//! The loop's timers: a table of what to do, and the heap that says when.
//!
//! A timer lives in a slot, from arming to the end:
//!
//! ```text
//!           arm             expire            ring: a callback is called
//!   free ---------> armed ---------> due ------------------------------> free
//!    ^                |               |   ring: a sleeper is woken
//!    |                |               +--------------------------> rung
//!    |     disarm     |    disarm     |              disarm          |
//!    +----------------+---------------+------------------------------+
//! ```
//!
//! Expiring puts one entry for each due timer into the ready queue, and the entry rings it: a timer that is disarmed
//! in between, by an earlier entry of the same batch, does not ring. Each use of a slot has its own generation, so
//! that keys and heap entries of an earlier use mean nothing.

use crate::Clock;
use crate::exceptions::shielded;
use crate::timer_heap::TimerHeap;
use corio_seam::{Alarm, LoopTime, Node, Timer, TimerKey};
use std::cell::RefCell;
use std::mem;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// How many timers expire at a time: all are taken from the heap before the first slot is read, so that the memory
/// accesses of the batch overlap.
const EXPIRY_BATCH: usize = 32;

/// Below this many stale entries, sweeping the heap is not worth it; asyncio's figure.
const FEW_STALE: usize = 100;

/// The timers of one loop.
pub(crate) struct Timers {
    clock: Rc<dyn Clock>,
    /// Borrowed for moments in which no user code runs.
    table: RefCell<Table>,
}

impl Timers {
    pub(crate) fn new(clock: Rc<dyn Clock>) -> Timers {
        Timers { clock, table: RefCell::default() }
    }

    /// Returns when the next timer is due.
    pub(crate) fn next(&self) -> Option<LoopTime> {
        self.table.borrow_mut().next()
    }

    /// Puts an entry into the ready queue, by `push`, for each timer that is due. Reads the clock once, and not at all
    /// when there are no timers.
    pub(crate) fn expire(self: &Rc<Timers>, push: impl Fn(Node)) {
        if self.table.borrow().heap.peek().is_none() {
            return;
        }
        let now = self.clock.now();
        loop {
            let mut due = [const { None }; EXPIRY_BATCH];
            let full = self.table.borrow_mut().take_due(now, &mut due);
            for key in due.into_iter().flatten() {
                let timers = Rc::clone(self);
                push(Node::new(move || timers.ring(key)));
            }
            if !full {
                break;
            }
        }
    }

    /// Does what the timer is for, unless it has been disarmed.
    fn ring(&self, key: TimerKey) {
        let alarm = self.table.borrow_mut().ring(key);
        match alarm {
            Some(Alarm::Wake(waker)) => waker.wake(),
            Some(Alarm::Call(object)) => object.on_alarm(),
            None => {}
        }
    }

    /// Forgets all timers, for good: those armed from now on never ring.
    pub(crate) fn close(&self) {
        let forgotten = mem::replace(&mut *self.table.borrow_mut(), Table { closed: true, ..Table::default() });
        for slot in forgotten.slots {
            shielded("exception while a timer was dropped", move || drop(slot));
        }
    }
}

impl Timer for Timers {
    fn now(&self) -> LoopTime {
        self.clock.now()
    }

    fn arm(&self, when: LoopTime, alarm: Alarm) -> TimerKey {
        let (key, refused) = self.table.borrow_mut().arm(when, alarm);
        drop(refused);
        key
    }

    fn poll(&self, key: TimerKey, waker: &Waker) -> Poll<()> {
        let answer = self.table.borrow_mut().poll(key, waker);
        let Answer::OtherWaker = answer else {
            return if answer == Answer::Rung { Poll::Ready(()) } else { Poll::Pending };
        };
        // Cloning a waker and dropping one is user code: neither happens while the table is borrowed.
        let waker = waker.clone();
        let before = self.table.borrow_mut().replace_waker(key, waker);
        drop(before);
        Poll::Pending
    }

    fn disarm(&self, key: TimerKey) -> bool {
        let state = self.table.borrow_mut().disarm(key);
        matches!(state, Some(State::Armed(_) | State::Never(_) | State::Due(_)))
    }
}

/// What [`Table::poll`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Rung,
    Pending,
    /// Pending, with a waker that must be replaced.
    OtherWaker,
}

/// One timer's place.
struct Slot {
    /// Which use of this place; counted when a use ends.
    generation: u32,
    state: State,
}

/// Where a slot's timer stands; see the module's picture.
enum State {
    /// No timer; the next free slot.
    Free(Option<u32>),
    /// Waiting, with an entry in the heap.
    Armed(Alarm),
    /// Waiting for [`LoopTime::MAX`], which never comes: no entry in the heap.
    Never(Alarm),
    /// Expired, with an entry in the ready queue.
    Due(Alarm),
    /// Over, kept until the sleeper has seen it.
    Rung,
}

impl State {
    /// Returns the alarm of a timer that has not rung.
    fn alarm_mut(&mut self) -> Option<&mut Alarm> {
        match self {
            State::Armed(alarm) | State::Never(alarm) | State::Due(alarm) => Some(alarm),
            State::Free(_) | State::Rung => None,
        }
    }
}

/// The slots and the heap.
#[derive(Default)]
struct Table {
    heap: TimerHeap,
    slots: Vec<Slot>,
    /// The first free slot; each names the next.
    free: Option<u32>,
    /// How many of the heap's entries belong to disarmed timers.
    stale: usize,
    closed: bool,
}

impl Table {
    /// Returns the slot that `key` names, if it is still that use.
    fn slot_mut(&mut self, key: TimerKey) -> Option<&mut Slot> {
        self.slots.get_mut(key.index as usize).filter(|slot| slot.generation == key.generation)
    }

    /// Arms a timer; once closed, gives the alarm back with a key that means nothing.
    fn arm(&mut self, when: LoopTime, alarm: Alarm) -> (TimerKey, Option<Alarm>) {
        if self.closed {
            return (TimerKey { index: u32::MAX, generation: 0 }, Some(alarm));
        }
        let never = when == LoopTime::MAX;
        let key = self.occupy(if never { State::Never(alarm) } else { State::Armed(alarm) });
        if !never {
            self.heap.push(when, key);
        }
        (key, None)
    }

    /// Finds a free slot, or makes one, for `state`.
    fn occupy(&mut self, state: State) -> TimerKey {
        let Some(index) = self.free else {
            let index = u32::try_from(self.slots.len()).expect("more than 2³² timers");
            self.slots.push(Slot { generation: 0, state });
            return TimerKey { index, generation: 0 };
        };
        let slot = &mut self.slots[index as usize];
        let State::Free(next) = mem::replace(&mut slot.state, state) else {
            unreachable!("the free list names free slots only");
        };
        self.free = next;
        TimerKey { index, generation: slot.generation }
    }

    /// Ends the use of a slot and returns what was in it.
    fn vacate(&mut self, key: TimerKey) -> Option<State> {
        let next = self.free;
        let slot = self.slot_mut(key)?;
        slot.generation = slot.generation.wrapping_add(1);
        let state = mem::replace(&mut slot.state, State::Free(next));
        self.free = Some(key.index);
        Some(state)
    }

    fn disarm(&mut self, key: TimerKey) -> Option<State> {
        let state = self.vacate(key)?;
        if let State::Armed(_) = state {
            self.stale += 1;
            self.sweep();
        }
        Some(state)
    }

    /// Rebuilds the heap when more than a few of its entries, and more than half, are stale.
    fn sweep(&mut self) {
        if self.stale > FEW_STALE && self.stale > self.heap.len() / 2 {
            let slots = &self.slots;
            self.heap.retain(|entry| slots[entry.key.index as usize].generation == entry.key.generation);
            self.stale = 0;
        }
    }

    /// Returns when the next live timer is due, dropping stale entries on the way.
    fn next(&mut self) -> Option<LoopTime> {
        while let Some(&entry) = self.heap.peek() {
            if self.slot_mut(entry.key).is_some() {
                return Some(entry.when);
            }
            self.heap.pop();
            self.stale -= 1;
        }
        None
    }

    /// Moves due timers from the heap to `due`; true if there may be more than `due` could take.
    fn take_due(&mut self, now: LoopTime, due: &mut [Option<TimerKey>; EXPIRY_BATCH]) -> bool {
        let mut taken = 0;
        while taken < EXPIRY_BATCH && self.heap.peek().is_some_and(|entry| entry.when <= now) {
            due[taken] = self.heap.pop().map(|entry| entry.key);
            taken += 1;
        }
        for place in &mut due[..taken] {
            let Some(key) = *place else { continue };
            match self.slot_mut(key) {
                Some(slot) => slot.expire(),
                None => {
                    self.stale -= 1;
                    *place = None;
                }
            }
        }
        taken == EXPIRY_BATCH
    }

    /// Returns what a due timer is to do, and notes that it has been done.
    fn ring(&mut self, key: TimerKey) -> Option<Alarm> {
        let slot = self.slot_mut(key)?;
        match mem::replace(&mut slot.state, State::Rung) {
            State::Due(alarm @ Alarm::Wake(_)) => Some(alarm), // The sleeper will ask, and disarm.
            State::Due(alarm @ Alarm::Call(_)) => {
                self.vacate(key);
                Some(alarm)
            }
            other => {
                slot.state = other;
                None
            }
        }
    }

    fn poll(&mut self, key: TimerKey, waker: &Waker) -> Answer {
        match self.slot_mut(key).map(|slot| &mut slot.state) {
            Some(State::Rung) => Answer::Rung,
            Some(state) => match state.alarm_mut() {
                Some(Alarm::Wake(before)) if !before.will_wake(waker) => Answer::OtherWaker,
                _ => Answer::Pending,
            },
            None => Answer::Pending, // The loop is closed.
        }
    }

    /// Puts `waker` in the place of the timer's; returns the one that is to be dropped.
    fn replace_waker(&mut self, key: TimerKey, waker: Waker) -> Option<Waker> {
        match self.slot_mut(key).and_then(|slot| slot.state.alarm_mut()) {
            Some(Alarm::Wake(before)) => Some(mem::replace(before, waker)),
            _ => Some(waker),
        }
    }
}

impl Slot {
    /// Notes that the timer's entry has left the heap.
    fn expire(&mut self) {
        self.state = match mem::replace(&mut self.state, State::Rung) {
            State::Armed(alarm) => State::Due(alarm),
            other => other,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VirtualClock;
    use corio_seam::{OnAlarm, ReadyQueue};
    use std::time::Duration;

    /// Notes its number when it rings.
    struct Note(u32, Rc<RefCell<Vec<u32>>>);

    impl OnAlarm for Note {
        fn on_alarm(self: Rc<Self>) {
            self.1.borrow_mut().push(self.0);
        }
    }

    /// Timers on a clock that the test moves, a ready queue, and the numbers that rang.
    struct Fixture {
        clock: VirtualClock,
        timers: Rc<Timers>,
        ready: ReadyQueue,
        rang: Rc<RefCell<Vec<u32>>>,
    }

    impl Fixture {
        fn new() -> Fixture {
            let clock = VirtualClock::new();
            let timers = Rc::new(Timers::new(Rc::new(clock.clone())));
            Fixture { clock, timers, ready: ReadyQueue::new(), rang: Rc::default() }
        }

        fn note(&self, nanos: u64, number: u32) -> TimerKey {
            let note = Rc::new(Note(number, Rc::clone(&self.rang)));
            self.timers.arm(LoopTime::from_nanos(nanos), Alarm::Call(note))
        }

        fn expire(&self) {
            self.timers.expire(|node| self.ready.push(node));
        }

        /// Moves the clock and runs an iteration; returns what rang.
        fn at(&self, nanos: u64) -> Vec<u32> {
            self.clock.advance_to(LoopTime::from_nanos(nanos));
            self.expire();
            self.ready.batch().for_each(Node::run);
            self.rang.take()
        }
    }

    #[test]
    fn timers_ring_when_due_and_not_before() {
        let fixture = Fixture::new();
        fixture.note(10, 1);
        fixture.note(5, 2);
        fixture.note(10, 3);
        assert_eq!(fixture.at(4), []);
        assert_eq!(fixture.at(5), [2]);
        assert_eq!(fixture.at(9), []);
        assert_eq!(fixture.at(10), [1, 3]);
        assert_eq!(fixture.timers.next(), None);
    }

    #[test]
    fn more_than_a_batch_expires_at_once() {
        let fixture = Fixture::new();
        (0..100).for_each(|n| _ = fixture.note(7, n));
        assert_eq!(fixture.at(7), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_due_timer_can_still_be_disarmed() {
        let fixture = Fixture::new();
        let key = fixture.note(1, 1);
        fixture.clock.advance(Duration::from_nanos(1));
        fixture.expire();
        assert!(fixture.timers.disarm(key));
        assert!(!fixture.timers.disarm(key));
        assert_eq!(fixture.at(1), []);
    }

    #[test]
    fn an_old_key_means_nothing() {
        let fixture = Fixture::new();
        let old = fixture.note(1, 1);
        assert_eq!(fixture.at(1), [1]);
        let new = fixture.note(2, 2);
        assert_eq!(old.index, new.index);
        assert!(!fixture.timers.disarm(old));
        assert_eq!(fixture.at(2), [2]);
    }

    #[test]
    fn disarmed_timers_are_purged() {
        let count = if cfg!(miri) { 1_000 } else { 100_000 };
        let fixture = Fixture::new();
        let keys: Vec<_> = (0..count).map(|n| fixture.note(u64::from(n), n)).collect();
        assert!(keys.into_iter().all(|key| fixture.timers.disarm(key)));
        assert!(fixture.timers.table.borrow().heap.len() <= FEW_STALE);
        assert_eq!(fixture.timers.next(), None);
        assert_eq!(fixture.timers.table.borrow().stale, 0);
    }

    #[test]
    fn never_is_no_moment() {
        let fixture = Fixture::new();
        let key = fixture.note(u64::MAX, 1);
        assert_eq!(fixture.timers.next(), None);
        assert_eq!(fixture.at(u64::MAX), []);
        assert!(fixture.timers.disarm(key));
    }

    #[test]
    fn a_sleeper_is_ready_only_once_it_has_rung() {
        let fixture = Fixture::new();
        let waker = Waker::noop();
        let key = fixture.timers.arm(LoopTime::from_nanos(3), Alarm::Wake(waker.clone()));
        fixture.clock.advance(Duration::from_nanos(3));
        fixture.expire();
        assert!(fixture.timers.poll(key, waker).is_pending(), "its entry has not run");
        fixture.ready.batch().for_each(Node::run);
        assert!(fixture.timers.poll(key, waker).is_ready());
        assert!(!fixture.timers.disarm(key));
    }

    #[test]
    fn closing_forgets_everything() {
        let fixture = Fixture::new();
        let key = fixture.note(1, 1);
        fixture.timers.close();
        assert_eq!(Rc::strong_count(&fixture.rang), 1);
        assert!(!fixture.timers.disarm(key));
        let late = fixture.note(1, 2);
        assert_eq!(Rc::strong_count(&fixture.rang), 1);
        assert_eq!(fixture.at(1), []);
        assert!(fixture.timers.poll(late, Waker::noop()).is_pending());
    }
}
