//! CPython's programs, ported: each must print, line by line, what CPython prints.
//!
//! A program is named as its `.expected` file in `tests/conformance`, where the README says what differs by design.

#[macro_use]
mod harness; // Runs a program, and compares its lines with CPython's.
mod python; // How Python spells what is observed here.

mod callbacks; // The loop: callbacks, timers, their errors.
mod futures; // Cells: states, done callbacks, errors nobody reads.
mod tasks; // Tasks: their order, their results, misuse.
mod cancellation; // Requests: where they are delivered, who hears of them.
mod combinators; // gather, wait, shield.
mod timeouts; // timeout, wait_for.
mod groups; // Task groups.
mod sync; // Events and their kin.
mod queues; // Queues of three kinds.
mod threads; // Threads, and futures between them.
mod context; // Context variables.
mod generators; // Generators, and async ones.
mod graph; // Who waits for whom.
mod debug; // Debug mode.
mod runner; // Runs, several on one loop.
