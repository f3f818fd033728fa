//! Tasks: starting, yielding, waiting for one another.

use super::{
    Compio, Corio, CorioEager, Epoll, Futures, Glommio, Kimojio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring,
};
use super::{Row, Sample, columns, in_main, in_task};
use crate::Runtime;
use std::cell::RefCell;
use std::hint::black_box;
use std::pin::Pin;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("spawn one and await it", 20_000, columns!(starts spawn_one)).bar(0.45),
        Row::new("spawn one and await it, from main", 20_000, columns!(starts spawn_one_from_main)),
        Row::new("spawn 1,000 and await all", 50_000, columns!(starts spawn_many)).bar(0.45),
        Row::new("spawn 1,000 and await all, from main", 50_000, columns!(starts spawn_many_from_main)),
        Row::new("spawn 1,000,000 at once", 1_000_000, columns!(starts spawn_all)).bar(0.65),
        Row::new("yield, 1 task", 100_000, columns!(yield_alone)).bar(0.30),
        Row::new("yield, from main", 100_000, columns!(yield_main)),
        Row::new("yield, 100 tasks", 100_000, columns!(yield_many<100>)).bar(0.30),
        Row::new("yield, 1,000 tasks", 100_000, columns!(yield_many<1000>)).bar(0.30),
        Row::new("chain of 100 tasks, a hop", 20_000, columns!(starts chain<100>)).bar(0.30),
        Row::new("chain of 100,000 tasks, a hop", 100_000, columns!(starts chain<100_000>)).bar(0.30),
        Row::new("gather 10 tasks, a task", 20_000, columns!(starts gather<10>)).bar(0.45),
        Row::new("gather 1,000 tasks, a task", 50_000, columns!(starts gather<1000>)).bar(0.45),
        Row::new("gather 100,000 tasks, a task", 100_000, columns!(starts gather<100_000>)).bar(0.45),
        Row::new("as completed, 10 tasks, a task", 20_000, columns!(starts as_completed<10>)).bar(0.25),
        Row::new("as completed, 1,000 tasks, a task", 50_000, columns!(starts as_completed<1000>)).bar(0.25),
        Row::new("as completed, 100,000 tasks, a task", 100_000, columns!(starts as_completed<100_000>)).bar(0.25),
    ]
}

/// The sum of 0 to n - 1: what the workloads check their results by.
pub(super) fn sum_to(n: u64) -> u64 {
    n * (n - 1) / 2
}

async fn spawning_one<R: Runtime>(n: u64) {
    let mut sum = 0;
    for i in 0..n {
        sum += R::spawn(async move { black_box(i) }).await;
    }
    assert_eq!(sum, sum_to(n));
}

fn spawn_one<R: Runtime>(n: u64) -> Sample {
    in_task::<R, _>(move || spawning_one::<R>(n))
}

fn spawn_one_from_main<R: Runtime>(n: u64) -> Sample {
    in_main::<R, _>(move || spawning_one::<R>(n))
}

async fn spawning_many<R: Runtime>(n: u64) {
    for _ in 0..n / 1000 {
        let tasks: Vec<_> = (0..1000).map(|i| R::spawn(async move { black_box(i) })).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        assert_eq!(sum, sum_to(1000));
    }
}

fn spawn_many<R: Runtime>(n: u64) -> Sample {
    in_task::<R, _>(move || spawning_many::<R>(n))
}

fn spawn_many_from_main<R: Runtime>(n: u64) -> Sample {
    in_main::<R, _>(move || spawning_many::<R>(n))
}

fn spawn_all<R: Runtime>(n: u64) -> Sample {
    in_task::<R, _>(move || async move {
        let tasks: Vec<_> = (0..n).map(|i| R::spawn(async move { black_box(i) })).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        assert_eq!(sum, sum_to(n));
    })
}

async fn yielding<R: Runtime>(n: u64) {
    for _ in 0..n {
        R::yield_now().await;
    }
}

fn yield_alone<R: Runtime>(n: u64) -> Sample {
    in_task::<R, _>(move || yielding::<R>(n))
}

fn yield_main<R: Runtime>(n: u64) -> Sample {
    in_main::<R, _>(move || yielding::<R>(n))
}

fn yield_many<R: Runtime, const TASKS: u64>(n: u64) -> Sample {
    in_task::<R, _>(move || async move {
        let each = n / TASKS;
        let task = |_| {
            R::spawn(async move {
                yielding::<R>(each).await;
                each
            })
        };
        let tasks: Vec<_> = (0..TASKS).map(task).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        assert_eq!(sum, n);
    })
}

fn chain<R: Runtime, const LENGTH: u64>(n: u64) -> Sample {
    in_task::<R, _>(move || async move {
        for _ in 0..n / LENGTH {
            let mut last: Pin<Box<dyn Future<Output = u64>>> = Box::pin(R::spawn(async { 0 }));
            for _ in 1..LENGTH {
                last = Box::pin(R::spawn(async move { last.await + 1 }));
            }
            assert_eq!(last.await, LENGTH - 1);
        }
    })
}

fn gather<R: Runtime, const TASKS: u64>(n: u64) -> Sample {
    in_task::<R, _>(move || async move {
        for _ in 0..n / TASKS {
            let tasks: Vec<_> = (0..TASKS).map(|i| R::spawn(async move { black_box(i) })).collect();
            let results = R::gather(tasks).await;
            assert_eq!(results.iter().sum::<u64>(), sum_to(TASKS));
        }
    })
}

fn as_completed<R: Runtime, const TASKS: u64>(n: u64) -> Sample {
    in_task::<R, _>(move || async move {
        for _ in 0..n / TASKS {
            let tasks: Vec<_> = (0..TASKS).map(|i| R::spawn(async move { black_box(i) })).collect();
            let sum = RefCell::new(0);
            R::as_completed(tasks, |result| *sum.borrow_mut() += result).await;
            assert_eq!(sum.into_inner(), sum_to(TASKS));
        }
    })
}
