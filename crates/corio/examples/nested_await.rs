//! A coroutine called without `await` does nothing; awaited it gives its value; as a task too.

use corio::{RunError, create_task, run};

async fn nested() -> u32 {
    42
}

/// Calls it in three ways.
pub async fn program() {
    // Nothing happens: a future is made, and dropped unpolled. Python says so when the program runs ("coroutine 'nested'
    // was never awaited"), the compiler when it is built. This line expects its warning, and would not build without.
    #[expect(unused_must_use, reason = "a future that is not awaited")]
    nested();

    println!("{}", nested().await);

    // A task runs by itself, and is awaited for its result: an error if it panicked, or somebody cancelled it.
    let task = create_task(nested());
    println!("{}", task.await.expect("nobody cancels it"));
}

fn main() -> Result<(), RunError> {
    run(program())
}
