//! Segments: two mebibytes each, which the system may back by one page, and which hold 64 slabs.
//!
//! Memory that is new to a program is filled with zeros by the kernel, a page at its first touch. A page has 4 KiB, holds some
//! forty tasks, and takes more time than all that they do. Linux backs an aligned two mebibytes by one *huge* page, in a
//! fraction of the time of the 512 small ones, if it is asked to (`MADV_HUGEPAGE`). So the slabs of a set that has many lie
//! in segments of that size: mimalloc's idea and word (Leijen, Zorn, de Moura, "Mimalloc: Free List Sharding in Action",
//! 2019); that whole huge pages should be filled, and emptied, is TCMalloc's (Hunter et al., "Beyond malloc efficiency to
//! fleet efficiency", OSDI 2021).
//!
//! What it costs: a segment is resident from its first slab on. So a set has 64 slabs of their own before its first segment;
//! and a set that goes to sleep gives the system back what holds no slab, of a segment that has half a mebibyte of it. From then
//! on, until all its places are taken again, that segment is to have small pages: else the kernel's thread that makes huge ones
//! of small ones (`khugepaged`) would bring all back within seconds, as zeros (`max_ptes_none` allows it as many as 511). The
//! first touch of a segment takes as long as a hundred small ones, at once; and longer where free memory lies in pieces,
//! which the kernel may first put together (`/sys/kernel/mm/transparent_hugepage/defrag`). A system that is told to make no
//! huge pages (`enabled` beside that, or `PR_SET_THP_DISABLE` for one process) makes none, and the slabs lie there all the
//! same.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::{Cell, RefCell};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// A segment is so large, and begins at a multiple of it: a huge page, where pages have 4 KiB.
const SIZE: usize = 2 << 20;
/// A place for a slab is so large, and begins at a multiple of it.
const PLACE: usize = super::slab::ALIGN;
/// How many places a segment has: as many as bits in a word.
const PLACES: usize = SIZE / PLACE;
/// What is given back at a time is so many places, half a mebibyte, or more: a call for each slab would take longer.
const MANY: u32 = 16;
/// The first of each two places. They are given back together: 64 KiB, a multiple of all pages that Linux knows but huge ones.
const FIRST_OF_TWO: u64 = u64::MAX / 3;
/// All places are free.
const ALL: u64 = u64::MAX;

const _: () = assert!(PLACES == u64::BITS as usize);

const LAYOUT: Layout = match Layout::from_size_align(SIZE, SIZE) {
    Ok(layout) => layout,
    Err(_) => panic!("a layout"),
};

/// A segment that is alive.
struct Segment {
    memory: NonNull<u8>,
    /// The places that hold no slab, a bit each.
    free: u64,
    /// Those of them whose memory the system has back: it is zeros at the next touch.
    returned: u64,
}

impl Segment {
    fn new() -> Segment {
        // SAFETY:
        // * the size is not 0.
        let memory = unsafe { alloc(LAYOUT) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(LAYOUT) };
        system::ask_for_huge_pages_at(memory, SIZE);
        Segment { memory, free: ALL, returned: 0 }
    }

    /// Takes a place: one whose memory is there, if there is any.
    fn take(&mut self) -> Option<NonNull<u8>> {
        let there = self.free & !self.returned;
        let choice = if there == 0 { self.free } else { there };
        if choice == 0 {
            return None;
        }
        let place = choice & choice.wrapping_neg();
        self.free &= !place;
        if self.returned != 0 {
            self.returned &= !place;
            self.forget_small_pages();
        }
        // SAFETY:
        // * there are as many places as bits.
        Some(unsafe { self.memory.add(place.trailing_zeros() as usize * PLACE) })
    }

    /// Asks for huge pages again, once nothing is with the system any more.
    #[cold]
    fn forget_small_pages(&self) {
        if self.returned == 0 {
            system::ask_for_huge_pages_at(self.memory, SIZE);
        }
    }

    /// Notes that a place holds no slab any more.
    fn put(&mut self, place: NonNull<u8>) {
        let number = (place.as_ptr().addr() - self.memory.as_ptr().addr()) / PLACE;
        debug_assert!(number < PLACES && self.free & (1 << number) == 0);
        self.free |= 1 << number;
    }

