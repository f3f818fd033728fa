//! The read end.

use crate::cell::{Core, State};
use crate::listeners::NO_KEY;
use crate::{FutureError, InvalidState};
use corio_seam::{Context, Node, TargetId, Thin, Waitable, heard, wait_on_target};
use std::cell::Ref;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

/// The name of a done callback, to take it back by; good for the future that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallbackKey(pub(crate) u64);

/// The read end of a loop-bound cell: awaits it, is called back by it, or cancels it. asyncio's `Future`.
///
/// Awaiting moves the value out. To await it many times, [`share`](Future::share) it: every end but the last gets a
/// clone. The name is that of std's trait: write it with its path, as `corio_future::Future<T>`. `!Send`; between threads
/// take [`concurrent::Future`](crate::concurrent::Future).
///
/// # Errors
///
/// Awaiting gives [`FutureError`] if the future was cancelled by somebody else, its promise was dropped, or its keeper
/// panicked. If the awaiter itself is cancelled while it waits for nothing but this, this is cancelled in its stead, and
/// the awaiter unwinds there.
///
/// # Panics
///
/// When polled after its value was moved out, or while [`result`](Future::result) lends it from a callback.
///
/// # Cancel safety
///
/// Awaiting `&mut future` loses nothing.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Future<T: 'static> {
    core: Rc<Thin<Core<T>>>,
    /// The key of our waker in the cell, once there was one; or [`VIEW`].
    waker: u64,
}

/// In the place of a key: the read end that callbacks are lent, which is not counted.
const VIEW: u64 = u64::MAX;

impl<T: 'static> Future<T> {
    #[inline]
    pub(crate) fn new(core: Rc<Thin<Core<T>>>) -> Future<T> {
        Future { core, waker: NO_KEY }
    }

    /// Makes a read end that is not counted, and is never polled.
    pub(crate) fn view(core: Rc<Thin<Core<T>>>) -> Future<T> {
        Future { core, waker: VIEW }
    }

    pub(crate) fn core(&self) -> &Rc<Thin<Core<T>>> {
        &self.core
    }

    /// Tells whether the future is over; asyncio's `Future.done`.
    #[inline]
    #[must_use]
    pub fn done(&self) -> bool {
        self.core.is_done()
    }

    /// Tells whether the future was cancelled; asyncio's `Future.cancelled`.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.core.state() == State::Cancelled
    }

    /// Cancels the future; false if it is over. asyncio's `Future.cancel()`.
    ///
    /// Of one that ended with an error it says that nobody need be told, as in asyncio.
    pub fn cancel(&self) -> bool {
        self.core.cancel(None)
    }

    /// Cancels the future, with a reason; asyncio's `Future.cancel(msg)`.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_promise, future) = corio_future::promise::<()>();
    /// assert!(future.cancel_with("enough"));
    /// let error = pollster::block_on(future).unwrap_err();
    /// assert_eq!(error.to_string(), "future was cancelled: enough");
    /// ```
    pub fn cancel_with(&self, message: impl Into<String>) -> bool {
        self.core.cancel(Some(message.into().into()))
    }

    /// Lends the value; asyncio's `Future.result()`.
    ///
    /// While it is lent it cannot be moved out, by whoever awaits the one end there is: only a callback, or a leaked
    /// `Ref`, can get in the way.
    ///
    /// # Errors
    ///
    /// [`InvalidState`] if the future is pending, ended without a value, or the value was moved out.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_future::{InvalidState, promise};
    ///
    /// let (promise, future) = promise();
    /// assert_eq!(future.result().unwrap_err(), InvalidState::Pending);
    /// promise.set_result(7).unwrap();
    /// assert_eq!(*future.result().unwrap(), 7);
    /// ```
    pub fn result(&self) -> Result<Ref<'_, T>, InvalidState> {
        if !self.done() {
            return Err(InvalidState::Pending);
        }
        let value = self.core.look().map_err(InvalidState::Ended)?;
        Ref::filter_map(value, Option::as_ref).map_err(|_| InvalidState::Taken)
    }

    /// Moves the value out, or clones it if other read ends exist, if the future is over.
    ///
    /// # Panics
    ///
    /// As awaiting.
    pub fn take(&mut self) -> Option<Result<T, FutureError>> {
        self.done().then(|| self.core.read())
    }

    /// Returns a second read end; the value is cloned for all but the last.
    ///
    /// # Examples
    ///
    /// ```
    /// let (promise, future) = corio_future::promise();
    /// let other = future.share();
    /// promise.set_result(String::from("twice")).unwrap();
    /// assert_eq!(pollster::block_on(future).unwrap(), "twice");
    /// assert_eq!(pollster::block_on(other).unwrap(), "twice");
    /// ```
    pub fn share(&self) -> Future<T>
    where
        T: Clone,
    {
        self.core.add_reader(T::clone);
        Future::new(Rc::clone(&self.core))
    }
}

