//! Running a program: one future, a loop of its own, and an orderly end.

use crate::{RunError, Runner};
use corio_task::LARGE_FUTURE;

/// Runs `main` on a new loop, and closes that when it has completed; asyncio's `run`.
///
/// `main` is a task like any other, and need not be `'static`. However it ends, the tasks that are left over are then
/// cancelled and waited for, and then the panics among them, and the errors of those that are
/// [`reported`](corio_task::Task::reported), go to the exception handler as "unhandled exception during run() shutdown";
/// async generators that were left open are closed; the loop's thread pool is joined, for up to five minutes; and the loop
/// is closed.
///
/// # Ctrl-C
///
/// On the process's main thread, the first `SIGINT` cancels `main`, as its `cancel()` would, so that the program can clean
/// up; a `main` that unwinds ends the run with [`RunError::Interrupted`], one that catches the cancellation goes on. A
/// second one finds the default action in place, which ends the process. So it is as well where asyncio would not
/// interfere either (on other threads, and where a handler was in place before) and until the loop first sleeps, or
/// has made some hundreds of iterations: shorter runs are not worth a handler.
///
/// Whoever listens to `SIGINT` with `corio_signal` takes over for as long as he does. A handler that is installed by
/// other means while the run listens is not noticed, and left in place in the end: if it calls what was there before it, as
/// `signal-hook`'s does, both hear.
///
/// # Errors
///
/// [`RunError::Nested`] while a loop runs on this thread; [`RunError::Cancelled`] if `main` was cancelled, and
/// [`RunError::Interrupted`] if that was Ctrl-C's doing alone;
/// [`RunError::Deadlock`] if nothing could wake the loop any more, where asyncio would hang: with the tree of who waits for
/// whom (a program that waits for Ctrl-C alone says so by `corio_signal::ctrl_c`, or awaits `std::future::pending`);
/// [`RunError::Stopped`] if the loop was stopped before `main` had completed; [`RunError::Io`] if the operating system
/// refused something that the loop needs.
///
/// # Panics
///
/// If `main` panics, with its payload, when the loop has been closed.
///
/// # Examples
///
/// ```
/// use corio_executor::{run, sleep};
/// use std::time::Duration;
///
/// let name = String::from("world");
/// let greeting = run(async {
///     sleep(Duration::from_millis(1)).await;
///     format!("Hello, {name}!") // Borrowed from outside.
/// });
/// assert_eq!(greeting.unwrap(), "Hello, world!");
/// ```
#[track_caller]
pub fn run<F: Future>(main: F) -> Result<F::Output, RunError> {
    if const { size_of::<F>() > LARGE_FUTURE } {
        return run_on(&Runner::new(), Box::pin(main));
    }
    run_on(&Runner::new(), main)
}

/// Runs `main` on a runner that nobody else has, and closes it.
#[track_caller]
pub(crate) fn run_on<F: Future>(runner: &Runner, main: F) -> Result<F::Output, RunError> {
    let outcome = runner.try_run(main);
    let closed = match outcome {
        Err(RunError::Nested) => Ok(()), // There is no loop to close.
        _ => runner.close(),
    };
    match outcome {
        Ok(Err(panic)) => panic.resume_unwind(),
        Ok(Ok(output)) => closed.map(|()| output),
        Err(error) => Err(error),
    }
}
