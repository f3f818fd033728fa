//! Memory of tasks: blocks of their sizes, in slabs, used again by the next tasks.
//!
//! A general allocator is fast for a few blocks of a size, and slow when a thousand tasks die and a thousand others are
//! made; of a hundred thousand it gives the pages back to the system, which fills them with zeros for the next; and it adds a
//! word to each, and rounds it up. A set makes and frees nothing more often than cells. So it has slabs of its own for each
//! size: one that blocks are taken from, the *open* ones, which have a free block, and the full ones. An empty slab is kept
//! for whatever size is wanted next, up to a bound; and a set that goes to sleep, which has time, gives one of many back.
//! All can be looked through: that is how a set knows its small tasks.
//!
//! What is larger than half a kilobyte, or aligned to more than two words, is an allocation of its own, which begins with a
//! number for the use of the [`Registry`](super::Registry).
//!
//! A block that dies on another thread is pushed to the *strays*, of which the owner takes care when it runs out of blocks, or
//! goes to sleep. Slabs go with the cache, whoever's thread that is on: no cell is left by then.
//!
//! In builds with debug assertions and under Miri all count as large, so that a use after free is found there as ever; unless
//! the flag `--cfg corio_slabs` says otherwise, so that Miri sees slabs too.

use super::segment::Segments;
use super::slab::{Change, Ring, Slab, Strays};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::{Cell, RefCell};
use std::mem::size_of;
use std::ptr::NonNull;

/// Whether small cells are in slabs.
const IS_USED: bool = cfg!(corio_slabs) || !cfg!(miri) && !cfg!(debug_assertions);

/// The sizes of two classes differ by so much.
const STEP: usize = 8;
/// Blocks are aligned to no more than this.
const ALIGN: usize = 16;
/// The number of classes: tasks of half a kilobyte are the largest that are kept.
const CLASSES: usize = 65;
/// So many empty slabs a set keeps: 16 MiB, what more than a hundred thousand small tasks need.
const MOST: usize = 512;
/// So many it keeps for good: half a mebibyte, what a few thousand tasks need.
const FEW: usize = 16;
/// So many slabs a set has before its first segment: as much memory as that.
const ALONE: usize = if cfg!(target_os = "linux") { 64 } else { usize::MAX };

/// One size of blocks, or the layout of what is too large, or aligned too much, for a slab.
#[derive(Clone, Copy)]
pub(super) struct Class {
    /// The place of its slabs; `CLASSES` if there is none.
    index: usize,
    /// That of the block; if it is large, with what stands before it.
    layout: Layout,
}

/// What stands before a large block, the number last.
type Before = Cell<u32>;

impl Class {
    /// Returns the class of the blocks that hold a `T`.
    pub(super) const fn of<T>() -> Class {
        if IS_USED { Class::by_size::<T>() } else { Class::large::<T>() }
    }

    const fn by_size<T>() -> Class {
        let layout = Layout::new::<T>();
        let index = layout.size() / STEP; // A multiple of what it is aligned to; and so is each place in its slab.
        if index >= CLASSES || layout.align() > ALIGN || layout.size() % STEP != 0 {
            return Class::large::<T>();
        }
        Class { index, layout }
    }

    const fn large<T>() -> Class {
        let align = if align_of::<T>() > align_of::<Before>() { align_of::<T>() } else { align_of::<Before>() };
        match Layout::from_size_align(align + size_of::<T>(), align) {
            Ok(layout) => Class { index: CLASSES, layout },
            Err(_) => panic!("a task is larger than any memory"),
        }
    }

    /// Tells whether its blocks are in slabs.
    #[inline]
    pub(super) fn is_small(self) -> bool {
        self.index < CLASSES
    }

