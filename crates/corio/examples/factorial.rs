//! Three tasks, one of which fails: what `gather` makes of its error, and what `gather_settled` does.
//!
//! Python's exception is an `Err` here, which a gather sees in what its children return. `gather_settled` is
//! `gather(..., return_exceptions=True)`: a list of results, of which the caller looks at each.

use corio::{RunError, gather, gather_settled, run, sleep};
use std::time::Duration;

async fn factorial(name: &'static str, number: u32) -> Result<u32, String> {
    let mut product = 1;
    for i in 2..=number {
        if i == 4 {
            return Err(format!("task {name} cannot go on at {i}"));
        }
        println!("task {name}: compute factorial({number}), currently i={i}");
        sleep(Duration::from_secs(1)).await;
        product *= i;
    }
    println!("task {name}: factorial({number}) = {product}");
    Ok(product)
}

/// Gathers the three tasks twice.
pub async fn program() {
    // The first error in time is the result, as soon as it is there. The others would go on; here they are over.
    let failed = gather((factorial("A", 2), factorial("B", 3), factorial("C", 4))).await;
    println!("gather: {}", failed.expect_err("C fails"));

    // Nothing is lost: each child's value or failure, in order, when all are over.
    let settled = gather_settled([factorial("A", 2), factorial("B", 3), factorial("C", 4)]).await;
    for result in settled.expect("nobody cancels the gather") {
        match result {
            Ok(product) => println!("settled: {product}"),
            Err(failure) => println!("settled: error: {failure}"),
        }
    }
}

fn main() -> Result<(), RunError> {
    run(program())
}
