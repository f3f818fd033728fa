//! Tasks: starting, yielding, waiting for one another.

use super::floors::{self, ALLOCATION, TASK, TURN};
use super::{
    Compio, Corio, CorioEager, Epoll, Futures, Glommio, Kimojio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring,
};
use super::{Position, Row, columns};
use crate::Runtime;
use std::cell::RefCell;
use std::hint::black_box;

pub(super) fn rows<P: Position>() -> Vec<Row> {
    vec![
        Row::new("spawn one and await it", 20_000, columns!(starts spawn_one))
            .bar(0.42)
            .floor(TASK, floors::tasks::<1>),
        Row::new("spawn one that yields, and await it", 20_000, columns!(starts spawn_yielding)),
        Row::new("spawn 1,000 and await all", 50_000, columns!(starts spawn_many(1000)))
            .batch(1000)
            .bar(0.40)
            .floor(TASK, floors::tasks::<1000>),
        Row::new("spawn 1,000,000 at once", 1_000_000, columns!(starts spawn_many(1_000_000)))
            .batch(1_000_000)
            .slow()
            .bar(0.65)
            .floor(ALLOCATION, floors::all_blocks),
        Row::new("yield, 1 task", 100_000, columns!(yield_alone)).bar(0.30).floor(TURN, floors::turn::<1>),
        Row::new("yield, 100 tasks", 100_000, columns!(yield_many(100)))
            .batch(100)
            .bar(0.30)
            .floor(TURN, floors::turn::<100>),
        Row::new("yield, 1,000 tasks", 100_000, columns!(yield_many(1000)))
            .batch(1000)
            .bar(0.30)
            .floor(TURN, floors::turn::<1000>),
        Row::new("chain of 100 tasks, a hop", 20_000, columns!(starts chain(100)))
            .batch(100)
            .bar(0.30)
            .floor(TASK, floors::tasks::<100>),
        Row::new("chain of 100,000 tasks, a hop", 100_000, columns!(starts chain(100_000)))
            .batch(100_000)
            .bar(0.30)
            .floor(TASK, floors::tasks::<100_000>),
        Row::new("gather 10 tasks, a task", 20_000, columns!(starts gather(10)))
            .batch(10)
            .bar(0.45)
            .floor(TASK, floors::tasks::<10>),
        Row::new("gather 1,000 tasks, a task", 50_000, columns!(starts gather(1000)))
            .batch(1000)
            .bar(0.45)
            .floor(TASK, floors::tasks::<1000>),
        Row::new("gather 100,000 tasks, a task", 100_000, columns!(starts gather(100_000)))
            .batch(100_000)
            .bar(0.45)
            .floor(TASK, floors::tasks::<100_000>),
        Row::new("as completed, 10 tasks, a task", 20_000, columns!(starts as_completed(10)))
            .batch(10)
            .bar(0.25)
            .floor(TASK, floors::tasks::<10>),
        Row::new("as completed, 1,000 tasks, a task", 50_000, columns!(starts as_completed(1000)))
            .batch(1000)
            .bar(0.25)
            .floor(TASK, floors::tasks::<1000>),
        Row::new("as completed, 100,000 tasks, a task", 100_000, columns!(starts as_completed(100_000)))
            .batch(100_000)
            .bar(0.25)
            .floor(TASK, floors::tasks::<100_000>),
    ]
}

/// The sum of 0 to n - 1: what the workloads check their results by.
pub(super) fn sum_to(n: u64) -> u64 {
    n * (n - 1) / 2
}

/// What a task does that does nothing.
async fn value(i: u64) -> u64 {
    black_box(i)
}

async fn spawn_one<R: Runtime>(n: u64) {
    let mut sum = 0;
    for i in 0..n {
        sum += R::spawn(value(i)).await;
    }
    assert_eq!(sum, sum_to(n));
}

/// The child suspends once: those who start tasks eagerly save nothing here.
async fn spawn_yielding<R: Runtime>(n: u64) {
    let mut sum = 0;
    for i in 0..n {
        let child = async move {
            R::yield_now().await;
            black_box(i)
        };
        sum += R::spawn(child).await;
    }
    assert_eq!(sum, sum_to(n));
}

async fn spawn_many<R: Runtime>(n: u64, count: u64) {
    for _ in 0..n / count {
        let tasks: Vec<_> = (0..count).map(|i| R::spawn(value(i))).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        assert_eq!(sum, sum_to(count));
    }
}

async fn yield_alone<R: Runtime>(n: u64) {
    for _ in 0..n {
        R::yield_now().await;
    }
}

async fn yield_many<R: Runtime>(n: u64, count: u64) {
    let each = n / count;
    let task = |_| {
        R::spawn(async move {
            yield_alone::<R>(each).await;
            each
        })
    };
    let tasks: Vec<_> = (0..count).map(task).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await;
    }
    assert_eq!(sum, n);
}

async fn chain<R: Runtime>(n: u64, length: u64) {
    for _ in 0..n / length {
        let mut last = R::spawn(async { 0 });
        for _ in 1..length {
            last = R::spawn(async move { last.await + 1 });
        }
        assert_eq!(last.await, length - 1);
    }
}

async fn gather<R: Runtime>(n: u64, count: u64) {
    for _ in 0..n / count {
        let tasks: Vec<_> = (0..count).map(|i| R::spawn(value(i))).collect();
        let results = R::gather(tasks).await;
        assert_eq!(results.iter().sum::<u64>(), sum_to(count));
    }
}

async fn as_completed<R: Runtime>(n: u64, count: u64) {
    for _ in 0..n / count {
        let tasks: Vec<_> = (0..count).map(|i| R::spawn(value(i))).collect();
        let sum = RefCell::new(0);
        R::as_completed(tasks, |result| *sum.borrow_mut() += result).await;
        assert_eq!(sum.into_inner(), sum_to(count));
    }
}
