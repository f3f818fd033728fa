//! A thread pool whose results can be awaited from any runtime.
//!
//! Blocking calls belong on other threads than tasks. [`run_in_executor`] and [`to_thread`] bring a call there and its
//! answer back, as a future; [`Executor`] is what they bring it to, and [`ThreadPoolExecutor`] the one to use. Python's
//! `concurrent.futures`, and asyncio's bridge to it.
//!
//! # Examples
//!
//! ```
//! use corio_threadpool::{Executor, ExecutorExt, ThreadPoolExecutor, run_in_executor, to_thread};
//! use std::time::Duration;
//!
//! let pool = ThreadPoolExecutor::builder().max_threads(4).name_prefix("work").build().unwrap();
//! pollster::block_on(async {
//!     // Two calls at a time; any executor can await them.
//!     let (one, two) = (run_in_executor(&pool, || 1), run_in_executor(&pool, || 2));
//!     assert_eq!(one.await.unwrap() + two.await.unwrap(), 3);
//!
//!     // The pool that is there without being made.
//!     assert_eq!(to_thread(|| 6 * 7).await.unwrap(), 42);
//! });
//!
//! // Without tasks: futures that block, and a map over threads.
//! let mut answer = pool.submit(|| 6 * 7).unwrap();
//! assert_eq!(answer.result(Some(Duration::from_secs(10))).unwrap(), 42);
//! assert_eq!(pool.map(["a", "bc"], str::len).map(Result::unwrap).sum::<usize>(), 3);
//!
//! pool.shutdown(true, false);
//! assert!(pool.submit(|| ()).is_err());
//! ```
//!
//! # Guarantees
//!
//! - **A call is made once or not at all**, and its future comes to an end in each case: an answer, a panic, a
//!   cancellation (the call was cancelled, or its job was dropped), or a broken promise (the pool broke). A call that
//!   is refused is given back with its future.
//! - **Order**: a pool takes calls first in, first out. A thread starts only if none is free, and only up to the bound.
//! - **Shutdown**: a call that was let in before a shutdown is made, unless `cancel_futures`; none comes in afterwards.
//!   It may be asked for twice, from many threads, from a job of the pool itself, from a thread-local's destructor, and
//!   by dropping the pool; nobody waits for himself. The last thread to leave completes
//!   [`shutdown_async`](ThreadPoolExecutor::shutdown_async); no helper thread does.
//! - **Cancellation**: dropping [`Call`] or [`ToThread`] cancels a call that no thread has taken, which is then never
//!   made. A call that runs cannot be stopped: it goes on, and its answer is dropped on its thread.
//!   What a cancelled call holds is dropped when a thread comes to it, or with the queue.
//! - **Panics** of a call go to its future. Panics that nobody can receive (destructors, jobs without a future, wakers)
//!   are reported (`corio_seam::report`). Neither harms a thread of the pool, nor does a payload that panics in turn. A
//!   panicking initializer breaks the pool.
//! - **Where what runs**: a call, its destructor, and the callbacks of a thread-safe future run on the pool's thread;
//!   a waker too, and it brings the answer to the awaiting task's own thread. No user code runs under a lock.
//! - **A pool that waits for itself stands still**: if all threads run jobs that block for jobs queued behind them,
//!   nothing moves. Give them time limits, or threads to spare; nothing detects it.
//! - **No thread, no panic**: if the system refuses a thread, those that exist do the work; if there are none, the call
//!   is given back.
//!
//! # What is `Send`
//!
//! | type | `Send` | `Sync` |
//! |---|---|---|
//! | [`ThreadPoolExecutor`], [`Builder`], [`ShutDown`], [`MapOptions`], [`BuildError`] | yes | yes |
//! | [`CallError`], [`MapError`], [`RejectReason`] | yes | yes |
//! | [`Job`], [`Rejected`] | yes | no, they hold somebody's call |
//! | [`Call<T>`](Call) | if `T: Send` | if `T: Send` |
//! | [`SubmitError<T>`](SubmitError) | if `T: Send` | no |
//! | [`ToThread<F, T>`](ToThread) | if `F` and `T` are | if `F` is, and `T: Send` |
//! | [`Map`] | if what it holds is | no |
//! | `dyn Executor` | no: write `dyn Executor + Send + Sync` | no |
//!
//! # How it works
//!
//! Jobs lie in one crossbeam channel. Whoever submits, shuts down, or leaves meets at one lock, the *gate*, which holds
//! the sending end of the channel and three numbers; see the head of `gate.rs` and of `counts.rs`. So "shut down" and
//! "a job comes in" cannot pass each other: once the gate is closed the channel is disconnected, and a worker leaves
//! when the channel is disconnected and empty. `tests/loom.rs` goes through the interleavings of it.
//!
//! A call costs the box of its job, with the promise in it, and the cell of its future; awaiting it, the cell's list
//! of listeners.

#![forbid(unsafe_code)]

mod executor;
mod pool;
mod builder;
mod job;
mod bridge;
mod default_pool;
mod map;
mod shutdown;
mod error;
mod gate;
mod counts;
mod sync;

pub use bridge::{Call, ToThread, run_in_executor, to_thread};
pub use builder::Builder;
pub use default_pool::{default_executor, set_default_executor, shutdown_default_executor};
pub use error::{BuildError, CallError, MapError, RejectReason, Rejected, SubmitError};
pub use executor::{Executor, ExecutorExt};
pub use job::Job;
pub use map::{Map, MapOptions};
pub use pool::ThreadPoolExecutor;
pub use shutdown::ShutDown;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
