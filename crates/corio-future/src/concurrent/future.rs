//! The read end.

use super::cell::{Callback, CallbackKey, Cell, State, transition};
use super::{FutureError, WaitError};
use crate::sync::Arc;
use corio_seam::{Cancelled, Waiting, wait_on};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// The read end of a thread-safe cell: blocks for it, awaits it, is called back by it, or cancels it.
///
/// Awaiting works under any executor. Where it is awaited, cancelling the awaiter leaves this future as it is; to have
/// the cancellation cross over, await [`wrap_future`](crate::wrap_future) of it. `Send` and `Sync` if `T` is `Send`.
/// `concurrent.futures.Future`.
///
/// # Errors
///
/// Awaiting gives [`FutureError`] if it was cancelled, its promise was dropped, or the work panicked.
///
/// # Panics
///
/// When polled or read after its value was moved out; [`share`](Future::share) it to read it twice.
///
/// # Cancel safety
///
/// Awaiting `&mut future` loses nothing.
#[must_use = "futures do nothing unless you `.await`, poll or read them"]
pub struct Future<T> {
    cell: Arc<Cell<T>>,
    /// The key of our waker in the cell, once there was one.
    waker: Option<u64>,
    /// Whether this end is counted as a reader: not the one that callbacks are lent.
    counted: bool,
}

impl<T> Future<T> {
    pub(super) fn new(cell: Arc<Cell<T>>) -> Future<T> {
        Future { cell, waker: None, counted: true }
    }

    /// Makes the read end that callbacks are lent.
    pub(super) fn view(cell: &Arc<Cell<T>>) -> Future<T> {
        Future { cell: Arc::clone(cell), waker: None, counted: false }
    }

    pub(super) fn cell(&self) -> &Arc<Cell<T>> {
        &self.cell
    }

    /// Tells whether the future is over: it has a value, or never will. `concurrent.futures`' `done`.
    #[must_use]
    pub fn done(&self) -> bool {
        self.cell.lock().state.is_done()
    }

    /// Tells whether the work is under way.
    #[must_use]
    pub fn running(&self) -> bool {
        matches!(self.cell.lock().state, State::Running)
    }

    /// Tells whether the future was cancelled.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        matches!(self.cell.lock().state, State::Cancelled(_) | State::Notified(_))
    }

    /// Cancels the future, unless its work is under way or done: true if it is cancelled now.
    ///
    /// Callbacks run at once, in this thread.
    pub fn cancel(&self) -> bool {
        self.cancel_as(Cancelled::new())
    }

    /// Cancels the future, with a reason.
    pub fn cancel_with(&self, message: impl Into<String>) -> bool {
        self.cancel_as(Cancelled::with_message(Some(message.into().into())))
    }

    /// Cancels the future as something else was cancelled.
    pub fn cancel_as(&self, cancelled: Cancelled) -> bool {
        let changed = transition(&self.cell, |inner| match inner.state {
            State::Pending => {
                inner.state = State::Cancelled(cancelled);
                Ok(true)
            }
            State::Cancelled(_) | State::Notified(_) => Err(true),
            _ => Err(false),
        });
        changed.unwrap_or_else(|unchanged| unchanged)
    }

    /// Blocks the thread until the future is over and returns its value; `concurrent.futures`' `result(timeout)`.
    ///
    /// `None` waits for ever. The value is moved out, or cloned if other read ends exist.
    ///
    /// # Errors
    ///
    /// [`WaitError`] if the time was up, or the future ended without a value.
    ///
    /// # Panics
    ///
    /// If the value was moved out before. Never call it on a loop's own thread for what that loop is to do: it would
    /// wait for itself.
    pub fn result(&mut self, timeout: Option<Duration>) -> Result<T, WaitError> {
        let deadline = deadline(timeout);
        loop {
            if !self.cell.wait_until(deadline, |state| state.is_done() && !matches!(state, State::Lent)) {
                return Err(WaitError::TimedOut);
            }
            if let Some(read) = self.cell.read() {
                return read.map_err(WaitError::Ended);
            } // Else another reader was quicker, and lends the value to itself.
        }
    }

    /// Blocks the thread until the future is over: false if the time was up before.
    #[must_use]
    pub fn wait(&self, timeout: Option<Duration>) -> bool {
        self.cell.wait_until(deadline(timeout), State::is_done)
    }

    /// Calls `f` with the value, if the future finished with one and it is still there; other readers wait meanwhile.
    pub fn with_value<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        self.cell.with_value(f)
    }

    /// Moves the value out, or says why there is none, if the future is over.
    ///
    /// # Panics
    ///
    /// If the value was moved out before.
    pub fn take(&mut self) -> Option<Result<T, FutureError>> {
        self.cell.read()
    }

    /// Returns a second read end; the value is cloned for all but the last reader.
    pub fn share(&self) -> Future<T>
    where
        T: Clone,
    {
        let mut inner = self.cell.lock();
        inner.readers += 1;
        inner.clone = Some(T::clone);
        drop(inner);
        Future::new(Arc::clone(&self.cell))
    }

    /// Has `callback` called when the future is over, in the thread that completes or cancels it; now, in this one, if
    /// it is over. `concurrent.futures`' `add_done_callback`.
    ///
    /// Callbacks run in the order in which they were added, under no lock. A panic of one is reported and stops no other.
    pub fn add_done_callback(&self, callback: impl FnOnce(&Future<T>) + Send + 'static) -> Option<CallbackKey> {
        let callback: Callback<T> = Box::new(callback);
        match self.cell.add_callback(callback) {
            Ok(key) => Some(key),
            Err(callback) => {
                callback(&Future::view(&self.cell));
                None
            }
        }
    }

    /// Takes a callback back: false if it has run, or is about to.
    pub fn remove_done_callback(&self, key: CallbackKey) -> bool {
        self.cell.remove_callback(key)
    }
}

