//! Operating-system signals as events that can be awaited.
//!
//! A [`Signals`] listener is made before the signals are wanted; then [`recv`](Signals::recv) waits for the next one.
//! While somebody listens to a signal its default action is off, and afterwards it is on again. No thread is started,
//! and next to nothing happens in a signal handler: a flag is raised, and a bell is rung.
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
//! - **After the last listener** of a signal is dropped, what was in place before the first one is put back: the default
//!   action, so a Ctrl-C ends the process, also of real-time signals; an order to ignore the signal, as `nohup` gives, and
//!   Rust's runtime for `SIGPIPE`; or another's handler, with its flags and its mask.
//! - **Handlers of others that were there before** are called as well, while somebody listens: after ours has done its
//!   part, with all that they ask for (`siginfo`), and with the signals held back that they want held back.
//! - **Handlers of others that come later** lie over ours, and it is for them to call it: then listeners go on hearing,
//!   and otherwise not. When the last listener is dropped they stay, and answer for the signal alone. Should one put ours
//!   back after that, ours gives way to what was there before it. Listeners that are made anew hear in any case; only when
//!   four different handlers have come over ours so, and none has gone, the next listener is an error.
//! - **Whoever is interrupted** notices nothing: `errno` is as it was, system calls are restarted (`SA_RESTART`) where the
//!   system does that, and a thread's stack for signals is used if it has one (unless another's handler that was there
//!   before does without). All signals may arrive at once.
//! - **Children**: one that is `exec`uted starts with the default actions; one that is only `fork`ed shares the bell with
//!   its parent, and must not listen.
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
//! signal, and sends a byte into a socket, without blocking. The flags are the data, the socket is only a bell: when
//! it is full it has been rung. Somebody watches the other end, and calls [`dispatch`](dispatch()) on his own stack,
//! where wakers may run: it empties the socket, lowers the flags, sets the bits of each listener, and wakes. tokio and
//! async-io do the same with a driver of their own (async-io's runs on a helper thread); this crate lies below any
//! driver, so it hands the descriptor up: corio's loop watches it by itself ([`LoopBell`]), and for others it is one
//! line of glue ([`Bell`]). On Linux a handler also writes to a word of memory on which a loop may sleep that has no other
//! descriptor to watch.
//! Any number may watch; whoever comes first does the work, the others find nothing to do.
//!
//! The handler is installed by `sigaction`, which also says what was there before; that is all the unsafe code there is.
//!
//! On Windows there is nothing to watch: listeners cannot be made there, and say so.

#![deny(unsafe_code)] // Lifted in `sys::unix::action` alone.

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
