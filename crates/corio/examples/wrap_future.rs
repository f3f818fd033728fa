//! Between threads and a loop: a thread-safe future awaited by a task, a task waited for by a thread, and what crosses.
//!
//! A value crosses, an error, and a cancellation, from either side. `wrap_future` makes a loop-bound future of a thread-safe
//! one, `to_concurrent` the other way round; `run_coroutine_threadsafe` starts a task from another thread.

use corio::{LoopHandle, RunError, concurrent, promise, run, sleep, to_concurrent, wrap_future};
use std::thread;
use std::time::Duration;

/// A thread-safe future, awaited by a task.
async fn from_a_thread() {
    let (promise, source) = concurrent::promise();
    thread::spawn(move || promise.set_result("a value"));
    println!("from a thread: {}", wrap_future(source).await.expect("the thread sets it"));

    let (promise, source) = concurrent::promise::<Result<(), &str>>();
    thread::spawn(move || promise.set_exception("an error"));
    println!("from a thread: {}", wrap_future(source).await.expect("the thread sets it").unwrap_err());

    // Cancelling the loop's side cancels the thread's, unless its work has begun.
    let (promise, source) = concurrent::promise::<()>();
    wrap_future(source).cancel();
    println!("the thread's side is cancelled: {}", promise.is_cancelled());

    // And the other way round.
    let (_promise, source) = concurrent::promise::<()>();
    let other = source.share();
    thread::spawn(move || source.cancel_with("the thread changed its mind"));
    println!("from a thread: {}", wrap_future(other).await.unwrap_err());
}

/// A loop's future, waited for by threads.
async fn from_the_loop() {
    let remote = LoopHandle::current().remote();
    let (answer, answered) = concurrent::promise();
    thread::spawn(move || {
        let mut task = remote.run_coroutine_threadsafe(|| async {
            sleep(Duration::from_secs(1)).await;
            "a task's value"
        })?;
        drop(answer.set_result(task.result(None))); // It blocks this thread, and no other.
        Ok::<_, corio::seam::Closed>(())
    });
    let value = answered.await.expect("the thread answers");
    println!("from the loop: {}", value.expect("nobody cancels the task"));

    let (_promise, source) = promise::<()>();
    let loops = source.share();
    let threads = to_concurrent(source);
    thread::spawn(move || threads.cancel());
    println!("from the loop: {}", loops.await.unwrap_err()); // The news comes in through the loop's inbox.
}

/// Crosses from either side to the other.
pub async fn program() {
    from_a_thread().await;
    from_the_loop().await;
}

fn main() -> Result<(), RunError> {
    run(program())
}