    /// Gives the system back what holds no slab, if that is much; and tells whether it was.
    fn give_back(&mut self) -> bool {
        let whole = both(self.free & (self.free >> 1));
        let there = whole & !self.returned;
        if there.count_ones() < MANY {
            return false;
        }
        let mut pairs = both(there | (there >> 1));
        self.returned |= pairs;
        system::ask_for_small_pages_at(self.memory, SIZE); // First: what is given back stays so.
        while pairs != 0 {
            let start = pairs.trailing_zeros();
            let count = (pairs >> start).trailing_ones();
            self.give_places_back(start as usize, count as usize);
            pairs &= !(u64::MAX >> (u64::BITS - count) << start);
        }
        true
    }

    fn give_places_back(&self, start: usize, count: usize) {
        // SAFETY:
        // * there are as many places as bits.
        let start = unsafe { self.memory.add(start * PLACE) };
        // SAFETY:
        // * no slab is in these places; the first begins at a multiple of two places, and so does what follows the last.
        unsafe { system::give_back(start, count * PLACE) };
    }
}

/// Returns the places whose pair has its first one among these.
fn both(firsts: u64) -> u64 {
    let firsts = firsts & FIRST_OF_TWO;
    firsts | (firsts << 1)
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY:
        // * `new` made it with this layout. Whoever drops it uses no slab in it any more: `Segments` promises so.
        unsafe { dealloc(self.memory.as_ptr(), LAYOUT) };
    }
}

/// The segments of a set.
///
/// One whose places are all free is freed; the others are when this is dropped, by which time nobody uses what is in them.
#[derive(Default)]
pub(super) struct Segments {
    /// By their numbers; there is none where one was freed.
    all: RefCell<Vec<Option<Segment>>>,
    /// Those of lower numbers have no free place.
    room: Cell<usize>,
    /// Places have been taken or put in since nothing was found to be given back.
    has_changed: Cell<bool>,
}

impl Segments {
    /// Takes a place for a slab; and tells the number of its segment.
    pub(super) fn take(&self) -> (u32, NonNull<u8>) {
        let all = &mut *self.all.borrow_mut();
        self.has_changed.set(true);
        loop {
            let number = self.room.get();
            if number == all.len() {
                all.push(None);
            }
            if let Some(place) = all[number].get_or_insert_with(Segment::new).take() {
                return (number as u32, place);
            }
            self.room.set(number + 1);
        }
    }

    /// Puts a place back.
    ///
    /// # Safety
    ///
    /// * [`take`](Segments::take) gave `place`, with this number, and nobody uses it any more.
    pub(super) unsafe fn put(&self, number: u32, place: NonNull<u8>) {
        let (all, number) = (&mut *self.all.borrow_mut(), number as usize);
        self.has_changed.set(true);
        self.room.set(self.room.get().min(number));
        let segment = &mut all[number];
        segment.as_mut().expect("a segment lives while it holds a slab").put(place);
        segment.take_if(|segment| segment.free == ALL);
    }

    /// Gives the system back what holds no slab of one segment, if that is much of any; and tells whether it was.
    #[inline]
    pub(super) fn give_back(&self) -> bool {
        self.has_changed.get() && self.give_back_now()
    }

    #[cold]
    fn give_back_now(&self) -> bool {
        let gave = self.all.borrow_mut().iter_mut().flatten().any(Segment::give_back);
        self.has_changed.set(gave);
        gave
    }
}

/// Asks the system to back memory by huge pages, as far as it holds whole ones; for lists of some mebibytes, before they are
/// filled.
///
/// Where there are many, most of what a first touch of memory costs is the page, and much of what a later one costs is to find
/// it: of a list of 32 MiB 8,192 small ones, or 16. It is advice, which Linux may follow, and nothing else depends on
/// it; on other systems nothing happens.
///
/// # Examples
///
/// ```
/// let mut list: Vec<u64> = Vec::with_capacity(1 << 20);
/// corio_task::ask_for_huge_pages(list.spare_capacity_mut());
/// list.extend(0..1 << 20);
/// assert_eq!(list[1_000_000], 1_000_000);
/// ```
pub fn ask_for_huge_pages<T>(memory: &mut [MaybeUninit<T>]) {
    let (start, size) = (memory.as_mut_ptr().cast::<u8>(), size_of_val(memory));
    let before = start.addr().wrapping_neg() % SIZE; // Up to where a huge page may begin.
    let whole = size.saturating_sub(before) / SIZE * SIZE;
    if let (Some(first), true) = (NonNull::new(start.wrapping_add(before)), whole > 0) {
        system::ask_for_huge_pages_at(first, whole);
    }
}

