//! What is measured, and how: clocks, memory, allocations, processors.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

/// Returns the processor time that this process has used, of all its threads.
#[must_use]
pub fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Returns how many bytes of this process are in memory; 0 where the system does not tell.
#[must_use]
pub fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

/// Has this thread, and those that it starts, run on one processor only. False if the system refuses.
pub fn pin() -> bool {
    let Ok(allowed) = rustix::thread::sched_getaffinity(None) else { return false };
    let Some(last) = (0..rustix::thread::CpuSet::MAX_CPU).rev().find(|cpu| allowed.is_set(*cpu)) else { return false };
    let mut one = rustix::thread::CpuSet::new();
    one.set(last);
    rustix::thread::sched_setaffinity(None, &one).is_ok()
}

thread_local! {
    static ALLOCATIONS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// The system's allocator, which counts what each thread asks of it. It costs all runtimes alike, a nanosecond a call.
#[derive(Debug)]
pub struct Counting;

/// Returns how many allocations this thread has made, and of how many bytes.
#[must_use]
pub fn allocations() -> (u64, u64) {
    ALLOCATIONS.get()
}

fn count(bytes: usize) {
    // A thread that ends may allocate when its values are gone: those are not counted.
    let _ = ALLOCATIONS.try_with(|counts| {
        let (calls, total) = counts.get();
        counts.set((calls + 1, total + bytes as u64));
    });
}

// SAFETY:
// * every call is passed on to the system's allocator as it is.

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY:
        // * the caller's own promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY:
        // * the caller's own promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY:
        // * the caller's own promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Raises the limit of open descriptors as far as the system lets this process do it, up to `wanted`; the rows that need
/// more say so.
pub fn allow_descriptors(wanted: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = |maximum: Option<u64>| Rlimit { current: maximum.map(|maximum| maximum.min(wanted)), maximum };
    let beyond = limit.maximum.map(|maximum| maximum.max(wanted)); // For who may.
    let _ = setrlimit(Resource::Nofile, raised(beyond)).or_else(|_| setrlimit(Resource::Nofile, raised(limit.maximum)));
}

/// Checks that so many descriptors can be open.
///
/// # Panics
///
/// If the system does not allow as many: a row that ran into the limit would wait for ever.
pub fn expect_descriptors(needed: u64) {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    if let Some(limit) = limit.filter(|limit| *limit < needed) {
        panic!("it needs {needed} open descriptors, and the system allows {limit}");
    }
}
