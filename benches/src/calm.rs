//! Waits for moments in which nobody else has the processor's core.
//!
//! A processor of a virtual machine shares its core with a neighbour, who comes and goes by the millisecond, and takes a third of
//! its speed or more: runtimes take 62 ns for what takes 105 a moment later. A fixed piece of arithmetic tells the two apart, for
//! it is as fast as it ever was only in the one. So before each slice a run waits for such a moment, a while at most; that
//! is the same for all runtimes, and no part of their time; and a slice counts as calm if it began and ended in such
//! moments. What it takes in one is known from all runs of the comparison.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// How many steps the arithmetic has: some ten microseconds.
const STEPS: u64 = 10_000;

/// How much longer it may take in a calm moment than is known of such, in hundredths.
const MARGIN: u64 = 4;

/// The least nanoseconds that the arithmetic has taken here.
static LEAST: AtomicU64 = AtomicU64::new(u64::MAX);

/// What it takes in a calm moment, if other processes have told.
static CALM: AtomicU64 = AtomicU64::new(u64::MAX);

/// How many nanoseconds more may be waited.
static PATIENCE: AtomicU64 = AtomicU64::new(0);

/// Has this process wait before each slice, so many milliseconds altogether at most; `calm` is what the arithmetic takes in a calm
/// moment, as far as other processes have seen, in nanoseconds.
pub fn look_for(calm: Option<u64>, milliseconds: u64) {
    CALM.store(calm.unwrap_or(u64::MAX), Ordering::Relaxed);
    PATIENCE.store(milliseconds * 1_000_000, Ordering::Relaxed);
}

/// Returns the least nanoseconds that the arithmetic has taken here, if it was ever done.
#[must_use]
pub fn least() -> Option<u64> {
    Some(LEAST.load(Ordering::Relaxed)).filter(|least| *least < u64::MAX)
}

/// Returns what the arithmetic takes in a calm moment, of what it took at the least in several processes: what a tenth of them
/// have reached.
#[must_use]
pub fn among(mut leasts: Vec<u64>) -> Option<u64> {
    leasts.sort_unstable();
    leasts.get(leasts.len() / 10).copied()
}

/// Waits for a calm moment, if this process is to, and has not waited long enough; tells whether one came.
pub fn wait() -> bool {
    let patience = PATIENCE.load(Ordering::Relaxed);
    let start = Instant::now();
    let mut came = is_here();
    while !came && u128::from(patience) > start.elapsed().as_nanos() {
        came = is_calm();
    }
    // Not to nothing: a process that has waited long enough goes on looking.
    let left = patience.saturating_sub(start.elapsed().as_nanos() as u64).max(1);
    PATIENCE.store(left.min(patience), Ordering::Relaxed);
    came
}

/// Tells whether this is a calm moment; false if this process is not to look for any.
#[must_use]
pub fn is_here() -> bool {
    PATIENCE.load(Ordering::Relaxed) > 0 && is_calm()
}

/// Tells whether so many nanoseconds for the arithmetic are about as good as `calm`.
#[must_use]
pub fn is_as_good(took: u64, calm: u64) -> bool {
    took <= calm + calm * MARGIN / 100
}

fn is_calm() -> bool {
    let took = arithmetic().max(arithmetic()); // A clock that jumps makes one seem short.
    let least = LEAST.fetch_min(took, Ordering::Relaxed).min(took);
    let told = CALM.load(Ordering::Relaxed);
    is_as_good(took, if told < u64::MAX { told } else { least })
}

/// Returns how many nanoseconds the arithmetic takes now: four chains at once, which a core that is shared has no room for.
fn arithmetic() -> u64 {
    let start = Instant::now();
    let (mut a, mut b, mut c, mut d) = (1u64, 2u64, 3u64, 4u64);
    for i in 0..black_box(STEPS) {
        a = a.wrapping_mul(31).wrapping_add(i);
        b = b.rotate_left(5) ^ i;
        c = c.wrapping_add(a >> 3);
        d ^= c.wrapping_add(b);
    }
    black_box((a, b, c, d));
    start.elapsed().as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, for all is one process's.
    #[test]
    fn a_moment_as_calm_as_there_never_was_is_not_waited_for_forever() {
        assert!(!wait() && least().is_none() && !is_here(), "nobody has asked for it");
        look_for(Some(1), 5);
        let start = Instant::now();
        assert!(!wait());
        let first = start.elapsed();
        assert!(first.as_millis() >= 5 && least().is_some() && !is_here());
        assert_eq!(PATIENCE.load(Ordering::Relaxed), 1, "it has waited long enough");
        look_for(Some(u64::MAX / 200), 5);
        assert!(wait() && PATIENCE.load(Ordering::Relaxed) > 1, "whatever it takes is calm, and nothing to wait for");
        assert!(is_as_good(104, 100) && !is_as_good(105, 100));
        assert_eq!([among(vec![]), among(vec![7]), among((0..25).rev().collect())], [None, Some(7), Some(2)]);
    }
}
