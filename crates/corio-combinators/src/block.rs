//! Children of one type, side by side in one allocation, and their bells: the one place of unsafe code in this crate.

#![allow(unsafe_code)]

pub(crate) mod bells;

use std::pin::Pin;

/// A block of pinned values.
pub(crate) struct Block<T>(Pin<Box<[T]>>);

impl<T> Block<T> {
    pub(crate) fn new(values: impl Iterator<Item = T>) -> Block<T> {
        Block(Box::into_pin(values.collect()))
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns one of the values, to be polled where it lies.
    #[inline]
    pub(crate) fn at(&mut self, index: usize) -> Pin<&mut T> {
        // SAFETY:
        // * an element of a slice moves only if somebody moves it out of the slice or swaps it; the slice is behind a
        //   `Pin<Box<_>>`, of which nothing but this method makes a `&mut`, and this hands it out as a `Pin`;
        // * the elements are dropped in place, by the box.
        unsafe { self.0.as_mut().map_unchecked_mut(|slice| &mut slice[index]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::marker::PhantomPinned;

    #[test]
    fn an_element_stays_where_it_is() {
        let mut block = Block::new((0..3).map(|n| (n, PhantomPinned)));
        let before = std::ptr::from_ref(&*block.at(1));
        let mut moved = block;
        assert_eq!(std::ptr::from_ref(&*moved.at(1)), before);
        assert_eq!((moved.at(2).0, moved.len()), (2, 3));
    }
}
