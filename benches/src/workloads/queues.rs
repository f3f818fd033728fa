//! Queues between tasks of one thread.

use super::floors::{self, RING};
use super::tasks::sum_to;
use super::{Compio, Corio, Epoll, Futures, Glommio, Kimojio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring};
use super::{Position, Row, columns};
use crate::{Get, Put, Runtime};
use std::hint::black_box;

/// How many tasks put, and how many get, where several do.
const SEVERAL: u64 = 4;

pub(super) fn rows<P: Position>() -> Vec<Row> {
    vec![
        Row::new("queue of 1, an item", 20_000, columns!(one_to_one(1))).bar(0.35).floor(RING, floors::ring),
        Row::new("queue of 64, an item", 100_000, columns!(one_to_one(64))).bar(0.38).floor(RING, floors::ring),
        Row::new("queue of 1,024, an item", 100_000, columns!(one_to_one(1024))).bar(0.40).floor(RING, floors::ring),
        Row::new("queue without bound, an item", 100_000, columns!(one_to_one(0))).bar(0.85).floor(RING, floors::ring),
        Row::new("queue of 1, four to four, an item", 20_000, columns!(several(1)))
            .batch(SEVERAL)
            .floor(RING, floors::ring),
        Row::new("queue of 64, four to four, an item", 100_000, columns!(several(64)))
            .batch(SEVERAL)
            .floor(RING, floors::ring),
        Row::new("queue of 1,024, four to four, an item", 100_000, columns!(several(1024)))
            .batch(SEVERAL)
            .floor(RING, floors::ring),
        Row::new("queue without bound, four to four, an item", 100_000, columns!(several(0)))
            .batch(SEVERAL)
            .floor(RING, floors::ring),
    ]
}

async fn put_all(put: impl Put, n: u64) -> u64 {
    for i in 0..n {
        put.put(black_box(i)).await;
    }
    0
}

async fn get_all(mut get: impl Get, n: u64) -> u64 {
    let mut sum = 0;
    for _ in 0..n {
        sum += get.get().await;
    }
    sum
}

async fn one_to_one<R: Runtime>(n: u64, capacity: usize) {
    let (put, get) = R::queue(capacity);
    let producer = R::spawn(put_all(put, n));
    assert_eq!(get_all(get, n).await, sum_to(n));
    producer.await;
}

async fn several<R: Runtime>(n: u64, capacity: usize) {
    let (put, get) = R::shared_queue(capacity);
    let each = n / SEVERAL;
    let mut tasks = Vec::new();
    for _ in 0..SEVERAL {
        tasks.push(R::spawn(put_all(put.clone(), each)));
        tasks.push(R::spawn(get_all(get.clone(), each)));
    }
    let mut sum = 0;
    for task in tasks {
        sum += task.await;
    }
    assert_eq!(sum, SEVERAL * sum_to(each));
}
