//! The futures of the loop-bound queue.

use crate::state::{Line, State};
use crate::storage::Storage;
use crate::{GetError, QueueOf, ShutDown};
use corio_seam::{Waiting, local_waker, wait_on};
use corio_sync::WaiterKey;
use futures_core::Stream;
use std::cell::RefMut;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Gives a waiter another waker.
#[cold]
fn renew<S: Storage>(queue: &QueueOf<S>, line: Line<S>, key: WaiterKey, waker: &Waker) {
    let renewed = local_waker(waker);
    let (unused, wake) = queue.state().renew(line, key, renewed);
    if wake {
        unused.wake();
    }
}

/// Leaves a line, if the waiter stands there and has been notified, and lends the queue that it is to look at; `None` if it
/// must stay, with the caller's waker.
#[inline]
fn leave_line<'q, S: Storage>(
    queue: &'q QueueOf<S>,
    line: Line<S>,
    key: &mut Option<WaiterKey>,
    waker: &Waker,
) -> Option<RefMut<'q, State<S>>> {
    let mut state = queue.state();
    let Some(entered) = *key else { return Some(state) };
    let waiters = line(&mut state);
    if waiters.remove_notified(entered) {
        *key = None;
        return Some(state);
    }
    if !waiters.will_wake(entered, waker) {
        drop(state);
        renew(queue, line, entered, waker);
    }
    None
}

/// Future of [`QueueOf::get`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Get<'q, S: Storage> {
    queue: &'q QueueOf<S>,
    /// The place in the line, from a pending poll to the next notification.
    key: Option<WaiterKey>,
}

impl<'q, S: Storage> Get<'q, S> {
    #[inline]
    pub(crate) fn new(queue: &'q QueueOf<S>) -> Get<'q, S> {
        Get { queue, key: None }
    }
}

impl<S: Storage> Future for Get<'_, S> {
    type Output = Result<S::Item, ShutDown>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<S::Item, ShutDown>> {
        let this = &mut *self;
        poll_get(this.queue, &mut this.key, cx, &"Queue.get")
    }
}

/// The step of `get` and of the stream: the usual case here, where nobody waits and an item is there.
#[inline]
fn poll_get<S: Storage>(
    queue: &QueueOf<S>,
    key: &mut Option<WaiterKey>,
    cx: &Context<'_>,
    name: &'static &'static str,
) -> Poll<Result<S::Item, ShutDown>> {
    if key.is_none() {
        let state = queue.state();
        if state.len() > 0 {
            return Poll::Ready(queue.pop(state).ok_or(ShutDown(())));
        }
    }
    poll_get_in_line(queue, key, cx, name)
}

/// The step of a `get` that waits, has waited, or must begin to.
#[inline(never)]
fn poll_get_in_line<S: Storage>(
    queue: &QueueOf<S>,
    key: &mut Option<WaiterKey>,
    cx: &Context<'_>,
    name: &'static &'static str,
) -> Poll<Result<S::Item, ShutDown>> {
    let Some(mut state) = leave_line(queue, |state| &mut state.getters, key, cx.waker()) else {
        wait_on(Waiting::Leaf(name));
        return Poll::Pending;
    };
    loop {
        match state.may_get() {
            Ok(()) => return Poll::Ready(queue.pop(state).ok_or(ShutDown(()))),
            Err(GetError::ShutDown) => return Poll::Ready(Err(ShutDown(()))),
            Err(GetError::QueueEmpty) => drop(state),
        }
        let waker = local_waker(cx.waker());
        let entered = queue.state().enter_get(waker);
        if let Ok(entered) = entered {
            *key = Some(entered);
            wait_on(Waiting::Leaf(name));
            return Poll::Pending;
        }
        state = queue.state(); // Cloning the waker brought an item.
    }
}

/// Takes a `get` out of the line.
#[cold]
fn leave_get<S: Storage>(queue: &QueueOf<S>, key: WaiterKey) {
    let left = queue.state().leave_get(key);
    left.settle();
}

impl<S: Storage> Drop for Get<'_, S> {
    #[inline]
    fn drop(&mut self) {
        if let Some(key) = self.key {
            leave_get(self.queue, key);
        }
    }
}

/// Future of [`QueueOf::put`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Put<'q, S: Storage> {
    queue: &'q QueueOf<S>,
    /// The item, until it is put or given back.
    item: Option<S::Item>,
    /// The place in the line, from a pending poll to the next notification.
    key: Option<WaiterKey>,
}

impl<'q, S: Storage> Put<'q, S> {
    #[inline]
    pub(crate) fn new(queue: &'q QueueOf<S>, item: S::Item) -> Put<'q, S> {
        Put { queue, item: Some(item), key: None }
    }
}

/// The item is never pinned: it is moved into the queue.
impl<S: Storage> Unpin for Put<'_, S> {}

impl<S: Storage> Future for Put<'_, S> {
    type Output = Result<(), ShutDown<S::Item>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // The usual case: nobody waits and there is room.
        if this.key.is_none() {
            let state = this.queue.state();
            if !state.is_full() && !state.is_shut_down() {
                this.queue.push(state, this.item.take().expect(COMPLETED));
                return Poll::Ready(Ok(()));
            }
        }
        this.poll_in_line(cx)
    }
}

