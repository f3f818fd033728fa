//! Random programs, polled by hand in random order, against simple models that foretell the outcome of each step.

mod barrier;
mod condition;
mod semaphore;

use crate::random::Random;
use crate::toy::{Counter, poll};
use std::sync::Arc;
use std::task::{Poll, Waker};

/// How many programs are run of each kind.
const PROGRAMS: u64 = if cfg!(miri) { 8 } else { 2000 };

/// How many steps a program has.
const STEPS: usize = 150;

/// The waker of one task of a program, and how often it should have been woken.
struct Woken {
    count: Arc<Counter>,
    waker: Waker,
    expected: usize,
}

impl Woken {
    fn new() -> Woken {
        let (count, waker) = Counter::new();
        Woken { count, waker, expected: 0 }
    }

    /// Polls with this waker.
    fn poll<F: Future + Unpin>(&self, future: &mut F) -> Poll<F::Output> {
        poll(future, &self.waker)
    }

    /// Checks that the task was woken as often as the model says, and never for nothing.
    fn check(&self) {
        assert_eq!(self.count.count(), self.expected);
    }
}

/// One in a line, as a model knows it.
#[derive(Clone, Copy, Debug)]
struct InLine {
    id: usize,
    notified: bool,
}

/// A line of waiters, as a model knows it.
#[derive(Debug, Default)]
struct Line(Vec<InLine>);

impl Line {
    fn enter(&mut self, id: usize) {
        self.0.push(InLine { id, notified: false });
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn n_waiting(&self) -> usize {
        self.0.iter().filter(|waiter| !waiter.notified).count()
    }

    fn n_notified(&self) -> usize {
        self.0.len() - self.n_waiting()
    }

    fn is_notified(&self, id: usize) -> bool {
        self.0.iter().any(|waiter| waiter.id == id && waiter.notified)
    }

    /// Takes one out, and tells whether it had been notified.
    fn leave(&mut self, id: usize) -> bool {
        let index = self.0.iter().position(|waiter| waiter.id == id).expect("it is in the line");
        self.0.remove(index).notified
    }

    /// Notifies the first that waits, and gives its name.
    fn notify_one(&mut self) -> Option<usize> {
        let first = self.0.iter_mut().find(|waiter| !waiter.notified)?;
        first.notified = true;
        Some(first.id)
    }

    /// Notifies up to `n`.
    fn notify(&mut self, n: usize) -> Vec<usize> {
        (0..n).map_while(|_| self.notify_one()).collect()
    }
}

/// Runs a program for each seed, and names the seed that failed.
fn programs(program: fn(&mut Random)) {
    for seed in 0..PROGRAMS {
        let failed = std::panic::catch_unwind(|| program(&mut Random(seed))).is_err();
        assert!(!failed, "the program of seed {seed} failed, see above");
    }
}
