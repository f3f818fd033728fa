//! The order of what asyncio leaves in no order: as it comes or, under a seed, another one each time.
//!
//! A program that asyncio's documents hold right must not depend on which of two threads is heard first, which of two
//! timers of the same moment fires first, or in which order a set of tasks is cancelled. A test finds out by running it
//! under many seeds; `corio_executor::test::run_seeds` does.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

thread_local! {
    /// The state of this thread's generator; none: everything in the order in which it comes.
    static STATE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Has [`permute`] permute on this thread, as `seed` says, until the guard is dropped; with seed 0 it leaves everything
/// as it is.
///
/// Of the same seed come the same permutations, if the same is asked for in the same order. Guards nest; drop them in
/// the reverse order.
///
/// # Examples
///
/// ```
/// let shuffled = |seed| {
///     let _seeded = corio_seam::seed(seed);
///     let mut items = [1, 2, 3, 4, 5, 6, 7];
///     corio_seam::permute(&mut items);
///     items
/// };
/// assert_eq!(shuffled(0), [1, 2, 3, 4, 5, 6, 7]);
/// assert_ne!(shuffled(1), shuffled(0));
/// assert_eq!(shuffled(1), shuffled(1));
/// ```
#[must_use = "the seed holds until the guard is dropped"]
pub fn seed(seed: u64) -> Seeded {
    let state = if seed == 0 { None } else { Some(seed) };
    Seeded { before: STATE.replace(state), here: PhantomData }
}

/// Keeps a seed on its thread; made by [`seed`].
pub struct Seeded {
    before: Option<u64>,
    /// It must not be dropped on another thread.
    here: PhantomData<*const ()>,
}

impl Drop for Seeded {
    fn drop(&mut self) {
        STATE.set(self.before);
    }
}

impl fmt::Debug for Seeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seeded").finish_non_exhaustive()
    }
}

/// Tells whether this thread has a seed, other than 0.
#[inline]
#[must_use]
pub fn is_seeded() -> bool {
    STATE.get().is_some()
}

/// Returns the next number of this thread's generator, if it has a seed: a tie-break that is nobody's promise.
///
/// The generator is SplitMix64, of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014),
/// with the constants of Vigna's reference.
#[inline]
#[must_use]
pub fn random() -> Option<u64> {
    STATE.get().map(advance)
}

#[cold]
fn advance(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(Some(state));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Puts `items`, whose order means nothing, into another order, if this thread has a [seed](seed()); else it does nothing,
/// which is one load.
///
/// Writers of combinators call it where asyncio iterates over a set.
#[inline]
pub fn permute<T>(items: &mut [T]) {
    if is_seeded() {
        shuffle(items);
    }
}

/// Shuffles, as Fisher and Yates do.
#[cold]
fn shuffle<T>(items: &mut [T]) {
    for last in (1..items.len()).rev() {
        let Some(number) = random() else { return };
        items.swap(last, below(number, last + 1));
    }
}

/// Maps a number to one below `limit`, evenly enough: by the upper half of a product, not by a remainder.
fn below(number: u64, limit: usize) -> usize {
    let product = u128::from(number) * limit as u128;
    (product >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Vigna's reference prints these for the seed 1234567.
    #[test]
    fn the_generator_is_splitmix64() {
        let _seeded = seed(1_234_567);
        let numbers = [(); 3].map(|()| random().unwrap());
        assert_eq!(numbers, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn every_permutation_comes() {
        let seen: BTreeSet<_> = (1..200)
            .map(|number| {
                let _seeded = seed(number);
                let mut items = [1, 2, 3, 4];
                permute(&mut items);
                items
            })
            .collect();
        assert_eq!(seen.len(), 24);
    }

    #[test]
    fn seeds_nest_and_end() {
        assert!(!is_seeded() && random().is_none());
        let outer = seed(3);
        let first = random();
        let inner = seed(0);
        assert!(!is_seeded());
        drop(inner);
        assert!(is_seeded() && random() != first);
        drop(outer);
        assert!(!is_seeded());
    }

    #[test]
    fn nothing_and_one_stay_as_they_are() {
        let _seeded = seed(9);
        permute::<u8>(&mut []);
        let mut one = [1];
        permute(&mut one);
        assert_eq!(one, [1]);
    }
}