    /// Makes a large block.
    #[cold]
    fn allocate(self) -> NonNull<u8> {
        // SAFETY:
        // * the size is not 0: a number is in it.
        let start = unsafe { alloc(self.layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(self.layout) };
        // SAFETY:
        // * so many bytes stand before a large block.
        let block = unsafe { start.add(self.layout.align()) };
        // SAFETY:
        // * the block is large.
        let number = unsafe { number_before(block) };
        // SAFETY:
        // * the place is there, and aligned; nobody has seen it yet.
        unsafe { number.write(Cell::new(0)) };
        block
    }

    /// Frees a large block, on any thread.
    ///
    /// # Safety
    ///
    /// * `block` was made by this class's [`allocate`](Class::allocate), and nobody uses it any more.
    unsafe fn free(self, block: NonNull<u8>) {
        // SAFETY:
        // * so many bytes stand before a large block.
        let start = unsafe { block.sub(self.layout.align()) };
        // SAFETY:
        // * the caller's own promise.
        unsafe { dealloc(start.as_ptr(), self.layout) };
    }
}

/// Returns where the number of a large block lies.
///
/// # Safety
///
/// * `block` is a large block that is alive, with its provenance.
pub(super) unsafe fn number_before(block: NonNull<u8>) -> NonNull<Before> {
    // SAFETY:
    // * at least one number, aligned for it, stands before a large block.
    unsafe { block.cast::<Before>().sub(1) }
}

/// The slabs of one size that are not full.
#[derive(Default)]
struct Slabs {
    /// The one that blocks are taken from.
    current: Cell<Option<Slab>>,
    /// The others that have a free block, and one that is in use.
    open: Ring,
}

/// Where a block lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BlockPlace {
    slab: usize,
    block: usize,
}

/// The slabs of a set.
pub(crate) struct Cache {
    /// All of them: each knows its place.
    all: RefCell<Vec<Slab>>,
    classes: [Slabs; CLASSES],
    empty: Ring,
    /// How many are empty.
    empties: Cell<usize>,
    /// How many may be.
    most: Cell<usize>,
    segments: Segments,
    /// How many slabs there are before one lies in a segment.
    alone: Cell<usize>,
    strays: Strays,
}

impl Cache {
    pub(crate) fn new() -> Cache {
        Cache {
            all: RefCell::default(),
            classes: std::array::from_fn(|_| Slabs::default()),
            empty: Ring::default(),
            empties: Cell::new(0),
            most: Cell::new(MOST),
            segments: Segments::default(),
            alone: Cell::new(ALONE),
            strays: Strays::new(),
        }
    }

    /// Makes a block of `class`.
    #[inline]
    pub(super) fn take(&self, class: Class) -> NonNull<u8> {
        let current = self.classes.get(class.index).and_then(|slabs| slabs.current.get());
        current.and_then(Slab::take).unwrap_or_else(|| self.take_elsewhere(class))
    }

    /// Makes a block where the slab that blocks are taken from has none left.
    #[cold]
    fn take_elsewhere(&self, class: Class) -> NonNull<u8> {
        let Some(slabs) = self.classes.get(class.index) else { return class.allocate() };
        if let Some(full) = slabs.current.take() {
            full.release();
        }
        if slabs.open.is_empty() {
            self.collect();
        }
        let slab = slabs.open.pop().unwrap_or_else(|| self.empty_slab(class.layout.size()));
        slab.hold();
        slabs.current.set(Some(slab));
        slab.take().expect("a slab that is not full has a free block")
    }

    /// Returns an empty slab for blocks of `size` bytes.
    fn empty_slab(&self, size: usize) -> Slab {
        let Some(slab) = self.empty.pop() else { return self.new_slab(size) };
        self.empties.set(self.empties.get() - 1);
        slab.cut(size);
        slab
    }

    fn new_slab(&self, size: usize) -> Slab {
        let all = &mut *self.all.borrow_mut();
        let slab = if all.len() < self.alone.get() { Slab::new(size) } else { self.slab_in_a_segment(size) };
        slab.set_place(all.len());
        all.push(slab);
        slab
    }

