//! Ten coroutines at once, and each result as soon as it is there: `as_completed`.
//!
//! It starts all of them, as `gather` does, but hands the results out in the order of completion. Which order that is
//! depends on the sleeps; theirs are always alike, so it is always the same.

use corio::{RunError, as_completed, run, sleep};
use std::time::Duration;

/// Sleeps some time below a second, as random as it need be and always alike, and squares.
async fn square(x: u64) -> (u64, u64) {
    sleep(Duration::from_millis((x * 377 + 91) % 1000)).await;
    (x, x * x)
}

/// Takes each result when it comes.
pub async fn program() {
    let mut results = as_completed((0..10).map(square));
    while let Some(result) = results.next().await {
        let (x, square) = result.expect("no child fails");
        println!("square({x}) = {square}, {} to come", results.len());
    }
}

fn main() -> Result<(), RunError> {
    run(program())
}