impl<T, E: Clone> Future<Result<T, E>> {
    /// Blocks the thread until the future is over and returns its error, if it has one; `exception(timeout)`.
    ///
    /// # Errors
    ///
    /// [`WaitError`] if the time was up, or the future ended without a value.
    pub fn exception(&self, timeout: Option<Duration>) -> Result<Option<E>, WaitError> {
        if !self.wait(timeout) {
            return Err(WaitError::TimedOut);
        }
        if let Some(error) = self.with_value(|value| value.as_ref().err().cloned()) {
            return Ok(error);
        }
        match self.cell.read() {
            Some(Err(error)) => Err(WaitError::Ended(error)),
            _ => Ok(None), // The value came back between the two looks, and was moved out: it was no error of ours.
        }
    }
}

/// Turns a timeout into a moment; one that no clock will reach is none.
fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

impl<T: Clone> Clone for Future<T> {
    fn clone(&self) -> Future<T> {
        self.share()
    }
}

impl<T> std::future::Future for Future<T> {
    type Output = Result<T, FutureError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(read) = self.cell.read() {
            return Poll::Ready(read);
        }
        let waker = cx.waker().clone(); // User code: before the lock.
        let mut inner = self.cell.lock();
        let key = self.waker.unwrap_or_else(|| inner.next_key());
        let unreadable = matches!(inner.state, State::Pending | State::Running | State::Lent);
        let old = inner.set_waker(key, waker);
        drop(inner);
        drop(old);
        self.waker = Some(key);
        if !unreadable {
            cx.waker().wake_by_ref(); // It ended between the two locks; the next poll reads it.
        }
        wait_on(Waiting::Leaf(&"concurrent::Future"));
        Poll::Pending
    }
}

impl<T> Unpin for Future<T> {}

impl<T> Drop for Future<T> {
    fn drop(&mut self) {
        if let Some(key) = self.waker {
            self.cell.remove(key);
        }
        if self.counted {
            self.cell.lock().readers -= 1;
        }
    }
}

impl<T> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.cell.lock().state {
            State::Pending => "pending",
            State::Running => "running",
            State::Cancelled(_) | State::Notified(_) => "cancelled",
            State::Finished(_) | State::Lent | State::Taken => "finished",
            State::Broken => "broken",
            State::Panicked(_) => "panicked",
        };
        f.debug_struct("Future").field("state", &state).finish_non_exhaustive()
    }
}
