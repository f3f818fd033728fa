//! The futures of the thread-safe queue. Their wakers are plain clones, not local ones: another thread may wake them, so a
//! loop that waits for them alone is not stuck.

use super::Queue;
use crate::state::Line;
use crate::{Fifo, GetError, PutError, ShutDown};
use corio_seam::{Waiting, wait_on};
use corio_sync::WaiterKey;
use futures_core::Stream;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Takes a waiter out of its line if it has been notified, true; else keeps it there, with the caller's waker, false.
fn leave_if_notified<T>(queue: &Queue<T>, line: Line<Fifo<T>>, key: WaiterKey, waker: &Waker) -> bool {
    let mut state = queue.state();
    let line_now = line(&mut state);
    if line_now.remove_notified(key) {
        return true;
    }
    if !line_now.will_wake(key, waker) {
        drop(state);
        let renewed = waker.clone();
        // Another thread may have notified the waiter meanwhile, and woken its old waker.
        let (unused, wake) = queue.state().renew(line, key, renewed);
        if wake {
            unused.wake();
        }
    }
    false
}

/// Future of [`Queue::get`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Get<'q, T> {
    queue: &'q Queue<T>,
    /// The place in the line, from a pending poll to the next notification.
    key: Option<WaiterKey>,
}

impl<'q, T> Get<'q, T> {
    pub(super) fn new(queue: &'q Queue<T>) -> Get<'q, T> {
        Get { queue, key: None }
    }
}

impl<T> Future for Get<'_, T> {
    type Output = Result<T, ShutDown>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, ShutDown>> {
        let this = &mut *self;
        poll_get(this.queue, &mut this.key, cx)
    }
}

/// The step of `get` and of the stream.
fn poll_get<T>(queue: &Queue<T>, key: &mut Option<WaiterKey>, cx: &Context<'_>) -> Poll<Result<T, ShutDown>> {
    if let Some(entered) = *key {
        if !leave_if_notified(queue, |state| &mut state.getters, entered, cx.waker()) {
            wait_on(Waiting::Leaf(&"concurrent::Queue.get"));
            return Poll::Pending;
        }
        *key = None;
    }
    loop {
        match queue.get_nowait() {
            Ok(item) => return Poll::Ready(Ok(item)),
            Err(GetError::ShutDown) => return Poll::Ready(Err(ShutDown(()))),
            Err(GetError::QueueEmpty) => {}
        }
        let waker = cx.waker().clone();
        let entered = queue.state().enter_get(waker);
        if let Ok(entered) = entered {
            *key = Some(entered);
            wait_on(Waiting::Leaf(&"concurrent::Queue.get"));
            return Poll::Pending;
        }
        // Another thread brought an item before this one was in the line.
    }
}

/// Takes a `get` out of the line.
fn leave_get<T>(queue: &Queue<T>, key: &mut Option<WaiterKey>) {
    if let Some(key) = key.take() {
        let left = queue.state().leave_get(key);
        left.settle();
    }
}

impl<T> Drop for Get<'_, T> {
    fn drop(&mut self) {
        leave_get(self.queue, &mut self.key);
    }
}

/// Future of [`Queue::put`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Put<'q, T> {
    queue: &'q Queue<T>,
    /// The item, until it is put or given back.
    item: Option<T>,
    /// The place in the line, from a pending poll to the next notification.
    key: Option<WaiterKey>,
}

impl<'q, T> Put<'q, T> {
    pub(super) fn new(queue: &'q Queue<T>, item: T) -> Put<'q, T> {
        Put { queue, item: Some(item), key: None }
    }

    /// Gives the item back: the time ran out.
    pub(super) fn give_up(mut self) -> Result<(), PutError<T>> {
        self.item.take().map_or(Ok(()), |item| Err(PutError::QueueFull(item)))
    }
}

/// The item is never pinned: it is moved into the queue.
impl<T> Unpin for Put<'_, T> {}

impl<T> Future for Put<'_, T> {
    type Output = Result<(), ShutDown<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), ShutDown<T>>> {
        let this = &mut *self;
        if let Some(entered) = this.key {
            if !leave_if_notified(this.queue, |state| &mut state.putters, entered, cx.waker()) {
                wait_on(Waiting::Leaf(&"concurrent::Queue.put"));
                return Poll::Pending;
            }
            this.key = None;
        }
        loop {
            let item = this.item.take().expect("`put` was polled after it had completed");
            match this.queue.put_nowait(item) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(PutError::ShutDown(item)) => return Poll::Ready(Err(ShutDown(item))),
                Err(PutError::QueueFull(item)) => this.item = Some(item),
            }
            let waker = cx.waker().clone();
            let entered = this.queue.state().enter_put(waker);
            if let Ok(entered) = entered {
                this.key = Some(entered);
                wait_on(Waiting::Leaf(&"concurrent::Queue.put"));
                return Poll::Pending;
            }
            // Another thread made room before this one was in the line.
        }
    }
}

impl<T> Drop for Put<'_, T> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            let left = self.queue.state().leave_put(key);
            left.settle();
        }
    }
}

/// Future of [`Queue::join`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Join<'q, T> {
    queue: &'q Queue<T>,
    /// The place in the line, from the first pending poll to the end.
    key: Option<WaiterKey>,
}

impl<'q, T> Join<'q, T> {
    pub(super) fn new(queue: &'q Queue<T>) -> Join<'q, T> {
        Join { queue, key: None }
    }
}

impl<T> Future for Join<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(entered) = this.key else {
            if this.queue.state().is_done() {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            let entered = this.queue.state().enter_join(waker);
            let Ok(entered) = entered else { return Poll::Ready(()) };
            this.key = Some(entered);
            wait_on(Waiting::Leaf(&"concurrent::Queue.join"));
            return Poll::Pending;
        };
        // Whoever was notified has seen the count at 0, and does not look again.
        if !leave_if_notified(this.queue, |state| &mut state.joiners, entered, cx.waker()) {
            wait_on(Waiting::Leaf(&"concurrent::Queue.join"));
            return Poll::Pending;
        }
        this.key = None;
        Poll::Ready(())
    }
}

impl<T> Drop for Join<'_, T> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            let left = self.queue.state().leave_join(key);
            left.settle();
        }
    }
}

/// The items of a thread-safe queue as they come; made by [`Queue::stream`].
///
/// It is a handle to the queue of its own. Several streams share the items.
#[must_use = "streams do nothing unless they are polled"]
pub struct Items<T> {
    queue: Queue<T>,
    /// The place in the line, from a pending poll to the next notification.
    key: Option<WaiterKey>,
}

impl<T> Items<T> {
    pub(super) fn new(queue: Queue<T>) -> Items<T> {
        Items { queue, key: None }
    }
}

impl<T> Stream for Items<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        poll_get(&this.queue, &mut this.key, cx).map(Result::ok)
    }
}

impl<T> Drop for Items<T> {
    fn drop(&mut self) {
        leave_get(&self.queue, &mut self.key);
    }
}

impl<T> fmt::Debug for Get<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Put<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Put").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Join<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("queue", &self.queue).finish_non_exhaustive()
    }
}
