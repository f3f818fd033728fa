//! A loop by hand: made, run until something is complete, closed.
//!
//! `run` does all that, and waits for what is left over besides. By hand it is asyncio's `new_event_loop`,
//! `run_until_complete` and `close`; tasks are made on the loop before it runs, and start when it does.

use corio::{EventLoop, RunError, gather, sleep};
use std::error::Error;
use std::time::Duration;

async fn wait_for(seconds: u64) -> u64 {
    sleep(Duration::from_secs(seconds)).await;
    seconds
}

/// Runs two tasks on a loop that somebody else has made.
pub fn program(event_loop: &EventLoop) -> Result<(), RunError> {
    let start = event_loop.time();
    let tasks = [1, 2].map(|seconds| event_loop.create_task(wait_for(seconds)));
    let result = event_loop.run_until_complete(gather(tasks))?.expect("no task fails");
    println!("result : {result:?}");
    println!("total time : {:.2} sec", (event_loop.time() - start).as_secs_f64());
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let event_loop = EventLoop::new()?;
    program(&event_loop)?;
    event_loop.close()?; // Dropping it closes it, too.
    Ok(())
}
