//! tokio: the current-thread runtime with a `LocalSet`, mpsc and oneshot channels.

mod crawler;

use super::Expecting;
use crate::{Blocking, Crawling, Get, Network, Put, Runtime};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use url::Url;

/// tokio, on one thread, without `Send` bounds: a `LocalSet`.
#[derive(Debug)]
pub struct Tokio;

impl Runtime for Tokio {
    const NAME: &'static str = "tokio LocalSet";

    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, main)
    }

    type Task<T: 'static> = Expecting<JoinHandle<T>>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Self::Task<T> {
        Expecting(tokio::task::spawn_local(future))
    }

    fn yield_now() -> impl Future<Output = ()> {
        tokio::task::yield_now()
    }

    fn oneshot<T: Send + 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        let (send, receive) = oneshot::channel();
        (move |value| drop(send.send(value)), async move { receive.await.expect("it is sent") })
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        queue(capacity)
    }

    async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(limit, future).await.ok()
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + 'static {
        tokio::time::sleep(time)
    }

    fn as_completed<T: 'static>(tasks: Vec<Self::Task<T>>, each: impl FnMut(T)) -> impl Future<Output = ()> {
        // Its handles count against a budget, past which a poll of a hundred thousand of them begins anew each time.
        tokio::task::coop::unconstrained(crate::as_completed(tasks, each))
    }
}

/// tokio's own channels.
pub(super) fn queue(capacity: usize) -> (Sender, Receiver) {
    if capacity == 0 {
        let (send, receive) = mpsc::unbounded_channel();
        (Sender::Unbounded(send), Receiver::Unbounded(receive))
    } else {
        let (send, receive) = mpsc::channel(capacity);
        (Sender::Bounded(send), Receiver::Bounded(receive))
    }
}

pub(super) enum Sender {
    Bounded(mpsc::Sender<u64>),
    Unbounded(mpsc::UnboundedSender<u64>),
}

pub(super) enum Receiver {
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

impl Blocking for Tokio {
    async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
        tokio::task::spawn_blocking(f).await.expect("the call completes")
    }
}

impl Network for Tokio {
    type Listener = TcpListener;
    type Stream = TcpStream;

    async fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    async fn accept(listener: &mut TcpListener) -> TcpStream {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream
    }

    async fn connect(address: SocketAddr) -> TcpStream {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream
    }

    async fn read(stream: &mut TcpStream, mut buffer: Vec<u8>) -> Option<Vec<u8>> {
        stream.read_exact(&mut buffer).await.ok()?;
        Some(buffer)
    }

    async fn write(stream: &mut TcpStream, buffer: Vec<u8>) -> Vec<u8> {
        stream.write_all(&buffer).await.expect("the peer reads");
        buffer
    }
}

impl Crawling for Tokio {
    fn crawl(seed: Url, rows: PathBuf) -> impl Future<Output = ()> {
        crawler::crawl(seed, rows)
    }
}
