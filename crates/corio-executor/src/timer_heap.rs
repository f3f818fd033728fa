//! The order of the timers: a 4-ary heap of moments, ties in order of arming.
//!
//! A heap of four children is half as deep as one of two. An entry has 16 bytes, so that the children of a node are one
//! cache line, and a large heap costs one miss a level. Nothing is taken out of the middle: a cancelled timer's entry is
//! stale, and is dropped when it comes to the top or when [`retain`](TimerHeap::retain) sweeps.
//!
//! ```text
//!   block 0   -  -  -  0          the root, at place 3
//!   block 1   1  2  3  4          its children
//!   block 2   5  6  7  8          the children of 1, which is at place 4
//!   block 3   9 10 11 12          the children of 2 ...
//! ```

use corio_seam::LoopTime;

/// How many children a node has.
const ARITY: usize = 4;

/// The place of the entry that is due first.
const ROOT: usize = ARITY - 1;

/// A timer's place in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it is due.
    when: LoopTime,
    /// The tie-break, above the index.
    rest: u64,
}

impl Entry {
    /// Stands where there is none: due after all others.
    const NONE: Entry = Entry { when: LoopTime::MAX, rest: u64::MAX };

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

    /// Tells whether this one is due before `other`.
    #[inline]
    fn precedes(&self, other: &Entry) -> bool {
        self.rank() < other.rank()
    }
}

/// The children of a node: a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Block([Entry; ARITY]);

const _: () = assert!(size_of::<Block>() == 64);

/// The entries, the one that is due first on top.
#[derive(Debug, Default)]
pub(crate) struct TimerHeap {
    /// As many as the heap ever needed since it was last swept; the free places hold [`Entry::NONE`].
    blocks: Vec<Block>,
    len: usize,
    /// The next entry's tie-break.
    next_tie: u32,
}

impl TimerHeap {
    /// Counts the entries, stale ones included.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the entry that is due first.
    #[inline]
    pub(crate) fn peek(&self) -> Option<&Entry> {
        self.blocks.first().filter(|_| self.len > 0).map(|block| &block.0[ROOT])
    }

    /// Returns the tie-break of the next entry, behind those there are; under a seed, anywhere between them. None when they are used
    /// up, after four thousand million timers: then the heap is to be [renumbered](TimerHeap::renumber).
    #[inline]
    pub(crate) fn take_tie(&mut self) -> Option<u32> {
        let tie = self.next_tie;
        self.next_tie = tie.checked_add(1)?;
        // The lower half keeps it the entry's own.
        Some(corio_seam::random().map_or(tie, |random| (random as u32) << 16 | tie & 0xffff))
    }

    /// Adds the entry of a slot's timer.
    #[inline(always)] // Into the arming; it is else called once in four thousand million timers.
    pub(crate) fn push(&mut self, when: LoopTime, tie: u32, index: u32) {
        let hole = self.len + ROOT;
        if hole / ARITY == self.blocks.len() {
            self.blocks.push(Block([Entry::NONE; ARITY]));
        }
        self.len += 1;
        self.sift_up(hole, Entry::new(when, tie, index));
    }

    /// Takes the entry that is due first.
    pub(crate) fn pop(&mut self) -> Option<Entry> {
        let last = self.pop_last()?;
        let Some(&first) = self.peek() else { return Some(last) };
        self.sift_down(ROOT, last);
        Some(first)
    }

    /// Takes the entry at the end.
    #[inline]
    fn pop_last(&mut self) -> Option<Entry> {
        self.len = self.len.checked_sub(1)?;
        Some(std::mem::replace(self.at(self.len + ROOT), Entry::NONE))
    }

    /// Takes the entry of a slot's timer out again, if it lies at the end, as one does that was put in last and is not due
    /// before others. Tells whether it did.
    #[inline]
    pub(crate) fn take_back(&mut self, tie: u32, index: u32) -> bool {
        let Some(left) = self.len.checked_sub(1) else { return false };
        let last = self.at(left + ROOT);
        let is_its_own = last.rest == Entry::new(last.when, tie, index).rest;
        if is_its_own {
            *last = Entry::NONE;
            self.len = left;
        }
        is_its_own
    }

    /// Drops every entry that `keep` refuses; the order of the others stays.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Entry) -> bool) {
        let mut left = 0;
        for place in ROOT..ROOT + self.len {
            let entry = std::mem::replace(self.at(place), Entry::NONE);
            if keep(&entry) {
                *self.at(ROOT + left) = entry;
                left += 1;
            }
        }
        self.len = left;
        self.blocks.truncate(if left == 0 { 0 } else { (ROOT + left).div_ceil(ARITY) });
        // From the parent of the last entry up: those behind it have no children.
        for place in (ROOT..(self.blocks.len() + 2).min(ROOT + left)).rev() {
            let entry = *self.at(place);
            self.sift_down(place, entry);
        }
        // A burst of timers must not hold its memory for ever.
        self.blocks.shrink_to(self.blocks.len().saturating_mul(2));
    }

    /// Gives the entries new tie-breaks, the order being as before, and tells each by `tell` as index and tie-break.
    #[cold]
    pub(crate) fn renumber(&mut self, mut tell: impl FnMut(u32, u32)) {
        let mut entries: Vec<_> = (ROOT..ROOT + self.len).map(|place| *self.at(place)).collect();
        entries.sort_unstable_by_key(Entry::rank);
        *self = TimerHeap::default();
        for entry in entries {
            let tie = self.next_tie;
            self.next_tie += 1;
            tell(entry.index(), tie);
            self.push(entry.when, tie, entry.index());
        }
    }

    /// Lends a place.
    #[inline]
    fn at(&mut self, place: usize) -> &mut Entry {
        &mut self.blocks[place / ARITY].0[place % ARITY]
    }

    /// Writes `entry` at `hole` or above, moving down the later entries on the way.
    fn sift_up(&mut self, mut hole: usize, entry: Entry) {
        while hole > ROOT {
            let parent = hole / ARITY + 2;
            let above = *self.at(parent);
            if !entry.precedes(&above) {
                break;
            }
            *self.at(hole) = above;
            hole = parent;
        }
        *self.at(hole) = entry;
    }

    /// Writes `entry` at `hole` or below, moving up the earlier entries on the way.
    fn sift_down(&mut self, mut hole: usize, entry: Entry) {
        // The block of a place's children is two before its number; one that is not full holds none that precedes an entry.
        while let Some(Block(children)) = self.blocks.get(hole - 2) {
            let first = first_of(children);
            let child = children[first];
            if !child.precedes(&entry) {
                break;
            }
            let below = (hole - 2) * ARITY + first;
            *self.at(hole) = child;
            hole = below;
        }
        *self.at(hole) = entry;
    }
}

