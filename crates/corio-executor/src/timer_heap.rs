//! The order of the timers: a 4-ary heap of moments, ties in order of arming.
//!
//! A heap of four children is half as deep as one of two, and a node's children lie in two cache lines. Nothing is
//! taken out of the middle: a cancelled timer's entry is stale, and is dropped when it comes to the top or when
//! [`retain`](TimerHeap::retain) sweeps.

use corio_seam::{LoopTime, TimerKey};

/// How many children a node has.
const ARITY: usize = 4;

/// A timer's place in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it is due.
    pub(crate) when: LoopTime,
    /// How many were armed before it, or, under a seed, some number: the tie-break.
    sequence: u64,
    /// Which timer it is, or was.
    pub(crate) key: TimerKey,
}

impl Entry {
    /// Returns the moment and the tie-break as one number, which compares without a branch.
    #[inline]
    fn rank(&self) -> u128 {
        u128::from(self.when.as_nanos()) << 64 | u128::from(self.sequence)
    }

    /// Tells whether this one is due before `other`.
    #[inline]
    fn precedes(&self, other: &Entry) -> bool {
        self.rank() < other.rank()
    }
}

/// The entries, the one that is due first on top.
#[derive(Debug, Default)]
pub(crate) struct TimerHeap {
    entries: Vec<Entry>,
    /// The next entry's tie-break; 2⁶⁴ timers outlast any program.
    next_sequence: u64,
}

impl TimerHeap {
    /// Counts the entries, stale ones included.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the entry that is due first.
    #[inline]
    pub(crate) fn peek(&self) -> Option<&Entry> {
        self.entries.first()
    }

    /// Adds an entry, behind those of the same moment; under a seed, anywhere between them.
    pub(crate) fn push(&mut self, when: LoopTime, key: TimerKey) {
        let sequence = corio_seam::random().unwrap_or(self.next_sequence);
        let entry = Entry { when, sequence, key };
        self.next_sequence += 1;
        self.entries.push(entry);
        self.sift_up(self.entries.len() - 1, entry);
    }

    /// Takes the entry that is due first.
    pub(crate) fn pop(&mut self) -> Option<Entry> {
        let last = self.entries.pop()?;
        let Some(&first) = self.entries.first() else { return Some(last) };
        self.sift_down(0, last);
        Some(first)
    }

    /// Takes the entry of `key` out again, if it lies at the end, as one does that was put in last and is not due before
    /// others. Tells whether it did.
    #[inline]
    pub(crate) fn take_back(&mut self, key: TimerKey) -> bool {
        let at_the_end = self.entries.last().is_some_and(|entry| entry.key == key);
        if at_the_end {
            self.entries.pop();
        }
        at_the_end
    }

    /// Drops every entry that `keep` refuses; the order of the others stays.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Entry) -> bool) {
        self.entries.retain(|entry| keep(entry));
        if self.entries.len() > 1 {
            let last_parent = (self.entries.len() - 2) / ARITY;
            for index in (0..=last_parent).rev() {
                self.sift_down(index, self.entries[index]);
            }
        }
        // A burst of timers must not hold its memory for ever.
        self.entries.shrink_to(self.entries.len().saturating_mul(2));
    }

    /// Writes `entry` at `hole` or above, moving down the later entries on the way.
    fn sift_up(&mut self, mut hole: usize, entry: Entry) {
        while hole > 0 {
            let parent = (hole - 1) / ARITY;
            if !entry.precedes(&self.entries[parent]) {
                break;
            }
            self.entries[hole] = self.entries[parent];
            hole = parent;
        }
        self.entries[hole] = entry;
    }

    /// Writes `entry` at `hole` or below, moving up the earlier entries on the way.
    fn sift_down(&mut self, mut hole: usize, entry: Entry) {
        while let Some(child) = self.first_child(hole) {
            if !self.entries[child].precedes(&entry) {
                break;
            }
            self.entries[hole] = self.entries[child];
            hole = child;
        }
        self.entries[hole] = entry;
    }

    /// Returns the child of `parent` that is due first, if it has children.
    #[inline]
    fn first_child(&self, parent: usize) -> Option<usize> {
        let start = parent * ARITY + 1;
        let children = self.entries.get(start..)?;
        match children.first_chunk() {
            Some(all) => Some(start + first_of_all(all)),
            None => Some(start + first_of(children)?),
        }
    }
}

/// Returns which of a node's children is due first, if it has them all: three comparisons, without a branch.
#[inline]
fn first_of_all(children: &[Entry; ARITY]) -> usize {
    let [a, b, c, d] = children.each_ref().map(Entry::rank);
    let (left, left_rank) = if b < a { (1, b) } else { (0, a) };
    let (right, right_rank) = if d < c { (3, d) } else { (2, c) };
    if right_rank < left_rank { right } else { left }
}

/// Returns which of the last node's children is due first, if it has any.
fn first_of(children: &[Entry]) -> Option<usize> {
    (0..children.len()).min_by_key(|&index| children[index].rank())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(index: u32) -> TimerKey {
        TimerKey { index, generation: 0 }
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
        std::iter::from_fn(|| heap.pop()).map(|entry| (entry.when.as_nanos(), entry.key.index)).collect()
    }

    #[test]
    fn entries_come_in_order_and_ties_in_order_of_arming() {
        let count = if cfg!(miri) { 200 } else { 5000 };
        let mut heap = TimerHeap::default();
        let mut expected = Vec::new();
        for (index, number) in (0..).zip(scrambled(count)) {
            let when = u64::from(number % 97);
            heap.push(LoopTime::from_nanos(when), key(index));
            expected.push((when, index));
        }
        expected.sort_unstable();
        assert_eq!(drain(&mut heap), expected);
    }

    #[test]
    fn a_swept_heap_keeps_its_order() {
        for count in [0, 1, 2, 5, 6, 100, 1000] {
            let mut heap = TimerHeap::default();
            for (index, number) in (0..).zip(scrambled(count)) {
                heap.push(LoopTime::from_nanos(u64::from(number % 31)), key(index));
            }
            heap.retain(|entry| entry.key.index % 3 != 0);
            let left = drain(&mut heap);
            assert!(left.is_sorted());
            assert!(left.iter().all(|(_, index)| index % 3 != 0));
            assert_eq!(left.len(), (0..count).filter(|index| index % 3 != 0).count());
        }
    }

    #[test]
    fn only_the_entry_at_the_end_is_taken_back() {
        let mut heap = TimerHeap::default();
        for (index, when) in [(1, 5), (2, 9), (3, 7)] {
            heap.push(LoopTime::from_nanos(when), key(index));
        }
        assert!(!heap.take_back(key(2)));
        assert!(heap.take_back(key(3)) && heap.take_back(key(2)) && !heap.take_back(key(2)));
        assert_eq!(drain(&mut heap), [(5, 1)]);
        assert!(!heap.take_back(key(1)));
    }

    #[test]
    fn pushes_and_pops_mix() {
        let mut heap = TimerHeap::default();
        for n in [5, 3, 9] {
            heap.push(LoopTime::from_nanos(n), key(n as u32));
        }
        assert_eq!(heap.pop().unwrap().key, key(3));
        heap.push(LoopTime::from_nanos(1), key(1));
        assert_eq!(drain(&mut heap), [(1, 1), (5, 5), (9, 9)]);
        assert_eq!((heap.len(), heap.pop()), (0, None));
    }
}
