//! The futures of the loop-bound queue.

use crate::state::{State, Turn, Visit};
use crate::storage::Storage;
use crate::{QueueOf, ShutDown};
use corio_seam::{Waiting, wait_on};
use corio_sync::WaiterKey;
use futures_core::Stream;
use std::cell::RefMut;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Asks `turn` until the answer needs no clone of the waker. The state is still borrowed: what the answer promises is
/// there. The last part is a waker that is not used (any more), to be dropped when the borrow is gone.
#[inline]
fn visit<'q, S: Storage>(
    queue: &'q QueueOf<S>,
    key: &mut Option<WaiterKey>,
    waker: &Waker,
    turn: impl Fn(&mut State<S>, Visit<'_>) -> Turn,
) -> (Turn, RefMut<'q, State<S>>, Option<Waker>) {
    // Whoever is not in the line will enter it: the callers have looked whether they must.
    let mut spare = key.is_none().then(|| waker.clone());
    loop {
        let mut state = queue.state();
        let answer = turn(&mut state, Visit { key, spare: &mut spare, waker });
        if answer != Turn::CloneWaker {
            return (answer, state, spare);
        }
        drop(state);
        spare = Some(waker.clone());
    }
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
    let (turn, state, _unused) = visit(queue, key, cx.waker(), State::turn_to_get);
    match turn {
        Turn::Go => Poll::Ready(queue.pop(state).ok_or(ShutDown(()))),
        Turn::ShutDown => {
            drop(state);
            Poll::Ready(Err(ShutDown(())))
        }
        Turn::Wait | Turn::CloneWaker => {
            drop(state);
            wait_on(Waiting::Leaf(name));
            Poll::Pending
        }
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
        assert!(self.item.is_some(), "{COMPLETED}");
        let (turn, state, _unused) = visit(self.queue, &mut self.key, cx.waker(), State::turn_to_put);
        if matches!(turn, Turn::Wait | Turn::CloneWaker) {
            drop(state);
            wait_on(Waiting::Leaf(&"Queue.put"));
            return Poll::Pending;
        }
        match self.item.take() {
            Some(item) if turn == Turn::ShutDown => {
                drop(state);
                return Poll::Ready(Err(ShutDown(item)));
            }
            Some(item) => self.queue.push(state, item),
            None => drop(state),
        }
        Poll::Ready(Ok(()))
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
        let (turn, state, _unused) = visit(this.queue, &mut this.key, cx.waker(), State::turn_to_join);
        drop(state);
        match turn {
            Turn::Go | Turn::ShutDown => Poll::Ready(()),
            Turn::Wait | Turn::CloneWaker => {
                wait_on(Waiting::Leaf(&"Queue.join"));
                Poll::Pending
            }
        }
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
