//! The two state words of a task: one plain, for the owner's thread, one atomic, for everybody else.

use crate::sync::{AtomicU32, Ordering};
use std::cell::Cell;
use std::fmt;

/// The owner's word: sixteen flags, plain memory.
pub(super) struct State(Cell<u16>);

/// One flag of [`State`], or several.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Flags(u16);

/// The task is to be polled: it stands in the ready queue, or will when the poll under way ends. Set by a wake, cleared
/// when the step begins, or by the end of the task.
pub(super) const SCHEDULED: Flags = Flags(1 << 0);
/// The task is being polled. Excludes standing in the ready queue.
pub(super) const RUNNING: Flags = Flags(1 << 1);
/// The coroutine is over. Never cleared; excludes FUTURE.
pub(super) const DONE: Flags = Flags(1 << 2);
/// The end is being told: whoever gives up a reference meanwhile leaves the cell alone.
pub(super) const ENDING: Flags = Flags(1 << 3);
/// The `Task` handle exists.
pub(super) const HANDLE: Flags = Flags(1 << 4);
/// The task ended CANCELLED: there is no output. Set together with DONE.
pub(super) const CANCELLED: Flags = Flags(1 << 5);
/// The cell holds the coroutine. Excludes OUTPUT and PANIC.
pub(super) const FUTURE: Flags = Flags(1 << 6);
/// The cell holds the output. Excludes FUTURE and PANIC.
pub(super) const OUTPUT: Flags = Flags(1 << 7);
/// The cell holds a panic's payload. Excludes FUTURE and OUTPUT.
pub(super) const PANIC: Flags = Flags(1 << 8);
/// The root scope has something for the next step to see: a request, or a cancellation raised inside.
pub(super) const ATTENTION: Flags = Flags(1 << 9);
/// The counts were merged: every reference is in the shared word now. Set once, after DONE.
pub(super) const MERGED: Flags = Flags(1 << 10);
/// The task is over and stands in the ready queue, whose entry is counted as a view: it ended there, or its seat is to be
/// called.
pub(super) const QUEUE_VIEW: Flags = Flags(1 << 11);
/// The root scope holds the task's context: a step makes it the current one. Never cleared.
pub(super) const CONTEXT: Flags = Flags(1 << 12);
/// The cell is an allocation of its own, and has a place among the large ones. Never cleared.
pub(super) const LARGE: Flags = Flags(1 << 13);

impl State {
    pub(super) fn new(flags: Flags) -> State {
        State(Cell::new(flags.0))
    }

    /// Tells whether any of `flags` is set.
    #[inline]
    pub(super) fn has(&self, flags: Flags) -> bool {
        self.0.get() & flags.0 != 0
    }

    /// Tells whether of the flags `among` exactly `flags` are set.
    #[inline]
    pub(super) fn is(&self, flags: Flags, among: Flags) -> bool {
        self.0.get() & among.0 == flags.0
    }

    #[inline]
    pub(super) fn set(&self, flags: Flags) {
        self.0.set(self.0.get() | flags.0);
    }

    #[inline]
    pub(super) fn clear(&self, flags: Flags) {
        self.0.set(self.0.get() & !flags.0);
    }

    /// Clears and sets in one store.
    #[inline]
    pub(super) fn change(&self, clear: Flags, set: Flags) {
        self.0.set(self.0.get() & !clear.0 | set.0);
    }
}

impl Flags {
    /// Joins two sets of flags.
    pub(super) const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (SCHEDULED, "SCHEDULED"),
            (RUNNING, "RUNNING"),
            (DONE, "DONE"),
            (ENDING, "ENDING"),
            (HANDLE, "HANDLE"),
            (CANCELLED, "CANCELLED"),
            (FUTURE, "FUTURE"),
            (OUTPUT, "OUTPUT"),
            (PANIC, "PANIC"),
            (ATTENTION, "ATTENTION"),
            (MERGED, "MERGED"),
            (QUEUE_VIEW, "QUEUE_VIEW"),
            (CONTEXT, "CONTEXT"),
            (LARGE, "LARGE"),
        ];
        f.debug_set().entries(names.iter().filter(|(flag, _)| self.has(*flag)).map(|(_, name)| name)).finish()
    }
}

/// The word that other threads touch: `{ count: i29, watched: 1, merged: 1, queued: 1 }`.
///
/// *count* is what foreign threads added and took away. Alone it may be negative (a waker cloned on the owner's thread
/// and dropped elsewhere); only its sum with the owner's plain count means anything, and after the merge it is the sum.
pub(super) struct SharedWord(AtomicU32);