/// What is asked of Linux. That it is advice: it may be refused, and nothing depends on it.
#[cfg(all(target_os = "linux", not(miri)))]
mod system {
    use std::ptr::NonNull;

    /// Asks for them under memory that begins where one may, and is as long as some.
    pub(super) fn ask_for_huge_pages_at(memory: NonNull<u8>, size: usize) {
        ask(memory, size, libc::MADV_HUGEPAGE);
    }

    /// Asks for none under such memory: no small ones are put together.
    pub(super) fn ask_for_small_pages_at(memory: NonNull<u8>, size: usize) {
        ask(memory, size, libc::MADV_NOHUGEPAGE);
    }

    fn ask(memory: NonNull<u8>, size: usize, for_what: libc::c_int) {
        debug_assert!([libc::MADV_HUGEPAGE, libc::MADV_NOHUGEPAGE].contains(&for_what));
        // SAFETY:
        // * either advice changes nothing that is in the memory.
        unsafe { libc::madvise(memory.as_ptr().cast(), size, for_what) };
    }

    /// Gives memory back, which is zeros at its next touch, or what it was.
    ///
    /// # Safety
    ///
    /// * Nobody uses the memory, which is the caller's, and made of whole pages.
    pub(super) unsafe fn give_back(memory: NonNull<u8>, size: usize) {
        // SAFETY:
        // * the caller's own promise.
        unsafe { libc::madvise(memory.as_ptr().cast(), size, libc::MADV_DONTNEED) };
    }
}

/// Where nobody is to be asked.
#[cfg(not(all(target_os = "linux", not(miri))))]
mod system {
    use std::ptr::NonNull;

    pub(super) fn ask_for_huge_pages_at(_: NonNull<u8>, _: usize) {}

    pub(super) fn ask_for_small_pages_at(_: NonNull<u8>, _: usize) {}

    /// # Safety
    ///
    /// * As on Linux.
    pub(super) unsafe fn give_back(_: NonNull<u8>, _: usize) {}
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn put(segments: &Segments, (number, place): (u32, NonNull<u8>)) {
        // SAFETY:
        // * the tests below put in what they took, once.
        unsafe { segments.put(number, place) };
    }

    fn take(segments: &Segments, count: usize) -> Vec<(u32, NonNull<u8>)> {
        (0..count).map(|_| segments.take()).collect()
    }

    /// How many segments are alive.
    fn count(segments: &Segments) -> usize {
        segments.all.borrow().iter().flatten().count()
    }

    #[test]
    fn places_lie_side_by_side_in_an_aligned_segment() {
        let segments = Segments::default();
        let places = take(&segments, PLACES + 1);
        let first = places[0].1.as_ptr().addr();
        assert_eq!(first % SIZE, 0);
        for (index, (number, place)) in places[..PLACES].iter().enumerate() {
            assert_eq!((*number, place.as_ptr().addr()), (0, first + index * PLACE));
            // SAFETY:
            // * the place is ours, and so long.
            unsafe { place.write_bytes(0xA5, PLACE) };
        }
        assert_eq!((places[PLACES].0, count(&segments)), (1, 2));
    }

    /// Whatever the memory is, the advice changes nothing that is in it.
    #[test]
    fn lists_of_any_length_can_be_asked_for() {
        for len in [0, 1, 4096, SIZE - 1, SIZE, 3 * SIZE + 5] {
            let mut list: Vec<u8> = Vec::with_capacity(len);
            list.extend([7; 5].iter().take(len));
            ask_for_huge_pages(list.spare_capacity_mut());
            if cfg!(not(miri)) {
                list.resize(len, 9);
            }
            assert_eq!(list.iter().filter(|byte| **byte == 7).count(), len.min(5));
        }
        ask_for_huge_pages::<u64>(&mut []);
        ask_for_huge_pages::<()>(&mut [const { MaybeUninit::uninit() }; 3]);
    }

    #[test]
    fn a_place_is_taken_again_before_a_new_segment_is_made() {
        let segments = Segments::default();
        let places = take(&segments, 2 * PLACES);
        put(&segments, places[7]);
        put(&segments, places[PLACES + 9]);
        assert_eq!(take(&segments, 2), [places[7], places[PLACES + 9]]);
        assert_eq!((segments.take().0, count(&segments)), (2, 3));
    }

