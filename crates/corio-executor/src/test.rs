//! Running a test's future on virtual time.

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
