//! The order of the timers: sorted as far as somebody looks, ties in order of arming.
//!
//! Entries lie in stretches of time, one behind the other. Those that are due first, the *run*, are sorted, the last of
//! them on top; the later ones lie as they came, and only what parts one stretch from the next is known:
//!
//! ```text
//!   later[0]        later[1]     later[2]       run
//!   9 12 7 15 8     6 5          4              3 2 1   --> taken from here
//!   from 7          from 5       from 4
//! ```
//!
//! A timer goes to the end of its stretch, mostly of `later[0]`: it was armed now, and is due after the others. When the
//! run is used up, the stretch behind it is halved until what is left is short, and that is sorted. So each entry is looked
//! at a few times, always along with its neighbours, where a heap would look for a place for each among entries that are
//! anywhere in memory: with many timers that would be a cache miss a level. It is a quicksort that stops when it knows
//! enough.
//!
//! Nothing is taken out of the middle: a cancelled timer's entry is stale, and is dropped when it comes to the top or when
//! [`retain`](TimerOrder::retain) sweeps.

use corio_seam::LoopTime;
use std::cmp::Reverse;
use std::mem;
use std::time::Duration;

/// A stretch of so many entries is sorted; a longer one is halved before.
const SHORT: usize = 256;

/// So many emptied lists are kept for the next stretches.
const SPARE: usize = 8;

/// A list with more room than this is not kept: a burst of timers must not hold its memory for ever.
const ROOM: usize = 4 * SHORT;

/// A timer's place in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it is due.
    when: LoopTime,
    /// The tie-break, above the index.
    rest: u64,
}

impl Entry {
    #[inline]
    fn new(when: LoopTime, tie: u32, index: u32) -> Entry {
        Entry { when, rest: u64::from(tie) << 32 | u64::from(index) }
    }

    /// Returns when it is due.
    #[inline]
    pub(crate) fn when(&self) -> LoopTime {
        self.when
    }

    /// Returns which slot's timer it is, or was.
    #[inline]
    pub(crate) fn index(&self) -> u32 {
        self.rest as u32
    }

    /// Returns the tie-break, by which a slot knows its own entry.
    #[inline]
    pub(crate) fn tie(&self) -> u32 {
        (self.rest >> 32) as u32
    }

    /// Returns all of it as one number, which compares without a branch.
    #[inline]
    fn rank(&self) -> u128 {
        u128::from(self.when.as_nanos()) << 64 | u128::from(self.rest)
    }
}

/// Sorts entries as a run has them.
#[inline]
fn sort_latest_first(entries: &mut [Entry]) {
    entries.sort_unstable_by_key(|entry| Reverse(entry.rank()));
}

/// A stretch of time in which timers are due that nobody has looked at yet.
#[derive(Debug)]
struct Stretch {
    /// The least rank that belongs here. Those that belong to the stretches behind it are less.
    from: u128,
    /// In no order.
    entries: Vec<Entry>,
}

/// The entries, the one that is due first at hand.
#[derive(Debug, Default)]
pub(crate) struct TimerOrder {
    /// Those that are due first, sorted, the first one last. Empty, though there are later ones, when nobody has looked.
    run: Vec<Entry>,
    /// The others: the stretch that is due last comes first. Some may be empty.
    later: Vec<Stretch>,
    /// Emptied lists, kept for their memory.
    spare: Vec<Vec<Entry>>,
    len: usize,
    /// The next entry's tie-break.
    next_tie: u32,
}

