//! Queues between tasks of one thread.

use super::tasks::sum_to;
use super::{Compio, Corio, Epoll, Futures, Glommio, Kimojio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring};
use super::{Row, Sample, columns, in_task};
use crate::{Get, Put, Runtime};
use std::hint::black_box;

/// How many tasks put, and how many get, where several do.
const SEVERAL: u64 = 4;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("queue of 1, an item", 20_000, columns!(one_to_one<1>)).bar(0.35),
        Row::new("queue of 64, an item", 100_000, columns!(one_to_one<64>)).bar(0.45),
        Row::new("queue of 1,024, an item", 100_000, columns!(one_to_one<1024>)).bar(0.45),
        Row::new("queue without bound, an item", 100_000, columns!(one_to_one<0>)).bar(1.00),
        Row::new("queue of 1, four to four, an item", 20_000, columns!(several<1>)),
        Row::new("queue of 64, four to four, an item", 100_000, columns!(several<64>)),
        Row::new("queue of 1,024, four to four, an item", 100_000, columns!(several<1024>)),
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

fn one_to_one<R: Runtime, const CAPACITY: usize>(n: u64) -> Sample {
    in_task::<R, _>(move || async move {
        let (put, get) = R::queue(CAPACITY);
        let producer = R::spawn(put_all(put, n));
        assert_eq!(get_all(get, n).await, sum_to(n));
        producer.await;
    })
}

fn several<R: Runtime, const CAPACITY: usize>(n: u64) -> Sample {
    in_task::<R, _>(move || async move {
        let (put, get) = R::shared_queue(CAPACITY);
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
    })
}
