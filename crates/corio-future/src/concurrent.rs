//! The thread-safe pair: a promise kept on one thread, a future read on another; `concurrent.futures.Future`.
//!
//! Two differences to the loop-bound pair: there is a state RUNNING, in which [`Future::cancel`] is refused, and callbacks
//! run at once, in the thread that completes or cancels (or in the adder's, if it is over already).
//!
//! ```text
//! PENDING ─▶ RUNNING ─▶ FINISHED
//!    └─▶ CANCELLED ─▶ CANCELLED_AND_NOTIFIED
//! ```
//!
//! # Examples
//!
//! ```
//! use corio_future::concurrent;
//! use std::time::Duration;
//!
//! let (promise, mut future) = concurrent::promise();
//! let worker = std::thread::spawn(move || promise.set_result(6 * 7));
//! assert_eq!(future.result(Some(Duration::from_secs(10))).unwrap(), 42);
//! worker.join().unwrap().unwrap();
//! ```

mod promise;
mod future;
mod watch;
mod as_completed;
mod error;
mod cell;

pub use crate::future::CallbackKey;
pub use as_completed::{AsCompleted, as_completed};
pub use error::{FutureError, TimedOut, WaitError};
pub use future::Future;
pub use promise::{Promise, promise};
pub use watch::{ReturnWhen, Waited, wait};