/// The task stands in the inbox, whose entry is thereby a reference. Set by a foreign wake, cleared by the drain.
const QUEUED: u32 = 1;
/// The owner's count has been added: from now on every reference on every thread counts here.
const MERGED_BIT: u32 = 2;
/// The owner sleeps because somebody holds a waker of this task: whoever drops one without a wake rings. Set by the owner, and
/// cleared by whoever drops one, or wakes.
///
/// It stands in the word that is counted in, so that a drop either comes before the owner looks, which reads the count as it
/// sets this, or finds this set: none falls between.
const WATCHED: u32 = 4;
/// One reference.
const ONE: u32 = 1 << COUNT_SHIFT;
const COUNT_SHIFT: u32 = 3;
/// More references than this in either direction, and the process aborts before the count can wrap.
pub(super) const MOST: i32 = 1 << 26;

/// What a change to the shared word leaves to its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Left {
    /// Others hold the cell.
    Others,
    /// That was the last reference: the caller frees the cell.
    Nobody,
}

/// What a foreign wake leaves to its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Wake {
    /// The caller set the mark and must push the task into the inbox.
    Push,
    /// Somebody else's entry will do.
    Nothing,
    /// Likewise nothing: the task is over.
    Over,
}

/// What the drain must do with a task taken out of the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Drained {
    /// It is not over: schedule it.
    Schedule,
    /// It is over, and others hold it.
    Nothing,
    /// It is over, and the entry was the last reference: free it.
    Free,
}

impl SharedWord {
    pub(super) fn new() -> SharedWord {
        SharedWord(AtomicU32::new(0))
    }

    fn count_of(word: u32) -> i32 {
        word as i32 >> COUNT_SHIFT
    }

    /// Returns what foreign threads added, less what they took away. Acquire pairs with the Release of `sub`.
    pub(super) fn count(&self) -> i32 {
        Self::count_of(self.0.load(Ordering::Acquire))
    }

    /// Adds a reference, on any thread. Relaxed: whoever clones has a reference already.
    pub(super) fn add(&self) {
        let old = self.0.fetch_add(ONE, Ordering::Relaxed);
        if Self::count_of(old) > MOST {
            std::process::abort(); // Sixty-seven million wakers of one task: leaked in a loop.
        }
    }

    /// Gives a reference up, on any thread. If the owner watches it, `hold` is called before, for what the caller is to ring
    /// the owner by, once it has no reference any more; what it returned last is returned.
    ///
    /// Release, and one more look with Acquire by the last: whatever anybody did with the cell happens before it is freed.
    /// Not a fence, of which the thread sanitizer knows nothing.
    pub(super) fn sub<R>(&self, hold: impl Fn() -> R) -> (Left, Option<R>) {
        let mut old = self.0.load(Ordering::Relaxed);
        let held = loop {
            let held = (old & (WATCHED | MERGED_BIT) == WATCHED).then(&hold);
            let kept = if held.is_some() { !WATCHED } else { u32::MAX };
            let new = old.wrapping_sub(ONE) & kept;
            match self.0.compare_exchange_weak(old, new, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break held,
                Err(now) => old = now,
            }
        };
        if Self::count_of(old) < -MOST {
            std::process::abort(); // As many clones on the owner's thread, all dropped elsewhere.
        }
        if old & MERGED_BIT == 0 || old & QUEUED != 0 || Self::count_of(old) != 1 {
            return (Left::Others, held);
        }
        self.0.load(Ordering::Acquire); // Reads what was stored just now, or later: it ends the same chain of releases.
        (Left::Nobody, held)
    }

    /// Has whoever drops a reference without a wake ring from now on, and returns what [`count`](SharedWord::count) does: of
    /// that very moment.
    pub(super) fn watch(&self) -> i32 {
        Self::count_of(self.0.fetch_or(WATCHED, Ordering::Acquire)) // Acquire, as in `count`.
    }

    /// Marks the task as woken from a foreign thread.
    ///
    /// The word is written even if the mark is there already: the Release publishes what the waker's thread did before
    /// the wake to the drain's Acquire, which reads the last write. The owner is about to look for itself: it need not be
    /// rung for the drop of the waker after it.
    pub(super) fn wake(&self) -> Wake {
        self.wake_and_take(0)
    }