impl<T: 'static, E: 'static> Future<Result<T, E>> {
    /// Lends the error, if the future ended with one; asyncio's `Future.exception()`.
    ///
    /// # Errors
    ///
    /// [`InvalidState`] if the future is pending, ended without a value, or the value was moved out.
    pub fn exception(&self) -> Result<Option<Ref<'_, E>>, InvalidState> {
        let value = self.result()?;
        Ok(Ref::filter_map(value, |value| value.as_ref().err()).ok())
    }
}

impl<T: 'static> Future<T> {
    /// Has `callback` called when the future is over, through the loop; asyncio's `Future.add_done_callback`.
    ///
    /// It is never called by `set_result` itself: it becomes one entry of the ready queue, at the end or now if the
    /// future is over; where no loop runs, the outermost `set_result`, `cancel` or `add_done_callback` on the thread calls
    /// it before it returns. A loop that is closing drops it uncalled. Callbacks run in the order in which they were
    /// added, each in a copy of the [context](corio_seam::Context) that is current now. A panic of one is reported, and
    /// stops no other. The value may be gone by then, if somebody who awaits it asked before.
    ///
    /// # Examples
    ///
    /// ```
    /// let (promise, future) = corio_future::promise();
    /// let (said, hear) = std::sync::mpsc::channel();
    /// future.add_done_callback(move |future| said.send(*future.result().unwrap()).unwrap());
    /// promise.set_result(7).unwrap();
    /// assert_eq!(hear.try_recv(), Ok(7));
    /// ```
    pub fn add_done_callback(&self, callback: impl FnOnce(&Future<T>) + 'static) -> CallbackKey {
        let core = Rc::clone(&self.core);
        CallbackKey(self.core.add_callback(Node::new(move || callback(&Future::view(core)))))
    }

    /// Has `callback` called when the future is over, in `context`, which is shared; asyncio's
    /// `add_done_callback(f, context=context)`.
    pub fn add_done_callback_in(&self, context: &Context, callback: impl FnOnce(&Future<T>) + 'static) -> CallbackKey {
        let core = Rc::clone(&self.core);
        let node = Node::in_context(context, move || callback(&Future::view(core)));
        CallbackKey(self.core.add_callback(node))
    }

    /// Takes a callback back: false if it ran, or is on its way. asyncio's `remove_done_callback`.
    ///
    /// asyncio removes every copy of a function and counts them; a key names one.
    pub fn remove_done_callback(&self, key: CallbackKey) -> bool {
        self.core.remove_callback(key.0)
    }

    /// Returns it as the await graph and whoever forwards a cancellation see it, without its type.
    #[must_use]
    pub fn waitable(&self) -> Rc<dyn Waitable> {
        Rc::clone(&self.core) as Rc<dyn Waitable>
    }

    /// Says that the one who awaits waits for this, and has it driven if it has a source that no loop drives.
    #[inline(never)]
    fn wait(&mut self, cx: &mut std::task::Context<'_>) -> Poll<()> {
        if !self.core.listen(&mut self.waker, cx.waker()) {
            return Poll::Ready(());
        }
        if let Some(helper) = self.core.helper() {
            helper.drive(self.waker, cx);
            if self.done() {
                return Poll::Ready(());
            }
        }
        wait_on_target(&self.core);
        Poll::Pending
    }
}

impl<T: Clone + 'static> Clone for Future<T> {
    fn clone(&self) -> Future<T> {
        self.share()
    }
}

impl<T: 'static> std::future::Future for Future<T> {
    type Output = Result<T, FutureError>;

    #[inline(always)] // As `Core::read` says.
    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        if !self.done() && self.wait(cx).is_pending() {
            return Poll::Pending;
        }
        // A request is forwarded only to what was waited for.
        if self.waker != NO_KEY && heard(TargetId::of(Rc::as_ptr(&self.core)), self.cancelled()) {
            return Poll::Pending; // The awaiter's own cancellation came back: the scope around it ends here.
        }
        Poll::Ready(self.core.read())
    }
}

impl<T: 'static> Unpin for Future<T> {}

impl<T: 'static> Waitable for Future<T> {
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        self.core.cancel(message)
    }

    fn describe(&self) -> String {
        self.core.describe()
    }

    fn is_over(&self) -> bool {
        self.done()
    }

    fn target_id(&self) -> TargetId {
        TargetId::of(Rc::as_ptr(&self.core))
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        Waitable::waits_for(&*self.core, visit);
    }
}

impl<T: 'static> Drop for Future<T> {
    #[inline]
    fn drop(&mut self) {
        if self.waker == VIEW {
            return;
        }
        if self.waker != NO_KEY && !self.done() {
            self.leave();
        }
        self.core.remove_reader();
        Core::keep(&mut self.core);
    }
}

impl<T: 'static> Future<T> {
    /// Waits no more: a function of its own, so that the end of one that is over is short.
    #[inline(never)]
    fn leave(&self) {
        self.core.unlisten(self.waker);
        if let Some(helper) = self.core.helper() {
            helper.leave(self.waker);
        }
    }
}

impl<T: 'static> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, listeners) = (self.core.state_name(), self.core.listeners());
        f.debug_struct("Future").field("state", &state).field("listeners", &listeners).finish_non_exhaustive()
    }
}