/// Returns which of a node's children is due first: three comparisons, without a branch.
#[inline]
fn first_of(children: &[Entry; ARITY]) -> usize {
    let [a, b, c, d] = children.each_ref().map(Entry::rank);
    let (left, left_rank) = if b < a { (1, b) } else { (0, a) };
    let (right, right_rank) = if d < c { (3, d) } else { (2, c) };
    if right_rank < left_rank { right } else { left }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl TimerHeap {
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

    fn drain(heap: &mut TimerHeap) -> Vec<(u64, u32)> {
        std::iter::from_fn(|| heap.pop()).map(|entry| (entry.when().as_nanos(), entry.index())).collect()
    }

    #[test]
    fn entries_come_in_order_and_ties_in_order_of_arming() {
        let count = if cfg!(miri) { 200 } else { 5000 };
        let mut heap = TimerHeap::default();
        let mut expected = Vec::new();
        for (index, number) in (0..).zip(scrambled(count)) {
            let when = u64::from(number % 97);
            heap.add(when, index);
            expected.push((when, index));
        }
        expected.sort_unstable();
        assert_eq!(drain(&mut heap), expected);
    }

    #[test]
    fn a_seed_mixes_the_order_of_ties_which_stay_each_an_entry_s_own() {
        let _seeded = corio_seam::seed(7);
        let mut heap = TimerHeap::default();
        let ties: Vec<_> = (0..1000).map(|_| heap.take_tie().unwrap()).collect();
        assert!(ties.iter().map(|tie| tie & 0xffff).eq(0..1000));
        assert!(!ties.is_sorted());
    }

    #[test]
    fn a_swept_heap_keeps_its_order() {
        for count in [0, 1, 2, 5, 6, 100, 1000] {
            let mut heap = TimerHeap::default();
            for (index, number) in (0..).zip(scrambled(count)) {
                heap.add(u64::from(number % 31), index);
            }
            heap.retain(|entry| entry.index() % 3 != 0);
            let left = drain(&mut heap);
            assert!(left.is_sorted());
            assert!(left.iter().all(|(_, index)| index % 3 != 0));
            assert_eq!(left.len(), (0..count).filter(|index| index % 3 != 0).count());
        }
    }

    #[test]
    fn only_the_entry_at_the_end_is_taken_back() {
        let mut heap = TimerHeap::default();
        let ties = [(1, 5), (2, 9), (3, 7)].map(|(index, when)| heap.add(when, index));
        assert!(!heap.take_back(ties[1], 2));
        assert!(heap.take_back(ties[2], 3) && heap.take_back(ties[1], 2) && !heap.take_back(ties[1], 2));
        assert_eq!(drain(&mut heap), [(5, 1)]);
        assert!(!heap.take_back(ties[0], 1));
    }

    #[test]
    fn pushes_and_pops_mix() {
        let mut heap = TimerHeap::default();
        for n in [5, 3, 9] {
            heap.add(n, n as u32);
        }
        assert_eq!(heap.pop().unwrap().index(), 3);
        heap.add(1, 1);
        assert_eq!(drain(&mut heap), [(1, 1), (5, 5), (9, 9)]);
        assert_eq!((heap.len(), heap.pop()), (0, None));
    }

    #[test]
    fn an_empty_heap_has_no_first_entry_and_a_swept_one_few_blocks() {
        let mut heap = TimerHeap::default();
        for count in 1..20 {
            (0..count).for_each(|n| _ = heap.add(n, n as u32));
            assert_eq!(heap.blocks.len(), (count as usize + ROOT).div_ceil(ARITY));
            assert_eq!(drain(&mut heap).len(), count as usize);
            assert!(heap.peek().is_none());
        }
        heap.retain(|_| true);
        assert!(heap.blocks.is_empty());
    }

    #[test]
    fn a_renumbered_heap_keeps_its_order() {
        let mut heap = TimerHeap::default();
        let numbers: Vec<_> = scrambled(100).map(|number| u64::from(number % 7)).collect();
        (0..50).for_each(|n| _ = heap.add(numbers[n], n as u32));
        heap.wear_out();
        assert_eq!(heap.take_tie(), Some(u32::MAX - 1));
        assert_eq!(heap.take_tie(), None);
        let mut told = Vec::new();
        heap.renumber(|index, tie| told.push((index, tie)));
        assert!(told.iter().map(|(_, tie)| *tie).eq(0..50));
        (50..100).for_each(|n| _ = heap.add(numbers[n], n as u32));
        let mut expected: Vec<_> = numbers.into_iter().zip(0..100).collect();
        expected.sort_unstable();
        assert_eq!(drain(&mut heap), expected);
    }
}
