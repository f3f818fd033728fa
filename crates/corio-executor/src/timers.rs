//! The loop's timers: a table of what to do, and the order that says when.
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
//! in between, by an earlier entry of the same batch, does not ring. Sleepers that are due one behind the other share an
//! entry. Each use of a slot has its own generation, so
//! that keys and entries of the order of an earlier use mean nothing.

mod table;

use self::table::{Answer, Holds, Table};
use crate::Clock;
use corio_seam::{
    Alarm, Description, Entry, Hold, LoopTime, Node, OnAlarm, Timer, TimerKey, catch_and_report, enter_context,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

/// How many timers expire at a time: all are taken from the order before the first slot is read, so that the memory
/// accesses of the batch overlap.
const EXPIRY_BATCH: usize = 32;

/// To fall asleep and wake up takes a processor about so long: between two timers less apart, sleeping saves nothing.
const WORTH_A_SLEEP: Duration = Duration::from_micros(8);

/// How late timers may be so that a crowd of them takes one sleep: as late as a busy loop may look at its sources.
const MOST_LATE: Duration = Duration::from_micros(250);

/// The timers of one loop.
pub(crate) struct Timers {
    clock: Rc<dyn Clock>,
    /// Whether the order may hold something: what an iteration asks first.
    any: Cell<bool>,
    /// Borrowed for moments in which no user code runs.
    table: RefCell<Table>,
}

impl Timers {
    pub(crate) fn new(clock: Rc<dyn Clock>) -> Timers {
        Timers { clock, any: Cell::new(false), table: RefCell::default() }
    }

    /// Returns when the next timer is due.
    pub(crate) fn next(&self) -> Option<LoopTime> {
        self.table.borrow_mut().next()
    }

    /// Returns how much later the loop had better wake up than the next timer asks for: zero, unless others crowd behind it.
    pub(crate) fn crowd(&self) -> Duration {
        self.table.borrow().order.crowd(WORTH_A_SLEEP, MOST_LATE)
    }

    /// Puts entries into the ready queue, by `push`, for the timers that are due. Reads the clock once, and not at all
    /// when there are no timers.
    #[inline]
    pub(crate) fn expire(self: &Rc<Timers>, push: impl Fn(Node)) {
        if self.any.get() {
            self.expire_due(push);
        }
    }

    #[inline(never)]
    fn expire_due(self: &Rc<Timers>, push: impl Fn(Node)) {
        if self.table.borrow_mut().order.peek().is_none() {
            self.any.set(false);
            return;
        }
        let now = self.clock.now();
        while self.table.borrow_mut().is_due(now) {
            let due = self.table.borrow_mut().take_due(now);
            due.each_row(|row| push(self.entry(row)));
        }
    }

    /// Makes the entry that rings a timer, or several sleepers.
    #[inline]
    fn entry(self: &Rc<Timers>, row: &[TimerKey]) -> Node {
        let timers = Rc::clone(self);
        match *row {
            [key] => Node::of(Expired { timers, key }),
            _ => {
                let mut sleepers =
                    Sleepers { timers, keys: [TimerKey { index: 0, generation: 0 }; EXPIRY_BATCH], len: row.len() };
                sleepers.keys[..row.len()].copy_from_slice(row);
                Node::of(sleepers)
            }
        }
    }

    /// Does what the timer is for, unless it has been disarmed.
    fn ring(&self, key: TimerKey) {
        let held = self.table.borrow_mut().ring(key);
        match held {
            Holds::Sleeper(_, waker) => waker.wake(),
            Holds::Callback(_, object) => object.on_alarm(),
            Holds::Nothing | Holds::Rung => {}
        }
    }

    /// Returns what a timer that has not rung is to call.
    fn object(&self, key: TimerKey) -> Option<Rc<dyn OnAlarm>> {
        self.table.borrow_mut().object(key)
    }

    /// Forgets all timers, for good: those armed from now on never ring.
    pub(crate) fn close(&self) {
        let slots = self.table.borrow_mut().close();
        for slot in slots {
            catch_and_report("exception while a timer was dropped", move || drop(slot));
        }
    }
}

/// A due timer in the ready queue.
struct Expired {
    timers: Rc<Timers>,
    key: TimerKey,
}

impl Entry for Expired {
    #[inline]
    fn run(self) {
        self.timers.ring(self.key);
    }

    fn describe(&self) -> Description {
        let said = self.timers.object(self.key).and_then(|object| object.describe());
        said.unwrap_or_else(|| Description { what: String::from("a timer"), location: None })
    }
}

/// Due sleepers in the ready queue, who stand there one behind the other: waking them all as one entry changes nothing,
/// for each of them runs when it stands in the queue itself.
struct Sleepers {
    timers: Rc<Timers>,
    keys: [TimerKey; EXPIRY_BATCH],
    len: usize,
}

impl Entry for Sleepers {
    /// A waker may be anybody's: one that panics, or leaves a context behind, is no business of the next.
    fn run(self) {
        let keys = &self.keys[..self.len];
        self.timers.table.borrow().fetch(keys);
        for &key in keys {
            enter_context(None, || catch_and_report("exception in callback", || self.timers.ring(key)));
        }
    }

    fn describe(&self) -> Description {
        Description { what: format!("{} timers", self.len), location: None }
    }
}

impl Timer for Timers {
    fn now(&self) -> LoopTime {
        self.clock.now()
    }

    fn arm(&self, when: LoopTime, alarm: Alarm) -> TimerKey {
        self.any.set(true);
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

    fn hold(&self) -> Option<Hold> {
        self.clock.hold()
    }

    fn disarm(&self, key: TimerKey) -> bool {
        let held = self.table.borrow_mut().disarm(key);
        held.stage().is_some() // What it held is user code perhaps, and dropped under no borrow.
    }
}

#[cfg(test)]
mod tests {
    use super::table::FEW_STALE;
    use super::*;
    use crate::VirtualClock;
    use corio_seam::{ContextVar, ReadyQueue};
    use std::sync::Arc;
    use std::task::Wake;

    /// What a waker does, by its number.
    type Act = Rc<dyn Fn(u32)>;

    thread_local! {
        /// What the wakers of this thread's test do.
        static WOKEN: RefCell<Option<Act>> = const { RefCell::new(None) };
    }

    /// A waker that is user code.
    struct Sleeper(u32);

    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            let act = WOKEN.with(|woken| woken.borrow().clone());
            act.expect("the test says what its wakers do")(self.0);
        }
    }

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

        fn sleeper(&self, nanos: u64, number: u32) -> TimerKey {
            let waker = Waker::from(Arc::new(Sleeper(number)));
            self.timers.arm(LoopTime::from_nanos(nanos), Alarm::Wake(waker))
        }

        /// Has a sleeper's waker note its number, and then do `act`.
        fn on_wake(&self, act: impl Fn(u32) + 'static) {
            let rang = Rc::clone(&self.rang);
            let note = move |number| {
                rang.borrow_mut().push(number);
                act(number);
            };
            WOKEN.set(Some(Rc::new(note)));
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
        assert!(fixture.timers.table.borrow().order.len() <= FEW_STALE);
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
    fn the_waker_of_the_last_poll_is_woken_also_when_it_is_due_already() {
        let fixture = Fixture::new();
        fixture.on_wake(|_| ());
        let polled_early = fixture.sleeper(3, 1);
        let polled_late = fixture.sleeper(3, 2);
        let waker = |number| Waker::from(Arc::new(Sleeper(number)));
        assert!(fixture.timers.poll(polled_early, &waker(10)).is_pending());
        fixture.clock.advance(Duration::from_nanos(3));
        fixture.expire();
        assert!(fixture.timers.poll(polled_late, &waker(20)).is_pending());
        assert_eq!(fixture.at(3), [10, 20]);
        WOKEN.set(None);
    }

    #[test]
    fn sleepers_share_an_entry_and_keep_their_order() {
        let fixture = Fixture::new();
        fixture.on_wake(|_| ());
        for number in 0..100 {
            if number % 40 == 7 {
                fixture.note(1, number);
            } else {
                fixture.sleeper(1, number);
            }
        }
        fixture.clock.advance(Duration::from_nanos(1));
        fixture.expire();
        let entries = fixture.ready.batch().map(Node::run).count();
        assert_eq!(fixture.rang.take(), (0..100).collect::<Vec<_>>());
        assert_eq!(entries, 3 + 3 + 4, "the callbacks, the rows that they end, and those that a batch of expiry ends");
    }

    #[test]
    fn a_sleeper_s_waker_may_disarm_the_next_of_its_row() {
        let fixture = Fixture::new();
        let keys: Vec<_> = (0..3).map(|number| fixture.sleeper(1, number)).collect();
        let timers = Rc::clone(&fixture.timers);
        fixture.on_wake(move |number| assert!(number != 0 || timers.disarm(keys[1])));
        assert_eq!(fixture.at(1), [0, 2]);
        WOKEN.set(None);
    }

    #[test]
    fn a_sleeper_s_waker_keeps_its_panic_and_its_context_to_itself() {
        static LEFT: ContextVar<u32> = ContextVar::new("left");
        let fixture = Fixture::new();
        (0..3).for_each(|number| _ = fixture.sleeper(1, number));
        fixture.on_wake(|number| {
            assert_eq!(LEFT.get(), None);
            LEFT.set(number);
            assert_ne!(number, 1, "a waker's own affair");
        });
        assert_eq!(fixture.at(1), [0, 1, 2]);
        assert_eq!(LEFT.get(), None);
    }

    #[test]
    fn the_timer_set_last_leaves_nothing_behind() {
        let fixture = Fixture::new();
        let first = fixture.note(5, 1);
        let last = fixture.note(9, 2);
        assert!(fixture.timers.disarm(last));
        let left = || (fixture.timers.table.borrow().order.len(), fixture.timers.table.borrow().stale);
        assert_eq!(left(), (1, 0));
        assert!(fixture.timers.disarm(first));
        assert_eq!(left(), (0, 0));
        assert_eq!(fixture.timers.next(), None);
    }

    #[test]
    fn used_up_tie_breaks_change_nothing() {
        let fixture = Fixture::new();
        let keys: Vec<_> = (0..10).map(|n| fixture.note(7, n)).collect();
        assert!(fixture.timers.disarm(keys[4]), "it leaves a stale entry");
        fixture.timers.table.borrow_mut().order.wear_out();
        let more: Vec<_> = (10..20).map(|n| fixture.note(7, n)).collect();
        assert!(fixture.timers.disarm(keys[2]) && fixture.timers.disarm(more[5]) && !fixture.timers.disarm(keys[4]));
        assert_eq!(fixture.at(7), (0..20).filter(|n| ![2, 4, 15].contains(n)).collect::<Vec<_>>());
        assert_eq!(fixture.timers.table.borrow().stale, 0);
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