    fn slab_in_a_segment(&self, size: usize) -> Slab {
        let (segment, memory) = self.segments.take();
        // SAFETY:
        // * a segment's place is as large and as aligned, and is the slab's until it is put back.
        unsafe { Slab::at(memory, segment, size) }
    }

    /// Frees a slab.
    ///
    /// # Safety
    ///
    /// * Nobody uses a block of it, and it stands in no ring.
    unsafe fn free_slab(&self, slab: Slab) {
        let all = &mut *self.all.borrow_mut();
        all.swap_remove(slab.place());
        if let Some(moved) = all.get(slab.place()) {
            moved.set_place(slab.place());
        }
        match slab.memory() {
            // SAFETY:
            // * the segment gave it; and nobody uses it, says the caller, nor is it in the list any more.
            (Some(segment), memory) => unsafe { self.segments.put(segment, memory) },
            // SAFETY:
            // * the same, but that it is of no segment.
            (None, _) => unsafe { slab.free() },
        }
    }

    /// Returns the blocks that may be in use, from that place on, each with its place. Among them are some that were given
    /// back: what is in them, but for their first word, is as it was.
    pub(super) fn blocks_from(&self, from: BlockPlace) -> impl Iterator<Item = (BlockPlace, NonNull<u8>)> {
        let slabs = (from.slab..).map_while(|place| Some((place, *self.all.borrow().get(place)?)));
        slabs.flat_map(move |(place, slab)| {
            let first = if place == from.slab { from.block } else { 0 };
            slab.blocks_from(first).map(move |(block, start)| (BlockPlace { slab: place, block }, start))
        })
    }

    /// Frees a block, on the owner's thread.
    ///
    /// # Safety
    ///
    /// * `block` was made by [`take`](Cache::take) for `class`, and nobody uses it any more.
    #[inline]
    pub(super) unsafe fn put(&self, class: Class, block: NonNull<u8>) {
        if class.is_small() {
            // SAFETY:
            // * the caller's own promise: a slab's block.
            unsafe { self.put_small(block) };
        } else {
            // SAFETY:
            // * the caller's own promise: a block of no slab.
            unsafe { class.free(block) };
        }
    }

    /// Frees a block of a slab, on the owner's thread.
    ///
    /// # Safety
    ///
    /// * As [`put`](Cache::put).
    #[inline]
    unsafe fn put_small(&self, block: NonNull<u8>) {
        // SAFETY:
        // * the caller's own promise.
        if let Some((slab, change)) = unsafe { Slab::put(block) } {
            self.change(slab, change);
        }
    }

    /// Frees a block on whatever thread its last user was.
    ///
    /// # Safety
    ///
    /// * As [`put`](Cache::put), and the cache lives until this returns.
    pub(super) unsafe fn put_anywhere(&self, class: Class, block: NonNull<u8>) {
        if class.is_small() {
            // SAFETY:
            // * the caller's own promise; slabs live until the strays have been taken out, or as long as the cache.
            unsafe { self.strays.push(block) };
        } else {
            // SAFETY:
            // * the caller's own promise.
            unsafe { class.free(block) };
        }
    }

    /// Puts a slab that has changed where it belongs.
    #[inline(never)]
    fn change(&self, slab: Slab, change: Change) {
        let open = &self.classes[slab.block_size() / STEP].open;
        match change {
            Change::Opened => open.push(slab),
            Change::Emptied => {
                open.remove(slab);
                self.keep_empty(slab);
            }
        }
    }

    /// Keeps an empty slab, or frees it if there are enough of them.
    fn keep_empty(&self, slab: Slab) {
        if self.empties.get() < self.most.get() {
            self.empties.set(self.empties.get() + 1);
            self.empty.push(slab);
        } else {
            // SAFETY:
            // * none of its blocks is in use, and it stands in no ring.
            unsafe { self.free_slab(slab) };
        }
    }

