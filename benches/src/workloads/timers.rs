//! Timers: made and dropped, armed by the thousand, around futures, and how late they are.

use super::floors::{self, CLOCK, SLEEP};
use super::{Compio, Corio, Epoll, Futures, Glommio, Kimojio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring};
use super::{Position, Row, Sample, columns};
use crate::Runtime;
use crate::measure::processor_time;
use std::hint::black_box;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);

pub(super) fn rows<P: Position>() -> Vec<Row> {
    vec![
        Row::new("timeout around a ready future", 50_000, columns!(timeout_ready)).bar(0.95),
        Row::new("timeout armed and dropped", 20_000, columns!(timeout_armed)).bar(0.60).floor(CLOCK, floors::clock),
        Row::new("timeout around a slow future, CPU", 200, columns!(timeout_slow)).floor(SLEEP, floors::slept_through),
        Row::new("timer made, polled, dropped", 20_000, columns!(made_and_dropped)).floor(CLOCK, floors::clock),
        Row::new("100,000 armed timers, CPU, a timer", 100_000, columns!(armed))
            .batch(100_000)
            .bar(0.60)
            .floor(CLOCK, floors::clock),
        Row::new("1,000,000 armed timers, CPU, a timer", 1_000_000, columns!(armed))
            .batch(1_000_000)
            .slow()
            .bar(0.70)
            .floor(CLOCK, floors::clock),
        Row::new("lateness of a timer, p50", 300, columns!(lateness(50)))
            .unit("us")
            .limit(30.0)
            .floor(SLEEP, floors::lateness::<50>),
        Row::new("lateness of a timer, p99", 300, columns!(lateness(99)))
            .unit("us")
            .limit(60.0)
            .floor(SLEEP, floors::lateness::<99>),
    ]
}

async fn timeout_ready<R: Runtime>(n: u64) {
    let mut sum = 0;
    for i in 0..n {
        sum += R::timeout(LONG, async move { black_box(i) }).await.expect("it is ready");
    }
    assert_eq!(sum, n * (n - 1) / 2);
}

async fn timeout_armed<R: Runtime>(n: u64) {
    for _ in 0..n {
        assert!(R::timeout(LONG, R::yield_now()).await.is_some());
    }
}

/// Each timeout cuts its future off after a tenth of a millisecond.
async fn timeout_slow<R: Runtime>(n: u64) -> Sample {
    let start = processor_time();
    for _ in 0..n {
        let cut = R::timeout(Duration::from_micros(100), std::future::pending::<()>()).await;
        assert!(cut.is_none());
    }
    Sample::Time(processor_time() - start)
}

async fn made_and_dropped<R: Runtime>(n: u64) {
    for _ in 0..n {
        let mut sleep = Box::pin(R::sleep(LONG));
        std::future::poll_fn(|cx| {
            assert!(sleep.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
    }
}

/// Each timer is armed by a task of its own, at a moment within a tenth of a second.
async fn armed<R: Runtime>(n: u64) -> Sample {
    let start = processor_time();
    let sleep = |i: u64| R::spawn(R::sleep(Duration::from_micros(i * 7919 % 100_000)));
    let tasks: Vec<_> = (0..n).map(sleep).collect();
    for task in tasks {
        task.await;
    }
    Sample::Time(processor_time() - start)
}

/// How late a sleep of one to two milliseconds ends on a loop that has nothing else to do. One that ends early fails the run.
async fn lateness<R: Runtime>(n: u64, percent: usize) -> Sample {
    let mut late = Vec::new();
    for i in 0..n {
        let time = moment(i);
        // Read before the timer is armed: it is due no sooner than this.
        let due = Instant::now() + time;
        R::sleep(time).await;
        late.push(lateness_at(due));
    }
    percentile(late, percent)
}

/// A time between one and two milliseconds, in no order.
pub(super) fn moment(i: u64) -> Duration {
    Duration::from_micros(1_000 + i * 7919 % 1_000)
}

/// Returns how long ago `due` was.
pub(super) fn lateness_at(due: Instant) -> Duration {
    let now = Instant::now();
    now.checked_duration_since(due).unwrap_or_else(|| panic!("a timer fired {:?} early", due - now))
}

/// Returns the lateness, in microseconds, that so many of a hundred do not pass.
pub(super) fn percentile(mut late: Vec<Duration>, percentile: usize) -> Sample {
    late.sort();
    Sample::Value(late[late.len() * percentile / 100].as_secs_f64() * 1e6)
}
