//! Memory of finished tasks, kept by their set for the next ones.
//!
//! A general allocator is fast for a few blocks of a size, and slow when a thousand tasks die and a thousand others are
//! made; of a hundred thousand it gives the pages back to the system, which fills them with zeros for the next. A set makes
//! and frees nothing more often than cells. So the owner keeps freed blocks by size, up to a bound in bytes, each list
//! linked through the blocks themselves; and a set that goes to sleep, which has time, gives a few of a large store back.
//! Every block is an allocation of its own, with the layout of its class: a foreign thread that frees the last reference to
//! a cell gives it to the global allocator, whoever it came from before.
//!
//! [`allocate`](super::cell::allocate) does without it in builds with debug assertions and under Miri, so that a use
//! after free is found there as ever.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::mem::size_of;
use std::ptr::NonNull;

/// Whether cells come from the cache.
pub(super) const IS_USED: bool = !cfg!(miri) && !cfg!(debug_assertions);

/// The sizes of two classes differ by so much.
const STEP: usize = 16;
/// The sizes are multiples of the step and one word: with its own word before each block, glibc's malloc then wastes
/// none.
const WORD: usize = size_of::<usize>();
const ALIGN: usize = 16;
/// The number of classes: tasks of half a kilobyte are the largest that are kept.
pub(super) const CLASSES: usize = 33;
/// A set keeps no more bytes than this: what a hundred thousand small tasks need.
const MOST: usize = 16 << 20;
/// So much it keeps for good: what a few thousand tasks need.
const FEW: usize = 512 << 10;
/// How many blocks of the rest it gives back each time that it goes to sleep: a microsecond's work.
const SLICE: usize = 16;

/// One size of blocks, or the layout of what is too large, or aligned too much, to be kept.
#[derive(Clone, Copy)]
pub(super) struct Class {
    /// The place of the list; `CLASSES` if there is none.
    index: usize,
    layout: Layout,
}

impl Class {
    /// Returns the class of the blocks that hold a `T`.
    pub(super) const fn of<T>() -> Class {
        let layout = Layout::new::<T>();
        let index = layout.size().saturating_sub(WORD).div_ceil(STEP);
        if index >= CLASSES || layout.align() > ALIGN {
            return Class { index: CLASSES, layout };
        }
        match Layout::from_size_align(index * STEP + WORD, ALIGN) {
            Ok(layout) => Class { index, layout },
            Err(_) => Class { index: CLASSES, layout },
        }
    }

    /// Makes a block.
    #[inline]
    pub(super) fn allocate(self) -> NonNull<u8> {
        // SAFETY:
        // * the size is not 0: no class, and no cell, is empty.
        let block = unsafe { alloc(self.layout) };
        NonNull::new(block).unwrap_or_else(|| handle_alloc_error(self.layout))
    }

    /// Frees a block, on any thread.
    ///
    /// # Safety
    ///
    /// * `block` was made by this class's [`allocate`](Class::allocate), and nobody uses it any more.
    #[inline]
    pub(super) unsafe fn free(self, block: NonNull<u8>) {
        // SAFETY:
        // * the caller's own promise.
        unsafe { dealloc(block.as_ptr(), self.layout) };
    }
}

/// A block that is kept: its memory begins with this.
struct Free {
    next: Option<NonNull<Free>>,
}

/// The blocks of one class.
#[derive(Default)]
struct List {
    /// The block that was put in last. Each has the layout of the class, and is used by nobody else.
    first: Cell<Option<NonNull<Free>>>,
}

/// The blocks that a set keeps.
pub(crate) struct Cache {
    lists: [List; CLASSES],
    /// How many bytes are in them.
    kept: Cell<usize>,
}

impl Cache {
    pub(crate) fn new() -> Cache {
        Cache { lists: std::array::from_fn(|_| List::default()), kept: Cell::new(0) }
    }

    /// Takes a block of `class` out, or makes one.
    #[inline]
    pub(super) fn take(&self, class: Class) -> NonNull<u8> {
        self.pop(class).unwrap_or_else(|| class.allocate())
    }

    /// Takes a block of `class` out, if there is one.
    #[inline]
    fn pop(&self, class: Class) -> Option<NonNull<u8>> {
        let block = self.lists.get(class.index)?.pop()?;
        self.kept.set(self.kept.get() - class.layout.size());
        Some(block)
    }

    /// Keeps a block, or frees it if there are enough of them.
    ///
    /// # Safety
    ///
    /// * `block` was made by `class`, and nobody uses it any more.
    #[inline]
    pub(super) unsafe fn put(&self, class: Class, block: NonNull<u8>) {
        let kept = self.kept.get() + class.layout.size();
        match self.lists.get(class.index) {
            Some(list) if kept <= MOST => {
                self.kept.set(kept);
                let free = block.cast::<Free>();
                // SAFETY:
                // * each class is large enough for a link, and aligned for it; the caller gives the block away.
                unsafe { free.write(Free { next: list.first.get() }) };
                list.first.set(Some(free));
            }
            // SAFETY:
            // * the caller's own promise.
            _ => unsafe { class.free(block) },
        }
    }

    /// Frees a few of what is kept, if that is much.
    #[inline]
    pub(crate) fn trim(&self) {
        if self.kept.get() > FEW {
            self.free_while(|freed| freed < SLICE && self.kept.get() > FEW);
        }
    }

