//! Three times the same coroutine, gathered: all say One, and a second later all say Two.

use corio::{LoopHandle, RunError, gather, run, sleep};
use std::time::Duration;

async fn count() {
    println!("One");
    sleep(Duration::from_secs(1)).await;
    println!("Two");
}

/// Counts three times at once.
pub async fn program() {
    let event_loop = LoopHandle::current();
    let start = event_loop.time();
    gather((count(), count(), count())).await.expect("no child fails");
    println!("{:.2} s", (event_loop.time() - start).as_secs_f64());
}

fn main() -> Result<(), RunError> {
    run(program())
}
