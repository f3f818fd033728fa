//! corio: a loop of its own, tasks, cells, queues.

use crate::{Get, Put, Runtime};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// corio.
#[derive(Debug)]
pub struct Corio;

impl Runtime for Corio {
    const NAME: &'static str = "corio";

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        corio::run(main).expect("the main future completes")
    }

    type Task<T: 'static> = Joined<T>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Joined<T> {
        Joined(corio::create_task(future))
    }

    fn yield_now() -> impl Future<Output = ()> {
        corio::yield_now()
    }

    fn oneshot<T: 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        let (promise, future) = corio::promise();
        (move |value| drop(promise.set_result(value)), async move { future.await.expect("the promise is kept") })
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        let queue = corio::Queue::new(capacity);
        (queue.clone(), queue)
    }

    async fn gather<T: 'static>(tasks: Vec<Joined<T>>) -> Vec<T> {
        let tasks = tasks.into_iter().map(|joined| joined.0);
        corio::gather(tasks).await.expect("all complete")
    }

    async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        corio::timeout(limit, future).await.ok()
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + 'static {
        corio::sleep(time)
    }
}

/// A task whose end is its value.
pub struct Joined<T>(corio::Task<T>);

impl<T> Future for Joined<T> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(cx).map(|ended| ended.expect("the task completes"))
    }
}

impl<T> std::fmt::Debug for Joined<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Put for corio::Queue<u64> {
    async fn put(&self, item: u64) {
        corio::Queue::put(self, item).await.expect("the queue is open");
    }
}

impl Get for corio::Queue<u64> {
    async fn get(&mut self) -> u64 {
        corio::Queue::get(self).await.expect("the queue is open")
    }
}
