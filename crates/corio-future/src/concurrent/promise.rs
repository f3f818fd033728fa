//! The write end.

use super::Future;
use super::cell::{Cell, State, transition};
use crate::sync::Arc;
use corio_seam::Panic;
use std::fmt;

/// Makes a thread-safe promise and its future.
#[must_use]
pub fn promise<T>() -> (Promise<T>, Future<T>) {
    let cell = Arc::new(Cell::new());
    (Promise { cell: Arc::clone(&cell) }, Future::new(cell))
}

/// The write end of a thread-safe cell: sets it once, from any thread.
///
/// Dropped unkept it breaks: the future ends with [`FutureError::BrokenPromise`](super::FutureError::BrokenPromise).
/// `Send` and `Sync` if `T` is `Send`.
#[must_use = "dropping a promise breaks it"]
pub struct Promise<T> {
    cell: Arc<Cell<T>>,
}

impl<T> Promise<T> {
    /// Says that the work begins: false if it was cancelled, and need not be done.
    ///
    /// From then on [`Future::cancel`] is refused. `concurrent.futures`' `set_running_or_notify_cancel`.
    ///
    /// # Panics
    ///
    /// If called twice.
    pub fn set_running_or_notify_cancel(&self) -> bool {
        let mut refused = false;
        let changed = transition(&self.cell, |inner| match &inner.state {
            State::Pending => {
                inner.state = State::Running;
                Ok(true)
            }
            State::Cancelled(cancelled) => {
                inner.state = State::Notified(cancelled.clone());
                Ok(false)
            }
            _ => {
                refused = true;
                Err(false)
            }
        });
        assert!(!refused, "`set_running_or_notify_cancel` was called twice");
        changed.unwrap_or_else(|unchanged| unchanged)
    }

    /// Sets the value, and calls back everybody, in this thread.
    ///
    /// # Errors
    ///
    /// The value, if the future was cancelled.
    pub fn set_result(self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        let set = transition(&self.cell, |inner| {
            if inner.state.is_done() {
                return Err(());
            }
            if let Some(value) = value.take() {
                inner.state = State::Finished(value);
            }
            Ok(())
        });
        match (set, value) {
            (Err(()), Some(value)) => Err(value),
            _ => Ok(()),
        }
    }

    /// Ends the future with a panic; nothing happens if it was cancelled.
    pub fn set_panic(self, panic: Panic) {
        let mut panic = Some(panic);
        let _ = transition(&self.cell, |inner| match panic.take_if(|_| !inner.state.is_done()) {
            Some(panic) => {
                inner.state = State::Panicked(panic);
                Ok(())
            }
            None => Err(()),
        });
        drop(panic); // Its payload's destructor is user code: not under the lock.
    }

    /// Cancels the future from the write end, also when the work was running; used to pass a cancellation on.
    pub fn cancel(self, cancelled: corio_seam::Cancelled) {
        let _ = transition(&self.cell, |inner| {
            if inner.state.is_done() {
                return Err(());
            }
            inner.state = State::Notified(cancelled);
            Ok(())
        });
    }

    /// Tells whether the future was cancelled, so that the work need not be done.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.cell.lock().state, State::Cancelled(_) | State::Notified(_))
    }
}

impl<T, E> Promise<Result<T, E>> {
    /// Sets an error; `concurrent.futures`' `set_exception`.
    ///
    /// # Errors
    ///
    /// The error, if the future was cancelled.
    pub fn set_exception(self, error: E) -> Result<(), E> {
        self.set_result(Err(error)).map_err(|value| match value {
            Err(error) => error,
            Ok(_) => unreachable!("the value given back is the one given in"),
        })
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        let _ = transition(&self.cell, |inner| match &inner.state {
            State::Pending | State::Running => {
                inner.state = State::Broken;
                Ok(())
            }
            State::Cancelled(cancelled) => {
                inner.state = State::Notified(cancelled.clone());
                Ok(())
            }
            _ => Err(()),
        });
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").field("is_cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}