    /// Takes care of what died on other threads.
    fn collect(&self) {
        self.strays.take(|block| {
            // SAFETY:
            // * `put_anywhere` was promised what is asked for here.
            unsafe { self.put_small(block) };
        });
    }

    /// Frees one of the empty slabs, if they are many, takes care of what died on other threads, and gives the system back
    /// what segments do not use.
    #[inline]
    pub(crate) fn trim(&self) {
        if self.empties.get() > FEW || !self.strays.is_empty() {
            self.trim_now();
        }
        self.segments.give_back();
    }

    #[cold]
    fn trim_now(&self) {
        self.collect();
        if self.empties.get() > FEW {
            self.free_empty();
        }
    }

    /// Frees an empty slab.
    fn free_empty(&self) {
        let Some(slab) = self.empty.pop() else { return };
        self.empties.set(self.empties.get() - 1);
        // SAFETY:
        // * none of its blocks is in use, and it has left its ring.
        unsafe { self.free_slab(slab) };
    }

    /// Frees all slabs that are empty, now and later.
    pub(crate) fn clear(&self) {
        self.most.set(0);
        self.collect();
        for slabs in &self.classes {
            let Some(slab) = slabs.current.take() else { continue };
            if slab.release() {
                self.keep_empty(slab);
            } else if slab.has_room() {
                slabs.open.push(slab);
            }
        }
        while self.empties.get() > 0 {
            self.free_empty();
        }
        while self.segments.give_back() {}
    }
}

