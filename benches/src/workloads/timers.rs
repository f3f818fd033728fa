//! Timers: made and dropped, armed by the thousand, around futures, and how late they are.

use super::{Compio, Corio, Epoll, Futures, Glommio, Kimojio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring};
use super::{Row, Sample, columns, in_task};
use crate::Runtime;
use crate::measure::processor_time;
use std::hint::black_box;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("timeout around a ready future", 50_000, columns!(timeout_ready)).bar(1.00),
        Row::new("timeout armed and dropped", 20_000, columns!(timeout_armed)).bar(0.60),
        Row::new("timeout around a slow future, CPU", 200, columns!(timeout_slow)),
        Row::new("timer made, polled, dropped", 20_000, columns!(made_and_dropped)),
        Row::new("100,000 armed timers, CPU, a timer", 100_000, columns!(armed)).bar(0.70),
        Row::new("1,000,000 armed timers, CPU, a timer", 1_000_000, columns!(armed)).bar(0.70),
        Row::new("lateness of a timer, p50", 300, columns!(lateness<50>)).unit("us"),
        Row::new("lateness of a timer, p99", 300, columns!(lateness<99>)).unit("us"),
    ]
}

fn timeout_ready<R: Runtime>(n: u64) -> Sample {
    in_task::<R, _>(move || async move {
        let mut sum = 0;
        for i in 0..n {
            sum += R::timeout(LONG, async move { black_box(i) }).await.expect("it is ready");
        }
        assert_eq!(sum, n * (n - 1) / 2);
    })
}

fn timeout_armed<R: Runtime>(n: u64) -> Sample {
    in_task::<R, _>(move || async move {
        for _ in 0..n {
            assert!(R::timeout(LONG, R::yield_now()).await.is_some());
        }
    })
}

/// Each timeout cuts its future off after a tenth of a millisecond.
fn timeout_slow<R: Runtime>(n: u64) -> Sample {
    R::block_on(async move {
        let start = processor_time();
        for _ in 0..n {
            let cut = R::timeout(Duration::from_micros(100), std::future::pending::<()>()).await;
            assert!(cut.is_none());
        }
        Sample::Time(processor_time() - start)
    })
}

fn made_and_dropped<R: Runtime>(n: u64) -> Sample {
    in_task::<R, _>(move || async move {
        for _ in 0..n {
            let mut sleep = Box::pin(R::sleep(LONG));
            std::future::poll_fn(|cx| {
                assert!(sleep.as_mut().poll(cx).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
        }
    })
}

/// Each timer is armed by a task of its own, at a moment within a tenth of a second.
fn armed<R: Runtime>(n: u64) -> Sample {
    R::block_on(async move {
        let start = processor_time();
        let sleep = |i: u64| R::spawn(R::sleep(Duration::from_micros(i * 7919 % 100_000)));
        let tasks: Vec<_> = (0..n).map(sleep).collect();
        for task in tasks {
            task.await;
        }
        Sample::Time(processor_time() - start)
    })
}

/// How late a sleep of one to two milliseconds ends on a loop that has nothing else to do.
fn lateness<R: Runtime, const PERCENTILE: usize>(n: u64) -> Sample {
    R::block_on(async move {
        let mut late = Vec::new();
        for i in 0..n {
            let time = Duration::from_micros(1_000 + i * 7919 % 1_000);
            let due = Instant::now() + time;
            R::sleep(time).await;
            // One that fires early shows as less than nothing.
            let now = Instant::now();
            let early = due.saturating_duration_since(now).as_secs_f64();
            late.push(now.saturating_duration_since(due).as_secs_f64() - early);
        }
        late.sort_by(f64::total_cmp);
        Sample::Value(late[late.len() * PERCENTILE / 100] * 1e6)
    })
}
