//! A map by numbers, in their order, whose code is compiled once for all values.

use std::collections::VecDeque;
use std::fmt;

/// A map by numbers, in ascending order: what a `BTreeMap<u64, T>` would be, for a tenth of its code.
///
/// For the crates of the family, which keep tasks, wakers and callbacks by numbers that mostly ascend. A standard map is
/// compiled anew for each type of value; here that is the case of a slot's filling and emptying alone, and the order of
/// the numbers is kept by an index that knows no type.
///
/// An operation costs a bisection, and the moving of a kilobyte of numbers at most, also where a million numbers come
/// and go in any order. What is taken out leaves a gap; gaps are closed when they are some hundreds, and three times as many as
/// the values.
///
/// Values are handed out, and dropped as the caller likes; none is dropped here but by the drop of the whole.
pub struct IntMap<T> {
    index: Index,
    /// The values, each where the index says, as they came; a gap where one was taken out.
    slots: Vec<Option<T>>,
}

impl<T> IntMap<T> {
    /// Makes an empty map.
    #[must_use]
    pub const fn new() -> IntMap<T> {
        IntMap { index: Index::new(), slots: Vec::new() }
    }

    /// Returns how many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len
    }

    /// Tells whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.len == 0
    }

    /// Tells whether a number has a value.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        self.index.find(number).is_some()
    }

    /// Returns the value of a number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&T> {
        self.slots[self.index.find(number)?].as_ref()
    }

    /// Returns the value of a number, to be changed.
    #[must_use]
    pub fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        self.slots[self.index.find(number)?].as_mut()
    }

    /// Adds a value, or puts it in the place of the number's former one, which is returned.
    pub fn insert(&mut self, number: u64, value: T) -> Option<T> {
        match self.index.insert(number, self.slots.len()) {
            Some(slot) => self.slots[slot].replace(value),
            None => {
                if self.slots.capacity() == 0 {
                    self.slots = Vec::with_capacity(FEW);
                }
                self.slots.push(Some(value));
                None
            }
        }
    }

    /// Takes out the value of a number.
    pub fn remove(&mut self, number: u64) -> Option<T> {
        let slot = self.index.remove(number)?;
        let value = self.slots[slot].take();
        let gaps = self.slots.len() - self.index.len;
        if self.index.len == 0 && gaps <= MANY {
            self.slots.clear();
        } else if gaps > MANY && gaps > 3 * self.index.len {
            self.pack();
        }
        value
    }

    /// Takes out the value of the lowest number.
    pub fn pop_first(&mut self) -> Option<T> {
        self.remove(self.index.first()?)
    }

    /// Returns the numbers and their values, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        Iter { entries: self.index.entries(), slots: &self.slots }
    }

    /// Returns the values, in the order of their numbers.
    pub fn into_values(mut self) -> impl Iterator<Item = T> {
        self.pack();
        self.index = Index::new();
        std::mem::take(&mut self.slots).into_iter().flatten()
    }

    /// Brings the values into the order of their numbers, without gaps.
    #[inline(never)]
    fn pack(&mut self) {
        let order = self.index.pack();
        let mut packed = Vec::with_capacity(order.len());
        for slot in order {
            packed.push(self.slots[slot].take());
        }
        self.slots = packed;
    }
}

impl<T> Default for IntMap<T> {
    fn default() -> IntMap<T> {
        IntMap::new()
    }
}

