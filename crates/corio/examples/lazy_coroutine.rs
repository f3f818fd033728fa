//! Calling an `async fn` runs nothing: it makes a future. Awaiting the future runs it.
//!
//! Python tells a function, a coroutine object and a value apart when the program runs, and warns of a coroutine that was
//! never awaited. Rust tells them apart when it is compiled: each of the three kinds below has a type of its own.

use corio::{RunError, run, sleep};
use std::time::Duration;

/// Sleeps some time below a second, as random as it need be and always alike, and squares.
async fn square(x: u64) -> u64 {
    println!("square({x}) begins");
    sleep(Duration::from_millis((x * 377 + 91) % 1000)).await;
    x * x
}

// Each of these compiles only for what it names.

fn function<F: Future<Output = u64>>(_: &impl Fn(u64) -> F) -> &'static str {
    "a function"
}

fn future(_: &impl Future<Output = u64>) -> &'static str {
    "a future, not yet run"
}

fn value(value: u64) -> String {
    format!("the value {value}")
}

/// Makes the future, waits, and only then runs it.
pub async fn program() {
    println!("square is {}", function(&square));
    let two = square(2);
    println!("square(2) is {}", future(&two));
    sleep(Duration::from_secs(1)).await; // Nothing happens meanwhile: a future that nobody polls stands still.
    println!("square(2).await is {}", value(two.await));
}

fn main() -> Result<(), RunError> {
    run(program())
}
