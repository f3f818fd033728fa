//! tokio: the current-thread runtime with a `LocalSet`, mpsc and oneshot channels.

use crate::{Get, Put, Runtime};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// tokio, on one thread, without `Send` bounds.
#[derive(Debug)]
pub struct Tokio;

impl Runtime for Tokio {
    const NAME: &'static str = "tokio";

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async { tokio::task::spawn_local(main).await.expect("the main task completes") })
    }

    type Task<T: 'static> = Joined<T>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Joined<T> {
        Joined(tokio::task::spawn_local(future))
    }

    fn yield_now() -> impl Future<Output = ()> {
        tokio::task::yield_now()
    }

    fn oneshot<T: 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        let (send, receive) = oneshot::channel();
        (move |value| drop(send.send(value)), async move { receive.await.expect("it is sent") })
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        let (bounded, unbounded) = (mpsc::channel(capacity.max(1)), mpsc::unbounded_channel());
        if capacity == 0 {
            (Sender::Unbounded(unbounded.0), Receiver::Unbounded(unbounded.1))
        } else {
            (Sender::Bounded(bounded.0), Receiver::Bounded(bounded.1))
        }
    }

    async fn gather<T: 'static>(tasks: Vec<Joined<T>>) -> Vec<T> {
        in_order(tasks).await
    }

    async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(limit, future).await.ok()
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + 'static {
        tokio::time::sleep(time)
    }
}

/// A task whose end is its value.
#[derive(Debug)]
pub struct Joined<T>(tokio::task::JoinHandle<T>);

impl<T> Future for Joined<T> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(cx).map(|ended| ended.expect("the task completes"))
    }
}

/// Awaits tasks one after the other: quicker than `join_all` for handles of tasks that run by themselves.
pub(super) async fn in_order<T, F: Future<Output = T>>(tasks: Vec<F>) -> Vec<T> {
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await);
    }
    results
}

enum Sender {
    Bounded(mpsc::Sender<u64>),
    Unbounded(mpsc::UnboundedSender<u64>),
}

enum Receiver {
    Bounded(mpsc::Receiver<u64>),
    Unbounded(mpsc::UnboundedReceiver<u64>),
}

impl Put for Sender {
    async fn put(&self, item: u64) {
        match self {
            Sender::Bounded(sender) => sender.send(item).await.expect("the queue is open"),
            Sender::Unbounded(sender) => sender.send(item).expect("the queue is open"),
        }
    }
}

impl Get for Receiver {
    async fn get(&mut self) -> u64 {
        let item = match self {
            Receiver::Bounded(receiver) => receiver.recv().await,
            Receiver::Unbounded(receiver) => receiver.recv().await,
        };
        item.expect("the queue is open")
    }
}
