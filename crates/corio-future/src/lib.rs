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
//! * A future ends once: with a value, cancelled, broken, or with a panic's message; a promise that is dropped breaks.
//! * Those who wait are told in the order in which they asked, wakers and callbacks alike; one taken back or dropped is
//!   not told, and its waker is let go at once.
//! * A loop-bound callback is one entry of the loop's ready queue. It never runs inside `set_result` under a loop, and never
//!   nested without one: a chain of a million completions is not deep.
//! * A thread-safe callback runs at once, in the completing thread.
//! * No user code (waker, callback, canceller, `Clone`, destructor) runs under a lock, or under a borrow that it could meet
//!   again, with one exception: a loop-bound value stays lent while [`Future::result`]'s `Ref` lives, and cannot be moved
//!   out meanwhile.
//! * A panic of a waker or a callback is reported ([`corio_seam::report()`]) and stops no other; whoever ends the future
//!   never sees it. A panic of `Clone` or of a canceller goes to whoever asked, and nothing is lost by it.
//! * An error set by [`Promise::set_exception`], and a panic, that nobody ever looks at is reported. An `Err` given to
//!   [`Promise::set_result`] is a value like any other.
//! * Cancelling either end of a [chain](wrap_future) cancels the other; work that runs goes on, and its value is dropped.
//!
//! # What is `Send`
//!
//! | type | `Send` | `Sync` |
//! |---|---|---|
//! | [`Promise`], [`Future`], [`WaitCancelled`] | no | no |
//! | [`FutureError`], [`InvalidState`], [`CallbackKey`] | yes | yes |
//! | [`concurrent::Promise`], [`concurrent::Future`], [`concurrent::AsCompleted`] | if `T: Send` | if `T: Send` |
//! | [`concurrent::FutureError`], [`concurrent::WaitError`] | yes | no, for a panic's payload |
//!
//! # How it works
//!
//! A loop-bound cell is one `Rc`: a state (PENDING, then FINISHED, CANCELLED or FAILED), an ending, and a FIFO of listeners
//! whose first stands in place; the last one that ended is kept for the next promise of its type. A thread-safe one is an
//! enum under a mutex; each transition takes out those who are to be told, who are told after the lock is released; a value that is cloned or looked at is lent out of the cell meanwhile, so
//! `T` need not be `Sync`. A chain keeps its loop-bound half in a table of the loop, and what crosses to other threads is a
//! number. The order of steps between threads is model-checked with loom; see `tests/loom.rs`.

#![forbid(unsafe_code)]

mod promise;
mod future;
mod error;
mod chain;
pub mod concurrent;
mod cell;
mod spare;
mod listeners;
mod trampoline;
mod halves;
mod sync;

pub use chain::{chain, to_concurrent, wrap_future};
pub use corio_seam::{Cancelled, Panic};
pub use error::{FutureError, InvalidState};
pub use future::{CallbackKey, Future};
pub use promise::{Promise, WaitCancelled, promise, promise_for, promise_with_canceller};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
