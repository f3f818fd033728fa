//! What can go wrong with waiters, one file a danger.

mod counter; // Polls by hand, with a waker that counts.
mod toy; // An executor of one screen: asyncio's FIFO, with virtual time.
mod random; // A small generator, for fixed seeds.
#[path = "../../../corio-future/tests/it/ledger.rs"]
#[allow(dead_code)] // Of its tools, only the waker that sees its clones is used here.
mod ledger;

mod order; // First come, first served; nobody overtakes.
mod condition; // Release, wait, acquire again; notifications that nobody may lose.
mod barrier; // Rounds, and how they break.
mod resource_guard; // One at a time, or an error.
mod statistics; // What the primitives tell of themselves.
mod model; // Random programs against a simple model of each primitive.
mod cancel; // Futures dropped before, after and between wake-ups.
mod panic; // Wakers that panic, and misuse.
mod reentrancy; // Wakers that use the primitive they belong to.
mod wakers; // Which waker counts, and when it is dropped.
mod list; // The bare list against a simple model.
mod words; // What they say to a person.
mod auto_traits; // What is `Send`.
