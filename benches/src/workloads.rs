//! The workloads. Each does `n` operations inside a task, and returns how long they took.

use crate::{Get, Put, Runtime};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A workload, for one runtime.
pub type Work = fn(u64) -> Duration;

/// A workload's name, how many operations one run of it makes, and a function for each runtime.
#[derive(Debug)]
pub struct Row<const N: usize> {
    /// What the row's head says.
    pub name: &'static str,
    /// How many operations one run makes.
    pub operations: u64,
    /// The runtimes' names and functions.
    pub columns: [(&'static str, Work); N],
}

/// Makes the rows: each workload with each runtime.
macro_rules! rows {
    ($($name:literal, $operations:literal, $function:ident);* $(;)?) => {
        /// Returns all workloads, each with all runtimes.
        #[must_use]
        pub fn all() -> Vec<Row<3>> {
            use crate::runtimes::{Corio, Smol, Tokio};
            vec![$(Row {
                name: $name,
                operations: $operations,
                columns: [
                    (Corio::NAME, $function::<Corio>),
                    (Tokio::NAME, $function::<Tokio>),
                    (Smol::NAME, $function::<Smol>),
                ],
            }),*]
        }
    };
}

rows! {
    "spawn one and await it", 20_000, spawn_one;
    "spawn 1,000 and await all", 50_000, spawn_many;
    "yield, 1 task", 100_000, yield_alone;
    "yield, 100 tasks", 100_000, yield_100;
    "promise made, set, awaited", 100_000, promise;
    "promise through a task", 20_000, promise_through_task;
    "chain of 100 tasks, a hop", 20_000, chain;
    "gather 10 tasks, a task", 20_000, gather_10;
    "gather 1,000 tasks, a task", 50_000, gather_1000;
    "queue of 1, an item", 20_000, queue_1;
    "queue of 64, an item", 100_000, queue_64;
    "queue without bound, an item", 100_000, queue_unbounded;
    "timeout around a ready future", 50_000, timeout_ready;
    "timeout armed and dropped", 20_000, timeout_armed;
    "10,000 timers armed, a timer", 10_000, timers;
}

/// Times `work` inside a task of the runtime.
fn timed<R: Runtime, F: Future<Output = ()> + 'static>(work: impl FnOnce() -> F + 'static) -> Duration {
    R::run(async move {
        let start = Instant::now();
        work().await;
        start.elapsed()
    })
}

fn spawn_one<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || async move {
        let mut sum = 0;
        for i in 0..n {
            sum += R::spawn(async move { black_box(i) }).await;
        }
        assert_eq!(sum, n * (n - 1) / 2);
    })
}

fn spawn_many<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || async move {
        for _ in 0..n / 1000 {
            let tasks: Vec<_> = (0..1000).map(|i| R::spawn(async move { black_box(i) })).collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await;
            }
            assert_eq!(sum, 499_500);
        }
    })
}

fn yield_alone<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || async move {
        for _ in 0..n {
            R::yield_now().await;
        }
    })
}

fn yield_100<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || async move {
        let each = n / 100;
        let task = |_| {
            R::spawn(async move {
                for _ in 0..each {
                    R::yield_now().await;
                }
                each
            })
        };
        let tasks: Vec<_> = (0..100).map(task).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        assert_eq!(sum, n);
    })
}

fn promise<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || async move {
        let mut sum = 0;
        for i in 0..n {
            let (set, get) = R::oneshot();
            set(black_box(i));
            sum += get.await;
        }
        assert_eq!(sum, n * (n - 1) / 2);
    })
}

fn promise_through_task<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || async move {
        let mut sum = 0;
        for i in 0..n {
            let (set, get) = R::oneshot();
            let task = R::spawn(async move { set(black_box(i)) });
            sum += get.await;
            task.await;
        }
        assert_eq!(sum, n * (n - 1) / 2);
    })
}

fn chain<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || async move {
        for _ in 0..n / 100 {
            let mut last: std::pin::Pin<Box<dyn Future<Output = u64>>> = Box::pin(R::spawn(async { 0 }));
            for _ in 1..100 {
                last = Box::pin(R::spawn(async move { last.await + 1 }));
            }
            assert_eq!(last.await, 99);
        }
    })
}

async fn gather<R: Runtime>(tasks: u64, rounds: u64) {
    for _ in 0..rounds {
        let tasks: Vec<_> = (0..tasks).map(|i| R::spawn(async move { black_box(i) })).collect();
        let n = tasks.len() as u64;
        let results = R::gather(tasks).await;
        assert_eq!(results.iter().sum::<u64>(), n * (n - 1) / 2);
    }
}

fn gather_10<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || gather::<R>(10, n / 10))
}

fn gather_1000<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || gather::<R>(1000, n / 1000))
}

async fn queue<R: Runtime>(capacity: usize, n: u64) {
    let (put, mut get) = R::queue(capacity);
    let producer = R::spawn(async move {
        for i in 0..n {
            put.put(black_box(i)).await;
        }
    });
    let mut sum = 0;
    for _ in 0..n {
        sum += get.get().await;
    }
    producer.await;
    assert_eq!(sum, n * (n - 1) / 2);
}

fn queue_1<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || queue::<R>(1, n))
}

fn queue_64<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || queue::<R>(64, n))
}

fn queue_unbounded<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || queue::<R>(0, n))
}

fn timeout_ready<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || async move {
        let mut sum = 0;
        for i in 0..n {
            sum += R::timeout(Duration::from_secs(60), async move { black_box(i) }).await.expect("it is ready");
        }
        assert_eq!(sum, n * (n - 1) / 2);
    })
}

fn timeout_armed<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || async move {
        for _ in 0..n {
            let once = R::timeout(Duration::from_secs(60), R::yield_now()).await;
            assert!(once.is_some());
        }
    })
}

fn timers<R: Runtime>(n: u64) -> Duration {
    timed::<R, _>(move || async move {
        let sleep = |i: u64| R::spawn(R::sleep(Duration::from_micros(i * 7919 % 1000)));
        let tasks: Vec<_> = (0..n).map(sleep).collect();
        for task in tasks {
            task.await;
        }
    })
}
