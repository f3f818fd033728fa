//! Three callbacks on a loop-bound future, and on a thread-safe one: when they run, and where.
//!
//! A loop-bound future (asyncio's) never calls anybody itself: a callback becomes an entry of the loop's ready queue, and
//! runs after the current step. A thread-safe one (`concurrent.futures`') has no loop to hand them to: it calls them at
//! once, in the thread that completes it, before `set_result` returns.

use corio::{RunError, concurrent, promise, run, yield_now};
use std::thread::{self, ThreadId};

/// Says whether this is the thread where the callbacks were added.
fn place(of_the_loop: ThreadId) -> &'static str {
    if thread::current().id() == of_the_loop { "the loop's thread" } else { "the completing thread" }
}

/// Completes a future of either kind.
pub async fn program() {
    let here = thread::current().id();

    let (promise, future) = promise();
    for n in 1..=3 {
        future.add_done_callback(move |_| println!("callback {n} in {}", place(here)));
    }
    println!("loop-bound: set_result is called");
    promise.set_result(()).expect("nobody cancelled it");
    println!("loop-bound: set_result has returned");
    yield_now().await; // One iteration of the loop: the callbacks stood in the queue before this task.
    println!("loop-bound: an iteration later");

    let (promise, future) = concurrent::promise();
    for n in 1..=3 {
        future.add_done_callback(move |_| println!("callback {n} in {}", place(here)));
    }
    let completing = thread::spawn(move || {
        println!("thread-safe: set_result is called");
        promise.set_result(()).expect("nobody cancelled it");
        println!("thread-safe: set_result has returned");
    });
    completing.join().expect("it does not panic"); // It blocks the loop, for a moment; the callbacks run all the same.

    // On a future that is over already, a thread-safe callback runs in the thread that adds it.
    future.add_done_callback(move |_| println!("callback 4 in {}", place(here)));
    println!("thread-safe: it was added");
}

fn main() -> Result<(), RunError> {
    run(program())
}
