//! The write end.

use super::Future;
use super::cell::{Cell, State, transition};
use crate::sync::Arc;
use corio_seam::{Cancelled, Panic};
use std::fmt;

/// Makes a thread-safe promise and its future.
///
/// # Examples
///
/// ```
/// let (promise, mut future) = corio_future::concurrent::promise();
/// promise.set_result(42).unwrap();
/// assert_eq!(future.result(None).unwrap(), 42);
/// ```
pub fn promise<T>() -> (Promise<T>, Future<T>) {
    let cell = Arc::new(Cell::new());
    (Promise { cell: Arc::clone(&cell), kept: false }, Future::new(cell))
}

/// The write end of a thread-safe cell: sets it once, from any thread.
///
/// Every way to end the future takes the promise, so that a second ending does not compile. Dropped unkept it breaks: the
/// future ends with [`FutureError::BrokenPromise`](super::FutureError::BrokenPromise). `Send` and `Sync` if `T` is `Send`.
///
/// # Examples
///
/// A second ending is an error of the compiler:
///
/// ```compile_fail,E0382
/// let (promise, future) = corio_future::concurrent::promise();
/// promise.set_result(1).unwrap();
/// promise.set_result(2).unwrap();
/// ```
///
/// What may not leave its thread is refused, too:
///
/// ```compile_fail,E0277
/// let (promise, _future) = corio_future::concurrent::promise::<std::rc::Rc<u32>>();
/// std::thread::spawn(move || promise.set_result(std::rc::Rc::new(7)));
/// ```
#[must_use = "dropping a promise breaks it"]
pub struct Promise<T> {
    cell: Arc<Cell<T>>,
    /// Set by a method that ended the future: there is nothing left to break.
    kept: bool,
}

impl<T> Promise<T> {
    /// Says that the work begins: false if it was cancelled, and need not be done.
    ///
    /// From then on [`Future::cancel`] is refused. `concurrent.futures`' `set_running_or_notify_cancel`.
    ///
    /// # Panics
    ///
    /// If called twice.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_future::concurrent::promise;
    ///
    /// let (begun, future) = promise::<u32>();
    /// assert!(begun.set_running_or_notify_cancel());
    /// assert!(!future.cancel());
    ///
    /// let (unwanted, future) = promise::<u32>();
    /// assert!(future.cancel());
    /// assert!(!unwanted.set_running_or_notify_cancel());
    /// ```
    pub fn set_running_or_notify_cancel(&self) -> bool {
        let mut begun = false;
        let changed = transition(&self.cell, |inner| {
            match &inner.state {
                State::Pending => {
                    begun = true;
                    inner.state = State::Running;
                }
                State::Cancelled(cancelled) => inner.state = State::Notified(cancelled.clone()),
                _ => return false,
            }
            true
        });
        assert!(changed, "`set_running_or_notify_cancel` was called twice");
        begun
    }

    /// Sets the value, and calls back everybody, in this thread.
    ///
    /// # Errors
    ///
    /// The value, if the future was cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// let (promise, future) = corio_future::concurrent::promise();
    /// future.cancel();
    /// assert_eq!(promise.set_result("too late"), Err("too late"));
    /// ```
    pub fn set_result(self, value: T) -> Result<(), T> {
        self.finish(value, false)
    }

    fn finish(mut self, value: T, failed: bool) -> Result<(), T> {
        let mut value = Some(value);
        self.kept = transition(&self.cell, |inner| match value.take_if(|_| !inner.state.is_done()) {
            Some(value) => {
                inner.state = State::Finished(value);
                inner.failed = failed;
                true
            }
            None => false,
        });
        value.map_or(Ok(()), Err)
    }

    /// Ends the future with a panic; nothing happens if it was cancelled.
    pub fn set_panic(self, panic: Panic) {
        let mut panic = Some(panic);
        transition(&self.cell, |inner| match panic.take_if(|_| !inner.state.is_done()) {
            Some(panic) => {
                inner.state = State::Panicked(panic);
                inner.failed = true;
                true
            }
            None => false,
        });
        drop(panic); // Its payload's destructor is user code: not under the lock.
    }

    /// Cancels the future from the write end, also when the work was running; used to pass a cancellation on.
    pub fn cancel(self, cancelled: Cancelled) {
        transition(&self.cell, |inner| {
            let pending = !inner.state.is_done();
            if pending {
                inner.state = State::Notified(cancelled);
            }
            pending
        });
    }

    /// Tells whether the future was cancelled, so that the work need not be done.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cell.lock().state.is_cancelled()
    }
}

impl<T, E> Promise<Result<T, E>> {
    /// Sets an error; `concurrent.futures`' `set_exception`.
    ///
    /// To [`wait`](super::wait) it counts as an exception, as an `Err` given to [`set_result`](Promise::set_result) does
    /// not.
    ///
    /// # Errors
    ///
    /// The error, if the future was cancelled.
    pub fn set_exception(self, error: E) -> Result<(), E> {
        self.finish(Err(error), true).map_err(|value| match value {
            Err(error) => error,
            Ok(_) => unreachable!("the value given back is the one given in"),
        })
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        transition(&self.cell, |inner| {
            match &inner.state {
                State::Pending | State::Running => {
                    inner.state = State::Broken;
                    inner.failed = true;
                }
                State::Cancelled(cancelled) => inner.state = State::Notified(cancelled.clone()),
                _ => return false,
            }
            true
        });
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.cell.lock().state.describe();
        f.debug_struct("Promise").field("state", &state).finish_non_exhaustive()
    }
}
