//! corio: a loop of its own, tasks, cells, queues.

use crate::{Get, Put, Runtime};
use std::time::Duration;

/// corio.
#[derive(Debug)]
pub struct Corio;

impl Runtime for Corio {
    const NAME: &'static str = "corio";

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        corio::run(main).expect("the main future completes")
    }

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> impl Future<Output = T> + 'static {
        let task = corio::create_task(future);
        async move { task.await.expect("the task completes") }
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

    async fn gather<T: 'static, F: Future<Output = T> + 'static>(tasks: Vec<F>) -> Vec<T> {
        corio::join(tasks).await
    }

    async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        corio::timeout(limit, future).await.ok()
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + 'static {
        corio::sleep(time)
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
