//! Those who wait for a future: a FIFO whose entries can be taken back by key.
//!
//! Most futures have one awaiter and no callback, so the first entry stands in place and costs no allocation. Keys
//! ascend, so an entry is found by bisection; one taken back from the middle leaves a gap, and gaps are closed when they
//! outnumber the entries. So a million listeners come and go in linear time, in any order.

use std::num::NonZeroU64;

/// The key that no entry ever has.
pub(crate) const NO_KEY: u64 = 0;

/// A FIFO of listeners.
pub(crate) struct Listeners<L> {
    /// The oldest entry, while it was added to an empty list and is still there. (A key is never 0: so this is a word
    /// shorter.)
    first: Option<(NonZeroU64, L)>,
    /// The entries behind it; a box, for most lists have none, and each cell carries this.
    more: Option<Box<More<L>>>,
    /// The key given last.
    last_key: u64,
}

/// What does not stand in place.
struct More<L> {
    /// The entries, by ascending key; gaps where one was taken back.
    entries: Vec<(NonZeroU64, Option<L>)>,
    /// How many gaps there are.
    gaps: usize,
}

impl<L> Listeners<L> {
    pub(crate) const fn new() -> Listeners<L> {
        Listeners { first: None, more: None, last_key: NO_KEY }
    }

    /// Appends an entry and returns its key.
    ///
    /// Inlined with the usual case alone, so that the entry goes from registers to its place.
    #[inline(always)]
    pub(crate) fn push(&mut self, listener: L) -> u64 {
        let key = NonZeroU64::MIN.saturating_add(self.last_key);
        self.last_key = key.get();
        if self.is_empty() {
            self.first = Some((key, listener));
        } else {
            self.put(key, listener);
        }
        key.get()
    }

    #[inline(never)]
    fn put(&mut self, key: NonZeroU64, listener: L) {
        if self.first.is_none() && self.more.as_ref().is_none_or(|more| more.entries.is_empty()) {
            self.first = Some((key, listener));
        } else {
            let more = self.more.get_or_insert_with(|| Box::new(More { entries: Vec::new(), gaps: 0 }));
            more.entries.push((key, Some(listener)));
        }
    }

    /// Tells whether there is certainly no entry; one that had more than one may say no.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.more.is_none()
    }

    /// Returns the number of entries.
    pub(crate) fn len(&self) -> usize {
        let more = self.more.as_ref().map_or(0, |more| more.entries.len() - more.gaps);
        usize::from(self.first.is_some()) + more
    }

    /// Returns the entry of `key`, if it is there.
    #[inline]
    pub(crate) fn find(&mut self, key: u64) -> Option<&mut L> {
        match &mut self.first {
            Some((at, listener)) if at.get() == key => Some(listener),
            _ => self.more.as_mut()?.find(key)?.as_mut(),
        }
    }

    /// Takes an entry back, for the caller to drop where user code may run.
    pub(crate) fn remove(&mut self, key: u64) -> Option<L> {
        if self.first.as_ref().is_some_and(|(at, _)| at.get() == key) {
            return self.first.take().map(|(_, listener)| listener);
        }
        self.more.as_mut()?.remove(key)
    }

    /// Takes all entries.
    #[inline]
    pub(crate) fn take(&mut self) -> Taken<L> {
        Taken { first: self.first.take(), more: self.more.take() }
    }

    /// Takes the entries of which `which` is true, in order; the others keep their keys.
    pub(crate) fn take_if(&mut self, which: impl Fn(&L) -> bool) -> Vec<L> {
        let mut taken = Vec::new();
        let all = self.take();
        for (key, listener) in all.first.into_iter().chain(all.more.into_iter().flat_map(|more| more.into_entries())) {
            if which(&listener) {
                taken.push(listener);
            } else {
                self.put(key, listener);
            }
        }
        taken
    }
}

impl<L> Drop for Listeners<L> {
    /// Drops what there is by a function of its own, so that an empty list is dropped by two looks.
    #[inline]
    fn drop(&mut self) {
        if !self.is_empty() {
            drop_entries(self.take());
        }
    }
}

