//! Two mains at once, one of which runs three counters: how their steps interleave, and who wakes whom.
//!
//! How does the loop know that a sleep is over? It keeps its timers in order, the earliest at hand. `sleep` puts its moment and
//! its task's waker there, and returns "pending": the task is out of the ready queue, and nobody polls it. Each iteration
//! of the loop has four phases (see `EventLoop::run_once`):
//!
//! 1. It polls. If nothing is ready, it lets the operating system put the thread to sleep until the first timer is due, or
//!    a socket is ready, or another thread rings. Nothing spins, and nobody looks at the clock in between.
//! 2. It takes over what other threads have sent.
//! 3. It reads the clock, takes all timers that are due, and wakes their tasks into the ready queue.
//! 4. It runs what is in the ready queue now, first in, first out: each task up to its next `await` that must wait.
//!
//! So a sleep ends not when a second has passed, but in the first iteration after that: a task that computes for a minute
//! without an `await` makes everybody late.

use corio::{RunError, create_task, gather, run, sleep};
use std::time::Duration;

async fn count(i: u64) {
    println!("{i}");
    sleep(Duration::from_secs(i)).await;
    println!("{i}");
}

/// Runs the counters side by side. They are tasks, made when `gather` is called, and begin in the next iteration.
async fn counters() {
    gather((1..=3).map(count)).await.expect("no child fails");
}

async fn main2() {
    println!("main2 start");
    sleep(Duration::from_secs(2)).await;
    println!("main2 end");
}

/// Runs both mains as tasks.
pub async fn program() {
    // Both are in the ready queue now, and the counters will come behind them: that is why `main2` speaks first. Its timer
    // is set before that of `count(2)`, for the same moment but for microseconds, and so it is also first at two seconds.
    let tasks = (create_task(counters()), create_task(main2()));
    gather(tasks).await.expect("no child fails");
}

fn main() -> Result<(), RunError> {
    run(program())
}
