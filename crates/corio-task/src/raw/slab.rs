//! Slabs: a few pages each, cut into blocks of one size; and the list of blocks that died on other threads.
//!
//! After Bonwick's slab allocator ("The Slab Allocator", USENIX Summer 1994). A slab begins at a multiple of 32 KiB, so a
//! block's address says which slab it is of, and neither needs a word for it; memory of a slab is not touched before a
//! block of it is taken. The list of what died on other threads is that of mimalloc's heaps (Leijen, Zorn, de Moura,
//! "Mimalloc: Free List Sharding in Action", 2019): each pushes, and the owner takes all.

use crate::sync::{AtomicPtr, Ordering};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::mem::size_of;
use std::ptr::{self, NonNull};

/// A slab begins at a multiple of this.
pub(super) const ALIGN: usize = 32 << 10;
/// How large a slab is: less than that by as much as an allocator may write in front of the next.
pub(super) const SIZE: usize = ALIGN - 64;
/// Blocks begin so far behind the slab's beginning.
const FIRST: usize = 64;
/// No segment has this number.
const ALONE: u32 = u32::MAX;
/// Added to the count of a slab all of whose blocks are in use.
const FULL: i32 = i32::MIN;

const LAYOUT: Layout = match Layout::from_size_align(SIZE, ALIGN) {
    Ok(layout) => layout,
    Err(_) => panic!("a layout"),
};

/// A block that nobody uses: its memory begins with this.
pub(super) struct Free {
    next: Option<NonNull<Free>>,
}

/// What a slab begins with. Touched by the owner's thread only.
#[repr(C)]
struct Front {
    /// The block that was put in last. Each is of this slab, and used by nobody else.
    free: Cell<Option<NonNull<Free>>>,
    /// Where the memory begins that was never used.
    fresh: Cell<u32>,
    /// How long a block is.
    size: Cell<u32>,
    /// How many blocks are in use, and one more while they are taken from here; less than nothing once it is full.
    used: Cell<i32>,
    /// Which of its cache's slabs it is.
    place: Cell<u32>,
    /// The number of the segment that it lies in; [`ALONE`] if it is an allocation of its own.
    segment: Cell<u32>,
    /// Its neighbours in the ring that it stands in.
    next: Cell<Option<Slab>>,
    previous: Cell<Option<Slab>>,
}

const _: () = assert!(size_of::<Front>() <= FIRST);

/// A slab that is alive.
///
/// This module's rule: a `Slab` has provenance over all its memory, is used on the owner's thread only, and not after
/// [`free`](Slab::free). So is a block that is taken from it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Slab(NonNull<Front>);

/// What giving a block back came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is the slab's only free one.
    Opened,
    /// None is in use any more.
    Emptied,
}

impl Slab {
    /// Makes a slab of blocks of `size` bytes, an allocation of its own.
    pub(super) fn new(size: usize) -> Slab {
        // SAFETY:
        // * the size is not 0.
        let memory = unsafe { alloc(LAYOUT) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(LAYOUT) };
        // SAFETY:
        // * it is so large and so aligned, and nobody else's.
        unsafe { Slab::at(memory, ALONE, size) }
    }

    /// Makes a slab of blocks of `size` bytes in the segment of that number.
    ///
    /// # Safety
    ///
    /// * `memory` is [`SIZE`] bytes, and begins at a multiple of [`ALIGN`]; it is the slab's as long as that lives.
    pub(super) unsafe fn at(memory: NonNull<u8>, segment: u32, size: usize) -> Slab {
        let front = Front {
            free: Cell::new(None),
            fresh: Cell::new(0),
            size: Cell::new(0),
            used: Cell::new(0),
            place: Cell::new(0),
            segment: Cell::new(segment),
            next: Cell::new(None),
            previous: Cell::new(None),
        };
        // SAFETY:
        // * the memory is large enough, and aligned for more.
        unsafe { memory.cast().write(front) };
        let slab = Slab(memory.cast());
        slab.cut(size);
        slab
    }

