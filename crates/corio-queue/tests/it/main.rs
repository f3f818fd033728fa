//! What can go wrong with queues, one file a danger.

#[path = "../../../corio-sync/tests/it/counter.rs"]
mod counter; // Polls by hand, with a waker that counts.
#[path = "../../../corio-sync/tests/it/random.rs"]
mod random; // A small generator, for fixed seeds.
#[path = "../../../corio-future/tests/it/ledger.rs"]
#[allow(dead_code)] // Of its tools, only the waker that sees its clones is used here.
mod ledger;

mod order; // Who is woken, who is robbed, and where he goes then.
mod cancel; // Futures dropped before, after and between wake-ups.
mod model; // Random programs against a simple model: nothing lost, nothing doubled.
mod shutdown; // Both sides blocked, items left, items in work.
mod panic; // Wakers, destructors and comparisons that panic.
mod reentrancy; // User code that uses the queue it is called by.
mod statistics; // What a queue tells of itself.
mod threads; // The queue between threads.
mod words; // What they say to a person.
mod auto_traits; // What is `Send`.
