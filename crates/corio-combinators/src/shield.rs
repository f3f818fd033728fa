//! Waiting for a task that does not hear when the waiter is cancelled.

use crate::Failure;
use crate::child::Child;
use crate::outcome::Outcome;
use corio_seam::{Waitable, Waiting, local_waker, wait_on};
use corio_task::Cancelled;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Waits for a task, a cell, or a `'static` future made a task, and keeps the awaiter's cancellation from it; asyncio's
/// `shield`.
///
/// If the awaiter is cancelled, it unwinds at once, and what it waited for goes on. If that fails later, with nobody left
/// to hear it, the failure is reported to the exception handler as "exception in shielded future".
///
/// # Errors
///
/// The [`Failure`] of what it waits for. One that is cancelled by somebody else is a value here, as everywhere.
///
/// # Panics
///
/// Where a plain future is given, and no loop runs to make a task of it.
///
/// # Cancel safety
///
/// Dropping it leaves the rest running, and its value is dropped when it ends.
///
/// # Examples
///
/// ```
/// use corio_combinators::shield;
/// use corio_task::TaskSet;
///
/// let set = TaskSet::new();
/// let value = pollster::block_on(set.run_until(async { shield(async { 7 }).await.unwrap() }));
/// assert_eq!(value.unwrap(), 7);
/// ```
#[track_caller]
pub fn shield<F>(future: F) -> Shield<<F::Output as Outcome>::Value>
where
    F: Future<Output: Outcome> + 'static,
{
    let child = Child::start(future);
    let shared = Rc::new(Shared::default());
    if child.done() {
        shared.finish(child.take());
        return Shield { shared, shielded: None };
    }
    let kept = Rc::new(Shielded(RefCell::new(Some(child))));
    let (held, told) = (Rc::clone(&kept), Rc::clone(&shared));
    if let Some(child) = &*kept.0.borrow() {
        child.listen(move || {
            let child = held.0.take().expect("a child is over once");
            told.end(child.take());
        });
    }
    Shield { shared, shielded: Some(kept) }
}

/// What is shielded, until it is over.
struct Shielded<O: Outcome>(RefCell<Option<Child<O>>>);

impl<O: Outcome> Waitable for Shielded<O> {
    fn cancel(&self, _: Option<Arc<str>>) -> bool {
        false // That is what a shield is for.
    }

    fn describe(&self) -> String {
        "shield".to_string()
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        let child = self.0.borrow();
        if let Some(child) = child.as_ref().filter(|child| !child.done()) {
            visit(child.waitable());
        }
    }
}

/// What a shield and the callback of its child share.
struct Shared<V> {
    result: RefCell<Option<Result<V, Failure>>>,
    waker: RefCell<Option<Waker>>,
    /// The awaiter has left, or the shield was cancelled.
    left: Cell<bool>,
    done: Cell<bool>,
    cancelled: Cell<bool>,
}

impl<V> Default for Shared<V> {
    fn default() -> Shared<V> {
        Shared {
            result: RefCell::default(),
            waker: RefCell::default(),
            left: Cell::new(false),
            done: Cell::new(false),
            cancelled: Cell::new(false),
        }
    }
}

impl<V> Shared<V> {
    /// The child is over.
    fn end(&self, result: Result<V, Failure>) {
        if self.left.get() {
            return report_late(result.err());
        }
        self.finish(result);
    }

    fn finish(&self, result: Result<V, Failure>) {
        self.cancelled.set(matches!(&result, Err(Failure::Cancelled(_))));
        self.done.set(true);
        self.result.replace(Some(result));
        let waker = self.waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Reports a failure for which the shield's awaiter did not stay.
fn report_late(failure: Option<Failure>) {
    if let Some(failure) = failure.filter(|failure| !failure.is_cancelled()) {
        failure.report_as("exception in shielded future");
    }
}

/// Future of [`shield`]. `!Send`.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Shield<V> {
    shared: Rc<Shared<V>>,
    /// What it waits for, unless that was over from the start.
    shielded: Option<Rc<dyn Waitable>>,
}

impl<V> Shield<V> {
    /// Ends the shield, and not what it shields; false if it is over.
    pub fn cancel(&self) -> bool {
        if self.done() {
            return false;
        }
        self.shared.left.set(true);
        self.shared.finish(Err(Failure::Cancelled(Cancelled::new())));
        true
    }

    /// Tells whether the shield is over.
    #[must_use]
    pub fn done(&self) -> bool {
        self.shared.done.get()
    }

    /// Tells whether the shield, or what it shields, was cancelled.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.shared.cancelled.get()
    }
}

impl<V> Future for Shield<V> {
    type Output = Result<V, Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = self.shared.result.take();
        if let Some(result) = result {
            return Poll::Ready(result);
        }
        let new = local_waker(cx.waker()); // User code: no borrow is held.
        drop(self.shared.waker.replace(Some(new)));
        if let Some(shielded) = &self.shielded {
            wait_on(Waiting::Listened(Rc::clone(shielded)));
        }
        Poll::Pending
    }
}

impl<V> Drop for Shield<V> {
    fn drop(&mut self) {
        self.shared.left.set(true);
        drop(self.shared.waker.take());
        let unheard = self.shared.result.take();
        if let Some(result) = unheard {
            if !self.shared.cancelled.get() {
                report_late(result.err());
            }
        }
    }
}

impl<V> fmt::Debug for Shield<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shield").field("done", &self.done()).field("cancelled", &self.cancelled()).finish()
    }
}
