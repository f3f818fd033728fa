//! Generators on stable Rust: functions that hand out values as they go, and take values in.
//!
//! [`generator`] makes a [`Generator`] of an async closure that yields. One that takes nothing in is an [`Iterator`].
//! [`async_generator`] makes an [`AsyncGenerator`], whose body may also await anything else: it is a
//! [`Stream`](futures_core::Stream), and can be closed in good order, with a cleanup that awaits.
//!
//! Neither needs an executor of a particular kind: a generator needs none, and an async one is polled by whoever awaits
//! it. Where that is a task of corio's loop, the loop closes what is left open.
//!
//! # Examples
//!
//! ```
//! use corio_generator::{async_generator, generator};
//!
//! // Values out: an iterator, with borrows if you like.
//! let text = String::from("abc");
//! let mut letters = generator(async |y| y.yield_all(text.chars()).await);
//! assert_eq!(letters.next(), Some('a'));
//! assert_eq!(letters.collect::<String>(), "bc");
//!
//! // Values in, too.
//! let mut total = generator(async |y| {
//!     let mut sum = 5;
//!     while sum < 15 {
//!         sum += y.yield_(sum).await;
//!     }
//!     sum
//! });
//! assert_eq!(total.start(), Some(5));
//! assert_eq!(total.send(3), Some(8));
//! assert_eq!(total.send(7), None);
//! assert_eq!(total.take_result(), Some(15));
//!
//! // The same with awaits in between.
//! # async fn wait() {}
//! let mut powers = async_generator(async |y| {
//!     for i in 0..10 {
//!         wait().await;
//!         y.yield_(1 << i).await;
//!     }
//! });
//! pollster::block_on(async {
//!     let mut sum = 0;
//!     while let Some(power) = powers.next().await {
//!         sum += power;
//!     }
//!     assert_eq!(sum, 1023);
//! });
//! ```
//!
//! # From Python
//!
//! | Python | here |
//! |---|---|
//! | `def f(): yield 1` | `generator(async \|y\| { y.yield_(1).await; })` |
//! | `sent = yield value` | `let sent = y.yield_(value).await;` |
//! | `next(g)`, the first | [`g.start()`](Generator::start); `g.next()` where nothing is sent in |
//! | `g.send(value)` | [`g.send(value)`](Generator::send), an `Option`: `None` at the end |
//! | `StopIteration.value` | [`g.take_result()`](Generator::take_result) |
//! | `yield from g`, `yield from iterable` | [`y.yield_from(g).await`](Yielder::yield_from), [`y.yield_all(iterable).await`](Yielder::yield_all) |
//! | `g.close()`, and `del g` | [`g.close()`](Generator::close), and `drop(g)`: the body is dropped at its yield |
//! | `g.throw(error)` | absent: send a `Result` |
//! | `async def f(): yield 1` | `async_generator(async \|y\| { y.yield_(1).await; })` |
//! | `async for x in g` | `while let Some(x) = g.next().await` |
//! | `await g.asend(value)` | [`g.send(value).await`](AsyncGenerator::send) |
//! | `await g.aclose()` | [`g.close().await`](AsyncGenerator::close) |
//! | `try: .. except GeneratorExit:`, `finally:` with awaits | [`y.catch_closed(..).await`](AsyncYielder::catch_closed), and what comes after it |
//! | `finally:` without | `Drop` |
//! | `raise` at the end of the `except` | [`closed.resume().await`](Closed::resume), or `return` |
//! | "generator already executing" | does not compile |
//!
//! # Guarantees
//!
//! - **Laziness.** Nothing of the `async` closure runs before the first step, and nothing between steps.
//! - **Panics.** A panic of the body goes through the step to whoever made it. The generator is over then, and nothing else
//!   is harmed.
//! - **Misuse** panics with a sentence: a value sent where nothing waits for one, a yielder used outside its body, two
//!   yields at once, a foreign future awaited by a generator that is not async, a yield after the closing was caught.
//! - **Cancellation.** A step of an async generator that is dropped loses nothing: the next goes on there.
//! - **Closing** reaches each innermost [`catch_closed`](AsyncYielder::catch_closed) once, and is not lost if that is
//!   dropped before it hears of it.
//!
//! # What is `Send`
//!
//! | type | `Send` | `Sync` |
//! |---|---|---|
//! | [`Generator`], [`Yielder`], [`Yield`] | no | no |
//! | [`AsyncGenerator`], [`AsyncYielder`], [`Step`], [`Close`], [`CatchClosed`], [`Closed`], [`ResumeClosed`] | no | no |
//!
//! # How it works
//!
//! The body is a boxed future that is polled by hand. A yield puts its value into a cell that it shares with the generator,
//! and is pending once; the step takes the value there, and the next one puts in what is sent. See `channel` for the
//! states of that cell, `body` for those of an async generator, and `scopes` for how a closing unwinds.

#![forbid(unsafe_code)]

mod generator;
mod yielder;
mod async_generator;
mod async_yielder;
mod catch_closed;
mod body;
mod channel;
mod scopes;

pub use async_generator::{AsyncGenerator, Close, Step, async_generator};
pub use async_yielder::AsyncYielder;
pub use catch_closed::{CatchClosed, Closed, ResumeClosed};
pub use generator::{Generator, generator};
pub use yielder::{Yield, Yielder};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