impl<T> Drop for IntMap<T> {
    /// Drops the values in the order of their numbers.
    fn drop(&mut self) {
        if self.index.len > 1 {
            self.pack();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for IntMap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Iterator of [`IntMap::iter`].
struct Iter<'m, T> {
    entries: Entries<'m>,
    slots: &'m [Option<T>],
}

impl<'m, T> Iterator for Iter<'m, T> {
    type Item = (u64, &'m T);

    fn next(&mut self) -> Option<(u64, &'m T)> {
        let (number, slot) = self.entries.next()?;
        Some((number, self.slots[slot].as_ref()?))
    }
}

/// A number, and the slot of its value.
type Entry = (u64, usize);

/// A chunk is shorter than this: less than a kilobyte, which is moved in the time of a cache miss, and is a small piece to
/// allocators.
const CHUNK: usize = 60;

/// For so many there is room from the start.
const FEW: usize = 16;

/// So many gaps are not worth closing: of as many values that come and go, none is moved.
const MANY: usize = 256;

/// Which number has which slot: the entries in ascending order, cut into chunks, so that they come and go cheaply.
struct Index {
    /// The chunks before the last one. None is empty.
    chunks: VecDeque<Vec<Entry>>,
    /// The last chunk, with the highest numbers; most maps have no other.
    last: Vec<Entry>,
    /// How many entries there are.
    len: usize,
}

impl Index {
    const fn new() -> Index {
        Index { chunks: VecDeque::new(), last: Vec::new(), len: 0 }
    }

    fn chunk(&self, at: usize) -> &Vec<Entry> {
        self.chunks.get(at).unwrap_or(&self.last)
    }

    fn chunk_mut(&mut self, at: usize) -> &mut Vec<Entry> {
        self.chunks.get_mut(at).unwrap_or(&mut self.last)
    }

    fn first(&self) -> Option<u64> {
        Some(self.chunk(0).first()?.0)
    }

    /// Finds where a number is, or would be: its chunk, and its place there.
    fn place_of(&self, number: u64) -> (usize, Result<usize, usize>) {
        if self.last.last().is_some_and(|(last, _)| *last < number) {
            return (self.chunks.len(), Err(self.last.len())); // Mostly so of what comes.
        }
        if self.first() == Some(number) {
            return (0, Ok(0)); // Mostly so of what goes.
        }
        let is_below = |chunk: &Vec<Entry>| chunk.last().is_some_and(|(last, _)| *last < number);
        let is_in_last = self.last.first().is_some_and(|(first, _)| *first <= number);
        let chunk = if is_in_last { self.chunks.len() } else { self.chunks.partition_point(is_below) };
        (chunk, self.chunk(chunk).binary_search_by_key(&number, |(number, _)| *number))
    }

    fn find(&self, number: u64) -> Option<usize> {
        let (chunk, place) = self.place_of(number);
        Some(self.chunk(chunk)[place.ok()?].1)
    }

    /// Returns the slot that a number has, or else gives it `slot`.
    fn insert(&mut self, number: u64, slot: usize) -> Option<usize> {
        if self.last.capacity() == 0 {
            self.last = Vec::with_capacity(FEW);
        }
        let (chunk, place) = self.place_of(number);
        let entries = self.chunk_mut(chunk);
        match place {
            Ok(at) => return Some(entries[at].1),
            Err(at) => entries.insert(at, (number, slot)),
        }
        if entries.len() == CHUNK {
            let is_highest = place == Err(CHUNK - 1); // As most are: chunks stay full then.
            self.split(chunk, if is_highest { CHUNK } else { CHUNK / 2 });
        }
        self.len += 1;
        None
    }

    /// Makes a chunk of its own of a chunk's entries from `parting` on.
    fn split(&mut self, chunk: usize, parting: usize) {
        let lower = self.chunk_mut(chunk);
        let mut upper = Vec::with_capacity(CHUNK);
        upper.extend_from_slice(&lower[parting..]);
        lower.truncate(parting);
        if chunk == self.chunks.len() {
            upper = std::mem::replace(&mut self.last, upper);
            self.chunks.push_back(upper);
        } else {
            self.chunks.insert(chunk + 1, upper);
        }
    }

    /// Takes out a number, and returns the slot that was its own.
    fn remove(&mut self, number: u64) -> Option<usize> {
        if self.len == 0 {
            return None;
        }
        let (chunk, place) = self.place_of(number);
        let entries = self.chunk_mut(chunk);
        let place = place.ok()?;
        let (_, slot) = if place + 1 == entries.len() { entries.pop()? } else { entries.remove(place) };
        if entries.is_empty() {
            self.chunks.remove(chunk); // Nothing, if it is the last one.
        }
        self.len -= 1;
        Some(slot)
    }

    /// Numbers the slots anew, in the order of the entries and without a gap; returns what they were.
    fn pack(&mut self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.len);
        let Index { chunks, last, .. } = std::mem::replace(self, Index::new());
        for chunk in chunks.into_iter().chain([last]) {
            for (number, slot) in chunk {
                self.insert(number, order.len());
                order.push(slot);
            }
        }
        order
    }

    fn entries(&self) -> Entries<'_> {
        Entries { index: self, chunk: 0, at: 0 }
    }
}

/// The entries of an index, in ascending order, from a place on.
struct Entries<'i> {
    index: &'i Index,
    chunk: usize,
    at: usize,
}

