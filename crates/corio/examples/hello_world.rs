//! The smallest program: says hello, sleeps for a second, says world.
//!
//! `run` makes a loop, runs one future on it, and closes it, as `asyncio.run` does. With the attribute `#[corio::main]`
//! an `async fn main` says the same.

use corio::{RunError, run, sleep};
use std::time::Duration;

/// Says both words.
pub async fn program() {
    println!("hello");
    sleep(Duration::from_secs(1)).await; // The thread is free meanwhile: other tasks would run.
    println!("world");
}

fn main() -> Result<(), RunError> {
    run(program())
}
