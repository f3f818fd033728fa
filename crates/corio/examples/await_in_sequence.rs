//! Ten coroutines, awaited one after the other: the next begins when the one before has ended.
//!
//! `await` alone makes nothing concurrent. The inputs appear strictly in order, and the sleeps add up; compare
//! `gather_in_order`.

use corio::{LoopHandle, RunError, run, sleep};
use std::time::Duration;

/// Sleeps some time below a second, as random as it need be and always alike, and squares.
async fn square(x: u64) -> u64 {
    sleep(Duration::from_millis((x * 377 + 91) % 1000)).await;
    x * x
}

/// Awaits each in its turn.
pub async fn program() {
    let event_loop = LoopHandle::current();
    let start = event_loop.time(); // The loop's clock, which a test can make a virtual one.
    for x in 0..10 {
        let result = square(x).await;
        println!("square({x}) = {result}");
    }
    let total = event_loop.time() - start;
    println!("total {:.2} s", total.as_secs_f64());
}

fn main() -> Result<(), RunError> {
    run(program())
}
