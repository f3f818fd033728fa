//! A value that is set once and calls everyone who asked for it.
//!
//! Two kinds. [`Promise`] and [`Future`] are *loop-bound*: plain memory, `!Send`, called back through the loop and never
//! inline; asyncio's `Future`. [`concurrent::Promise`] and [`concurrent::Future`] are *thread-safe*: they block, are
//! awaited under any executor, and call back at once in the completing thread; `concurrent.futures.Future`. What Python
//! only documents ("not thread-safe"), the compiler refuses here. [`wrap_future`] and [`to_concurrent`] lead from one kind
//! to the other.
//!
//! No loop is needed for either.
//!
//! # Examples
//!
//! ```
//! use corio_future::{FutureError, promise};
//!
//! let (promise, future) = promise::<u32>();
//! let again = future.share();
//! let seen = std::rc::Rc::new(std::cell::Cell::new(0));
//! let log = seen.clone();
//! future.add_done_callback(move |future| log.set(*future.result().unwrap()));
//! assert!(!future.done());
//! assert!(promise.set_result(7).is_ok()); // No loop runs here: the callback ran before this returned.
//! assert_eq!(seen.get(), 7);
//! assert_eq!(pollster::block_on(async { future.await.unwrap() + again.await.unwrap() }), 14);
//!
//! let (promise, future) = corio_future::promise::<u32>();
//! assert!(future.cancel());
//! assert_eq!(promise.set_result(8), Err(8)); // The value comes back.
//! assert!(matches!(pollster::block_on(future), Err(FutureError::Cancelled(_))));
//! ```
//!
//! # Guarantees
//!
//! * A future ends once: FINISHED, CANCELLED, or with a broken promise; a promise that is dropped breaks.
//! * Those who wait are told in the order in which they asked, wakers and callbacks alike.
//! * A loop-bound callback never runs inside `set_result` under a loop, and never nested without one.
//! * A thread-safe one runs at once, in the completing thread, under no lock.
//! * No user code (waker, callback, `Clone`, destructor) runs under a lock, or a borrow that could meet itself.
//! * A panic of a callback is reported and stops no other; a panic of a waker is passed on when all are told.
//!
//! # What is `Send`
//!
//! | type | `Send` | `Sync` |
//! |---|---|---|
//! | [`Promise`], [`Future`] | no | no |
//! | [`concurrent::Promise`], [`concurrent::Future`] | if `T: Send` | if `T: Send` |
//! | [`concurrent::FutureError`] | yes | no, for a panic's payload |
//!
//! # How it works
//!
//! A loop-bound cell is one `Rc`: a state, a value, and a FIFO of listeners whose first stands in place. A thread-safe one
//! is an enum under a mutex; each transition returns those who are to be told, who are told after the lock is released.

#![forbid(unsafe_code)]

mod promise;
mod future;
mod error;
mod chain;
pub mod concurrent;
mod cell;
mod listeners;
mod trampoline;
mod halves;
mod shielded;
mod sync;

pub use chain::{chain, to_concurrent, wrap_future};
pub use corio_seam::{Cancelled, Panic};
pub use error::{FutureError, InvalidState};
pub use future::{CallbackKey, Future};
pub use promise::{Promise, WaitCancelled, promise, promise_with_canceller};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
