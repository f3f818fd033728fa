//! The loop-bound queue: the state machine in a cell, and its handle.

use crate::state::{State, wake};
use crate::storage::Storage;
use crate::{Fifo, Get, GetError, Items, Join, Lifo, Priority, Put, PutError, QueueStatistics, TooManyTaskDone};
use std::cell::{RefCell, RefMut};
use std::fmt;
use std::rc::Rc;

/// A queue between tasks of one thread, first in, first out; asyncio's `Queue`.
///
/// See [`QueueOf`] for its methods.
pub type Queue<T> = QueueOf<Fifo<T>>;

/// A queue that gives the newest item first; asyncio's `LifoQueue`.
///
/// # Examples
///
/// ```
/// use corio_queue::LifoQueue;
///
/// let queue = LifoQueue::new(0);
/// for n in [3, 1, 2] {
///     queue.put_nowait(n).unwrap();
/// }
/// assert_eq!([2, 1, 3].map(Ok), [(); 3].map(|()| queue.get_nowait()));
/// ```
pub type LifoQueue<T> = QueueOf<Lifo<T>>;

/// A queue that gives the smallest item first; asyncio's `PriorityQueue`.
///
/// Equal items come out in the order in which they were put, which asyncio does not promise. The items' `Ord` runs
/// while nothing is borrowed; it must not put into this very queue or get from it, which panics. An `Ord` that panics
/// leaves the queue usable, and whoever waits hears of what came or went; the item that was on its way out is lost
/// with the panic, the one that was on its way in is there.
///
/// # Examples
///
/// ```
/// use corio_queue::PriorityQueue;
/// use std::cmp::Reverse;
///
/// let queue = PriorityQueue::new(0);
/// for job in [(3, "sweep"), (1, "extinguish"), (2, "cook")] {
///     queue.put_nowait(job).unwrap();
/// }
/// assert_eq!(queue.get_nowait(), Ok((1, "extinguish")));
///
/// // The greatest first.
/// let queue = PriorityQueue::new(0);
/// queue.put_nowait(Reverse(1)).unwrap();
/// queue.put_nowait(Reverse(2)).unwrap();
/// assert_eq!(queue.get_nowait(), Ok(Reverse(2)));
/// ```
pub type PriorityQueue<T> = QueueOf<Priority<T>>;

/// A queue between tasks of one thread; [`Queue`], [`LifoQueue`] and [`PriorityQueue`] are its three kinds.
///
/// This is a handle: cloning it is cheap and gives another handle to the same queue, so tasks share it without
/// lifetimes. What is left in the queue is dropped with the last handle.
///
/// # Examples
///
/// ```
/// use corio_queue::{PutError, Queue};
///
/// # pollster::block_on(async {
/// let queue = Queue::new(2);
/// queue.put("a").await?;
/// queue.put("b").await?;
/// assert!(queue.is_full());
/// assert_eq!(queue.put_nowait("c"), Err(PutError::QueueFull("c")));
///
/// assert_eq!(queue.get().await, Ok("a"));
/// queue.task_done().unwrap();
///
/// queue.shutdown(false);
/// assert!(queue.put("d").await.is_err());
/// assert_eq!(queue.get().await, Ok("b")); // What is left can still be had.
/// assert!(queue.get().await.is_err());
/// # Ok::<(), corio_queue::ShutDown<&str>>(()) }).unwrap();
/// ```
pub struct QueueOf<S: Storage> {
    state: Rc<RefCell<State<S>>>,
}

impl<S: Storage> QueueOf<S> {
    /// Makes an empty queue of at most `maxsize` items, 0 for any number; asyncio's `Queue(maxsize)`.
    ///
    /// Nothing is allocated for the items before they come.
    #[must_use]
    pub fn new(maxsize: usize) -> QueueOf<S> {
        QueueOf { state: Rc::new(RefCell::new(State::new(maxsize))) }
    }

