//! Ended cells, kept by their thread for the next promises: one of each of a few kinds.
//!
//! A promise is mostly made, kept and read, and then the next of its kind is made; and half of that time would be the
//! allocator's. So a cell that nobody holds any more, and that is as empty as a new one, is not freed but put here, for
//! the next promise of its type. A thread keeps a handful of small cells in this way, until it ends. Without `unsafe`: a
//! cell is kept as a whole, and no memory changes its type.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// How many cells a thread keeps, each of another type.
const PLACES: usize = 8;

/// No larger cell is kept.
pub(crate) const LARGEST: usize = 512;

thread_local! {
    static SPARE: [Cell<Option<Rc<dyn Any>>>; PLACES] = const { [const { Cell::new(None) }; PLACES] };
}

/// Takes the cell of that type out, if there is one.
#[inline]
pub(crate) fn take<C: Any>() -> Option<Rc<C>> {
    let spare = SPARE.try_with(|places| places[place::<C>()].take()).ok()??;
    spare.downcast().ok()
}

/// Puts a cell in, that is like a new one; another that has its place is freed.
#[inline]
pub(crate) fn put<C: Any>(cell: Rc<C>) {
    // Where the thread ends, and keeps nothing any more, the cell is freed.
    _ = SPARE.try_with(|places| drop(places[place::<C>()].replace(Some(cell))));
}

/// The place of a type's cells: known when the program is built.
#[inline]
fn place<C: Any>() -> usize {
    /// Keeps what it is given: a type's number is a hash already.
    struct Last(u64);

    impl Hasher for Last {
        fn write(&mut self, bytes: &[u8]) {
            self.0 = bytes.iter().fold(self.0, |hash, byte| hash << 8 | u64::from(*byte));
        }

        fn write_u64(&mut self, number: u64) {
            self.0 = number;
        }

        fn finish(&self) -> u64 {
            self.0
        }
    }

    let mut last = Last(0);
    TypeId::of::<C>().hash(&mut last);
    last.finish() as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_taken_once() {
        let cell = Rc::new(7_u32);
        put(Rc::clone(&cell));
        assert!(take::<u32>().is_some_and(|taken| Rc::ptr_eq(&taken, &cell)));
        assert_eq!(take::<u32>(), None);
    }

    #[test]
    fn types_are_kept_apart() {
        fn put_and_take<C: Any + Default>() -> bool {
            put(Rc::new(0_u32));
            put(Rc::new(C::default()));
            let is_there = take::<C>().is_some();
            take::<u32>();
            is_there && take::<C>().is_none()
        }
        let kinds = [put_and_take::<i8>, put_and_take::<i16>, put_and_take::<i64>, put_and_take::<u8>];
        let more = [put_and_take::<u16>, put_and_take::<f32>, put_and_take::<f64>, put_and_take::<[u32; 3]>];
        assert!(kinds.into_iter().chain(more).all(|put_and_take| put_and_take()));
    }

    #[test]
    fn one_of_each_type_is_kept() {
        let (first, second) = (Rc::new('a'), Rc::new('b'));
        put(Rc::clone(&first));
        put(Rc::clone(&second));
        assert_eq!((Rc::strong_count(&first), Rc::strong_count(&second)), (1, 2));
    }
}
