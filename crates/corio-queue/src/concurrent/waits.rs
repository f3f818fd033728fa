//! The futures of the thread-safe queue. They say nothing to `corio_seam::wait_on`: another thread may wake them, so a
//! loop that waits for them alone is not stuck.

use super::Queue;
use crate::state::{State, Turn, Visit, wake};
use crate::sync::MutexGuard;
use crate::{Fifo, GetError, PutError, ShutDown};
use corio_sync::WaiterKey;
use futures_core::Stream;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Asks `turn` until the answer needs no clone of the waker. The state is still locked: what the answer promises is
/// there. The last part is a waker that is not used (any more), to be dropped when the lock is gone.
fn visit<'q, T>(
    queue: &'q Queue<T>,
    key: &mut Option<WaiterKey>,
    waker: &Waker,
    turn: impl Fn(&mut State<Fifo<T>>, Visit<'_>) -> Turn,
) -> (Turn, MutexGuard<'q, State<Fifo<T>>>, Option<Waker>) {
    // Whoever is not in the line will enter it: the callers have looked whether they must.
    let mut spare = key.is_none().then(|| waker.clone());
    loop {
        let mut state = queue.state();
        let answer = turn(&mut state, Visit { key, spare: &mut spare, waker });
        if answer != Turn::CloneWaker {
            return (answer, state, spare);
        }
        drop(state);
        // Another thread may change the state meanwhile: the next round asks afresh.
        spare = Some(waker.clone());
    }
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
    if key.is_none() {
        match queue.get_nowait() {
            Ok(item) => return Poll::Ready(Ok(item)),
            Err(GetError::ShutDown) => return Poll::Ready(Err(ShutDown(()))),
            Err(GetError::QueueEmpty) => {}
        }
    }
    let (turn, mut state, _unused) = visit(queue, key, cx.waker(), State::turn_to_get);
    let (item, waker) = if turn == Turn::Go { state.pop() } else { (None, None) };
    drop(state);
    wake(waker);
    match (turn, item) {
        (_, Some(item)) => Poll::Ready(Ok(item)),
        (Turn::ShutDown, None) => Poll::Ready(Err(ShutDown(()))),
        _ => Poll::Pending,
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
        let item = this.item.take().expect("`put` was polled after it had completed");
        match this.key {
            None => match this.queue.put_nowait(item) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(PutError::ShutDown(item)) => return Poll::Ready(Err(ShutDown(item))),
                Err(PutError::QueueFull(item)) => this.item = Some(item),
            },
            Some(_) => this.item = Some(item),
        }
        let (turn, mut state, _unused) = visit(this.queue, &mut this.key, cx.waker(), State::turn_to_put);
        match turn {
            Turn::Go => {
                let waker = this.item.take().and_then(|item| state.push(item));
                drop(state);
                wake(waker);
                Poll::Ready(Ok(()))
            }
            Turn::ShutDown => {
                drop(state);
                Poll::Ready(this.item.take().map_or(Ok(()), |item| Err(ShutDown(item))))
            }
            Turn::Wait | Turn::CloneWaker => {
                drop(state);
                Poll::Pending
            }
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
        let (turn, state, _unused) = visit(this.queue, &mut this.key, cx.waker(), State::turn_to_join);
        drop(state);
        if turn == Turn::Wait { Poll::Pending } else { Poll::Ready(()) }
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
