//! Bad cases that bit real runtimes, a test or more for each that can apply; `tests/hazards/README.md` has the table of all.
//!
//! They are found by their number: `cargo test -p corio-tests --test hazards h07`.

/// What hazards need: bombs, children of this program, leaves that two wait for.
mod kit;
/// The table, held to the sources.
mod table;
/// 1 to 13: promises and futures; `mem::forget` of every guard.
mod cells;
/// 6, 9, 10, 18: a panic at each place where user code runs.
mod panics;
/// 13: `mem::forget` of whatever has a destructor.
mod forget;
/// 14 to 24: tasks.
mod tasks;
/// 25 to 34: the loop, its timers and its bell.
mod event_loop;
/// 35 to 40: descriptors, fork, and what the system refuses.
mod system;
/// 41 to 49: queues, locks, and waiting for several.
mod waiting;
/// 50 to 56: the thread pool.
mod pool;
/// 57 to 59: builds, texts from afar, dependencies.
mod supply;

#[allow(dead_code, unreachable_pub, reason = "the cells' own tests use the rest")]
#[path = "../../../crates/corio-future/tests/it/ledger.rs"]
mod ledger; // Wakers that count, and wakers made of closures.
#[path = "../it/crawler/program.rs"]
mod program; // The crawler, built.
#[path = "../../../crates/corio-signal/tests/it/this_program.rs"]
mod this_program; // A child of a test.
