//! Each primitive of floors 0 and 1 under each runtime: the same bodies, and the same promises.
//!
//! A test is named after the primitive, what it promises, and the runtime:
//! `primitives::lock::first_come_first_served::tokio`. The bodies ask a primitive's `statistics` who stands in line, and
//! so depend on no runtime's order of steps.

/// A test of each body under each runtime.
macro_rules! on_every_runtime {
    ($($body:ident)*) => {
        $(mod $body {
            use crate::primitives::runtime::{self, Bare, Corio, Set, Smol, Tokio};

            #[test]
            fn corio() {
                runtime::run::<Corio, _>(super::$body);
            }

            #[test]
            fn task_set_in_block_on() {
                runtime::run::<Set, _>(super::$body);
            }

            #[test]
            fn tokio() {
                runtime::run::<Tokio, _>(super::$body);
            }

            #[test]
            fn smol() {
                runtime::run::<Smol, _>(super::$body);
            }

            #[test]
            fn bare_block_on() {
                runtime::run::<Bare, _>(super::$body);
            }
        })*
    };
}

mod runtime; // The five runtimes, behind one face.

mod lock;
mod event;
mod condition;
mod semaphore;
mod barrier;
mod queue;
mod future; // Loop-bound cells, and those between threads.

mod conformance; // asyncio's programs that need a loop, with the lines that CPython prints.
mod two_loops; // Primitives that tasks of two loops of one thread share.