    #[test]
    fn a_segment_that_holds_nothing_is_freed_and_its_number_used_again() {
        let segments = Segments::default();
        let mut places = take(&segments, 3 * PLACES);
        places.drain(PLACES..2 * PLACES).for_each(|place| put(&segments, place));
        assert_eq!(count(&segments), 2);
        assert_eq!((segments.take().0, count(&segments)), (1, 3));
        places.into_iter().for_each(|place| put(&segments, place));
        assert_eq!(count(&segments), 1);
    }

    /// Only two places at a time, each once, and not a few alone.
    #[test]
    fn much_that_holds_nothing_is_given_back() {
        let returned = |segments: &Segments| segments.all.borrow()[0].as_ref().map(|segment| segment.returned);
        let segments = Segments::default();
        let places = take(&segments, PLACES);
        for (_, place) in &places {
            // SAFETY:
            // * the place is ours, and so long.
            unsafe { place.write_bytes(0xA5, PLACE) };
        }
        // Of 1 to 14 and 20 to 22, the places 1 and 22 are without their neighbours.
        places[1..15].iter().chain(&places[20..23]).for_each(|place| put(&segments, *place));
        assert!(!segments.give_back() && !segments.has_changed.get(), "fourteen are few");
        put(&segments, places[15]);
        assert!(segments.give_back() && !segments.give_back() && !segments.has_changed.get());
        assert_eq!(returned(&segments), Some(0x0030_FFFC));
        let byte = |index: usize| {
            // SAFETY:
            // * the segment is alive, and this was written above.
            unsafe { places[index].1.read_volatile() }
        };
        let gone = if cfg!(all(target_os = "linux", not(miri))) { 0 } else { 0xA5 };
        assert_eq!([0, 1, 16, 19, 22, 63].map(byte), [0xA5; 6]);
        assert_eq!([2, 3, 14, 15, 20, 21].map(byte), [gone; 6]);
        // What is there is taken before what the system has back.
        assert_eq!(take(&segments, 3), [places[1], places[22], places[2]]);
        assert_eq!((returned(&segments), count(&segments)), (Some(0x0030_FFF8), 1));
    }

    /// Says which pages the system has been asked for under an address, by the flags of its mapping, where it has huge ones.
    #[cfg(all(target_os = "linux", not(miri)))]
    fn advice_at(memory: NonNull<u8>) -> Option<&'static str> {
        let maps = std::fs::read_to_string("/proc/self/smaps").expect("Linux tells of its mappings");
        let (address, mut is_there) = (memory.as_ptr().addr(), false);
        for line in maps.lines() {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let bounds = range.and_then(|(start, end)| {
                Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
            });
            is_there = bounds.map_or(is_there, |bounds| bounds.contains(&address));
            if let (true, Some(flags)) = (is_there, line.strip_prefix("VmFlags:")) {
                return ["hg", "nh"].into_iter().find(|flag| flags.split(' ').any(|one| one == *flag));
            }
        }
        None
    }

    /// Else the kernel would bring it back, a few seconds later, as part of a huge page.
    #[test]
    #[cfg(all(target_os = "linux", not(miri)))]
    fn what_was_given_back_stays_so_until_it_is_taken_again() {
        let segments = Segments::default();
        let places = take(&segments, PLACES);
        let advice = || advice_at(places[0].1);
        if advice().is_none() {
            return; // A kernel without huge pages.
        }
        assert_eq!(advice(), Some("hg"));
        places.iter().take(32).for_each(|place| put(&segments, *place));
        assert!(segments.give_back());
        assert_eq!(advice(), Some("nh"));
        take(&segments, 31);
        assert_eq!(advice(), Some("nh"), "one is with the system still");
        take(&segments, 1);
        assert_eq!(advice(), Some("hg"));
    }

    #[test]
    fn all_but_one_place_is_given_back() {
        let segments = Segments::default();
        let places = take(&segments, PLACES);
        places.iter().take(PLACES - 1).for_each(|place| put(&segments, *place));
        assert!(segments.give_back());
        let returned = || segments.all.borrow()[0].as_ref().map(|segment| segment.returned);
        assert_eq!(returned(), Some(u64::MAX >> 2));
        // The last of these comes back beside one that was not taken again, and goes with it once more.
        take(&segments, 18).into_iter().skip(1).for_each(|place| put(&segments, place));
        assert!(segments.give_back());
        assert_eq!(returned(), Some(u64::MAX >> 2));
    }
}
