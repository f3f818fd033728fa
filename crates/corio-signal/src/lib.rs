//! Operating-system signals as events that can be awaited.
//!
//! A [`Signals`] listener is made before the signals are wanted; then [`recv`](Signals::recv) waits for the next one.
//! While somebody listens to a signal its default action is off, and afterwards it is on again. No thread is started,
//! and nothing but two stores happens in a signal handler.
//!
//! # Examples
//!
//! Under corio's event loop, which watches for signals itself, this is all:
//!
//! ```text
//! let mut ctrl_c = corio_signal::ctrl_c()?;
//! ctrl_c.recv().await;
//! ```
//!
//! Elsewhere somebody has to watch: a reactor that takes descriptors, or a thread, see [`Bell`].
//!
//! ```
//! use corio_signal::{Bell, SIGHUP, SIGUSR2, Signals};
//!
//! # #[cfg(unix)] {
//! let bell = Bell::new().unwrap();
//! std::thread::spawn(move || while bell.wait(None).is_ok() {});
//!
//! let mut signals = Signals::new([SIGHUP, SIGUSR2]).unwrap();
//! signal_hook::low_level::raise(SIGUSR2.as_raw()).unwrap();
//! signal_hook::low_level::raise(SIGUSR2.as_raw()).unwrap();
//! signal_hook::low_level::raise(SIGHUP.as_raw()).unwrap();
//!
//! pollster::block_on(async {
//!     assert_eq!(signals.recv().await, SIGHUP);
//! });
//! # }
//! ```
//!
//! # Guarantees
//!
//! - **Nothing is lost, nothing is counted.** A signal that arrives while a listener lives is heard by it. One that
//!   arrives a thousand times before the listener looks is heard once or a few times, and never needs more memory.
//! - **Every listener hears every signal** of its list, whoever else listens. Of several, the lowest number comes first.
//! - **A [`Fallback`]** hears what arrives while no listener does.
//! - **Making a listener never picks up the past**: what arrived before is for those who listened then.
//! - **Cancellation loses nothing**: a signal stays with its listener until it is taken.
//! - **Waiting where nobody watches panics** with a sentence that says what to do, instead of waiting for ever.
//! - **A waker that panics** is reported (`corio_seam::report`), and all others are woken.
//! - **After the last listener** of a signal is dropped, the signal does again what it did before the first one was
//!   made, so a Ctrl-C ends the process. In truth the operating system's handler stays, since `signal-hook` cannot give
//!   it back, and it *acts as* the default action: it resets the signal, and raises it again. What was in place before
//!   is looked up in Linux's `/proc`; if that was an ignored signal, or somebody else's handler, it is left at that. On
//!   other systems the default action is assumed, but for `SIGPIPE`, which Rust's runtime ignores. Handlers that were
//!   there before the first listener are called as well, before ours. Real-time signals have no default action to act out: they are
//!   ignored afterwards. A child process that is `exec`uted starts with the default actions; one that is only `fork`ed
//!   shares the bell with its parent, and must not listen.
//!
//! # What is `Send`
//!
//! | type | `Send` | `Sync` |
//! |---|---|---|
//! | [`Signal`], [`Signals`], [`Recv`], [`Fallback`], [`Bell`] | yes | yes |
//! | [`LoopBell`] | no | no |
//!
//! # How it works
//!
//! A handler can do next to nothing: wakers take locks, and locks in handlers hang. So a handler raises a flag, one a
//! signal, and writes a byte into a socket that does not block. The flags are the data, the socket is only a bell: when
//! it is full it has been rung. Somebody watches the other end, and calls [`dispatch`](dispatch()) on his own stack,
//! where wakers may run: it empties the socket, lowers the flags, sets the bits of each listener, and wakes. tokio and
//! async-io do the same with a driver of their own (async-io's runs on a helper thread); this crate lies below any
//! driver, so it hands the descriptor up: corio's loop watches it by itself ([`LoopBell`]), and for others it is one
//! line of glue ([`Bell`]).
//! Any number may watch; whoever comes first does the work, the others find nothing to do.
//!
//! On Windows there is nothing to watch: listeners cannot be made there, and say so.

#![forbid(unsafe_code)]

mod listener;
mod fallback;
mod signal;
mod bell;
mod registry;
mod sys;

pub use bell::{Bell, LoopBell, dispatch, is_listening};
pub use fallback::Fallback;
pub use listener::{Recv, Signals, ctrl_c};
pub use signal::Signal;
pub use sys::*;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
