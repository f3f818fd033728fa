//! A loop that is closed with a task unfinished: it warns, and names the task.
//!
//! asyncio says "Task was destroyed but it is pending!". The task's destructors run, so nothing leaks, but it does not come
//! to its end: no cleanup that awaits, no result. That is a bug in whoever closes a loop by hand. `run` and `Runner` cancel
//! what is left over and wait for it, and so have nothing to warn of.

use corio::{EventLoop, RunError, catch_cancelled, create_task, run, sleep};
use std::error::Error;
use std::time::Duration;

async fn work() {
    if let Err(cancelled) = catch_cancelled(sleep(Duration::from_secs(3600))).await {
        println!("cancelled: the cleanup runs");
        cancelled.resume().await;
    }
}

async fn main_task() {
    drop(create_task(work()).named("forgotten")); // Dropping the handle does not end it: it goes on without.
    sleep(Duration::from_secs(1)).await;
    println!("main is done");
}

/// Warns, through the loop's exception handler: without one of the program's own, on standard error.
pub fn by_hand(event_loop: &EventLoop) -> Result<(), RunError> {
    event_loop.run_until_complete(main_task())?;
    event_loop.close().expect("it does not run now");
    Ok(())
}

/// Does not: the task is cancelled, and its cleanup waited for.
pub async fn in_good_order() {
    main_task().await;
}

fn main() -> Result<(), Box<dyn Error>> {
    by_hand(&EventLoop::new()?)?;
    run(in_good_order())?;
    Ok(())
}
