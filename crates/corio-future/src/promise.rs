//! The write end.

use crate::cell::{Core, Helper, State, unlooked};
use crate::listeners::NO_KEY;
use crate::{Future, FutureError};
use corio_seam::{Cancelled, Panic, Thin, Waitable, Waiting, report, wait_on};
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Makes a loop-bound promise and its future; asyncio's `loop.create_future()`.
///
/// # Examples
///
/// ```
/// let (promise, future) = corio_future::promise();
/// promise.set_result(42).unwrap();
/// assert_eq!(pollster::block_on(future).unwrap(), 42);
/// ```
#[inline]
pub fn promise<T: 'static>() -> (Promise<T>, Future<T>) {
    let core = Core::new();
    (Promise { core: Rc::clone(&core) }, Future::new(core))
}

/// Makes a promise whose future is cancelled by asking `canceller`, in the place of ending it.
///
/// `canceller` gets the reason, and returns whether it will see to the end, for instance by cancelling what the promise
/// stands for; the keeper then ends the future with [`Promise::cancel`], or otherwise. `gather` is made of this. It is
/// asked at each cancel while the future is pending, also from within itself, and dropped when the future is over or its
/// last read end is gone. A panic of it goes to whoever cancels.
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
pub fn promise_with_canceller<T: 'static>(
    canceller: impl Fn(Option<Arc<str>>) -> bool + 'static,
) -> (Promise<T>, Future<T>) {
    let (promise, future) = promise();
    promise.core.set_helper(Rc::new(Canceller(canceller)));
    (promise, future)
}

/// Makes a promise that stands for something else: its future is cancelled by asking `what`, and waits for what that waits
/// for, in the await graph.
///
/// As [`promise_with_canceller`], with more to say of itself.
///
/// # Examples
///
/// ```
/// use corio_seam::Waitable;
/// use std::rc::Rc;
/// use std::sync::Arc;
///
/// struct Both(corio_future::Future<u32>, corio_future::Future<u32>);
///
/// impl Waitable for Both {
///     fn cancel(&self, _: Option<Arc<str>>) -> bool {
///         self.0.cancel() | self.1.cancel()
///     }
///
///     fn describe(&self) -> String {
///         "both".to_string()
///     }
///
///     fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
///         visit(self.0.waitable());
///         visit(self.1.waitable());
///     }
/// }
///
/// let ((_one, first), (_two, second)) = (corio_future::promise(), corio_future::promise());
/// let (_sum, future) = corio_future::promise_for::<u32>(Both(first, second));
/// assert_eq!(future.waitable().describe(), "both pending");
/// ```
pub fn promise_for<T: 'static>(what: impl Waitable + 'static) -> (Promise<T>, Future<T>) {
    let (promise, future) = promise();
    promise.core.set_helper(Rc::new(StandsFor(what)));
    (promise, future)
}

/// What a promise stands for.
struct StandsFor<W>(W);

impl<W: Waitable> Helper for StandsFor<W> {
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        self.0.cancel(message)
    }

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        self.0.waits_for(visit);
    }
}

/// A function that acts in the place of cancelling.
struct Canceller<F>(F);

impl<F: Fn(Option<Arc<str>>) -> bool> Helper for Canceller<F> {
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        (self.0)(message)
    }
}

/// The write end of a loop-bound cell: sets it, once.
///
/// Every way to end the future takes the promise, so that a second ending does not compile; asyncio raises
/// `InvalidStateError`. Dropped unkept it breaks: the future ends with [`FutureError::BrokenPromise`]. `!Send`; between
/// threads take [`concurrent::Promise`](crate::concurrent::Promise).
///
/// # Examples
///
/// A second ending is an error of the compiler:
///
/// ```compile_fail,E0382
/// let (promise, future) = corio_future::promise();
/// promise.set_result(1).unwrap();
/// promise.set_result(2).unwrap();
/// ```
#[must_use = "dropping a promise breaks it"]
pub struct Promise<T> {
    core: Rc<Thin<Core<T>>>,
}

