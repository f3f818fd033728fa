//! What can go wrong with an event loop, one danger a file.

mod order; // Iterations: what runs when, stop, starvation.
mod timers; // Early, late, twice, never.
mod threads; // Wake-ups that get lost.
mod shutdown; // The end of a run, of a runner, of a loop.
mod thread_pool; // The loop's pool of threads, and its end.
mod misuse; // Errors instead of hangs.
mod exceptions; // Errors that nobody looks at.
mod context; // Values that leak, or do not arrive.
#[cfg(not(miri))] // It measures real time, of which Miri takes much.
mod debug; // Steps that hold everybody up.
mod clock; // Virtual time.
mod seeds; // Orders that nobody promised.
mod blocked; // Tests that look too early: all tasks blocked, and sequences.
#[cfg(all(unix, not(miri)))]
mod io_selector; // What every selector owes, on real sockets.
#[cfg(all(unix, not(miri)))]
mod io_source; // Sources on a running loop.
#[cfg(all(target_os = "linux", not(miri)))]
mod io_level; // Connections that leave the edges for a time.
mod io_mock; // The same on a selector and a clock that are moved by hand.
#[cfg(all(unix, not(miri)))]
mod io_readers; // `add_reader` and `add_writer`.
#[cfg(all(unix, not(miri)))] // Miri starts no child.
#[path = "../../../corio-signal/tests/it/this_program.rs"]
mod this_program; // A child of a test.
#[cfg(all(unix, not(miri)))]
mod signals; // Ctrl-C while the loop sleeps; each in a child process.
mod auto_traits; // What is `Send`.
mod words; // What they say to a person.
mod transcript; // What a program prints.
