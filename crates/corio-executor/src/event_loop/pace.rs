//! How often a loop that is never idle looks at its sources.

use corio_seam::LoopTime;
use std::cell::Cell;
use std::time::Duration;

/// The most iterations between two looks. A look costs a system call, some hundred times an iteration with one entry.
const MAX_ITERATIONS: u32 = 64;

/// How many iterations make a stretch, at whose end the clock is read. A power of two.
const STRETCH: u32 = 4;

/// The longest time between two looks, give or take that many iterations at either end.
const MAX_TIME: Duration = Duration::from_micros(250);

/// Counts iterations and time since the sources were last looked at.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Look in every iteration: under a test's clock or selector.
    diligent: bool,
    /// Counted since the last look; it may wrap where nobody looks.
    iterations: Cell<u32>,
    /// When the first stretch after the last look ended; none before that. So a look itself reads no clock, and a loop that sleeps
    /// soon again reads none at all.
    since: Cell<Option<LoopTime>>,
}

impl Pace {
    pub(super) fn new(diligent: bool) -> Pace {
        Pace { diligent, iterations: Cell::new(0), since: Cell::new(None) }
    }

    /// Counts an iteration; true if it lies within a stretch, where a busy loop thinks of nothing but its work.
    #[inline]
    pub(super) fn is_within_stretch(&self) -> bool {
        let iterations = self.iterations.get().wrapping_add(1);
        self.iterations.set(iterations);
        !self.diligent && iterations % STRETCH != 0
    }

    /// Tells whether the sources are to be looked at in the iteration that was counted last.
    pub(super) fn is_due(&self, now: impl FnOnce() -> LoopTime) -> bool {
        let iterations = self.iterations.get();
        self.diligent || iterations >= MAX_ITERATIONS || (iterations % STRETCH == 0 && self.is_long_ago(now()))
    }

    /// Tells whether the last look was long ago; begins to measure if that has not begun.
    fn is_long_ago(&self, now: LoopTime) -> bool {
        let since = self.since.get().unwrap_or(now);
        self.since.set(Some(since));
        now - since >= MAX_TIME
    }

    /// Notes that the sources have just been looked at.
    pub(super) fn looked(&self) {
        self.iterations.set(0);
        self.since.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts `count` iterations; returns in how many a look was due.
    fn looks(pace: &Pace, count: u32, now: LoopTime) -> usize {
        (0..count).filter(|_| !pace.is_within_stretch() && pace.is_due(|| now)).count()
    }

    #[test]
    fn a_busy_loop_looks_now_and_then() {
        let pace = Pace::new(false);
        assert_eq!(looks(&pace, 63, LoopTime::ZERO), 0);
        assert_eq!(looks(&pace, 1, LoopTime::ZERO), 1);
        pace.looked();
        assert_eq!(looks(&pace, 1, LoopTime::ZERO), 0);
    }

    #[test]
    fn slow_iterations_are_looked_after_earlier() {
        let pace = Pace::new(false);
        let later = LoopTime::ZERO + MAX_TIME;
        assert_eq!(looks(&pace, 4, LoopTime::ZERO), 0);
        assert_eq!(looks(&pace, 3, later), 0);
        assert_eq!(looks(&pace, 1, later), 1);
        pace.looked();
        assert_eq!(looks(&pace, 4, later), 0, "the time since a look is measured from the first stretch's end");
        assert_eq!(looks(&pace, 4, later + MAX_TIME), 1);
    }

    #[test]
    fn a_diligent_loop_always_looks() {
        let pace = Pace::new(true);
        assert_eq!(looks(&pace, 100, LoopTime::ZERO), 100);
    }

    #[test]
    fn the_count_may_wrap() {
        let pace = Pace::new(false);
        pace.iterations.set(u32::MAX);
        assert_eq!(looks(&pace, 4, LoopTime::ZERO), 0);
    }
}
