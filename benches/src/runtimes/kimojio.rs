//! kimojio, on io_uring. Its wakers are unsound on other threads: it is shown, and not counted.

use super::Expecting;
use crate::{Get, Put, Runtime};
use kimojio::operations::{self, TaskHandle};
use std::time::Duration;

/// kimojio.
#[derive(Debug)]
pub struct Kimojio;

impl Runtime for Kimojio {
    const NAME: &'static str = "kimojio";
    const WAKES_ACROSS_THREADS: bool = false;
    const COUNTS: bool = false;

    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        let mut runtime = kimojio::Runtime::new(0, kimojio::configuration::Configuration::new());
        match runtime.block_on(main) {
            Some(Ok(result)) => result,
            Some(Err(payload)) => std::panic::resume_unwind(payload),
            None => panic!("the runtime was shut down"),
        }
    }

    type Task<T: 'static> = Expecting<TaskHandle<T>>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Self::Task<T> {
        Expecting(operations::spawn_task(future))
    }

    fn yield_now() -> impl Future<Output = ()> {
        operations::yield_cpu()
    }

    fn oneshot<T: Send + 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        let (send, receive) = kimojio::oneshot();
        (move |value| drop(send.send(value)), async move { receive.recv().await.expect("it is sent") })
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        super::Monoio::<super::Epoll>::queue(capacity) // Its own bounded queue has one capacity only.
    }

    async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        operations::timeout_at(std::time::Instant::now() + limit, future).await.ok()
    }

    async fn sleep(time: Duration) {
        operations::sleep(time).await.expect("nobody cancels it");
    }
}