    /// As [`wake`](SharedWord::wake), and gives the caller's reference up, unless the task is over: to be done by one who holds
    /// the inbox otherwise.
    ///
    /// An owner that runs at once, and sleeps again, finds no reference of one that is about to go.
    pub(super) fn wake_and_sub(&self) -> Wake {
        self.wake_and_take(ONE)
    }

    #[inline]
    fn wake_and_take(&self, references: u32) -> Wake {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if word & MERGED_BIT != 0 {
                return Wake::Over;
            }
            let new = (word.wrapping_sub(references) | QUEUED) & !WATCHED;
            match self.0.compare_exchange_weak(word, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(old) if old & QUEUED == 0 => return Wake::Push,
                Ok(_) => return Wake::Nothing,
                Err(now) => word = now,
            }
        }
    }

    /// Takes the mark back: the task's entry has left the inbox (or was refused by it).
    pub(super) fn drained(&self) -> Drained {
        let old = self.0.fetch_and(!QUEUED, Ordering::AcqRel);
        if old & MERGED_BIT == 0 {
            Drained::Schedule
        } else if Self::count_of(old) == 0 {
            Drained::Free
        } else {
            Drained::Nothing
        }
    }

    /// Tells whether no reference exists beside the `local` ones, and none can come: the task is over, and only a
    /// reference makes another. Acquire pairs with the Release of `sub`.
    pub(super) fn is_unreferenced(&self, local: i32) -> bool {
        let word = self.0.load(Ordering::Acquire);
        word & QUEUED == 0 && local + Self::count_of(word) == 0
    }

    /// Adds the owner's `local` references; from now on all are counted here.
    pub(super) fn merge(&self, local: i32) -> Left {
        let add = ((local as u32) << COUNT_SHIFT).wrapping_add(MERGED_BIT);
        let old = self.0.fetch_add(add, Ordering::AcqRel);
        if old & QUEUED == 0 && Self::count_of(old) + local == 0 { Left::Nobody } else { Left::Others }
    }
}

