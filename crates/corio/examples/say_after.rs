//! Two coroutines in turn take three seconds; as two tasks they take two.
//!
//! A future does nothing until it is awaited, so that awaiting one after the other runs one after the other. A task
//! begins by itself as soon as the loop has its turn: create both, then wait for both.

use corio::{LoopHandle, RunError, create_task, run, sleep};
use std::time::Duration;

async fn say_after(seconds: u64, what: &'static str) {
    sleep(Duration::from_secs(seconds)).await;
    println!("{what}");
}

/// Says them in turn, and then by two tasks.
pub async fn program() {
    let event_loop = LoopHandle::current();

    let start = event_loop.time();
    say_after(1, "hello").await;
    say_after(2, "world").await;
    println!("in turn: {:.0} s", (event_loop.time() - start).as_secs_f64());

    let start = event_loop.time();
    let hello = create_task(say_after(1, "hello"));
    let world = create_task(say_after(2, "world"));
    hello.await.expect("it was not cancelled");
    world.await.expect("it was not cancelled");
    println!("as tasks: {:.0} s", (event_loop.time() - start).as_secs_f64());
}

fn main() -> Result<(), RunError> {
    run(program())
}
