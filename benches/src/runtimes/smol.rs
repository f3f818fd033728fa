//! smol: a static `LocalExecutor`, async-channel, async-io's timers.

use crate::{Get, Put, Runtime};
use futures_lite::FutureExt as _;
use std::time::Duration;

thread_local! {
    static EXECUTOR: &'static smol::LocalExecutor<'static> = Box::leak(Box::new(smol::LocalExecutor::new()));
}

/// smol, on one thread.
#[derive(Debug)]
pub struct Smol;

impl Runtime for Smol {
    const NAME: &'static str = "smol";

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        let executor = EXECUTOR.with(|executor| *executor);
        smol::block_on(executor.run(executor.spawn(main)))
    }

    type Task<T: 'static> = smol::Task<T>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> smol::Task<T> {
        EXECUTOR.with(|executor| executor.spawn(future))
    }

    fn yield_now() -> impl Future<Output = ()> {
        futures_lite::future::yield_now()
    }

    fn oneshot<T: 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        let (send, receive) = tokio::sync::oneshot::channel(); // What its users take: any runtime's will do.
        (move |value| drop(send.send(value)), async move { receive.await.expect("it is sent") })
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        match capacity {
            0 => async_channel::unbounded(),
            capacity => async_channel::bounded(capacity),
        }
    }

    async fn gather<T: 'static>(tasks: Vec<smol::Task<T>>) -> Vec<T> {
        super::tokio::in_order(tasks).await
    }

    async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        let late = async {
            async_io::Timer::after(limit).await;
            None
        };
        async { Some(future.await) }.or(late).await
    }

    async fn sleep(time: Duration) {
        async_io::Timer::after(time).await;
    }
}

impl Put for async_channel::Sender<u64> {
    async fn put(&self, item: u64) {
        self.send(item).await.expect("the queue is open");
    }
}

impl Get for async_channel::Receiver<u64> {
    async fn get(&mut self) -> u64 {
        self.recv().await.expect("the queue is open")
    }
}
