//! The read end.

use crate::cell::{CallbackKey, Core, SCHEDULED_AT_ONCE, State};
use crate::{FutureError, InvalidState, trampoline};
use corio_seam::{Cancelled, Node, TargetId, Waiting, heard, wait_on};
use std::cell::Ref;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The read end of a loop-bound cell: awaits it, is called back by it, or cancels it. asyncio's `Future`.
///
/// Awaiting moves the value out. To await it many times, [`share`](Future::share) it: every end but the last gets a
/// clone. The name is that of std's trait: write it with its path, as `corio_future::Future<T>`.
///
/// # Errors
///
/// Awaiting gives [`FutureError`] if the future was cancelled by somebody else, or its promise was dropped. If the awaiter
/// itself is cancelled while it waits for nothing but this, this is cancelled in its stead, and the awaiter unwinds there.
///
/// # Panics
///
/// When polled after its value was moved out.
///
/// # Cancel safety
///
/// Awaiting `&mut future` loses nothing.
///
/// # Thread-safety
///
/// `!Send`; between threads take [`concurrent::Future`](crate::concurrent::Future).
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Future<T> {
    core: Rc<Core<T>>,
    /// The number of our waker in the cell; 0 before there was one.
    waker: u64,
    /// Whether this end is counted as a reader: not the one that callbacks are lent.
    counted: bool,
}

impl<T> Future<T> {
    pub(crate) fn new(core: Rc<Core<T>>) -> Future<T> {
        Future { core, waker: 0, counted: true }
    }

    fn view(core: Rc<Core<T>>) -> Future<T> {
        Future { core, waker: 0, counted: false }
    }

    pub(crate) fn core(&self) -> &Rc<Core<T>> {
        &self.core
    }

    /// Tells whether the future is over; asyncio's `Future.done`.
    #[must_use]
    pub fn done(&self) -> bool {
        self.core.is_done()
    }

    /// Tells whether the future was cancelled; asyncio's `Future.cancelled`.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.core.is_cancelled()
    }

    /// Cancels the future; false if it is over. asyncio's `Future.cancel()`.
    pub fn cancel(&self) -> bool {
        Future::cancel_core(&self.core, None)
    }

    /// Cancels the future, with a reason; asyncio's `Future.cancel(msg)`.
    pub fn cancel_with(&self, message: impl Into<String>) -> bool {
        Future::cancel_core(&self.core, Some(message.into().into()))
    }

    pub(crate) fn cancel_core(core: &Core<T>, message: Option<Arc<str>>) -> bool {
        core.looked.set(true);
        if core.is_done() {
            return false;
        }
        let asked = core.ask_canceller(message.clone());
        if asked.is_none() {
            core.fail(FutureError::Cancelled(Cancelled::with_message(message)));
        }
        trampoline::drain();
        asked.unwrap_or(true)
    }

    /// Lends the value; asyncio's `Future.result()`.
    ///
    /// # Errors
    ///
    /// [`InvalidState`] if the future is pending, ended without a value, or the value was moved out.
    pub fn result(&self) -> Result<Ref<'_, T>, InvalidState> {
        self.core.looked.set(true);
        match self.core.state.get() {
            State::Pending => Err(InvalidState::Pending),
            State::Finished => {
                Ref::filter_map(self.core.value.borrow(), Option::as_ref).map_err(|_| InvalidState::Taken)
            }
            State::Failed => Err(InvalidState::Ended(self.failure())),
        }
    }

    fn failure(&self) -> FutureError {
        self.core.error().unwrap_or(FutureError::BrokenPromise)
    }

    /// Moves the value out, or clones it if other read ends exist, if the future is over.
    ///
    /// # Panics
    ///
    /// If the value was moved out before.
    pub fn take(&mut self) -> Option<Result<T, FutureError>> {
        self.core.looked.set(true);
        match self.core.state.get() {
            State::Pending => None,
            State::Failed => Some(Err(self.failure())),
            State::Finished => Some(Ok(self.take_value())),
        }
    }

    #[inline]
    fn take_value(&self) -> T {
        if let Some(clone) = self.core.clone.get().filter(|_| self.core.readers.get() > 1) {
            if let Some(value) = &*self.core.value.borrow() {
                return clone(value); // Shared borrows only can meet this one: others that clone, or look.
            }
        }
        let value = self.core.value.take();
        value.expect("a future was awaited after its value had been moved out: `share` it to await it twice")
    }

    /// Returns a second read end; the value is cloned for all but the last.
    pub fn share(&self) -> Future<T>
    where
        T: Clone,
    {
        self.core.clone.set(Some(T::clone));
        self.core.readers.set(self.core.readers.get() + 1);
        Future::new(Rc::clone(&self.core))
    }
}

impl<T, E> Future<Result<T, E>> {
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
    /// it before it returns. Callbacks run in the order in which they were added. A panic of one is reported, and stops
    /// no other. The value may be gone by then, if somebody who awaits it asked before.
    pub fn add_done_callback(&self, callback: impl FnOnce(&Future<T>) + 'static) -> CallbackKey {
        let core = Rc::clone(&self.core);
        let node = Node::new(move || callback(&Future::view(core)));
        if !self.done() {
            return self.core.add_callback(node);
        }
        trampoline::schedule(node);
        trampoline::drain();
        SCHEDULED_AT_ONCE
    }

    /// Takes a callback back: false if it ran, or is on its way. asyncio's `remove_done_callback`.
    pub fn remove_done_callback(&self, key: CallbackKey) -> bool {
        self.core.remove_callback(key)
    }
}

impl<T: Clone> Clone for Future<T> {
    fn clone(&self) -> Future<T> {
        self.share()
    }
}

impl<T: 'static> std::future::Future for Future<T> {
    type Output = Result<T, FutureError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.done() {
            self.core.ask_driver(cx);
        }
        if self.done() {
            if heard(self.target(), self.core.state.get() == State::Failed && self.cancelled()) {
                wait_on(Waiting::Leaf(&"resume"));
                return Poll::Pending;
            }
            return self.take().map_or(Poll::Pending, Poll::Ready);
        }
        if self.waker == 0 {
            self.waker = self.core.next_key();
        }
        if !self.core.has_waker(self.waker, cx.waker()) {
            self.core.set_waker(self.waker, cx.waker());
        }
        wait_on(Waiting::Target(Rc::clone(&self.core) as Rc<dyn corio_seam::Waitable>));
        Poll::Pending
    }
}

impl<T> Future<T> {
    fn target(&self) -> TargetId {
        TargetId::of(Rc::as_ptr(&self.core))
    }
}

impl<T> Unpin for Future<T> {}

impl<T> Drop for Future<T> {
    fn drop(&mut self) {
        if self.waker != 0 && !self.done() {
            self.core.drop_waker(self.waker);
        }
        if self.counted {
            self.core.readers.set(self.core.readers.get() - 1);
            if self.core.readers.get() == 0 {
                self.core.forget_helpers();
            }
        }
    }
}

impl<T> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.core.state.get() {
            State::Pending => "pending",
            State::Finished => "finished",
            State::Failed if self.cancelled() => "cancelled",
            State::Failed => "failed",
        };
        f.debug_struct("Future").field("state", &state).finish_non_exhaustive()
    }
}