impl<T> Promise<T> {
    /// Sets the value; asyncio's `Future.set_result`.
    ///
    /// Those who await are woken, and callbacks become entries of the loop's ready queue, in the order in which they
    /// asked. Where no loop runs, the callbacks run before the outermost such call on the thread returns. A panic of a
    /// waker or a callback is reported, and stops no other.
    ///
    /// # Errors
    ///
    /// The value, if the future was cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// let (promise, future) = corio_future::promise();
    /// future.cancel();
    /// assert_eq!(promise.set_result("too late"), Err("too late"));
    /// ```
    #[inline]
    pub fn set_result(self, value: T) -> Result<(), T> {
        self.core.finish(value)
    }

    /// Ends the future as cancelled; nothing happens if it is over.
    pub fn cancel(self, cancelled: Cancelled) {
        self.set_error(FutureError::Cancelled(cancelled));
    }

    /// Ends the future with the message of a panic; nothing happens if it is over.
    ///
    /// If nobody ever looks at it, it is reported to the loop's exception handler when the last end is dropped.
    pub fn set_panic(self, panic: Panic) {
        let message = panic.message().unwrap_or("a payload that is no text").into();
        self.set_error(FutureError::Panicked(message));
    }

    /// Ends the future as another one ended; nothing happens if it is over.
    pub fn set_error(self, error: FutureError) {
        self.core.fail(error);
    }

    /// Tells whether the future was cancelled, so that the work need not be done.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.core.state() == State::Cancelled
    }

    /// Waits until the future is cancelled; for ever if it never is.
    ///
    /// # Cancel safety
    ///
    /// Dropping it loses nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut promise, future) = corio_future::promise::<u32>();
    /// future.cancel();
    /// pollster::block_on(promise.cancelled());
    /// ```
    pub fn cancelled(&mut self) -> WaitCancelled<'_, T> {
        WaitCancelled { promise: self, waker: NO_KEY }
    }
}

impl<T, E: Into<Box<dyn Error>>> Promise<Result<T, E>> {
    /// Sets an error; asyncio's `Future.set_exception`.
    ///
    /// If nobody ever looks at it (by `result`, `exception`, `cancel` or awaiting), it is reported to the loop's exception
    /// handler when the last end is dropped: "future exception was never retrieved".
    ///
    /// # Errors
    ///
    /// The error, if the future was cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// let (promise, future) = corio_future::promise::<Result<(), String>>();
    /// promise.set_exception("boom".to_owned()).unwrap();
    /// assert_eq!(*future.exception().unwrap().unwrap(), "boom");
    /// ```
    pub fn set_exception(self, error: E) -> Result<(), E> {
        self.core.set_report(report_unlooked::<T, E>);
        self.set_result(Err(error)).map_err(|value| match value {
            Err(error) => error,
            Ok(_) => unreachable!("the value given back is the one given in"),
        })
    }
}

fn report_unlooked<T, E: Into<Box<dyn Error>>>(value: Result<T, E>) {
    if let Err(error) = value {
        report(unlooked().with_error(error));
    }
}

impl<T> Drop for Promise<T> {
    #[inline]
    fn drop(&mut self) {
        if !self.core.is_done() {
            self.core.fail(FutureError::BrokenPromise);
        }
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").field("is_cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

/// Future of [`Promise::cancelled`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct WaitCancelled<'p, T> {
    promise: &'p mut Promise<T>,
    /// The key of our waker, once there was one.
    waker: u64,
}

impl<T> std::future::Future for WaitCancelled<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let WaitCancelled { promise, waker } = &mut *self;
        if promise.core.is_done() || !promise.core.listen(waker, cx.waker()) {
            return Poll::Ready(());
        }
        wait_on(Waiting::Leaf(&"Promise.cancelled"));
        Poll::Pending
    }
}

impl<T> Drop for WaitCancelled<'_, T> {
    fn drop(&mut self) {
        self.promise.core.unlisten(self.waker);
    }
}

impl<T> fmt::Debug for WaitCancelled<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitCancelled").finish_non_exhaustive()
    }
}
