//! futures: a `LocalPool`; it has no timers of its own, so async-io's.

use crate::{Get, Put, Runtime};
use futures_executor::{LocalPool, LocalSpawner};
use futures_util::future::RemoteHandle;
use futures_util::task::LocalSpawnExt;
use std::cell::RefCell;
use std::time::Duration;

thread_local! {
    static SPAWNER: RefCell<Option<LocalSpawner>> = const { RefCell::new(None) };
}

/// futures' executor.
#[derive(Debug)]
pub struct Futures;

impl Runtime for Futures {
    const NAME: &'static str = "futures";

    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        let mut pool = LocalPool::new();
        SPAWNER.set(Some(pool.spawner()));
        let result = pool.run_until(main);
        SPAWNER.set(None);
        result
    }

    type Task<T: 'static> = RemoteHandle<T>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> RemoteHandle<T> {
        SPAWNER.with_borrow(|spawner| {
            let spawner = spawner.as_ref().expect("the pool runs");
            spawner.spawn_local_with_handle(future).expect("the pool runs")
        })
    }

    fn yield_now() -> impl Future<Output = ()> {
        futures_lite::future::yield_now()
    }

    fn oneshot<T: Send + 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        let (send, receive) = futures_channel::oneshot::channel();
        (move |value| drop(send.send(value)), async move { receive.await.expect("it is sent") })
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        match capacity {
            0 => async_channel::unbounded(),
            capacity => async_channel::bounded(capacity),
        }
    }

    async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        super::smol::timeout(limit, future).await
    }

    async fn sleep(time: Duration) {
        async_io::Timer::after(time).await;
    }
}