    /// Puts an item, waiting in line for room; asyncio's `Queue.put`.
    ///
    /// Does not yield if there is room.
    ///
    /// # Errors
    ///
    /// [`ShutDown`](crate::ShutDown) with the item once the queue has been shut down, also if that happens meanwhile.
    ///
    /// # Cancel safety
    ///
    /// An item whose future is dropped before it is ready was not put, and is dropped with the future.
    #[inline]
    pub fn put(&self, item: S::Item) -> Put<'_, S> {
        Put::new(self, item)
    }

    /// Gets an item, waiting in line for one; asyncio's `Queue.get`.
    ///
    /// Does not yield if there is an item.
    ///
    /// # Errors
    ///
    /// [`ShutDown`](crate::ShutDown) once the queue has been shut down and is empty.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no item: they stay in the queue until a future returns them.
    #[inline]
    pub fn get(&self) -> Get<'_, S> {
        Get::new(self)
    }

    /// Puts an item if there is room now; asyncio's `Queue.put_nowait`.
    ///
    /// # Errors
    ///
    /// [`PutError`] with the item if the queue is full or was shut down.
    #[inline]
    pub fn put_nowait(&self, item: S::Item) -> Result<(), PutError<S::Item>> {
        let state = self.state();
        if state.is_shut_down() {
            return Err(PutError::ShutDown(item));
        }
        if state.is_full() {
            return Err(PutError::QueueFull(item));
        }
        self.push(state, item);
        Ok(())
    }

    /// Gets an item if there is one now; asyncio's `Queue.get_nowait`.
    ///
    /// # Errors
    ///
    /// [`GetError`] if the queue is empty: it may get items yet, or was shut down.
    #[inline]
    pub fn get_nowait(&self) -> Result<S::Item, GetError> {
        let state = self.state();
        state.may_get()?;
        self.pop(state).ok_or(GetError::QueueEmpty)
    }

    /// Says that the work on one item is done; asyncio's `Queue.task_done`.
    ///
    /// # Errors
    ///
    /// [`TooManyTaskDone`] if there was no item to be done.
    #[inline]
    pub fn task_done(&self) -> Result<(), TooManyTaskDone> {
        let wakers = self.state().task_done()?;
        wakers.wake();
        Ok(())
    }

    /// Waits until `task_done` has been said for every item that was put; asyncio's `Queue.join`.
    ///
    /// Does not yield if that is so already, as with a queue that was never used.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the line; nothing is lost.
    #[inline]
    pub fn join(&self) -> Join<'_, S> {
        Join::new(self)
    }

    /// Takes the queue out of service; asyncio's `Queue.shutdown`.
    ///
    /// From now on every put fails, those that wait included. Gets take what is left and fail then; with `immediate`,
    /// nothing is left: the items are dropped and count as done, so that a `join` waits for those in work alone. Doing
    /// it again changes nothing, except that `immediate` may follow.
    ///
    /// # Panics
    ///
    /// With the panic of a waker or of an item's destructor, after all the others have been called.
    pub fn shutdown(&self, immediate: bool) {
        let (thrown, wakers) = self.state().shut_down(immediate);
        wakers.wake();
        drop(thrown);
    }

    /// Tells whether the queue was shut down.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.state().is_shut_down()
    }

    /// Returns the number of items that could be got now; asyncio's `Queue.qsize`.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().len()
    }

    /// Tells whether there is no item; asyncio's `Queue.empty`.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether there is no room; never so with a `maxsize` of 0; asyncio's `Queue.full`.
    #[inline]
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.state().is_full()
    }

    /// Returns how many items there may be, 0 for any number; asyncio's `Queue.maxsize`.
    #[must_use]
    pub fn maxsize(&self) -> usize {
        self.state().maxsize()
    }

    /// Returns a stream that gets the items, and ends where `get` would fail: when the queue has been shut down and is
    /// empty.
    pub fn stream(&self) -> Items<S> {
        Items::new(self.clone())
    }

    /// Tells how the queue is used: how full it is and was, who waits, how many items went through it.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_queue::Queue;
    ///
    /// let queue = Queue::new(0);
    /// (0..3).for_each(|n| queue.put_nowait(n).unwrap());
    /// queue.get_nowait().unwrap();
    /// let now = queue.statistics();
    /// assert_eq!((now.put, now.got, now.len, now.most_items, now.unfinished), (3, 1, 2, 3, 3));
    /// ```
    #[must_use]
    pub fn statistics(&self) -> QueueStatistics {
        self.state().statistics()
    }

    /// Borrows the state; never while code of the user's runs.
    #[inline]
    pub(crate) fn state(&self) -> RefMut<'_, State<S>> {
        self.state.borrow_mut()
    }

    /// Adds an item, for which `state` has room, and wakes a getter.
    #[inline]
    pub(crate) fn push(&self, mut state: RefMut<'_, State<S>>, item: S::Item) {
        if S::COMPARES {
            let mut lent = self.lend(state);
            lent.items.push(item);
            return;
        }
        let waker = state.push(item);
        drop(state);
        wake(waker);
    }

    /// Takes the item whose turn it is, if there is one, and wakes a putter.
    #[inline]
    pub(crate) fn pop(&self, mut state: RefMut<'_, State<S>>) -> Option<S::Item> {
        if S::COMPARES {
            let mut lent = self.lend(state);
            return lent.items.pop();
        }
        let (item, waker) = state.pop();
        drop(state);
        wake(waker);
        item
    }

    /// Takes the items out of the cell, for an operation that compares them.
    fn lend(&self, mut state: RefMut<'_, State<S>>) -> Lent<'_, S> {
        let items = state.lend();
        Lent { queue: self, items }
    }
}

/// The items while they are out of the cell. They go back when it is dropped, also by a panicking comparison, and
/// whoever waits for what has changed is woken.
struct Lent<'q, S: Storage> {
    queue: &'q QueueOf<S>,
    items: S,
}

impl<S: Storage> Drop for Lent<'_, S> {
    fn drop(&mut self) {
        let waker = self.queue.state().take_back(std::mem::take(&mut self.items));
        wake(waker);
    }
}

impl<S: Storage> Clone for QueueOf<S> {
    /// Makes another handle to the same queue.
    fn clone(&self) -> QueueOf<S> {
        QueueOf { state: Rc::clone(&self.state) }
    }
}

impl<S: Storage> Default for QueueOf<S> {
    /// Makes an unbounded queue.
    fn default() -> QueueOf<S> {
        QueueOf::new(0)
    }
}

impl<S: Storage> fmt::Debug for QueueOf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statistics = self.statistics();
        statistics.describe(f.debug_struct("Queue"))
    }
}
