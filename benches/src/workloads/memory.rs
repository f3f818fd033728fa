//! Memory: what an idle task and an armed timer keep resident.

use super::{Compio, Corio, Epoll, Futures, Glommio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring};
use super::{Position, Row, Sample, columns};
use crate::Runtime;
use crate::measure::resident_bytes;
use std::cell::Cell;
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

/// The runtimes whose `block_on` returns though tasks are left: kimojio waits for all.
macro_rules! idlers {
    ($work:ident) => {
        columns!($work: Corio, Tokio, TokioLocal, Smol, Futures, Monoio<Epoll>, Monoio<Uring>, Compio, Glommio, Runite)
    };
}

pub(super) fn rows<P: Position>() -> Vec<Row> {
    vec![
        Row::new("memory of an idle task with 64 bytes of state", 100_000, idlers!(idle_task)).unit("bytes").bar(1.10),
        Row::new("memory of a task that sleeps", 100_000, idlers!(armed_timer)).unit("bytes"),
    ]
}

/// How long a loop sleeps before it is looked at: some give back then what they have and do not need.
const IDLE: Duration = Duration::from_millis(5);

/// Grows by `n` tasks that suspend when they have counted themselves, and tells by how much a task.
async fn growth<R: Runtime, F: Future<Output = ()> + 'static>(
    n: u64,
    make: impl Fn(u64, Rc<Cell<u64>>) -> F,
) -> Sample {
    let suspended = Rc::new(Cell::new(0));
    let mut tasks = Vec::with_capacity(n as usize);
    // What the first of its kind brings with it is not the task's.
    tasks.push(R::spawn(make(0, Rc::clone(&suspended))));
    all::<R>(&suspended, 1).await;
    let before = resident_bytes();
    tasks.extend((1..n).map(|i| R::spawn(make(i, Rc::clone(&suspended)))));
    all::<R>(&suspended, n).await;
    R::sleep(IDLE).await; // An idle task's loop is idle.
    let after = resident_bytes();
    let handles = std::mem::size_of::<R::Task<()>>() as u64 * n;
    // The process ends with them: some runtimes cannot drop a task that never ends.
    std::mem::forget(tasks);
    Sample::Value(after.saturating_sub(before).saturating_sub(handles) as f64 / n as f64)
}

/// Waits until so many have suspended.
async fn all<R: Runtime>(suspended: &Cell<u64>, n: u64) {
    while suspended.get() < n {
        R::yield_now().await;
    }
}

/// The state of 64 bytes, the count beside it being one word of it.
fn idle_task<R: Runtime>(n: u64) -> impl Future<Output = Sample> {
    growth::<R, _>(n, |i, suspended| async move {
        let state = black_box([i; 7]);
        suspended.set(suspended.get() + 1);
        std::future::pending::<()>().await;
        black_box((state, suspended));
    })
}

fn armed_timer<R: Runtime>(n: u64) -> impl Future<Output = Sample> {
    growth::<R, _>(n, |_, suspended| async move {
        let mut sleep = pin!(R::sleep(Duration::from_secs(3600)));
        let polled = poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        suspended.set(suspended.get() + 1);
        sleep.await;
    })
}