impl fmt::Debug for SharedWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.0.load(Ordering::Relaxed);
        f.debug_struct("SharedWord")
            .field("count", &Self::count_of(word))
            .field("merged", &(word & MERGED_BIT != 0))
            .field("queued", &(word & QUEUED != 0))
            .field("watched", &(word & WATCHED != 0))
            .finish()
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;

    /// Gives a reference up of a word that nobody watches.
    fn left(word: &SharedWord) -> Left {
        let (left, watched) = word.sub(|| ());
        assert_eq!(watched, None);
        left
    }

    #[test]
    fn whoever_drops_one_that_is_watched_is_told_once() {
        let word = SharedWord::new();
        (0..4).for_each(|_| word.add());
        assert_eq!((word.watch(), word.watch()), (4, 4));
        assert_eq!((word.sub(|| "bell"), word.sub(|| "bell")), ((Left::Others, Some("bell")), (Left::Others, None)));
        assert_eq!((word.watch(), word.wake()), (2, Wake::Push));
        assert_eq!((word.sub(|| "bell"), word.drained()), ((Left::Others, None), Drained::Schedule));
        word.add();
        assert_eq!((word.watch(), word.wake_and_sub(), word.count()), (2, Wake::Push, 1));
        assert_eq!((word.wake(), word.drained()), (Wake::Nothing, Drained::Schedule));
        assert_eq!((word.watch(), word.count()), (1, 1));
        assert_eq!((word.merge(0), word.count(), word.sub(|| "bell")), (Left::Others, 1, (Left::Nobody, None)));
    }

    #[test]
    fn only_the_sum_counts() {
        let word = SharedWord::new();
        assert_eq!(left(&word), Left::Others); // Cloned by the owner, dropped elsewhere.
        assert!(word.is_unreferenced(1));
        assert_eq!(word.merge(2), Left::Others);
        assert_eq!(left(&word), Left::Nobody);
    }

    #[test]
    fn the_inbox_holds_a_reference() {
        let word = SharedWord::new();
        assert_eq!(word.wake(), Wake::Push);
        assert_eq!(word.wake(), Wake::Nothing);
        assert_eq!(word.merge(0), Left::Others);
        assert_eq!((word.wake(), word.wake_and_sub()), (Wake::Over, Wake::Over));
        assert_eq!(word.drained(), Drained::Free);
    }

    #[test]
    fn flags_are_named() {
        let state = State::new(SCHEDULED.with(FUTURE));
        state.change(SCHEDULED, RUNNING);
        assert_eq!(format!("{state:?}"), r#"{"RUNNING", "FUTURE"}"#);
    }

    const FLAGS: [Flags; 14] = [
        SCHEDULED, RUNNING, DONE, ENDING, HANDLE, CANCELLED, FUTURE, OUTPUT, PANIC, ATTENTION, MERGED, QUEUE_VIEW,
        CONTEXT, LARGE,
    ];

    #[test]
    fn flags_do_not_touch_each_other() {
        for (n, one) in FLAGS.into_iter().enumerate() {
            for (m, other) in FLAGS.into_iter().enumerate() {
                let state = State::new(one);
                assert_eq!((state.has(one), state.has(other), state.has(one.with(other))), (true, n == m, true));
                state.set(other);
                state.set(other);
                assert!(state.has(one) && state.has(other));
                state.clear(one);
                assert_eq!((state.has(one), state.has(other)), (false, n != m));
                state.change(other, one);
                state.change(other, one);
                assert_eq!((state.has(one), state.has(other)), (true, n == m));
            }
        }
    }

    /// Takes a word through changes by its owner (small letters) and others (capitals), and says what it is.
    fn word_after(changes: &str) -> (SharedWord, i32) {
        let (word, mut local) = (SharedWord::new(), 0);
        for change in changes.chars() {
            match change {
                'c' => local += 1,
                'd' => local -= 1,
                'C' => word.add(),
                'D' => assert_eq!(left(&word), Left::Others, "{changes}"),
                'W' => _ = word.wake(),
                'm' => assert_eq!(word.merge(std::mem::take(&mut local)), Left::Others, "{changes}"),
                'i' => assert_ne!(word.drained(), Drained::Free, "{changes}"),
                _ => unreachable!("no such change"),
            }
        }
        (word, local)
    }

    #[test]
    fn whoever_is_last_is_told() {
        for before in ["cm", "ccmD", "Cm", "cCmD", "ccDm", "cDCCDm", "cWmi", "CCDm", "ccccDDDm", "ccdm"] {
            let (word, _) = word_after(before);
            assert_eq!((word.count(), left(&word)), (1, Left::Nobody), "{before}");
        }
        for before in ["ccm", "cmC", "CCm", "cWm", "cCWm", "c", "C", "cC", "cW"] {
            let (word, _) = word_after(before);
            assert_eq!(left(&word), Left::Others, "{before}");
        }
        for (before, left) in [("", Left::Nobody), ("cd", Left::Nobody), ("cD", Left::Nobody), ("dC", Left::Nobody)] {
            let (word, local) = word_after(before);
            assert_eq!(word.merge(local), left, "{before}");
        }
        for before in ["c", "C", "W", "cCD", "cDC", "cDW"] {
            let (word, local) = word_after(before);
            assert_eq!(word.merge(local), Left::Others, "{before}");
        }
    }

    #[test]
    fn what_the_inbox_finds() {
        for (before, wake, drained) in [
            ("", Wake::Push, Drained::Schedule),
            ("C", Wake::Push, Drained::Schedule),
            ("W", Wake::Nothing, Drained::Schedule),
            ("Wi", Wake::Push, Drained::Schedule),
            ("cm", Wake::Over, Drained::Nothing),
            ("cWm", Wake::Over, Drained::Nothing),
            ("cWmD", Wake::Over, Drained::Free),
            ("Wm", Wake::Over, Drained::Free),
        ] {
            let (word, _) = word_after(before);
            assert_eq!((word.wake(), word.drained()), (wake, drained), "{before}");
        }
    }

    #[test]
    fn a_word_without_references_has_none_anywhere() {
        for (before, expected) in [
            ("", true),
            ("c", false),
            ("C", false),
            ("W", false),
            ("cD", true),
            ("dC", true),
            ("cDW", false),
            ("ccD", false),
            ("ccDD", true),
            ("cC", false),
            ("WiC", false),
            ("Wi", true),
        ] {
            let (word, local) = word_after(before);
            assert_eq!(word.is_unreferenced(local), expected, "{before}");
        }
    }

    #[test]
    fn a_word_says_what_it_counts() {
        for (before, text) in [
            ("", "count: 0, merged: false, queued: false, watched: false"),
            ("DD", "count: -2, merged: false, queued: false, watched: false"),
            ("CW", "count: 1, merged: false, queued: true, watched: false"),
            ("ccm", "count: 2, merged: true, queued: false, watched: false"),
            ("CCCWm", "count: 3, merged: true, queued: true, watched: false"),
        ] {
            let (word, _) = word_after(before);
            assert_eq!(format!("{word:?}"), format!("SharedWord {{ {text} }}"));
        }
    }
}