    /// Frees what is kept.
    pub(crate) fn clear(&self) {
        self.free_while(|_| true);
    }

    /// Frees what is kept, the largest first, while `more` of the number that was freed is true.
    #[cold]
    fn free_while(&self, more: impl Fn(usize) -> bool) {
        let mut freed = 0;
        for index in (0..CLASSES).rev() {
            let layout = Layout::from_size_align(index * STEP + WORD, ALIGN).expect("the layout of a class");
            let class = Class { index, layout };
            while more(freed) {
                let Some(block) = self.pop(class) else { break };
                // SAFETY:
                // * the list holds blocks of its class only, and has given this one up.
                unsafe { class.free(block) };
                freed += 1;
            }
        }
    }
}

impl List {
    #[inline]
    fn pop(&self) -> Option<NonNull<u8>> {
        let first = self.first.get()?;
        // SAFETY:
        // * a block in a list is memory that the list owns, and begins with a link.
        self.first.set(unsafe { first.as_ref() }.next);
        Some(first.cast())
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Puts a block in that was taken before.
    fn put(cache: &Cache, class: Class, block: NonNull<u8>) {
        // SAFETY:
        // * the tests below put in what they took, once.
        unsafe { cache.put(class, block) };
    }

    #[test]
    fn a_class_holds_what_it_is_for() {
        fn check<T>() {
            let class = Class::of::<T>();
            assert!(class.layout.size() >= size_of::<T>() && class.layout.align() >= align_of::<T>());
        }
        check::<[u64; 1]>();
        check::<[u8; 9]>();
        check::<[u64; 12]>();
        check::<[u8; 520]>();
        check::<[u128; 3]>();
        assert_eq!(Class::of::<[u64; 15]>().layout.size(), 15 * 8); // No more than it needs.
    }

    #[test]
    fn a_block_is_used_again() {
        let (cache, class) = (Cache::new(), Class::of::<[u64; 12]>());
        let (one, two) = (cache.take(class), cache.take(class));
        put(&cache, class, one);
        put(&cache, class, two);
        assert_eq!((cache.take(class), cache.take(class)), (two, one));
        let third = cache.take(class);
        [one, two, third].into_iter().for_each(|block| put(&cache, class, block));
    }

    #[test]
    fn classes_are_kept_apart() {
        let cache = Cache::new();
        let (small, large) = (Class::of::<[u64; 12]>(), Class::of::<[u64; 20]>());
        let block = cache.take(small);
        put(&cache, small, block);
        let other = cache.take(large);
        assert_ne!(block, other);
        put(&cache, large, other);
    }

    #[test]
    fn what_is_too_large_or_too_aligned_is_not_kept() {
        #[repr(align(64))]
        struct Aligned(#[allow(dead_code, reason = "its size counts")] [u8; 64]);
        let cache = Cache::new();
        for class in [Class::of::<[u8; 521]>(), Class::of::<Aligned>()] {
            let block = cache.take(class);
            put(&cache, class, block);
        }
        assert_eq!(cache.kept.get(), 0);
    }

    /// Makes so many blocks, and puts them in.
    fn fill(cache: &Cache, class: Class, count: usize) {
        let blocks: Vec<_> = (0..count).map(|_| class.allocate()).collect();
        blocks.into_iter().for_each(|block| put(cache, class, block));
    }

    #[test]
    fn no_more_is_kept_than_was_said() {
        let (cache, class) = (Cache::new(), Class::of::<[u64; 12]>());
        let most = MOST / class.layout.size();
        cache.kept.set(MOST - 10 * class.layout.size());
        fill(&cache, class, 11);
        assert_eq!(cache.kept.get() / class.layout.size(), most);
        let taken: Vec<_> = std::iter::from_fn(|| cache.pop(class)).collect();
        assert_eq!(taken.len(), 10);
        cache.kept.set(0);
        taken.into_iter().for_each(|block| put(&cache, class, block));
        cache.clear();
        assert!(cache.kept.get() == 0 && cache.pop(class).is_none());
    }

    #[test]
    fn much_is_given_back_a_little_at_a_time() {
        let (cache, large, small) = (Cache::new(), Class::of::<[u64; 20]>(), Class::of::<[u64; 12]>());
        let size = small.layout.size();
        cache.kept.set(FEW - size); // As if it had so many.
        fill(&cache, small, 1);
        cache.trim();
        assert_eq!(cache.kept.get(), FEW, "few are kept for good");
        fill(&cache, small, 1);
        fill(&cache, large, SLICE + 1);
        cache.trim();
        assert_eq!(cache.kept.get(), FEW + size + large.layout.size(), "a slice, of the largest");
        cache.trim();
        assert_eq!(cache.kept.get(), FEW, "as many as are too much");
    }

    #[test]
    fn a_set_that_goes_to_sleep_gives_back() {
        let (set, class) = (crate::TaskSet::new(), Class::of::<[u64; 12]>());
        let cache = &set.core.cells;
        cache.kept.set(FEW);
        fill(cache, class, 1);
        assert!(set.fall_asleep());
        assert_eq!(cache.kept.get(), FEW);
        set.wake_up();
        cache.kept.set(0);
    }
}
