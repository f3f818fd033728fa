//! A queue between threads, with async and blocking ends on either side.
//!
//! Its rules are those of the loop-bound [`Queue`](crate::Queue). Async and blocking callers stand in the same lines,
//! first come, first woken. It works under any executor, and between executors; Python's counterpart is `janus`.
//!
//! # Examples
//!
//! ```
//! use corio_queue::concurrent::Queue;
//! use std::thread;
//!
//! let queue = Queue::new(1);
//! let producer = queue.clone();
//! let thread = thread::spawn(move || {
//!     for n in 0..3 {
//!         producer.put_blocking(n, None).expect("nobody shut the queue down");
//!     }
//!     producer.shutdown(false);
//! });
//!
//! # pollster::block_on(async {
//! let mut sum = 0;
//! while let Ok(n) = queue.get().await {
//!     sum += n;
//! }
//! assert_eq!(sum, 3);
//! # });
//! thread.join().unwrap();
//! ```

mod waits;
mod parker;

pub use waits::{Get, Items, Join, Put};

use crate::state::{State, wake};
use crate::sync::{Mutex, MutexGuard};
use crate::{Fifo, GetError, PutError, QueueStatistics, ShutDown, TooManyTaskDone};
use parker::block_on;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A queue between threads, first in, first out.
///
/// This is a handle: cloning it is cheap and gives another handle to the same queue. What is left in the queue is
/// dropped with the last handle, by the thread that drops it.
///
/// The blocking methods put the thread to sleep: not for use on a thread that runs an event loop. They take a time
/// limit; `None` is for ever, and zero does not wait.
pub struct Queue<T> {
    state: Arc<Mutex<State<Fifo<T>>>>,
}

impl<T> Queue<T> {
    /// Makes an empty queue of at most `maxsize` items, 0 for any number.
    #[must_use]
    pub fn new(maxsize: usize) -> Queue<T> {
        Queue { state: Arc::new(Mutex::new(State::new(maxsize))) }
    }

    /// Puts an item, waiting in line for room.
    ///
    /// # Errors
    ///
    /// [`ShutDown`] with the item once the queue has been shut down, also if that happens meanwhile.
    ///
    /// # Cancel safety
    ///
    /// An item whose future is dropped before it is ready was not put, and is dropped with the future. If the future
    /// had been woken, another putter is woken in its place.
    pub fn put(&self, item: T) -> Put<'_, T> {
        Put::new(self, item)
    }

    /// Gets an item, waiting in line for one.
    ///
    /// # Errors
    ///
    /// [`ShutDown`] once the queue has been shut down and is empty.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no item. If it had been woken, another getter is woken in its place.
    pub fn get(&self) -> Get<'_, T> {
        Get::new(self)
    }

    /// Puts an item from a thread that may sleep until there is room, `timeout` at most.
    ///
    /// # Errors
    ///
    /// [`PutError`] with the item: the queue was shut down, or still full when the time ran out.
    pub fn put_blocking(&self, item: T, timeout: Option<Duration>) -> Result<(), PutError<T>> {
        let mut put = self.put(item);
        match block_on(&mut put, timeout) {
            Some(Ok(())) => Ok(()),
            Some(Err(ShutDown(item))) => Err(PutError::ShutDown(item)),
            None => put.give_up(),
        }
    }

    /// Gets an item from a thread that may sleep until there is one, `timeout` at most.
    ///
    /// # Errors
    ///
    /// [`GetError`]: the queue was shut down, or still empty when the time ran out.
    pub fn get_blocking(&self, timeout: Option<Duration>) -> Result<T, GetError> {
        let mut get = self.get();
        match block_on(&mut get, timeout) {
            Some(item) => item.map_err(|ShutDown(())| GetError::ShutDown),
            None => Err(GetError::QueueEmpty),
        }
    }

    /// Puts an item if there is room now.
    ///
    /// # Errors
    ///
    /// [`PutError`] with the item if the queue is full or was shut down.
    pub fn put_nowait(&self, item: T) -> Result<(), PutError<T>> {
        let mut state = self.state();
        if state.is_shut_down() {
            return Err(PutError::ShutDown(item));
        }
        if state.is_full() {
            return Err(PutError::QueueFull(item));
        }
        let waker = state.push(item);
        drop(state);
        wake(waker);
        Ok(())
    }

    /// Gets an item if there is one now.
    ///
    /// # Errors
    ///
    /// [`GetError`] if the queue is empty: it may get items yet, or was shut down.
    pub fn get_nowait(&self) -> Result<T, GetError> {
        let mut state = self.state();
        state.may_get()?;
        let (item, waker) = state.pop();
        drop(state);
        wake(waker);
        item.ok_or(GetError::QueueEmpty)
    }

    /// Says that the work on one item is done.
    ///
    /// # Errors
    ///
    /// [`TooManyTaskDone`] if there was no item to be done.
    pub fn task_done(&self) -> Result<(), TooManyTaskDone> {
        let wakers = self.state().task_done()?;
        wakers.wake();
        Ok(())
    }

    /// Waits until `task_done` has been said for every item that was put.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the line; nothing is lost.
    pub fn join(&self) -> Join<'_, T> {
        Join::new(self)
    }

    /// Waits for what [`join`](Queue::join) waits for, `timeout` at most, and tells whether it has come.
    #[must_use = "false if the time ran out"]
    pub fn join_blocking(&self, timeout: Option<Duration>) -> bool {
        block_on(&mut self.join(), timeout).is_some()
    }

    /// Takes the queue out of service.
    ///
    /// From now on every put fails, those that wait included. Gets take what is left and fail then; with `immediate`,
    /// nothing is left: the items are dropped by this thread and count as done.
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

    /// Returns the number of items; another thread may have changed it since.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().len()
    }

    /// Tells whether there was no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether there was no room; never so with a `maxsize` of 0.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.state().is_full()
    }

    /// Returns how many items there may be, 0 for any number.
    #[must_use]
    pub fn maxsize(&self) -> usize {
        self.state().maxsize()
    }

    /// Returns a stream that gets the items, and ends when the queue has been shut down and is empty.
    pub fn stream(&self) -> Items<T> {
        Items::new(self.clone())
    }

    /// Tells how the queue is used: how full it is and was, who waits, how many items went through it.
    #[must_use]
    pub fn statistics(&self) -> QueueStatistics {
        self.state().statistics()
    }

    /// Locks the state; never while code of the user's runs.
    fn state(&self) -> MutexGuard<'_, State<Fifo<T>>> {
        self.state.lock()
    }
}

impl<T> Clone for Queue<T> {
    /// Makes another handle to the same queue.
    fn clone(&self) -> Queue<T> {
        Queue { state: Arc::clone(&self.state) }
    }
}

impl<T> Default for Queue<T> {
    /// Makes an unbounded queue.
    fn default() -> Queue<T> {
        Queue::new(0)
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statistics = self.statistics();
        statistics.describe(f.debug_struct("Queue"))
    }
}
