//! How a source is watched: at edges, or at the level of what can be read.
//!
//! A read that filled its buffer may have left something behind. At edges nothing tells, so the next read is tried at
//! once; where messages have one size, and buffers the same, it always finds that it would block. At the level a selector
//! tells of whatever was left, and no read needs to be tried for that.
//!
//! ```text
//!           full reads with nothing behind, `streak` of them in a row
//!   edges ────────────────────────────────────────────────────────────> level
//!         <────────────────────────────────────────────────────────────
//!           an event that nobody waits for, the end of the connection,
//!           a write that would block, something behind a full read
//! ```
//!
//! Each way back doubles the streak that the next way there takes.

use crate::sys::AsFd;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

/// How many full reads in a row must have left nothing, at first.
const STREAK: u8 = 2;
/// How many they may become.
const LONGEST_STREAK: u8 = 128;
/// One in how many full reads is checked at the level: should messages have become longer than buffers, each read would
/// wait for a turn of the loop.
const CHECKED: u8 = 16;

/// The way in which a source is watched, and what its reads have been like.
pub(crate) struct Watch {
    /// The descriptor while it is watched at the level, kept to change that; none at edges.
    level: RefCell<Option<Rc<dyn AsFd>>>,
    habit: Cell<Habit>,
}

/// What the reads of a source have been like.
#[derive(Clone, Copy, Debug)]
struct Habit {
    /// Set by a read that filled its buffer, cleared by the next attempt, which shows whether it had left something.
    in_doubt: bool,
    /// At edges, how many full reads in a row have left nothing. At the level, how many have been believed.
    count: u8,
    /// How many there must be.
    streak: u8,
}

impl Watch {
    /// Begins at edges.
    pub(crate) fn new() -> Watch {
        let habit = Habit { in_doubt: false, count: 0, streak: STREAK };
        Watch { level: RefCell::default(), habit: Cell::new(habit) }
    }

    /// Returns the descriptor if it is watched at the level.
    pub(crate) fn level(&self) -> Option<Rc<dyn AsFd>> {
        self.level.borrow().clone()
    }

    /// Tells whether it is watched at the level.
    pub(crate) fn is_at_level(&self) -> bool {
        self.level.borrow().is_some()
    }

    /// Notes that it is watched at the level from now on.
    pub(crate) fn enter_level(&self, io: Rc<dyn AsFd>) {
        self.change(|habit| habit.count = 0);
        let former = self.level.replace(Some(io));
        drop(former);
    }

    /// Notes that it is watched at edges from now on, and asks for more before it believes again.
    pub(crate) fn leave_level(&self) {
        self.put_off();
        let former = self.level.take();
        drop(former);
    }

    /// Begins a streak anew, twice as long.
    pub(crate) fn put_off(&self) {
        self.change(|habit| {
            habit.count = 0;
            habit.streak = habit.streak.saturating_mul(2).min(LONGEST_STREAK);
        });
    }

    /// Tells whether the reads so far are worth going to the level.
    pub(crate) fn is_worth_level(&self) -> bool {
        let habit = self.habit.get();
        !habit.in_doubt && habit.count >= habit.streak
    }

    /// Hears that a read would block: the one before has left nothing.
    pub(crate) fn found_nothing(&self) {
        let is_at_level = self.is_at_level();
        self.change(|habit| {
            if std::mem::take(&mut habit.in_doubt) && !is_at_level {
                habit.count = habit.count.saturating_add(1);
            }
        });
    }

    /// Hears of a read; true if it took what a full one before had left.
    pub(crate) fn found_something(&self) -> bool {
        let was_left = self.habit.get().in_doubt;
        if was_left {
            self.change(|habit| (habit.in_doubt, habit.count) = (false, 0));
        }
        was_left
    }

    /// Leaves it to the next attempt whether a full read has left something.
    pub(crate) fn doubt(&self) {
        self.change(|habit| habit.in_doubt = true);
    }

    /// Tells whether a full read at the level is believed to have left nothing; now and then it is not.
    pub(crate) fn believes(&self) -> bool {
        self.change(|habit| habit.count = (habit.count + 1) % CHECKED);
        self.habit.get().count != 0
    }

    fn change(&self, change: impl FnOnce(&mut Habit)) {
        let mut habit = self.habit.get();
        change(&mut habit);
        self.habit.set(habit);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.is_at_level() { "level" } else { "edges" };
        f.debug_struct("Watch").field("at", &mode).field("habit", &self.habit.get()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full read, and the next that finds nothing.
    fn read_one(watch: &Watch) {
        assert!(!watch.found_something());
        watch.doubt();
        watch.found_nothing();
    }

    #[test]
    fn a_streak_is_broken_by_something_behind_a_full_read() {
        let watch = Watch::new();
        for _ in 0..STREAK - 1 {
            read_one(&watch);
        }
        watch.doubt();
        assert!(watch.found_something());
        read_one(&watch);
        assert!(!watch.is_worth_level());
        for _ in 0..STREAK - 1 {
            read_one(&watch);
        }
        assert!(watch.is_worth_level());
    }

    #[test]
    fn a_read_that_would_block_behind_a_short_one_counts_for_nothing() {
        let watch = Watch::new();
        for _ in 0..=STREAK {
            watch.found_nothing();
        }
        assert!(!watch.is_worth_level());
    }

    #[test]
    fn each_way_back_doubles_the_streak_to_a_bound() {
        let watch = Watch::new();
        for streak in [2, 4, 8, 16, 32, 64, 128, 128, 128] {
            for n_read in 0..streak {
                assert!(!watch.is_worth_level(), "after {n_read} of {streak}");
                read_one(&watch);
            }
            assert!(watch.is_worth_level());
            watch.leave_level();
        }
    }

    #[test]
    fn at_the_level_one_full_read_of_many_is_checked() {
        let watch = Watch::new();
        watch.enter_level(Rc::new(std::net::UdpSocket::bind("127.0.0.1:0").unwrap()));
        let believed: Vec<_> = (0..2 * CHECKED).map(|_| watch.believes()).collect();
        let checked: Vec<_> = (1..).zip(believed).filter(|(_, believed)| !believed).map(|(n, _)| n).collect();
        assert_eq!(checked, [CHECKED, 2 * CHECKED]);
    }
}