/// Each cell keeps its set, and so the cache: none is left.
impl Drop for Cache {
    fn drop(&mut self) {
        for slab in self.all.take() {
            if let (None, _) = slab.memory() {
                // SAFETY:
                // * no cell is left: nobody uses a block of it; the rings go with the cache, and look at none any more.
                unsafe { slab.free() };
            }
        } // The others go with their segments.
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::slab::SIZE;
    use super::*;

    /// Puts a block in that was taken before.
    fn put(cache: &Cache, class: Class, block: NonNull<u8>) {
        // SAFETY:
        // * the tests below put in what they took, once.
        unsafe { cache.put(class, block) };
    }

    const LARGE: Class = Class::by_size::<[u64; 64]>();
    /// How many of them are in a slab.
    const EACH: usize = (SIZE - 64) / 512;

    /// Takes so many of the largest blocks.
    fn take(cache: &Cache, count: usize) -> Vec<NonNull<u8>> {
        (0..count).map(|_| cache.take(LARGE)).collect()
    }

    fn put_all(cache: &Cache, blocks: impl IntoIterator<Item = NonNull<u8>>) {
        blocks.into_iter().for_each(|block| put(cache, LARGE, block));
    }

    #[test]
    fn a_class_holds_what_it_is_for() {
        fn check<T>() {
            let class = Class::by_size::<T>();
            assert!(class.is_small() && class.layout == Layout::new::<T>());
            let cache = Cache::new();
            for _ in 0..5 {
                let block = cache.take(class);
                assert_eq!(block.as_ptr().addr() % align_of::<T>(), 0);
                // SAFETY:
                // * the block is ours, and so long.
                unsafe { block.write_bytes(0xA5, size_of::<T>()) };
            }
        }
        check::<[u64; 1]>();
        check::<[u64; 12]>();
        check::<[u64; 64]>();
        check::<[u128; 3]>();
        check::<(u128, u64)>();
    }

    #[test]
    fn a_block_is_used_again() {
        let (cache, class) = (Cache::new(), Class::by_size::<[u64; 12]>());
        let (one, two) = (cache.take(class), cache.take(class));
        put(&cache, class, one);
        put(&cache, class, two);
        assert_eq!((cache.take(class), cache.take(class)), (two, one));
    }

    #[test]
    fn classes_are_kept_apart() {
        let cache = Cache::new();
        let (small, large) = (Class::by_size::<[u64; 12]>(), Class::by_size::<[u64; 20]>());
        let block = cache.take(small);
        put(&cache, small, block);
        let other = cache.take(large);
        assert_ne!(block, other);
        assert_eq!(cache.take(small), block);
    }

    #[test]
    fn what_is_too_large_or_too_aligned_is_in_no_slab() {
        #[repr(align(64))]
        struct Aligned(#[allow(dead_code, reason = "its size counts")] [u8; 64]);
        let cache = Cache::new();
        let too_large = (Class::by_size::<[u64; 65]>(), align_of::<u64>(), size_of::<[u64; 65]>());
        let too_aligned = (Class::by_size::<Aligned>(), align_of::<Aligned>(), size_of::<Aligned>());
        let odd = (Class::by_size::<[u8; 9]>(), align_of::<u8>(), 9);
        for (class, align, size) in [too_large, too_aligned, odd] {
            assert!(!class.is_small());
            let (block, other) = (cache.take(class), cache.take(class));
            // SAFETY:
            // * the block is large, and was made just now.
            let number = unsafe { number_before(block) };
            // SAFETY:
            // * the block is alive until it is put in.
            let number = unsafe { number.as_ref() };
            number.set(7);
            assert_eq!(block.as_ptr().addr() % align, 0);
            // SAFETY:
            // * the block is ours, and so long.
            unsafe { block.write_bytes(0xA5, size) };
            assert_eq!(number.get(), 7);
            put(&cache, class, block);
            // SAFETY:
            // * it was taken above, and is put in once.
            unsafe { cache.put_anywhere(class, other) };
        }
        assert!(cache.empties.get() == 0 && cache.strays.is_empty());
    }

    /// A block that is free is taken before memory that was never used, and no slab is made while one is open.
    #[test]
    fn a_slab_that_was_full_is_taken_from_again() {
        let cache = Cache::new();
        let blocks = take(&cache, 3 * EACH);
        let (first, second) = (blocks[0], blocks[EACH + 1]);
        put_all(&cache, [first, second]);
        let again = take(&cache, 2);
        assert!(again.contains(&first) && again.contains(&second));
        put_all(&cache, blocks);
    }

    #[test]
    fn an_empty_slab_is_taken_for_another_class() {
        let (cache, small) = (Cache::new(), Class::by_size::<[u64; 12]>());
        let blocks = take(&cache, 2 * EACH);
        let first = blocks[0];
        put_all(&cache, blocks);
        assert_eq!(cache.empties.get(), 1, "from the other blocks are taken");
        assert_eq!(cache.take(small), first);
        assert_eq!(cache.empties.get(), 0);
    }

    #[test]
    fn no_more_is_kept_than_was_said() {
        let cache = Cache::new();
        cache.empties.set(MOST - 2); // As if it had so many.
        let blocks = take(&cache, 5 * EACH);
        cache.empties.set(MOST - 2);
        put_all(&cache, blocks);
        assert_eq!(cache.empties.get(), MOST);
        cache.empties.set(2);
        assert_eq!(cache.all.borrow().len(), 3, "one is the one that blocks are taken from");
        cache.clear();
        assert!(cache.empties.get() == 0 && cache.all.borrow().is_empty());
    }

    #[test]
    fn much_is_given_back_a_little_at_a_time() {
        let cache = Cache::new();
        let blocks = take(&cache, 4 * EACH);
        cache.empties.set(FEW - 1); // As if it had so many.
        put_all(&cache, blocks);
        assert_eq!(cache.empties.get(), FEW + 2);
        cache.trim();
        assert_eq!(cache.empties.get(), FEW + 1, "a slab");
        cache.trim();
        cache.trim();
        assert_eq!(cache.empties.get(), FEW, "few are kept for good");
        cache.empties.set(1);
    }

    /// What is in a segment is used again, trimmed, and gone with the last of it, as ever.
    #[test]
    fn slabs_of_many_lie_in_segments() {
        let cache = Cache::new();
        cache.alone.set(2);
        let segments = || cache.all.borrow().iter().map(|slab| slab.memory().0).collect::<Vec<_>>();
        let mut blocks = take(&cache, 5 * EACH);
        assert_eq!(segments(), [None, None, Some(0), Some(0), Some(0)]);
        put_all(&cache, blocks.drain(EACH..4 * EACH));
        assert_eq!(cache.empties.replace(FEW + 1), 3); // As if it had so many.
        cache.trim();
        assert_eq!((cache.empties.replace(2), segments().len()), (FEW, 4));
        blocks.extend(take(&cache, 2 * EACH));
        assert_eq!((cache.empties.get(), segments().len()), (0, 4));
        cache.clear();
        put_all(&cache, blocks);
        assert!(segments().is_empty());
    }

    /// A set that is closed keeps no empty slab; a block that is in use then is there as long as it is.
    #[test]
    fn a_closed_cache_keeps_what_is_in_use() {
        let cache = Cache::new();
        let mut blocks = take(&cache, 2 * EACH + 2);
        let last = blocks.split_off(EACH + 1);
        put_all(&cache, blocks);
        cache.clear();
        // SAFETY:
        // * the block is in use still, and so long.
        unsafe { last[0].write_bytes(0xA5, 512) };
        put_all(&cache, last);
        assert!(cache.empties.get() == 0 && cache.all.borrow().is_empty());
        assert!(cache.classes.iter().all(|slabs| slabs.open.is_empty() && slabs.current.get().is_none()));
    }

    /// What died elsewhere is used again when blocks run out, and when the set goes to sleep.
    #[test]
    fn strays_are_taken_care_of() {
        let cache = Cache::new();
        let stray = |block| {
            // SAFETY:
            // * it was taken before, and is put in once.
            unsafe { cache.put_anywhere(LARGE, block) };
        };
        let blocks = take(&cache, EACH);
        stray(blocks[7]);
        assert_eq!(cache.take(LARGE), blocks[7]);
        let more = take(&cache, EACH);
        blocks.into_iter().for_each(stray);
        cache.trim();
        assert!(cache.strays.is_empty() && cache.empties.get() == 1);
        more.into_iter().for_each(stray); // They go with the cache.
    }

    #[test]
    fn all_that_is_in_use_is_found_from_any_place_on() {
        let cache = Cache::new();
        let mut blocks = take(&cache, 3 * EACH);
        blocks.push(cache.take(Class::by_size::<[u64; 12]>()));
        let from = |slab, block| {
            let found = cache.blocks_from(BlockPlace { slab, block });
            found.map(|(_, block)| block).collect::<Vec<_>>()
        };
        assert!(from(0, 0) == blocks && from(1, 2) == blocks[EACH + 2..]);
        let (place, _) =
            cache.blocks_from(BlockPlace::default()).find(|(_, block)| *block == blocks[EACH + 2]).unwrap();
        assert_eq!(place, BlockPlace { slab: 1, block: 2 });
        // Nothing is found in a slab that is empty, nor behind the last.
        put_all(&cache, blocks.drain(..EACH));
        assert!(from(0, 0) == blocks && from(9, 0).is_empty());
        put_all(&cache, blocks.drain(..2 * EACH));
    }

    #[test]
    fn a_set_that_goes_to_sleep_gives_back() {
        let set = crate::TaskSet::new();
        let cache = &set.core.cells;
        let blocks = take(cache, 2 * EACH);
        cache.empties.set(FEW);
        for block in &blocks {
            // SAFETY:
            // * the block is ours, and so long.
            unsafe { block.write_bytes(0xFF, 512) }; // All flags: those of a task that is over.
        }
        put_all(cache, blocks);
        assert!(set.fall_asleep());
        assert_eq!(cache.empties.get(), FEW);
        set.wake_up();
        cache.empties.set(0);
    }
}