impl TimerOrder {
    /// Counts the entries, stale ones included.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the entry that is due first.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<&Entry> {
        if self.run.is_empty() && self.len > 0 {
            self.sort_on();
        }
        self.run.last()
    }

    /// Returns how much later than the first entry the last one of its crowd is due: of those that follow each other within
    /// `gap`, as far as they are sorted, and within `most` of the first. Stale ones count.
    pub(crate) fn crowd(&self, gap: Duration, most: Duration) -> Duration {
        let (gap, most) = (gap.as_nanos() as u64, most.as_nanos() as u64);
        let mut moments = self.run.iter().rev().map(|entry| entry.when().as_nanos());
        let first = moments.next().unwrap_or(0);
        let mut last = first;
        for moment in moments {
            if moment - last > gap || moment - first > most {
                break;
            }
            last = moment;
        }
        Duration::from_nanos(last - first)
    }

    /// Returns the tie-break of the next entry, behind those there are; under a seed, anywhere between them. None when they are used
    /// up, after four thousand million timers: then the order is to be [renumbered](TimerOrder::renumber).
    #[inline]
    pub(crate) fn take_tie(&mut self) -> Option<u32> {
        let tie = self.next_tie;
        self.next_tie = tie.checked_add(1)?;
        // The lower half keeps it the entry's own.
        Some(corio_seam::random().map_or(tie, |random| (random as u32) << 16 | tie & 0xffff))
    }

    /// Adds the entry of a slot's timer.
    #[inline]
    pub(crate) fn push(&mut self, when: LoopTime, tie: u32, index: u32) {
        let entry = Entry::new(when, tie, index);
        self.len += 1;
        match self.later.first_mut() {
            Some(last) if last.from <= entry.rank() => last.entries.push(entry),
            _ => self.push_before(entry),
        }
    }

    /// Adds an entry that is due before the last stretch begins, or when there is none.
    fn push_before(&mut self, entry: Entry) {
        let rank = entry.rank();
        let place = self.later.partition_point(|stretch| stretch.from > rank); // A million armed backwards are many stretches.
        if let Some(stretch) = self.later.get_mut(place) {
            return stretch.entries.push(entry);
        }
        if self.later.is_empty() && self.run.first().is_none_or(|last| last.rank() < rank) {
            let mut entries = self.take_spare();
            entries.push(entry);
            // All that is due after the run belongs there.
            let from = self.run.first().map_or(0, |last| last.rank() + 1);
            return self.later.push(Stretch { from, entries });
        }
        let place = self.run.partition_point(|other| other.rank() > rank);
        self.run.insert(place, entry);
        if self.run.len() > 2 * SHORT {
            self.shorten_run();
        }
    }

    /// Makes a stretch of the run's later half, so that adding to the run stays cheap.
    #[cold]
    fn shorten_run(&mut self) {
        let soon = self.run.split_off(SHORT);
        let entries = mem::replace(&mut self.run, soon);
        self.later.push(Stretch { from: entries[SHORT - 1].rank(), entries });
    }

    /// Takes the entry that is due first.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Entry> {
        self.peek()?;
        self.len -= 1;
        self.run.pop()
    }

    /// Makes a run of the entries that are due first. There are some, and no run.
    #[inline(never)]
    fn sort_on(&mut self) {
        while let Some(mut stretch) = self.later.pop() {
            if stretch.entries.len() > SHORT {
                self.halve(stretch);
                continue;
            }
            self.run.append(&mut stretch.entries); // Whose memory may be larger by far.
            sort_latest_first(&mut self.run);
            if self.later.is_empty() {
                self.keep_last(stretch);
            } else {
                self.keep_spare(stretch.entries);
            }
            if !self.run.is_empty() {
                return;
            }
        }
    }

    /// Makes the last stretch, of which the run was made, that of all that is due after the run.
    fn keep_last(&mut self, mut stretch: Stretch) {
        stretch.from = self.run.first().map_or(0, |last| last.rank() + 1);
        if stretch.entries.capacity() > ROOM {
            stretch.entries = self.take_spare();
        }
        self.later.push(stretch);
    }

    /// Parts a stretch in two.
    fn halve(&mut self, Stretch { from, mut entries }: Stretch) {
        let middle = entries.len() / 2;
        let (_, entry, _) = entries.select_nth_unstable_by_key(middle, |entry| Reverse(entry.rank()));
        let parting = entry.rank();
        let mut soon = self.take_spare();
        soon.extend_from_slice(&entries[middle + 1..]);
        entries.truncate(middle + 1);
        self.later.push(Stretch { from: parting, entries });
        self.later.push(Stretch { from, entries: soon });
    }

    #[inline]
    fn take_spare(&mut self) -> Vec<Entry> {
        self.spare.pop().unwrap_or_default()
    }

    /// Keeps an emptied list, unless it is large.
    #[inline]
    fn keep_spare(&mut self, list: Vec<Entry>) {
        if list.capacity() <= ROOM && self.spare.len() < SPARE {
            self.spare.push(list);
        }
    }

    /// Takes the entry of a slot's timer out again, if it lies at an end: as one does that was put in last and is due after
    /// all others, or before. Tells whether it did.
    #[inline]
    pub(crate) fn take_back(&mut self, tie: u32, index: u32) -> bool {
        let last = self.later.first_mut().map(|stretch| &mut stretch.entries);
        let ends = [last, Some(&mut self.run)];
        for list in ends.into_iter().flatten() {
            if list.last().is_some_and(|entry| entry.index() == index && entry.tie() == tie) {
                list.pop();
                self.len -= 1;
                return true;
            }
        }
        false
    }

    /// Drops every entry that `keep` refuses; the order of the others stays.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Entry) -> bool) {
        for list in self.later.iter_mut().map(|stretch| &mut stretch.entries).chain([&mut self.run]) {
            list.retain(&mut keep);
            list.shrink_to(2 * list.len().max(SHORT)); // As `keep_spare`.
        }
        self.later.retain(|stretch| !stretch.entries.is_empty());
        self.len = self.run.len() + self.later.iter().map(|stretch| stretch.entries.len()).sum::<usize>();
    }

    /// Gives the entries new tie-breaks, the order being as before, and tells each by `tell` as index and tie-break.
    #[cold]
    pub(crate) fn renumber(&mut self, mut tell: impl FnMut(u32, u32)) {
        let mut entries = mem::take(&mut self.run);
        self.later.drain(..).for_each(|stretch| entries.extend(stretch.entries));
        sort_latest_first(&mut entries);
        *self = TimerOrder::default();
        for entry in entries.into_iter().rev() {
            let tie = self.next_tie;
            self.next_tie += 1;
            tell(entry.index(), tie);
            self.push(entry.when, tie, entry.index());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl TimerOrder {
        /// As a table does it.
        fn add(&mut self, nanos: u64, index: u32) -> u32 {
            let tie = self.take_tie().unwrap();
            self.push(LoopTime::from_nanos(nanos), tie, index);
            tie
        }

        /// Makes the next tie-break the last one.
        pub(crate) fn wear_out(&mut self) {
            self.next_tie = u32::MAX - 1;
        }
    }

    /// A sequence of numbers without a pattern, the same at every run.
    fn scrambled(count: u32) -> impl Iterator<Item = u32> {
        let mut state = 0x9e37_79b9_u32;
        (0..count).map(move |_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        })
    }

    fn drain(order: &mut TimerOrder) -> Vec<(u64, u32)> {
        std::iter::from_fn(|| order.pop()).map(|entry| (entry.when().as_nanos(), entry.index())).collect()
    }

    #[test]
    fn entries_come_in_order_and_ties_in_order_of_arming() {
        let count = if cfg!(miri) { 200 } else { 5000 };
        let mut order = TimerOrder::default();
        let mut expected = Vec::new();
        for (index, number) in (0..).zip(scrambled(count)) {
            let when = u64::from(number % 97);
            order.add(when, index);
            expected.push((when, index));
        }
        expected.sort_unstable();
        assert_eq!(drain(&mut order), expected);
    }

    #[test]
    fn a_seed_mixes_the_order_of_ties_which_stay_each_an_entry_s_own() {
        let _seeded = corio_seam::seed(7);
        let mut order = TimerOrder::default();
        let ties: Vec<_> = (0..1000).map(|_| order.take_tie().unwrap()).collect();
        assert!(ties.iter().map(|tie| tie & 0xffff).eq(0..1000));
        assert!(!ties.is_sorted());
    }

    #[test]
    fn a_swept_one_keeps_its_order() {
        for count in [0, 1, 2, 5, 6, 100, 1000] {
            let mut order = TimerOrder::default();
            for (index, number) in (0..).zip(scrambled(count)) {
                order.add(u64::from(number % 31), index);
            }
            order.retain(|entry| entry.index() % 3 != 0);
            let left = drain(&mut order);
            assert!(left.is_sorted());
            assert!(left.iter().all(|(_, index)| index % 3 != 0));
            assert_eq!(left.len(), (0..count).filter(|index| index % 3 != 0).count());
        }
    }

    #[test]
    fn only_the_entry_at_the_end_is_taken_back() {
        let mut order = TimerOrder::default();
        let ties = [(1, 5), (2, 9), (3, 7)].map(|(index, when)| order.add(when, index));
        assert!(!order.take_back(ties[1], 2));
        assert!(order.take_back(ties[2], 3) && order.take_back(ties[1], 2) && !order.take_back(ties[1], 2));
        assert_eq!(drain(&mut order), [(5, 1)]);
        assert!(!order.take_back(ties[0], 1));
    }

    #[test]
    fn pushes_and_pops_mix() {
        let mut order = TimerOrder::default();
        for n in [5, 3, 9] {
            order.add(n, n as u32);
        }
        assert_eq!(order.pop().unwrap().index(), 3);
        order.add(1, 1);
        assert_eq!(drain(&mut order), [(1, 1), (5, 5), (9, 9)]);
        assert_eq!((order.len(), order.pop()), (0, None));
    }

    /// Whoever looks after each step finds what a sorted list would give, be there few entries or many, and wherever a
    /// new one belongs.
    #[test]
    fn entries_may_be_added_and_taken_at_any_time() {
        let count = if cfg!(miri) { 300 } else { 20_000 };
        for (spread, rounds) in [(u32::MAX, 1), (1000, 1), (u32::MAX, 3), (7, 2)] {
            let mut order = TimerOrder::default();
            let mut expected = std::collections::BTreeSet::new();
            let mut numbers = scrambled(2 * count);
            let mut now = 0;
            for index in 0..count {
                let when = now + u64::from(numbers.next().unwrap() % spread);
                let tie = order.add(when, index);
                expected.insert((when, tie));
                // Three steps forward, or one, and some back: it grows in the first half, and shrinks in the second.
                let takes = if index < count / 2 { u32::from(index % 3 == 0) } else { rounds };
                for _ in 0..takes {
                    let first = order.peek().map(|entry| (entry.when().as_nanos(), entry.tie()));
                    assert_eq!(first, expected.pop_first());
                    let popped = order.pop();
                    now = popped.map_or(now, |entry| entry.when().as_nanos());
                    assert_eq!(
                        (popped.map(|entry| entry.tie()), order.len()),
                        (first.map(|first| first.1), expected.len())
                    );
                }
            }
            let left: Vec<_> = drain(&mut order).into_iter().map(|(when, _)| when).collect();
            assert!(left.into_iter().eq(expected.into_iter().map(|(when, _)| when)));
        }
    }

    #[test]
    fn entries_that_come_before_the_others_stay_cheap() {
        let mut order = TimerOrder::default();
        let count = if cfg!(miri) { 3 } else { 10 } * SHORT as u32;
        order.add(u64::from(count), 0);
        for n in 1..count {
            assert!(order.peek().is_some_and(|first| first.index() == n - 1));
            order.add(u64::from(count - n), n);
            assert!(order.run.len() <= 2 * SHORT);
        }
        assert!(drain(&mut order).into_iter().map(|(_, index)| index).eq((0..count).rev()));
    }

    #[test]
    fn a_new_timer_that_is_due_last_is_put_where_nobody_looks() {
        let mut order = TimerOrder::default();
        (0..10).for_each(|n| _ = order.add(n, n as u32));
        assert!(order.peek().is_some_and(|first| first.index() == 0));
        (10..20).for_each(|n| _ = order.add(n, n as u32));
        order.add(9, 20);
        assert_eq!((order.run.len(), order.later.len(), order.len()), (10, 1, 21));
        assert_eq!(drain(&mut order).len(), 21);
    }

    #[test]
    fn a_crowd_ends_where_a_gap_or_the_limit_comes() {
        let crowd = |moments: &[u64]| {
            let mut order = TimerOrder::default();
            moments.iter().for_each(|when| _ = order.add(*when, 0));
            order.peek();
            order.crowd(Duration::from_nanos(8), Duration::from_nanos(20)).as_nanos()
        };
        assert_eq!([crowd(&[]), crowd(&[7]), crowd(&[7, 7]), crowd(&[7, 16]), crowd(&[7, 15])], [0, 0, 0, 0, 8]);
        assert_eq!([crowd(&[7, 22, 15, 40]), crowd(&[0, 8, 12, 20, 21]), crowd(&[0, 9, 10, 11])], [15, 20, 0]);
    }

    #[test]
    fn a_burst_does_not_hold_its_memory_for_ever() {
        let mut order = TimerOrder::default();
        let room = |order: &TimerOrder| {
            let lists = order.later.iter().map(|stretch| &stretch.entries).chain(&order.spare).chain([&order.run]);
            lists.map(Vec::capacity).sum::<usize>()
        };
        let many = if cfg!(miri) { 10 } else { 100 } * SHORT;
        (0..many).for_each(|n| _ = order.add(n as u64 * 31 % 1000, n as u32));
        let ties = order.next_tie;
        assert!(room(&order) >= many);
        assert_eq!(drain(&mut order).len(), many);
        assert!(room(&order) <= (SPARE + 2) * ROOM, "{} places are left", room(&order));
        (0..many).for_each(|n| _ = order.add(n as u64 * 31 % 1000, n as u32));
        assert!(order.peek().is_some());
        order.retain(|entry| entry.tie() == ties);
        assert_eq!(order.len(), 1);
        assert!(room(&order) <= (SPARE + 2) * ROOM, "{} places are left", room(&order));
        assert_eq!(drain(&mut order).len(), 1);
    }

    /// A timeout around a read is armed and taken back, and nothing is to be left of it, nor anything allocated for it.
    #[test]
    fn a_timer_that_comes_and_goes_leaves_nothing() {
        let mut order = TimerOrder::default();
        order.add(5, 0);
        for looked in [false, true] {
            for when in [1, 5, 9] {
                assert!(!looked || order.peek().is_some());
                let tie = order.add(when, 1);
                assert!(order.take_back(tie, 1) || (looked && when == 5));
                assert!(!order.take_back(tie, 1));
            }
        }
        assert_eq!(order.len(), 1);
    }

    #[test]
    fn a_renumbered_one_keeps_its_order() {
        let mut order = TimerOrder::default();
        let numbers: Vec<_> = scrambled(100).map(|number| u64::from(number % 7)).collect();
        (0..50).for_each(|n| _ = order.add(numbers[n], n as u32));
        order.wear_out();
        assert_eq!(order.take_tie(), Some(u32::MAX - 1));
        assert_eq!(order.take_tie(), None);
        let mut told = Vec::new();
        order.renumber(|index, tie| told.push((index, tie)));
        assert!(told.iter().map(|(_, tie)| *tie).eq(0..50));
        (50..100).for_each(|n| _ = order.add(numbers[n], n as u32));
        let mut expected: Vec<_> = numbers.into_iter().zip(0..100).collect();
        expected.sort_unstable();
        assert_eq!(drain(&mut order), expected);
    }
}
