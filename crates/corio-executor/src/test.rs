//! Tests of programs: virtual time, seeds, and tasks that wait for each other to be at a certain point.
//!
//! | what | for |
//! |---|---|
//! | [`run`] | a test that sleeps for hours, and ends at once, the same at every run |
//! | [`run_seeds`] | the same under many seeds, each with another order of what asyncio leaves in no order |
//! | [`wait_all_tasks_blocked`] | "until nothing happens any more", instead of a sleep |
//! | [`Sequencer`] | "first this task, then that one, then the first again" |
//!
//! They are trio's test kit: its `MockClock`, which jumps; its seeded order of tasks, on asyncio's terms; its
//! `wait_all_tasks_blocked`; its `Sequencer`. The attribute `#[corio::test]` of `corio-macros` makes an `async fn` a test
//! by the first two.

mod blocked;
mod seeds;
mod sequencer;

pub(crate) use blocked::Idlers;
pub use blocked::{WaitAllTasksBlocked, wait_all_tasks_blocked};
pub use seeds::run_seeds;
pub use sequencer::{Sequencer, Step, StepGuard};

use crate::run::run_on;
use crate::{EventLoop, Runner, VirtualClock};

/// Runs `main` on a loop with a [`VirtualClock`], as [`run`](crate::run()) does with the machine's clock.
///
/// Nothing waits for time to pass, and everything happens in the same order at every run.
///
/// # Panics
///
/// If `main` panics, is cancelled, or does not end because the loop was stopped, or can never wake, with the tree of who
/// waits for whom; and while a loop runs on this thread.
///
/// # Examples
///
/// ```
/// use corio_executor::{LoopHandle, sleep, test};
/// use std::time::Duration;
///
/// let seconds = test::run(async {
///     sleep(Duration::from_secs(24 * 60 * 60)).await;
///     LoopHandle::current().time().since_start().as_secs()
/// });
/// assert_eq!(seconds, 86_400);
/// ```
#[track_caller]
pub fn run<F: Future>(main: F) -> F::Output {
    let runner = Runner::with_loop_factory(|| EventLoop::builder().clock(VirtualClock::new()).build());
    run_on(&runner, main).unwrap_or_else(|error| panic!("{error}"))
}
