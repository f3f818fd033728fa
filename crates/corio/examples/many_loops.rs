//! One loop a core, the work spread over them, the results gathered.
//!
//! A loop runs on one thread, and its tasks share it. To keep all cores busy, run several loops: each on a thread of its own,
//! with tasks of its own, which never move. Between them go values that are `Send`: here the share of each loop goes out as
//! a closure, and its result comes back as a future that the first loop awaits.

use corio::{RunError, ThreadPoolExecutor, gather, run, run_in_executor, yield_now};
use std::ops::Range;
use std::sync::{Arc, Barrier};
use std::thread;

/// Counts the primes of a range, and lets other tasks of the loop have their turn now and then.
async fn count_primes(range: Range<u32>) -> usize {
    let mut count = 0;
    for n in range {
        count += usize::from(n >= 2 && (2..).take_while(|d| d * d <= n).all(|d| n % d != 0));
        if n % 100 == 0 {
            yield_now().await;
        }
    }
    count
}

/// What one loop does: every `step`-th block of a thousand numbers, each in a task.
async fn share(first: u32, step: u32) -> usize {
    let blocks = (first..100).step_by(step as usize).map(|block| block * 1000..(block + 1) * 1000);
    let counts = gather(blocks.map(count_primes)).await.expect("no task fails");
    counts.iter().sum()
}

/// Runs so many loops, each on a thread of its own.
pub async fn program(loops: u32) {
    let pool =
        ThreadPoolExecutor::builder().max_threads(loops as usize).name_prefix("loop").build().expect("it is valid");
    let all_there = Arc::new(Barrier::new(loops as usize)); // Nobody passes it before each loop has a thread.
    let calls = (0..loops).map(|number| {
        let all_there = Arc::clone(&all_there);
        run_in_executor(&pool, move || {
            all_there.wait();
            run(share(number, loops))
        })
    });

    let mut total = 0;
    for (number, count) in gather(calls).await.expect("no loop panics").into_iter().enumerate() {
        let count = count.expect("no loop fails");
        println!("loop {number}: {count} primes");
        total += count;
    }
    println!("{total} primes below 100000, by {loops} loops");
}

fn main() -> Result<(), RunError> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    run(program(u32::try_from(cores).unwrap_or(u32::MAX)))
}