    /// Returns the slab that a block was taken from.
    ///
    /// # Safety
    ///
    /// * [`take`](Slab::take) made `block`, which has its provenance still, and the slab is alive.
    #[inline]
    unsafe fn of(block: NonNull<u8>) -> Slab {
        let front = block.as_ptr().map_addr(|address| address & !(ALIGN - 1));
        // SAFETY:
        // * no slab begins at 0.
        Slab(unsafe { NonNull::new_unchecked(front.cast()) })
    }

    #[inline]
    fn front(&self) -> &Front {
        // SAFETY:
        // * the slab is alive, and all that changes in its front is a `Cell`.
        unsafe { self.0.as_ref() }
    }

    /// Returns how long its blocks are.
    pub(super) fn block_size(self) -> usize {
        self.front().size.get() as usize
    }

    /// Returns its memory, and the number of the segment that this lies in, if it does.
    pub(super) fn memory(self) -> (Option<u32>, NonNull<u8>) {
        let segment = self.front().segment.get();
        ((segment != ALONE).then_some(segment), self.0.cast())
    }

    /// Returns which of its cache's slabs it is.
    pub(super) fn place(self) -> usize {
        self.front().place.get() as usize
    }

    pub(super) fn set_place(self, place: usize) {
        self.front().place.set(u32::try_from(place).expect("more slabs than there is memory"));
    }

    /// Returns its blocks that were ever taken since it was cut, from the one of that number on, each with its number; none if
    /// no block is in use.
    pub(super) fn blocks_from(self, number: usize) -> impl Iterator<Item = (usize, NonNull<u8>)> {
        let (size, fresh) = (self.block_size(), self.front().fresh.get() as usize);
        let end = if self.front().used.get() == 0 { 0 } else { fresh };
        let places = (FIRST..end).step_by(size).enumerate().skip(number);
        // SAFETY:
        // * the place is inside the slab.
        places.map(move |(number, place)| (number, unsafe { self.0.cast::<u8>().add(place) }))
    }

    /// Cuts an empty slab anew, into blocks of `size` bytes, a multiple of what they are aligned to.
    pub(super) fn cut(self, size: usize) {
        let front = self.front();
        debug_assert!(front.used.get() == 0);
        front.free.set(None);
        front.fresh.set(FIRST as u32);
        front.size.set(size as u32);
    }

    /// Takes a block, if one is free.
    #[inline]
    pub(super) fn take(self) -> Option<NonNull<u8>> {
        let front = self.front();
        let block = match front.free.get() {
            Some(block) => {
                // SAFETY:
                // * a block in the list is memory that the slab owns, and begins with a link.
                front.free.set(unsafe { block.as_ref() }.next);
                block.cast()
            }
            None => self.take_fresh()?,
        };
        front.used.set(front.used.get() + 1);
        Some(block)
    }

    /// Returns the next block that was never used.
    #[inline]
    fn take_fresh(self) -> Option<NonNull<u8>> {
        let front = self.front();
        let (start, end) = (front.fresh.get() as usize, front.fresh.get() as usize + self.block_size());
        if end > SIZE {
            return None;
        }
        front.fresh.set(end as u32);
        // SAFETY:
        // * the place is inside the slab.
        Some(unsafe { self.0.cast::<u8>().add(start) })
    }

    /// Tells whether a block is free.
    pub(super) fn has_room(self) -> bool {
        self.front().free.get().is_some() || self.front().fresh.get() as usize + self.block_size() <= SIZE
    }

    /// Gives a block back to its slab, which is returned, if there is anything to do for it.
    ///
    /// # Safety
    ///
    /// * [`take`](Slab::take) made `block`, on this thread, it has its provenance still, and nobody uses it any more.
    #[inline]
    pub(super) unsafe fn put(block: NonNull<u8>) -> Option<(Slab, Change)> {
        // SAFETY:
        // * the caller's own promise; a slab of which a block is in use is not freed.
        let slab = unsafe { Slab::of(block) };
        let front = slab.front();
        let block = block.cast::<Free>();
        // SAFETY:
        // * each block is large enough for a link, and aligned for it; the caller gives it away.
        unsafe { block.write(Free { next: front.free.get() }) };
        front.free.set(Some(block));
        let used = front.used.get() - 1;
        front.used.set(used);
        if used > 0 {
            return None;
        }
        Some((slab, if used == 0 { Change::Emptied } else { slab.open() }))
    }

