//! Steps that are taken in order, whoever takes them.

use corio_seam::{IntMap, Waiting, local_waker, wait_on};
use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Brings the steps of several tasks into one order; trio's `Sequencer`.
///
/// Whoever awaits [`step(n)`](Sequencer::step) goes on when all steps below `n` are over, and its own is over when the
/// guard is dropped. A clone is the same sequence. A step that nobody takes is a deadlock, which the loop reports.
///
/// # Examples
///
/// ```
/// use corio_executor::test::{self, Sequencer};
/// use corio_task::create_task;
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// test::run(async {
///     let (sequence, order) = (Sequencer::new(), Rc::new(RefCell::new(Vec::new())));
///     let (theirs, log) = (sequence.clone(), Rc::clone(&order));
///     let other = create_task(async move {
///         for number in [1, 3] {
///             let _step = theirs.step(number).await;
///             log.borrow_mut().push(number);
///         }
///     });
///     for number in [0, 2, 4] {
///         let _step = sequence.step(number).await;
///         order.borrow_mut().push(number);
///     }
///     other.await.unwrap();
///     assert_eq!(*order.borrow(), [0, 1, 2, 3, 4]);
/// });
/// ```
#[derive(Clone, Default)]
pub struct Sequencer {
    inner: Rc<RefCell<Inner>>,
}

/// How far a sequence has come. Not borrowed while a waker is cloned, woken or dropped.
#[derive(Default)]
struct Inner {
    /// The number of the step that is under way, or whose turn it is.
    turn: u64,
    /// Steps that somebody has asked for and that are not over, with the waker of whoever waits for its turn.
    asked: IntMap<Option<Waker>>,
    /// A step that was given up before its turn: no later one can come.
    gap: Option<u64>,
}

impl Sequencer {
    /// Makes a sequence; its first step is number 0.
    #[must_use]
    pub fn new() -> Sequencer {
        Sequencer::default()
    }

    /// Waits until the steps below `number` are over; the step is over when the guard that comes of it is dropped.
    ///
    /// # Panics
    ///
    /// When polled, if that step was taken before, or an earlier one was given up by a task that was cancelled, or that
    /// ended, while it waited for its turn: the sequence is broken, and later steps would wait for ever.
    ///
    /// # Cancel safety
    ///
    /// Dropping it before it was polled does nothing; from then on it breaks the sequence.
    pub fn step(&self, number: u64) -> Step {
        Step { sequencer: self.clone(), number, asked: false }
    }

    /// Ends a step, or gives one up, and wakes whoever is concerned.
    fn leave(&self, number: u64) {
        let mut inner = self.inner.borrow_mut();
        let _own = inner.asked.remove(number); // Dropped when nothing is borrowed any more.
        if number == inner.turn {
            inner.turn += 1;
            let turn = inner.turn;
            let next = inner.asked.get_mut(turn).and_then(Option::take);
            drop(inner);
            next.into_iter().for_each(Waker::wake);
        } else {
            inner.gap = Some(inner.gap.map_or(number, |gap| gap.min(number)));
            let later: Vec<u64> = inner.asked.iter().map(|(step, _)| step).filter(|step| *step > number).collect();
            let wakers: Vec<Waker> = later.into_iter().filter_map(|step| inner.asked.get_mut(step)?.take()).collect();
            drop(inner);
            wakers.into_iter().for_each(Waker::wake);
        }
    }
}

impl fmt::Debug for Sequencer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sequencer").field("turn", &self.inner.borrow().turn).finish_non_exhaustive()
    }
}

/// Future of [`Sequencer::step`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Step {
    sequencer: Sequencer,
    number: u64,
    /// Whether the sequence knows of it, and nobody else has to end it.
    asked: bool,
}

impl Step {
    /// Asks for the step, once.
    #[track_caller]
    fn ask(&mut self) {
        let mut inner = self.sequencer.inner.borrow_mut();
        let number = self.number;
        let taken = number < inner.turn || inner.asked.contains(number) || inner.gap == Some(number);
        assert!(!taken, "step {number} of this sequence was taken before: each comes once");
        inner.asked.insert(number, None);
        drop(inner);
        self.asked = true;
    }
}

impl Future for Step {
    type Output = StepGuard;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<StepGuard> {
        if !self.asked {
            self.ask();
        }
        let (number, waker) = (self.number, local_waker(cx.waker()));
        let mut inner = self.sequencer.inner.borrow_mut();
        if number == inner.turn {
            drop(inner);
            self.asked = false; // From here on the guard ends it.
            return Poll::Ready(StepGuard { sequencer: self.sequencer.clone(), number });
        }
        if let Some(gap) = inner.gap.filter(|gap| *gap < number) {
            panic!("the sequence is broken: step {gap} was given up before its turn, so {number} can never come");
        }
        let before = inner.asked.insert(number, Some(waker));
        drop(inner);
        drop(before);
        wait_on(Waiting::Leaf(&"step of a sequence"));
        Poll::Pending
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if self.asked {
            self.sequencer.leave(self.number);
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("number", &self.number).finish_non_exhaustive()
    }
}

/// A step under way; it is over when this is dropped.
#[must_use = "the step is over when the guard is dropped"]
pub struct StepGuard {
    sequencer: Sequencer,
    number: u64,
}

impl Drop for StepGuard {
    fn drop(&mut self) {
        self.sequencer.leave(self.number);
    }
}

impl fmt::Debug for StepGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepGuard").field("number", &self.number).finish_non_exhaustive()
    }
}
