//! Waiting until nothing happens any more.

use crate::LoopHandle;
use corio_seam::{Waiting, local_waker, wait_on};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Waits until every other task of this loop is blocked: nothing is ready, nothing has come from another thread, no
/// source is ready, and no timer is due. Trio's `wait_all_tasks_blocked`.
///
/// It resumes before the loop sleeps and before a virtual clock moves: no time passes. So a test lets its tasks run up to
/// where they wait, be that for it, and then looks. Who waits for a timer, for a descriptor or for a job of a thread pool
/// is blocked, too, though it may go on by itself.
///
/// Several may wait: they are all resumed at once, in the order in which they began, and what one of them does then, the
/// others do not wait for. It works under any clock; under the machine's, something may become ready at any moment.
///
/// # Panics
///
/// When first polled where no event loop runs.
///
/// # Cancel safety
///
/// Dropping it forgets the wait, and harms nobody.
///
/// # Examples
///
/// ```
/// use corio_executor::{LoopHandle, test, yield_now};
/// use corio_task::create_task;
///
/// test::run(async {
///     let (promise, future) = corio_future::promise();
///     let task = create_task(async move {
///         for _ in 0..10 {
///             yield_now().await;
///         }
///         future.await.unwrap()
///     });
///     test::wait_all_tasks_blocked().await; // However many steps that takes.
///     assert!(task.task_ref().waiting_on().is_some());
///     assert_eq!(LoopHandle::current().time().since_start().as_nanos(), 0);
///     promise.set_result(5).unwrap();
///     assert_eq!(task.await.unwrap(), 5);
/// });
/// ```
pub fn wait_all_tasks_blocked() -> WaitAllTasksBlocked {
    WaitAllTasksBlocked { state: State::New }
}

/// Future of [`wait_all_tasks_blocked`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct WaitAllTasksBlocked {
    state: State,
}

enum State {
    /// Not polled yet. --> Waiting
    New,
    /// In the loop's list, under that number. --> Over
    Waiting(LoopHandle, u64),
    Over,
}

impl Future for WaitAllTasksBlocked {
    type Output = ();

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &self.state {
            State::New => {
                let event_loop = LoopHandle::current();
                let number = event_loop.core().idlers.add(local_waker(cx.waker()));
                self.state = State::Waiting(event_loop, number);
            }
            State::Waiting(event_loop, number) => {
                if !event_loop.core().idlers.waits(*number, cx.waker()) {
                    self.state = State::Over;
                    return Poll::Ready(());
                }
            }
            State::Over => panic!("`wait_all_tasks_blocked` was polled after it was ready"),
        }
        wait_on(Waiting::Leaf(&"wait_all_tasks_blocked"));
        Poll::Pending
    }
}

impl Drop for WaitAllTasksBlocked {
    fn drop(&mut self) {
        if let State::Waiting(event_loop, number) = &self.state {
            event_loop.core().idlers.remove(*number);
        }
    }
}

impl fmt::Debug for WaitAllTasksBlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitAllTasksBlocked").field("waits", &matches!(self.state, State::Waiting(..))).finish()
    }
}

/// Those who wait until a loop has nothing to do.
#[derive(Debug, Default)]
pub(crate) struct Idlers {
    /// Not borrowed while user code, a waker's, runs.
    waiting: RefCell<Vec<(u64, Waker)>>,
    last: Cell<u64>,
}

impl Idlers {
    fn add(&self, waker: Waker) -> u64 {
        self.last.set(self.last.get() + 1);
        self.waiting.borrow_mut().push((self.last.get(), waker));
        self.last.get()
    }

    /// Tells whether that one is still in the list; `waker` takes the place of its own.
    fn waits(&self, number: u64, waker: &Waker) -> bool {
        let waker = local_waker(waker);
        let mut waiting = self.waiting.borrow_mut();
        let Some(entry) = waiting.iter_mut().find(|entry| entry.0 == number) else { return false };
        let before = std::mem::replace(&mut entry.1, waker);
        drop(waiting);
        drop(before);
        true
    }

    fn remove(&self, number: u64) {
        let mut waiting = self.waiting.borrow_mut();
        let removed = waiting.iter().position(|entry| entry.0 == number).map(|index| waiting.remove(index));
        drop(waiting);
        drop(removed);
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    /// Wakes them all.
    pub(crate) fn wake(&self) {
        let waiting = self.waiting.take();
        for (_, waker) in waiting {
            corio_seam::catch_and_report("exception in a waker", move || waker.wake());
        }
    }
}
