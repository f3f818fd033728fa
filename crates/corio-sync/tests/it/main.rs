//! What can go wrong with waiters, one file a danger.

mod toy; // An executor of one screen: asyncio's FIFO, with virtual time.

mod conformance; // The traces that CPython prints.
mod order; // First come, first served; nobody overtakes.
mod cancel; // Futures dropped before, after and between wake-ups.
mod panic; // Wakers that panic, and misuse.
mod reentrancy; // Wakers that use the primitive they belong to.
mod wakers; // Which waker counts, and when it is dropped.
mod list; // The bare list against a simple model.
mod auto_traits; // What is `Send`.
