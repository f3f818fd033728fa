//! Queues between tasks: [`Queue`], [`LifoQueue`], [`PriorityQueue`], and [`concurrent::Queue`] between threads.
//!
//! The first three are asyncio's, for tasks of one thread: no lock, no atomic. They need no particular executor. The
//! fourth has async and blocking ends on either side, as Python's `janus` has.
//!
//! # Examples
//!
//! ```
//! use corio_queue::Queue;
//!
//! # pollster::block_on(async {
//! let queue = Queue::new(10);
//! let producer = queue.clone(); // Another handle to the same queue.
//! for url in ["/a", "/b"] {
//!     producer.put(url).await.expect("nobody shut the queue down");
//! }
//!
//! while let Ok(url) = queue.get_nowait() {
//!     assert!(url.starts_with('/'));
//!     queue.task_done().expect("one for each item");
//! }
//! queue.join().await; // Every item is done.
//! # });
//! ```
//!
//! # Guarantees
//!
//! - **No item is lost or doubled.** An item is in the queue until a `get` returns it, and dropping a waiting `get`
//!   takes nothing along. The item of a `put` that is dropped before it is ready was not put, and is dropped with it.
//! - **A wake-up is not a hand-over.** A put wakes the getter that has waited longest, but whoever asks first gets the
//!   item; a getter that was woken and finds nothing goes to the back of the line. So do putters. This is asyncio's rule.
//! - **A wake-up is never lost.** A woken waiter that is dropped before it ran passes its wake-up on, as long as there
//!   is something to be had. A put wakes at most one getter, a get at most one putter.
//! - **Order.** Items come out in the order of the queue's kind; equal priorities in the order of insertion.
//! - **User code** (wakers, destructors, `Ord`) never runs while anything is borrowed or locked. If a waker panics,
//!   the state is already what it should be, and what was put is there; what was got goes down with the panic.
//! - **Forgetting** a waiting future with [`std::mem::forget`] keeps its place in the line: the wake-up that comes to it
//!   is stuck there.
//!
//! # What is `Send`
//!
//! | type | `Send` | `Sync` |
//! |---|---|---|
//! | [`QueueOf`] in its three kinds, [`Put`], [`Get`], [`Join`], [`Items`] | no | no |
//! | [`concurrent::Queue`] and its futures | if the item is `Send` | likewise |
//! | the errors | as the item | as the item |
//! | [`QueueStatistics`] | yes | yes |
//!
//! # How it works
//!
//! One state machine (`state.rs`) holds the items, the count of unfinished ones and three lines of waiters, each a
//! [`corio_sync::WaiterList`]. It runs no user code. The loop-bound queues keep it in a `RefCell`, the thread-safe one
//! under a mutex, and both wake what it gives them once the borrow or the lock is gone.

#![forbid(unsafe_code)]

mod queue;
mod waits;
mod storage;
mod state;
mod statistics;
mod error;
pub mod concurrent;
mod sync;

pub use error::{GetError, PutError, ShutDown, TooManyTaskDone};
pub use queue::{LifoQueue, PriorityQueue, Queue, QueueOf};
pub use statistics::QueueStatistics;
pub use storage::{Fifo, Lifo, Priority, Storage};
pub use waits::{Get, Items, Join, Put};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