    /// Notes that a full slab has a free block again.
    fn open(self) -> Change {
        let front = self.front();
        front.used.set(front.used.get() - FULL);
        Change::Opened
    }

    /// Notes that blocks are taken from here: until [`release`](Slab::release), it does not count as empty.
    pub(super) fn hold(self) {
        self.front().used.set(self.front().used.get() + 1);
    }

    /// Notes that blocks are taken from elsewhere from now on; and tells whether none is in use here.
    pub(super) fn release(self) -> bool {
        let used = self.front().used.get() - 1;
        self.front().used.set(if self.has_room() { used } else { used + FULL });
        used == 0
    }

    /// Frees a slab that lies in no segment.
    ///
    /// # Safety
    ///
    /// * [`new`](Slab::new) made it. Nobody uses it, nor a block of it, any more, and it stands in no ring.
    pub(super) unsafe fn free(self) {
        // SAFETY:
        // * `new` made it with this layout, says the caller, who gives it up.
        unsafe { dealloc(self.0.cast().as_ptr(), LAYOUT) };
    }
}

/// Slabs of a kind, linked through themselves. One that is in it is in no other, and alive.
#[derive(Default)]
pub(super) struct Ring {
    first: Cell<Option<Slab>>,
}

impl Ring {
    pub(super) fn push(&self, slab: Slab) {
        let next = self.first.replace(Some(slab));
        slab.front().next.set(next);
        slab.front().previous.set(None);
        if let Some(next) = next {
            next.front().previous.set(Some(slab));
        }
    }

    /// Takes the one out that was put in last.
    pub(super) fn pop(&self) -> Option<Slab> {
        let first = self.first.get()?;
        self.remove(first);
        Some(first)
    }

    /// Takes one out that is in it.
    pub(super) fn remove(&self, slab: Slab) {
        let (previous, next) = (slab.front().previous.take(), slab.front().next.take());
        if let Some(next) = next {
            next.front().previous.set(previous);
        }
        match previous {
            Some(previous) => previous.front().next.set(next),
            None => self.first.set(next),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.get().is_none()
    }
}

/// Blocks that nobody uses any more, put here by threads that do not own their slabs.
pub(super) struct Strays(AtomicPtr<Free>);

impl Strays {
    pub(super) fn new() -> Strays {
        Strays(AtomicPtr::new(ptr::null_mut()))
    }

    /// Puts a block in, on any thread. Release: what was done with it comes before whatever its next user does.
    ///
    /// # Safety
    ///
    /// * A slab's [`take`](Slab::take) made `block`, and nobody uses it any more; its slab lives until it is taken out, or
    ///   the list is dropped.
    pub(super) unsafe fn push(&self, block: NonNull<u8>) {
        let block = block.cast::<Free>();
        let mut first = self.0.load(Ordering::Relaxed);
        loop {
            // SAFETY:
            // * each block is large enough for a link, and aligned for it; the caller gives it away.
            unsafe { block.write(Free { next: NonNull::new(first) }) };
            match self.0.compare_exchange_weak(first, block.as_ptr(), Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => first = now,
            }
        }
    }

    /// Tells whether it looks empty: a hint.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed).is_null()
    }

