//! A hint to the processor.

/// Has the processor fetch two cache lines from `start` on, while it does other things: a hint, for whoever knows what will be
/// read a little later, and that it is in no cache any more. Nothing is read that the program could tell: any address will do.
///
/// Of use where many are at work: a hundred thousand tasks are 10 MB, and the one whose turn is next was touched when it was
/// woken, as many tasks ago. On processors other than x86-64 it does nothing.
///
/// # Examples
///
/// ```
/// let far = vec![1; 1_000_000];
/// corio_seam::prefetch(&raw const far[500_000]);
/// assert_eq!(far[0] + far[500_000], 2);
/// ```
#[inline(always)]
pub fn prefetch<T>(start: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let start = start.cast::<i8>();
        for line in [start, start.wrapping_add(64)] {
            // SAFETY:
            // * the instruction is one of every x86-64 processor, and no access: it faults nowhere.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line) };
        }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = start;
}
