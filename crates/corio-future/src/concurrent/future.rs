//! The read end.

use super::cell::{Callback, Cell, State, call, transition};
use super::{CallbackKey, FutureError, WaitError};
use crate::listeners::NO_KEY;
use crate::sync::Arc;
use corio_seam::{Cancelled, Waiting, wait_on};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
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
    /// The key of our waker in the cell, once there was one; or [`VIEW`].
    waker: u64,
}

/// In the place of a key: the read end that callbacks are lent, which is not counted.
const VIEW: u64 = u64::MAX;

impl<T> Future<T> {
    pub(super) fn new(cell: Arc<Cell<T>>) -> Future<T> {
        Future { cell, waker: NO_KEY }
    }

    /// Makes a read end that is not counted, and is never polled.
    pub(super) fn view(cell: &Arc<Cell<T>>) -> Future<T> {
        Future { cell: Arc::clone(cell), waker: VIEW }
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
        self.cell.lock().state.is_cancelled()
    }

    /// Cancels the future, unless its work is under way or done: true if it is cancelled now, or was before.
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
        let mut was_cancelled = false;
        let changed = transition(&self.cell, |inner| {
            was_cancelled = inner.state.is_cancelled();
            let pending = matches!(inner.state, State::Pending);
            if pending {
                inner.state = State::Cancelled(cancelled);
            }
            pending
        });
        changed || was_cancelled
    }

    /// Blocks the thread until the future is over and returns its value; `concurrent.futures`' `result(timeout)`.
    ///
    /// `None` waits for ever, as does a timeout that no clock will reach. The value is moved out, or cloned if other read
    /// ends exist. Never call it on a loop's own thread for what that loop is to do: it would wait for itself.
    ///
    /// # Errors
    ///
    /// [`WaitError`] if the time was up, or the future ended without a value.
    ///
    /// # Panics
    ///
    /// If the value was moved out before, and inside what looks at the value ([`with_value`](Future::with_value), a
    /// `Clone` of it), where it would wait for itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_future::concurrent::{WaitError, promise};
    /// use std::time::Duration;
    ///
    /// let (promise, mut future) = promise();
    /// assert!(matches!(future.result(Some(Duration::ZERO)), Err(WaitError::TimedOut)));
    /// promise.set_result(7).unwrap();
    /// assert_eq!(future.result(Some(Duration::ZERO)).unwrap(), 7);
    /// ```
    pub fn result(&mut self, timeout: Option<Duration>) -> Result<T, WaitError> {
        match self.cell.wait_read(deadline(timeout)) {
            Some(ending) => ending.map_err(WaitError::Ended),
            None => Err(WaitError::TimedOut),
        }
    }

    /// Blocks the thread until the future is over: false if the time was up before.
    #[must_use]
    pub fn wait(&self, timeout: Option<Duration>) -> bool {
        self.cell.wait_done(deadline(timeout))
    }

    /// Calls `f` with the value, if the future finished with one and it is still there.
    ///
    /// Other readers wait meanwhile; `f` runs under no lock.
    ///
    /// # Panics
    ///
    /// Inside what looks at the value already; and with `f`, after which the value is back.
    ///
    /// # Examples
    ///
    /// ```
    /// let (promise, future) = corio_future::concurrent::promise();
    /// future.add_done_callback(|future| assert_eq!(future.with_value(|text: &String| text.len()), Some(5)));
    /// promise.set_result("hello".to_owned()).unwrap();
    /// ```
    pub fn with_value<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        self.cell.look(f).ok().flatten()
    }

    /// Moves the value out, or clones it if other read ends exist, or says why there is none, if the future is over.
    ///
    /// `None` too while another reader has the value to clone it, or to look at it.
    ///
    /// # Panics
    ///
    /// If the value was moved out before.
    pub fn take(&mut self) -> Option<Result<T, FutureError>> {
        self.cell.try_read()
    }

    /// Returns a second read end; the value is cloned for all but the last reader.
    ///
    /// # Examples
    ///
    /// ```
    /// let (promise, mut future) = corio_future::concurrent::promise();
    /// let mut other = future.share();
    /// promise.set_result(vec![1, 2]).unwrap();
    /// assert_eq!(other.result(None).unwrap(), future.result(None).unwrap());
    /// ```
    pub fn share(&self) -> Future<T>
    where
        T: Clone,
    {
        self.cell.add_reader(T::clone);
        Future::new(Arc::clone(&self.cell))
    }

    /// Has `callback` called when the future is over, in the thread that completes or cancels it; now, in this one, if
    /// it is over. `concurrent.futures`' `add_done_callback`.
    ///
    /// Callbacks run in the order in which they were added, under no lock. A panic of one is reported and stops no other.
    pub fn add_done_callback(&self, callback: impl FnOnce(&Future<T>) + Send + 'static) -> CallbackKey {
        let callback: Callback<T> = Box::new(callback);
        let added = self.cell.add_callback(callback);
        CallbackKey(added.unwrap_or_else(|callback| {
            call(callback, &Future::view(&self.cell));
            NO_KEY
        }))
    }

    /// Takes a callback back: false if it has run, or is about to.
    pub fn remove_done_callback(&self, key: CallbackKey) -> bool {
        self.cell.remove_callback(key.0)
    }

    /// Polls without a word to the scope that runs here: nobody awaits this future.
    pub(crate) fn poll_quietly(&mut self, waker: &Waker) -> Poll<Result<T, FutureError>> {
        self.cell.poll(&mut self.waker, waker)
    }
}

impl<T, E: Clone> Future<Result<T, E>> {
    /// Blocks the thread until the future is over and returns its error, if it has one; `exception(timeout)`.
    ///
    /// Of a value that was moved out nothing is known: `None`.
    ///
    /// # Errors
    ///
    /// [`WaitError`] if the time was up, or the future ended without a value.
    pub fn exception(&self, timeout: Option<Duration>) -> Result<Option<E>, WaitError> {
        if !self.wait(timeout) {
            return Err(WaitError::TimedOut);
        }
        let error = self.cell.look(|value| value.as_ref().err().cloned());
        error.map(Option::flatten).map_err(WaitError::Ended)
    }
}

/// Turns a timeout into a moment; one that no clock will reach is none.
pub(super) fn deadline(timeout: Option<Duration>) -> Option<Instant> {
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
        let ending = self.poll_quietly(cx.waker());
        if ending.is_pending() {
            wait_on(Waiting::Leaf(&"concurrent::Future"));
        }
        ending
    }
}

impl<T> Unpin for Future<T> {}

impl<T> Drop for Future<T> {
    fn drop(&mut self) {
        if self.waker != VIEW {
            self.cell.remove_reader(self.waker);
        }
    }
}

impl<T> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.cell.lock();
        let (state, listeners) = (inner.state.describe(), inner.listeners());
        drop(inner);
        f.debug_struct("Future").field("state", &state).field("listeners", &listeners).finish_non_exhaustive()
    }
}
