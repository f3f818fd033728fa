//! A future that a callback completes, gathered with a coroutine.
//!
//! Code that calls back, an old library say, meets code that awaits in a future: `loop.create_future()` in asyncio, whose
//! owner calls `set_result`. Here it has two ends: the callback takes the promise, whoever waits gets the future.

use corio::{LoopHandle, RunError, gather, promise, run, sleep};
use std::time::Duration;

/// Answers through a callback, after a second; it knows nothing of futures.
fn fetch(on_answer: impl FnOnce(&'static str) + 'static) {
    LoopHandle::current().call_later(Duration::from_secs(1), move || {
        println!("the callback is called");
        on_answer("from a callback");
    });
}

/// The same for code that awaits. It is no coroutine: the call is made now.
fn fetch_future() -> corio::Future<&'static str> {
    let (promise, future) = promise();
    fetch(move |answer| {
        let _ = promise.set_result(answer); // An error would say that nobody wants it any more: the future was cancelled.
    });
    future
}

async fn compute() -> u32 {
    sleep(Duration::from_secs(2)).await;
    println!("the coroutine returns");
    42
}

/// Gathers both kinds of future.
pub async fn program() {
    let (answer, number) = gather((fetch_future(), compute())).await.expect("neither fails");
    println!("{answer}, {number}");
}

fn main() -> Result<(), RunError> {
    run(program())
}
