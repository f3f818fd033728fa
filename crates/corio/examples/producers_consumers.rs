//! Producers put items into one queue, consumers take them out; when all work is done, the consumers are cancelled.
//!
//! `queue.join()` waits until `task_done` was said for each item, which is later than when the queue is empty: the last item
//! is still being worked on then. Run it as `cargo run -p corio --example producers_consumers -- -p 3 -c 5`.

use corio::{LoopHandle, LoopTime, Queue, RunError, create_task, gather, run, sleep};
use std::time::Duration;

/// An item: its name, and when it was put.
type Item = (String, LoopTime);

/// Sleeps up to a second, as random as it need be; the same seed gives the same sleeps.
async fn random_sleep(seed: &mut u64) {
    *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    sleep(Duration::from_millis((*seed >> 33) % 1000)).await;
}

async fn produce(number: u64, queue: Queue<Item>) {
    let mut seed = number;
    for n in 1..=3 {
        random_sleep(&mut seed).await;
        let item = format!("{number}.{n}");
        println!("producer {number} adds {item}");
        queue.put((item, LoopHandle::current().time())).await.expect("nobody shuts the queue down");
    }
}

/// Works for ever: whoever made it cancels it.
async fn consume(number: u64, queue: Queue<Item>) {
    let mut seed = !number;
    loop {
        random_sleep(&mut seed).await;
        let (item, put) = queue.get().await.expect("nobody shuts the queue down");
        let latency = LoopHandle::current().time() - put;
        println!("consumer {number} got {item} after {:.3} s", latency.as_secs_f64());
        queue.task_done().expect("one for each item");
    }
}

/// Lets so many producers and consumers work on one queue.
pub async fn program(producers: u64, consumers: u64) {
    let queue = Queue::new(0); // A clone is a handle to the same queue; no number limits its items.
    let producers = gather((0..producers).map(|number| produce(number, queue.clone())));
    let consumer = |number| create_task(consume(number, queue.clone())).named(format!("consumer {number}"));
    let consumers: Vec<_> = (0..consumers).map(consumer).collect();

    producers.await.expect("no producer fails");
    println!("all is produced");
    queue.join().await;
    println!("all is consumed, and {} items are left", queue.len());
    for consumer in consumers {
        let name = consumer.name();
        consumer.cancel(); // It is cut at its `await`, be that the sleep or the queue.
        println!("{name}: {}", consumer.await.expect_err("it never returns"));
    }
}

/// Reads `-p` and `-c` from the command line.
fn arguments() -> Option<(u64, u64)> {
    let (mut producers, mut consumers) = (2, 3);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next()?.parse().ok()?;
        match &*word {
            "-p" => producers = number,
            "-c" => consumers = number,
            _ => return None,
        }
    }
    Some((producers, consumers)).filter(|_| consumers > 0)
}

fn main() -> Result<(), RunError> {
    let Some((producers, consumers)) = arguments() else {
        eprintln!("usage: producers_consumers [-p PRODUCERS] [-c CONSUMERS], at least one consumer");
        std::process::exit(2);
    };
    run(program(producers, consumers))
}