    /// Takes all blocks out, and calls `each` with them.
    pub(super) fn take(&self, mut each: impl FnMut(NonNull<u8>)) {
        let mut next = NonNull::new(self.0.swap(ptr::null_mut(), Ordering::Acquire));
        while let Some(block) = next {
            // SAFETY:
            // * a block in the list is used by nobody else, and begins with a link, which was read before with Acquire.
            next = unsafe { block.as_ref() }.next;
            each(block.cast());
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const BLOCK: usize = 512;

    /// Takes all blocks of a slab.
    fn take_all(slab: Slab) -> Vec<NonNull<u8>> {
        std::iter::from_fn(|| slab.take()).collect()
    }

    fn put(block: NonNull<u8>) -> Option<Change> {
        // SAFETY:
        // * the tests below put in what they took, once.
        unsafe { Slab::put(block) }.map(|(_, change)| change)
    }

    fn free(slab: Slab) {
        // SAFETY:
        // * the tests below free each slab at their end.
        unsafe { slab.free() };
    }

    #[test]
    fn blocks_lie_side_by_side_and_in_the_slab() {
        let slab = Slab::new(BLOCK);
        let start = slab.0.as_ptr().addr();
        let blocks = take_all(slab);
        assert_eq!((start % ALIGN, blocks.len()), (0, (SIZE - FIRST) / BLOCK));
        for (index, block) in blocks.iter().enumerate() {
            assert_eq!(block.as_ptr().addr(), start + FIRST + index * BLOCK);
            // SAFETY:
            // * the block is of this slab, which lives.
            assert!(unsafe { Slab::of(*block) } == slab);
            // SAFETY:
            // * the block is ours, and so long.
            unsafe { block.write_bytes(0xA5, BLOCK) };
        }
        assert!(start + SIZE >= blocks.last().unwrap().as_ptr().addr() + BLOCK);
        free(slab);
    }

    #[test]
    fn what_was_put_in_last_is_taken_first() {
        let slab = Slab::new(BLOCK);
        let blocks = take_all(slab);
        assert!(!slab.has_room() && slab.take().is_none());
        assert_eq!((put(blocks[3]), put(blocks[1])), (None, None));
        assert!(slab.has_room());
        assert_eq!((slab.take(), slab.take(), slab.take()), (Some(blocks[1]), Some(blocks[3]), None));
        free(slab);
    }

    #[test]
    fn a_slab_tells_when_it_opens_and_when_it_is_empty() {
        let slab = Slab::new(BLOCK);
        slab.hold();
        let blocks = take_all(slab);
        assert!(!slab.release(), "all are in use");
        let changes: Vec<_> = blocks.into_iter().map(put).collect();
        let (first, last) = (changes[0], changes[changes.len() - 1]);
        assert_eq!((first, last), (Some(Change::Opened), Some(Change::Emptied)));
        assert!(changes[1..changes.len() - 1].iter().all(Option::is_none));
        slab.hold();
        let block = slab.take().unwrap();
        assert_eq!(put(block), None, "blocks are taken from here");
        assert!(slab.release(), "none is in use");
        slab.cut(2 * BLOCK);
        assert_eq!(take_all(slab).len(), (SIZE - FIRST) / (2 * BLOCK));
        free(slab);
    }

    #[test]
    fn a_ring_gives_up_whichever_is_asked_for() {
        let ring = Ring::default();
        let [one, two, three] = [(); 3].map(|()| Slab::new(BLOCK));
        for without in [one, two, three] {
            [one, two, three].into_iter().for_each(|slab| ring.push(slab));
            ring.remove(without);
            let left: Vec<_> = std::iter::from_fn(|| ring.pop()).collect();
            assert!(left == [three, two, one].into_iter().filter(|slab| *slab != without).collect::<Vec<_>>());
            assert!(ring.is_empty());
        }
        [one, two, three].into_iter().for_each(free);
    }

    /// What threads put in is taken out once, and written in between by nobody.
    #[test]
    fn strays_come_home() {
        let slab = Slab::new(BLOCK);
        let strays = Strays::new();
        let blocks = take_all(slab);
        let count = blocks.len();
        let mut home = Vec::new();
        std::thread::scope(|scope| {
            for half in blocks.chunks(count / 2) {
                let half: Vec<_> = half.iter().map(|block| AtomicPtr::new(block.as_ptr())).collect();
                let strays = &strays;
                scope.spawn(move || {
                    for block in half {
                        // SAFETY:
                        // * each block is put in once, by one of the threads; the slab is freed at the end.
                        unsafe { strays.push(NonNull::new(block.into_inner()).unwrap()) };
                    }
                });
            }
            while home.len() < count {
                strays.take(|block| home.push(block));
                std::thread::yield_now();
            }
        });
        home.sort();
        assert!(home == blocks && strays.is_empty());
        free(slab);
    }
}
