//! The write end.

use crate::cell::Core;
use crate::{Future, FutureError};
use corio_seam::{Cancelled, Panic, Report, report};
use std::error::Error;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// Makes a loop-bound promise and its future; asyncio's `loop.create_future()`.
///
/// # Examples
///
/// ```
/// let (promise, future) = corio_future::promise();
/// promise.set_result(42).unwrap();
/// assert_eq!(pollster::block_on(future).unwrap(), 42);
/// ```
#[must_use]
pub fn promise<T>() -> (Promise<T>, Future<T>) {
    let core = Core::new();
    (Promise { core: Some(Rc::clone(&core)) }, Future::new(core))
}

/// Makes a promise whose future is cancelled by asking `canceller`, in the place of ending it.
///
/// `canceller` gets the reason, and returns whether it will see to the end, for instance by cancelling what the promise
/// stands for; the keeper then ends the future with [`Promise::cancel`], or otherwise. `gather` is made of this. The
/// canceller is asked at each cancel until the future is over, and dropped then.
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// let asked = Rc::new(Cell::new(0));
/// let count = Rc::clone(&asked);
/// let (promise, future) = corio_future::promise_with_canceller::<()>(move |_| {
///     count.set(count.get() + 1);
///     true
/// });
/// assert!(future.cancel());
/// assert!(!future.done());
/// assert_eq!(asked.get(), 1);
/// promise.cancel(corio_future::Cancelled::new());
/// assert!(future.cancelled());
/// ```
#[must_use]
pub fn promise_with_canceller<T>(canceller: impl Fn(Option<Arc<str>>) -> bool + 'static) -> (Promise<T>, Future<T>) {
    let (promise, future) = promise();
    if let Some(core) = &promise.core {
        core.set_canceller(Box::new(canceller));
    }
    (promise, future)
}

/// The write end of a loop-bound cell: sets it, once.
///
/// Every way to end the future takes the promise, so that a second ending does not compile; asyncio raises
/// `InvalidStateError`. Dropped unkept it breaks: the future ends with [`FutureError::BrokenPromise`]. `!Send`.
#[must_use = "dropping a promise breaks it"]
pub struct Promise<T> {
    /// None once the promise is kept.
    core: Option<Rc<Core<T>>>,
}

impl<T> Promise<T> {
    /// Sets the value; asyncio's `Future.set_result`.
    ///
    /// Those who await are woken, and callbacks become entries of the loop's ready queue, in the order in which they
    /// asked. Where no loop runs, the callbacks run before this returns.
    ///
    /// # Errors
    ///
    /// The value, if the future was cancelled.
    #[inline]
    pub fn set_result(mut self, value: T) -> Result<(), T> {
        match self.core.take() {
            Some(core) if !core.is_done() => {
                core.finish(value);
                Ok(())
            }
            _ => Err(value),
        }
    }

    /// Ends the future as cancelled; nothing happens if it is over.
    pub fn cancel(mut self, cancelled: Cancelled) {
        self.fail(FutureError::Cancelled(cancelled));
    }

    /// Ends the future with the message of a panic; nothing happens if it is over.
    pub fn set_panic(mut self, panic: Panic) {
        let message = panic.message().unwrap_or("a payload that is no text").into();
        self.fail(FutureError::Panicked(message));
    }

    /// Ends the future as another one ended; nothing happens if it is over.
    pub fn set_error(mut self, error: FutureError) {
        self.fail(error);
    }

    fn fail(&mut self, error: FutureError) {
        if let Some(core) = self.core.take() {
            if !core.is_done() {
                core.fail(error);
            }
        }
    }

    /// Tells whether the future is over already: cancelled, for nothing else can end it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.core.as_ref().is_some_and(|core| core.is_done())
    }
}

impl<T, E: Into<Box<dyn Error>>> Promise<Result<T, E>> {
    /// Sets an error; asyncio's `Future.set_exception`.
    ///
    /// If nobody ever looks at it, it is reported to the loop's exception handler when the last end is dropped.
    ///
    /// # Errors
    ///
    /// The error, if the future was cancelled.
    pub fn set_exception(self, error: E) -> Result<(), E> {
        if let Some(core) = &self.core {
            core.set_report(report_unlooked::<T, E>);
        }
        self.set_result(Err(error)).map_err(|value| match value {
            Err(error) => error,
            Ok(_) => unreachable!("the value given back is the one given in"),
        })
    }
}

fn report_unlooked<T, E: Into<Box<dyn Error>>>(value: Result<T, E>) {
    if let Err(error) = value {
        report(Report::new("future exception was never retrieved").with_error(error));
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        self.fail(FutureError::BrokenPromise);
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").field("is_cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}