impl Entries<'_> {
    fn next(&mut self) -> Option<Entry> {
        if self.chunk < self.index.chunks.len() && self.at == self.index.chunk(self.chunk).len() {
            (self.chunk, self.at) = (self.chunk + 1, 0);
        }
        let entry = *self.index.chunk(self.chunk).get(self.at)?;
        self.at += 1;
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::rc::Rc;

    /// Numbers below `limit` that look random, the same each time.
    fn numbers(limit: u64) -> impl Iterator<Item = u64> {
        let mut state = limit;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        })
    }

    /// The numbers from 0 to `count`, an even one, each once, in four orders.
    fn orders(count: u64) -> [Vec<u64>; 4] {
        let upwards: Vec<_> = (0..count).collect();
        let downwards = upwards.iter().rev().copied().collect();
        let outwards = (0..count / 2).rev().flat_map(|n| [n, count - 1 - n]).collect();
        let mut shuffled = upwards.clone();
        let _seeded = crate::seed(1);
        crate::permute(&mut shuffled);
        [upwards, downwards, outwards, shuffled]
    }

    fn assert_same(map: &IntMap<u64>, model: &BTreeMap<u64, u64>) {
        assert_eq!((map.len(), map.is_empty()), (model.len(), model.is_empty()));
        assert!(map.iter().eq(model.iter().map(|(number, value)| (*number, value))));
    }

    #[test]
    fn it_does_what_a_btree_map_does() {
        let steps = if cfg!(miri) { 60 } else { 20_000 };
        for (limit, grow) in [(4, 5), (40, 5), (400, 6), (5_000, 7), (5_000, 4)] {
            let (mut map, mut model) = (IntMap::new(), BTreeMap::new());
            let mut numbers = numbers(limit);
            for step in 0..steps {
                let number = numbers.next().unwrap();
                assert_eq!(map.contains(number), model.contains_key(&number));
                assert_eq!(map.get(number), model.get(&number));
                assert_eq!(map.get_mut(number), model.get_mut(&number));
                match numbers.next().unwrap() % 10 {
                    0 => assert_eq!(map.pop_first(), model.pop_first().map(|(_, value)| value)),
                    chance if chance < grow => assert_eq!(map.insert(number, step), model.insert(number, step)),
                    _ => assert_eq!(map.remove(number), model.remove(&number)),
                }
                if step % 100 == 0 {
                    assert_same(&map, &model);
                }
            }
            assert_same(&map, &model);
            assert!(map.into_values().eq(model.into_values()));
        }
    }

    /// It would take minutes if an operation cost what there is.
    #[test]
    fn many_come_and_go_in_any_order() {
        let count = if cfg!(miri) { 100 } else { 100_000 };
        for order in &orders(count) {
            let mut map = IntMap::new();
            order.iter().for_each(|number| assert_eq!(map.insert(*number, *number), None));
            for number in order.iter().rev() {
                assert_eq!(map.remove(*number), Some(*number));
            }
            assert!(map.is_empty());
        }
    }

    #[test]
    fn the_lowest_come_back() {
        let count = if cfg!(miri) { 300 } else { 100_000 };
        let mut map: IntMap<u64> = IntMap::new();
        (0..count).for_each(|number| _ = map.insert(number, number));
        for _ in 0..2 {
            (0..count / 2).for_each(|number| assert_eq!(map.pop_first(), Some(number)));
            (0..count / 2).for_each(|number| assert_eq!(map.insert(number, number), None));
        }
        assert!(map.into_values().eq(0..count));
    }

    /// Those that come and go beside one that stays leave nothing behind.
    #[test]
    fn slots_are_no_more_than_four_times_the_values_and_some() {
        let count = if cfg!(miri) { 300 } else { 10_000 };
        for order in &orders(count) {
            let mut map = IntMap::new();
            order.iter().for_each(|number| _ = map.insert(*number, ()));
            for number in order.iter().filter(|number| **number != 7) {
                map.remove(*number);
                assert!(map.slots.len() <= 4 * map.len() + MANY);
            }
            assert!(map.slots.capacity() <= 2 * MANY && map.index.chunks.len() <= 1);
            assert!(map.iter().eq([(7, &())]));
        }
    }

    #[test]
    fn values_are_dropped_in_the_order_of_their_numbers() {
        struct Logged(Rc<std::cell::RefCell<Vec<u64>>>, u64);

        impl Drop for Logged {
            fn drop(&mut self) {
                self.0.borrow_mut().push(self.1);
            }
        }

        let log = Rc::new(std::cell::RefCell::new(Vec::new()));
        let mut map = IntMap::new();
        for number in [5, 1, 4, 2, 3] {
            map.insert(number, Logged(Rc::clone(&log), number));
        }
        drop(map.remove(4));
        map.insert(0, Logged(Rc::clone(&log), 0));
        drop(map);
        assert_eq!(log.take(), [4, 0, 1, 2, 3, 5]);
    }

    #[test]
    fn it_prints_as_a_map() {
        let mut map = IntMap::default();
        map.insert(2, 'b');
        map.insert(1, 'a');
        assert_eq!(format!("{map:?}"), "{1: 'a', 2: 'b'}");
    }
}