#[inline(never)]
fn drop_entries<L>(_taken: Taken<L>) {}

impl<L> More<L> {
    fn find(&mut self, key: u64) -> Option<&mut Option<L>> {
        let index = self.entries.binary_search_by_key(&key, |(at, _)| at.get()).ok()?;
        Some(&mut self.entries[index].1)
    }

    fn remove(&mut self, key: u64) -> Option<L> {
        let removed = self.find(key)?.take()?;
        self.gaps += 1;
        if self.gaps * 2 > self.entries.len() {
            self.entries.retain(|(_, listener)| listener.is_some());
            self.gaps = 0;
        }
        Some(removed)
    }

    fn into_entries(self) -> impl Iterator<Item = (NonZeroU64, L)> {
        self.entries.into_iter().filter_map(|(key, listener)| Some((key, listener?)))
    }

    #[cold]
    fn for_each(self, mut tell: impl FnMut(L)) {
        self.into_entries().for_each(|(_, listener)| tell(listener));
    }
}

/// Entries that were taken.
#[must_use = "those who are not told wait for ever"]
pub(crate) struct Taken<L> {
    first: Option<(NonZeroU64, L)>,
    more: Option<Box<More<L>>>,
}

impl<L> Taken<L> {
    /// Calls `tell`, which must not unwind, with each entry, in order.
    #[inline]
    pub(crate) fn for_each(self, mut tell: impl FnMut(L)) {
        if let Some((_, listener)) = self.first {
            tell(listener);
        }
        if let Some(more) = self.more {
            more.for_each(tell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(list: &mut Listeners<char>) -> String {
        let mut letters = String::new();
        list.take().for_each(|letter| letters.push(letter));
        letters
    }

    #[test]
    fn order_is_that_of_adding() {
        let mut list = Listeners::new();
        "abc".chars().for_each(|letter| _ = list.push(letter));
        assert_eq!(letters(&mut list), "abc");
        assert_eq!(letters(&mut list), "");
    }

    #[test]
    fn one_added_after_the_first_was_removed_does_not_overtake() {
        let mut list = Listeners::new();
        let a = list.push('a');
        list.push('b');
        assert_eq!(list.remove(a), Some('a'));
        list.push('c');
        assert_eq!(letters(&mut list), "bc");
    }

    #[test]
    fn a_key_is_good_once() {
        let mut list = Listeners::new();
        let keys = ['a', 'b', 'c'].map(|letter| list.push(letter));
        assert_eq!(list.remove(keys[1]), Some('b'));
        assert_eq!(list.remove(keys[1]), None);
        assert_eq!(list.remove(NO_KEY), None);
        assert_eq!(list.find(keys[2]).copied(), Some('c'));
        list.take().for_each(drop);
        assert_eq!(list.find(keys[2]), None);
        let d = list.push('d');
        assert!(!keys.contains(&d));
    }

    #[test]
    fn gaps_are_closed() {
        let mut list = Listeners::new();
        let keys: Vec<u64> = (0..100).map(|n| list.push(n)).collect();
        keys.iter().step_by(2).for_each(|&key| _ = list.remove(key));
        keys.iter().skip(1).step_by(4).for_each(|&key| _ = list.remove(key));
        let places = list.more.as_ref().map_or(0, |more| more.entries.len());
        assert!((24..=51).contains(&places), "{places} places for 25 entries");
        assert_eq!(list.len(), 25);
        let mut left = Vec::new();
        list.take().for_each(|n| left.push(n));
        assert_eq!(left, (3..100).step_by(4).collect::<Vec<_>>());
    }

    #[test]
    fn some_are_taken_and_the_others_keep_their_keys() {
        let mut list = Listeners::new();
        let keys = ['a', 'B', 'c', 'D'].map(|letter| list.push(letter));
        assert_eq!(list.take_if(char::is_ascii_uppercase), ['B', 'D']);
        assert_eq!(list.remove(keys[2]), Some('c'));
        list.push('e');
        assert_eq!(letters(&mut list), "ae");
    }
}
