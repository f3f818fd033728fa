//! Running a set: by a loop of one's own, or as a plain future.

use crate::inbox::Bell;
use crate::raw::Handle;
use crate::set::TaskSet;
use crate::sync::{Mutex, lock};
use crate::{JoinError, Task, TaskOptions};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::ControlFlow;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// How many batches one poll of a set runs before it lets its runtime have a turn.
const BATCHES_A_POLL: usize = 64;

impl TaskSet {
    /// Runs `main` as a task, by calling `turn` until it is over; `turn` makes one iteration of the caller's loop.
    ///
    /// `main` need not be `'static`: it is dropped, and its output moved out, before this returns. As in asyncio, the
    /// end of `main` is noticed by a done callback, so that what is ready beside it still runs. `None` if `turn` broke
    /// off first; `main` is dropped then.
    ///
    /// # Panics
    ///
    /// If the set is closed, or `turn` panics. A panic of `main` is in the result.
    #[track_caller]
    pub fn drive<F: Future>(
        &self,
        main: F,
        turn: impl FnMut(&TaskSet) -> ControlFlow<()>,
    ) -> Option<Result<F::Output, JoinError>> {
        self.drive_with(TaskOptions::new(), main, turn)
    }

    /// Runs `main` as [`drive`](TaskSet::drive) does, as a task with `options`. It is never started eagerly.
    ///
    /// # Panics
    ///
    /// As [`drive`](TaskSet::drive).
    #[track_caller]
    pub fn drive_with<F: Future>(
        &self,
        options: TaskOptions,
        main: F,
        mut turn: impl FnMut(&TaskSet) -> ControlFlow<()>,
    ) -> Option<Result<F::Output, JoinError>> {
        assert!(!self.is_closed(), "a closed task set was asked to run");
        Handle::with_main(&self.core, options, main, Location::caller(), |main| {
            let over = Rc::new(Cell::new(false));
            let seen = Rc::clone(&over);
            main.view().add_done_callback(move |_| seen.set(true));
            while !over.get() {
                if turn(self).is_break() {
                    break;
                }
            }
            main.take()
        })
    }

    /// Returns a plain future that runs the set until `future`, made a task of it, is over.
    ///
    /// tokio, smol, or any `block_on` can poll it. The other tasks of the set advance only meanwhile.
    ///
    /// # Errors
    ///
    /// [`JoinError`] if the task was cancelled, or panicked.
    ///
    /// # Panics
    ///
    /// If the set is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the task stays in the set, detached, and goes on when the set is polled again.
    #[track_caller]
    pub fn run_until<F: Future + 'static>(&self, future: F) -> RunUntil<'_, F::Output> {
        RunUntil { set: self, task: self.spawn(future), outer: RefCell::default() }
    }

    /// Runs what is ready, and what that makes ready, for a while: true if the set has nothing to do until its bell
    /// rings.
    fn run_for_a_while(&self) -> bool {
        self.wake_up();
        for _ in 0..BATCHES_A_POLL {
            self.drain_inbox();
            if self.has_ready() {
                self.run_batch();
            } else if self.fall_asleep() {
                return true;
            }
        }
        false
    }
}

/// Future of [`TaskSet::run_until`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct RunUntil<'s, T> {
    set: &'s TaskSet,
    task: Task<T>,
    outer: RefCell<Option<Arc<Outer>>>,
}

impl<T> RunUntil<'_, T> {
    /// Has the set's bell wake the runtime that polls us.
    fn ring_for(&self, waker: &Waker) {
        let mut outer = self.outer.borrow_mut();
        if !outer.as_ref().is_some_and(|outer| outer.wakes(waker)) {
            let bell = Arc::new(Outer(Mutex::new(waker.clone())));
            self.set.set_bell(Arc::clone(&bell) as Arc<dyn Bell>);
            *outer = Some(bell);
        }
    }
}

impl<T> Future for RunUntil<'_, T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.ring_for(cx.waker());
        let idle = self.set.run_for_a_while();
        if let Some(output) = self.task.take_output() {
            return Poll::Ready(output);
        }
        if !idle {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl<T> fmt::Debug for RunUntil<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunUntil").field("task", &self.task).finish_non_exhaustive()
    }
}

/// A bell that wakes the runtime around the set.
struct Outer(Mutex<Waker>);

impl Outer {
    fn wakes(&self, waker: &Waker) -> bool {
        lock(&self.0).will_wake(waker)
    }
}

impl Bell for Outer {
    fn ring(&self) {
        let waker = lock(&self.0).clone();
        waker.wake();
    }
}
