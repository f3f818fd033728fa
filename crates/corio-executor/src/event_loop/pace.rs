//! How often a loop that is never idle looks at its sources.

use corio_seam::LoopTime;
use std::cell::Cell;
use std::time::Duration;

/// The most iterations between two looks. A look costs a system call, some hundred times an iteration with one entry.
const MAX_ITERATIONS: u32 = 64;

/// After how many iterations the clock is read.
const ITERATIONS_PER_READING: u32 = 4;

/// The longest time between two looks, give or take that many iterations.
const MAX_TIME: Duration = Duration::from_micros(250);

/// Counts iterations and time since the sources were last looked at.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Look in every iteration: under a test's clock or selector.
    diligent: bool,
    iterations: Cell<u32>,
    last_look: Cell<LoopTime>,
}

impl Pace {
    pub(super) fn new(diligent: bool) -> Pace {
        Pace { diligent, iterations: Cell::new(0), last_look: Cell::new(LoopTime::ZERO) }
    }

    /// Counts an iteration; true if the sources are to be looked at in it.
    pub(super) fn is_due(&self, now: impl FnOnce() -> LoopTime) -> bool {
        let iterations = self.iterations.get() + 1;
        self.iterations.set(iterations);
        self.diligent
            || iterations >= MAX_ITERATIONS
            || (iterations % ITERATIONS_PER_READING == 0 && now() - self.last_look.get() >= MAX_TIME)
    }

    /// Notes that the sources have just been looked at.
    pub(super) fn looked(&self, now: impl FnOnce() -> LoopTime) {
        if !self.diligent {
            self.iterations.set(0);
            self.last_look.set(now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_loop_looks_now_and_then() {
        let pace = Pace::new(false);
        let still = || LoopTime::ZERO;
        assert_eq!((0..63).filter(|_| pace.is_due(still)).count(), 0);
        assert!(pace.is_due(still));
        pace.looked(still);
        assert!(!pace.is_due(still));
    }

    #[test]
    fn slow_iterations_are_looked_after_earlier() {
        let pace = Pace::new(false);
        let later = || LoopTime::ZERO + MAX_TIME;
        assert_eq!((0..3).filter(|_| pace.is_due(later)).count(), 0);
        assert!(pace.is_due(later));
    }

    #[test]
    fn a_diligent_loop_always_looks() {
        let pace = Pace::new(true);
        assert!((0..100).all(|_| pace.is_due(|| LoopTime::ZERO)));
    }
}
