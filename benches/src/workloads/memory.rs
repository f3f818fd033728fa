//! Memory: what an idle task and an armed timer keep resident.

use super::{Compio, Corio, Epoll, Futures, Glommio, Kimojio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring};
use super::{Row, Sample, columns};
use crate::Runtime;
use crate::measure::resident_bytes;
use std::hint::black_box;
use std::time::Duration;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("memory of an idle task with 64 bytes of state", 100_000, columns!(idle_task)).unit("bytes").bar(1.10),
        Row::new("memory of a task that sleeps", 100_000, columns!(armed_timer)).unit("bytes"),
    ]
}

/// Grows by `n` tasks, and tells by how much a task.
fn growth<R: Runtime, F: Future<Output = ()> + 'static>(n: u64, make: impl Fn(u64) -> F + 'static) -> Sample {
    R::block_on(async move {
        let mut tasks = Vec::with_capacity(n as usize);
        // What the first of its kind brings with it is not the task's.
        tasks.push(R::spawn(make(0)));
        R::yield_now().await;
        let before = resident_bytes();
        tasks.extend((1..n).map(|i| R::spawn(make(i))));
        for _ in 0..3 {
            R::yield_now().await; // Each has suspended once.
        }
        let after = resident_bytes();
        let handles = std::mem::size_of::<R::Task<()>>() as u64 * n;
        // The process ends with them: some runtimes cannot drop a task that never ends.
        std::mem::forget(tasks);
        Sample::Value((after.saturating_sub(before).saturating_sub(handles)) as f64 / n as f64)
    })
}

fn idle_task<R: Runtime>(n: u64) -> Sample {
    growth::<R, _>(n, |i| async move {
        let state = black_box([i; 8]);
        std::future::pending::<()>().await;
        black_box(state);
    })
}

fn armed_timer<R: Runtime>(n: u64) -> Sample {
    growth::<R, _>(n, |_| R::sleep(Duration::from_secs(3600)))
}
