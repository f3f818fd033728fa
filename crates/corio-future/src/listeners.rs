//! Those who wait for a future: a FIFO whose entries can be taken back by key.
//!
//! Most futures have one awaiter and no callback, so the first entry stands in place and costs no allocation. Keys
//! ascend, so an entry is found by bisection; one taken back from the middle leaves a gap, and gaps are closed when they
//! outnumber the entries. So a million listeners come and go in linear time, in any order.

use std::mem;
use std::vec;

/// The key that no entry ever has.
pub(crate) const NO_KEY: u64 = 0;

/// A FIFO of listeners.
pub(crate) struct Listeners<L> {
    /// The oldest entry, while it was added to an empty list and is still there.
    first: Option<(u64, L)>,
    /// The entries behind it, by ascending key; gaps where one was taken back.
    more: Vec<(u64, Option<L>)>,
    /// How many gaps `more` has.
    gaps: usize,
    /// The key given last.
    last_key: u64,
}

impl<L> Listeners<L> {
    pub(crate) const fn new() -> Listeners<L> {
        Listeners { first: None, more: Vec::new(), gaps: 0, last_key: NO_KEY }
    }

    /// Appends an entry and returns its key.
    #[inline]
    pub(crate) fn push(&mut self, listener: L) -> u64 {
        self.last_key += 1;
        if self.first.is_none() && self.more.is_empty() {
            self.first = Some((self.last_key, listener));
        } else {
            self.more.push((self.last_key, Some(listener)));
        }
        self.last_key
    }

    /// Returns the entry of `key`, if it is there.
    #[inline]
    pub(crate) fn find(&mut self, key: u64) -> Option<&mut L> {
        match &mut self.first {
            Some((at, listener)) if *at == key => Some(listener),
            _ => {
                let index = self.more.binary_search_by_key(&key, |(at, _)| *at).ok()?;
                self.more[index].1.as_mut()
            }
        }
    }

    /// Takes an entry back, for the caller to drop where user code may run.
    pub(crate) fn remove(&mut self, key: u64) -> Option<L> {
        if self.first.as_ref().is_some_and(|(at, _)| *at == key) {
            return self.first.take().map(|(_, listener)| listener);
        }
        let index = self.more.binary_search_by_key(&key, |(at, _)| *at).ok()?;
        let removed = self.more[index].1.take()?;
        self.gaps += 1;
        if self.gaps * 2 > self.more.len() {
            self.more.retain(|(_, listener)| listener.is_some());
            self.gaps = 0;
        }
        Some(removed)
    }

    /// Takes all entries, in order.
    #[inline]
    pub(crate) fn take(&mut self) -> Taken<L> {
        self.gaps = 0;
        Taken { first: self.first.take(), more: mem::take(&mut self.more).into_iter() }
    }

    /// Takes the entries of which `which` is true, in order; the others keep their keys.
    pub(crate) fn take_if(&mut self, which: impl Fn(&L) -> bool) -> Vec<L> {
        let mut taken = Vec::new();
        for (key, listener) in self.take() {
            if which(&listener) {
                taken.push(listener);
            } else {
                self.more.push((key, Some(listener)));
            }
        }
        taken
    }
}

/// Iterator over entries that were taken, with their keys.
pub(crate) struct Taken<L> {
    first: Option<(u64, L)>,
    more: vec::IntoIter<(u64, Option<L>)>,
}

impl<L> Iterator for Taken<L> {
    type Item = (u64, L);

    #[inline]
    fn next(&mut self) -> Option<(u64, L)> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        self.more.by_ref().find_map(|(key, listener)| Some((key, listener?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(list: &mut Listeners<char>) -> String {
        list.take().map(|(_, letter)| letter).collect()
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
        assert!(list.more.len() <= 51, "{} places for 25 entries", list.more.len());
        let left: Vec<i32> = list.take().map(|(_, n)| n).collect();
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
