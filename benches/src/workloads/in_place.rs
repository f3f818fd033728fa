//! Plain futures in one task: join, and the stream in order of completion.

use super::tasks::sum_to;
use super::{Compio, Corio, Epoll, Futures, Glommio, Kimojio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring};
use super::{Position, Row, columns};
use crate::Runtime;
use std::cell::RefCell;
use std::hint::black_box;

pub(super) fn rows<P: Position>() -> Vec<Row> {
    vec![
        Row::new("join 10 futures, a future", 50_000, columns!(join(10))).batch(10).bar(1.20),
        Row::new("join 30 futures, a future", 60_000, columns!(join(30))).batch(30).bar(1.20),
        Row::new("join 1,000 futures, a future", 50_000, columns!(join(1000))).batch(1000).bar(0.10),
        Row::new("join 100,000 futures, a future", 100_000, columns!(join(100_000))).batch(100_000).bar(0.10),
        Row::new("by completion, 10 futures, a future", 50_000, columns!(by_completion(10))).batch(10).bar(0.25),
        Row::new("by completion, 1,000 futures, a future", 50_000, columns!(by_completion(1000))).batch(1000).bar(0.25),
        Row::new("by completion, 100,000 futures, a future", 100_000, columns!(by_completion(100_000)))
            .batch(100_000)
            .bar(0.30),
    ]
}

/// Futures that suspend once.
fn futures<R: Runtime>(count: u64) -> Vec<impl Future<Output = u64>> {
    let future = |i| async move {
        R::yield_now().await;
        black_box(i)
    };
    (0..count).map(future).collect()
}

async fn join<R: Runtime>(n: u64, count: u64) {
    for _ in 0..n / count {
        let results = R::join(futures::<R>(count)).await;
        assert_eq!(results.iter().sum::<u64>(), sum_to(count));
    }
}

async fn by_completion<R: Runtime>(n: u64, count: u64) {
    for _ in 0..n / count {
        let sum = RefCell::new(0);
        R::by_completion(futures::<R>(count), |result| *sum.borrow_mut() += result).await;
        assert_eq!(sum.into_inner(), sum_to(count));
    }
}
