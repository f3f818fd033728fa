//! The three orders in which items come out, and the place where they lie meanwhile.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;

/// Where a queue keeps its items; what asyncio's subclasses override.
///
/// Sealed: [`Fifo`], [`Lifo`] and [`Priority`] are all there are.
pub trait Storage: Sealed + Default {}

/// What the crate asks of a storage, out of sight.
pub(crate) mod sealed {
    /// The working side of [`Storage`](super::Storage).
    #[allow(unnameable_types)] // That is the seal.
    pub trait Sealed: Sized {
        /// What the queue holds.
        type Item;

        /// Whether `push` and `pop` call the user's `Ord`, and so must run while nothing is borrowed.
        const COMPARES: bool;

        /// Adds an item.
        fn push(&mut self, item: Self::Item);

        /// Takes the item whose turn it is.
        fn pop(&mut self) -> Option<Self::Item>;

        /// Returns the number of items, those that are lent out included.
        fn len(&self) -> usize;

        /// Lends the items out, so that they can be compared while nothing is borrowed.
        fn lend(&mut self) -> Self;

        /// Takes back what [`lend`](Sealed::lend) gave.
        fn take_back(&mut self, lent: Self);
    }
}

pub(crate) use sealed::Sealed;

/// The storage of a [`Queue`](crate::Queue): first in, first out.
pub struct Fifo<T> {
    items: VecDeque<T>,
}

impl<T> Default for Fifo<T> {
    fn default() -> Fifo<T> {
        Fifo { items: VecDeque::new() }
    }
}

impl<T> Storage for Fifo<T> {}

impl<T> Sealed for Fifo<T> {
    type Item = T;
    const COMPARES: bool = false;

    #[inline]
    fn push(&mut self, item: T) {
        self.items.push_back(item);
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        self.items.pop_front()
    }

    #[inline]
    fn len(&self) -> usize {
        self.items.len()
    }

    fn lend(&mut self) -> Fifo<T> {
        std::mem::take(self)
    }

    fn take_back(&mut self, lent: Fifo<T>) {
        *self = lent;
    }
}

/// The storage of a [`LifoQueue`](crate::LifoQueue): last in, first out.
pub struct Lifo<T> {
    items: Vec<T>,
}

impl<T> Default for Lifo<T> {
    fn default() -> Lifo<T> {
        Lifo { items: Vec::new() }
    }
}

impl<T> Storage for Lifo<T> {}

impl<T> Sealed for Lifo<T> {
    type Item = T;
    const COMPARES: bool = false;

    #[inline]
    fn push(&mut self, item: T) {
        self.items.push(item);
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        self.items.pop()
    }

    #[inline]
    fn len(&self) -> usize {
        self.items.len()
    }

    fn lend(&mut self) -> Lifo<T> {
        std::mem::take(self)
    }

    fn take_back(&mut self, lent: Lifo<T>) {
        *self = lent;
    }
}

/// The storage of a [`PriorityQueue`](crate::PriorityQueue): smallest first, equal ones in the order of insertion.
pub struct Priority<T> {
    heap: BinaryHeap<Ranked<T>>,
    /// The number of the next item, so that equal ones keep their order.
    next: u64,
    /// How many items there are, lent out or not.
    len: usize,
    /// Whether the heap is lent out; it is empty then.
    lent: bool,
}

/// An item of the heap with its number. std's heap gives the greatest first, so the order is turned round.
struct Ranked<T> {
    item: T,
    number: u64,
}

impl<T: Ord> Ord for Ranked<T> {
    #[inline]
    fn cmp(&self, other: &Ranked<T>) -> Ordering {
        other.item.cmp(&self.item).then_with(|| other.number.cmp(&self.number))
    }
}

impl<T: Ord> PartialOrd for Ranked<T> {
    #[inline]
    fn partial_cmp(&self, other: &Ranked<T>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Ranked<T> {
    fn eq(&self, other: &Ranked<T>) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Ord> Eq for Ranked<T> {}

impl<T: Ord> Default for Priority<T> {
    fn default() -> Priority<T> {
        Priority { heap: BinaryHeap::new(), next: 0, len: 0, lent: false }
    }
}

impl<T: Ord> Storage for Priority<T> {}

impl<T: Ord> Sealed for Priority<T> {
    type Item = T;
    const COMPARES: bool = true;

    #[inline]
    fn push(&mut self, item: T) {
        let number = self.next;
        self.next += 1;
        self.heap.push(Ranked { item, number });
        self.len = self.heap.len();
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        let ranked = self.heap.pop();
        self.len = self.heap.len();
        ranked.map(|ranked| ranked.item)
    }

    #[inline]
    fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn lend(&mut self) -> Priority<T> {
        assert!(!self.lent, "the `Ord` of a priority queue's items must not put into that queue or get from it");
        self.lent = true;
        Priority { heap: std::mem::take(&mut self.heap), next: self.next, len: self.len, lent: false }
    }

    #[inline]
    fn take_back(&mut self, lent: Priority<T>) {
        let len = lent.heap.len();
        *self = Priority { len, ..lent };
    }
}

impl<T> fmt::Debug for Fifo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fifo").field("len", &self.items.len()).finish()
    }
}

impl<T> fmt::Debug for Lifo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifo").field("len", &self.items.len()).finish()
    }
}

impl<T> fmt::Debug for Priority<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Priority").field("len", &self.len).finish()
    }
}