/// What the panic says when a finished future is polled again.
const COMPLETED: &str = "`put` was polled after it had completed";

impl<S: Storage> Put<'_, S> {
    /// The step of a `put` that waits, has waited, or must begin to.
    #[inline(never)]
    fn poll_in_line(&mut self, cx: &Context<'_>) -> Poll<Result<(), ShutDown<S::Item>>> {
        let line: Line<S> = |state| &mut state.putters;
        let Some(mut state) = leave_line(self.queue, line, &mut self.key, cx.waker()) else {
            wait_on(Waiting::Leaf(&"Queue.put"));
            return Poll::Pending;
        };
        loop {
            if state.is_shut_down() {
                drop(state);
                return Poll::Ready(Err(ShutDown(self.item.take().expect(COMPLETED))));
            }
            if !state.is_full() {
                self.queue.push(state, self.item.take().expect(COMPLETED));
                return Poll::Ready(Ok(()));
            }
            drop(state);
            let waker = local_waker(cx.waker());
            let entered = self.queue.state().enter_put(waker);
            if let Ok(entered) = entered {
                self.key = Some(entered);
                wait_on(Waiting::Leaf(&"Queue.put"));
                return Poll::Pending;
            }
            state = self.queue.state(); // Cloning the waker made room.
        }
    }
}

impl<S: Storage> Drop for Put<'_, S> {
    #[inline]
    fn drop(&mut self) {
        if let Some(key) = self.key {
            leave_put(self.queue, key);
        }
    }
}

/// Takes a `put` out of the line.
#[cold]
fn leave_put<S: Storage>(queue: &QueueOf<S>, key: WaiterKey) {
    let left = queue.state().leave_put(key);
    left.settle();
}

/// Future of [`QueueOf::join`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Join<'q, S: Storage> {
    queue: &'q QueueOf<S>,
    /// The place in the line, from the first pending poll to the end.
    key: Option<WaiterKey>,
}

impl<'q, S: Storage> Join<'q, S> {
    #[inline]
    pub(crate) fn new(queue: &'q QueueOf<S>) -> Join<'q, S> {
        Join { queue, key: None }
    }
}

impl<S: Storage> Future for Join<'_, S> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        match this.key {
            Some(_) => {
                // Whoever was notified has seen the count at 0, and does not look again.
                let left = leave_line(this.queue, |state| &mut state.joiners, &mut this.key, cx.waker());
                if left.is_some() {
                    return Poll::Ready(());
                }
            }
            None => {
                if this.queue.state().is_done() {
                    return Poll::Ready(());
                }
                let waker = local_waker(cx.waker());
                let entered = this.queue.state().enter_join(waker);
                let Ok(entered) = entered else { return Poll::Ready(()) };
                this.key = Some(entered);
            }
        }
        wait_on(Waiting::Leaf(&"Queue.join"));
        Poll::Pending
    }
}

impl<S: Storage> Drop for Join<'_, S> {
    #[inline]
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            let left = self.queue.state().leave_join(key);
            left.settle();
        }
    }
}

/// The items of a queue as they come; made by [`QueueOf::stream`].
///
/// It is a handle to the queue of its own. Several streams share the items.
///
/// # Examples
///
/// ```
/// use corio_queue::Queue;
/// use futures_lite::StreamExt;
///
/// let queue = Queue::new(0);
/// (0..3).for_each(|n| queue.put_nowait(n).unwrap());
/// queue.shutdown(false);
/// let items: Vec<i32> = futures_lite::future::block_on(queue.stream().collect());
/// assert_eq!(items, [0, 1, 2]);
/// ```
#[must_use = "streams do nothing unless they are polled"]
pub struct Items<S: Storage> {
    queue: QueueOf<S>,
    /// The place in the line, from a pending poll to the next notification.
    key: Option<WaiterKey>,
}

impl<S: Storage> Items<S> {
    pub(crate) fn new(queue: QueueOf<S>) -> Items<S> {
        Items { queue, key: None }
    }
}

impl<S: Storage> Stream for Items<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = &mut *self;
        poll_get(&this.queue, &mut this.key, cx, &"Queue.stream").map(Result::ok)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let state = self.queue.state();
        (0, state.is_shut_down().then(|| state.len()))
    }
}

impl<S: Storage> Drop for Items<S> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            leave_get(&self.queue, key);
        }
    }
}

impl<S: Storage> fmt::Debug for Get<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl<S: Storage> fmt::Debug for Put<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Put").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl<S: Storage> fmt::Debug for Join<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl<S: Storage> fmt::Debug for Items<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("queue", &self.queue).finish_non_exhaustive()
    }
}
