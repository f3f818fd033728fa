//! Ten coroutines at once: `gather` makes a task of each, and gives the results in the order of its arguments.
//!
//! Whoever finishes first prints first; the list is in order all the same. The total is the longest sleep, not the sum.

use corio::{LoopHandle, RunError, gather, run, sleep};
use std::time::Duration;

/// Sleeps some time below a second, as random as it need be and always alike, and squares.
async fn square(x: u64) -> u64 {
    sleep(Duration::from_millis((x * 377 + 91) % 1000)).await;
    println!("square({x}) is done");
    x * x
}

/// Awaits all of them together.
pub async fn program() {
    let event_loop = LoopHandle::current();
    let start = event_loop.time();
    // An error here would be that of a child: a panic, or somebody else's cancellation. There is none.
    let squares = gather((0..10).map(square)).await.expect("no child fails");
    println!("{squares:?}");
    let total = event_loop.time() - start;
    println!("total {:.2} s", total.as_secs_f64());
}

fn main() -> Result<(), RunError> {
    run(program())
}
