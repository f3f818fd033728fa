//! monoio, on either of its drivers, with local-sync's channels.

use crate::{Blocking, Get, Network, Put, Runtime};
use local_sync::mpsc::{bounded, unbounded};
use monoio::blocking::DefaultThreadPool;
use monoio::io::{AsyncReadRentExt, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::time::TimeDriver;
use monoio::{IoUringDriver, LegacyDriver, RuntimeBuilder};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Duration;

/// How many threads its pool has.
const THREADS: usize = 4;

/// monoio.
#[derive(Debug)]
pub struct Monoio<D>(PhantomData<D>);

/// What monoio waits with.
pub trait Driver: 'static {
    /// The column's head.
    const NAME: &'static str;
    /// Runs the main future.
    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T;
}

/// io_uring.
#[derive(Debug)]
pub struct Uring;

impl Driver for Uring {
    const NAME: &'static str = "monoio uring";

    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        let pool = Box::new(DefaultThreadPool::new(THREADS));
        let builder = RuntimeBuilder::<TimeDriver<IoUringDriver>>::new().with_entries(4096).attach_thread_pool(pool);
        builder.build().expect("a ring").block_on(main)
    }
}

/// epoll.
#[derive(Debug)]
pub struct Epoll;

impl Driver for Epoll {
    const NAME: &'static str = "monoio epoll";

    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        let pool = Box::new(DefaultThreadPool::new(THREADS));
        let builder = RuntimeBuilder::<TimeDriver<LegacyDriver>>::new().attach_thread_pool(pool);
        builder.build().expect("a poller").block_on(main)
    }
}

impl<D: Driver> Runtime for Monoio<D> {
    const NAME: &'static str = D::NAME;

    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        D::block_on(main)
    }

    type Task<T: 'static> = monoio::task::JoinHandle<T>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Self::Task<T> {
        monoio::spawn(future)
    }

    async fn yield_now() {
        // A task of monoio's that wakes itself is put in front of the others, and its main future is polled again at once: nobody
        // gets a turn. One that is woken by another goes behind.
        monoio::spawn(async {}).await;
    }

    fn oneshot<T: Send + 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        let (send, receive) = local_sync::oneshot::channel();
        (move |value| drop(send.send(value)), async move { receive.await.expect("it is sent") })
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        if capacity == 0 {
            let (send, receive) = unbounded::channel();
            (Sender::Unbounded(send), Receiver::Unbounded(receive))
        } else {
            let (send, receive) = bounded::channel(capacity);
            (Sender::Bounded(send), Receiver::Bounded(receive))
        }
    }

    async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        monoio::time::timeout(limit, future).await.ok()
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + 'static {
        monoio::time::sleep(time)
    }
}

enum Sender {
    Bounded(bounded::Tx<u64>),
    Unbounded(unbounded::Tx<u64>),
}

enum Receiver {
    Bounded(bounded::Rx<u64>),
    Unbounded(unbounded::Rx<u64>),
}

impl Put for Sender {
    async fn put(&self, item: u64) {
        match self {
            Sender::Bounded(sender) => drop(sender.send(item).await),
            Sender::Unbounded(sender) => drop(sender.send(item)),
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

impl<D: Driver> Blocking for Monoio<D> {
    async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
        monoio::spawn_blocking(f).await.expect("the call completes")
    }
}

impl<D: Driver> Network for Monoio<D> {
    type Listener = TcpListener;
    type Stream = TcpStream;

    async fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    async fn accept(listener: &mut TcpListener) -> TcpStream {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream
    }

    async fn connect(address: SocketAddr) -> TcpStream {
        let stream = TcpStream::connect_addr(address).await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream
    }

    async fn read(stream: &mut TcpStream, buffer: Vec<u8>) -> Option<Vec<u8>> {
        let (read, buffer) = stream.read_exact(buffer).await;
        read.is_ok().then_some(buffer)
    }

    async fn write(stream: &mut TcpStream, buffer: Vec<u8>) -> Vec<u8> {
        let (written, buffer) = stream.write_all(buffer).await;
        written.expect("the peer reads");
        buffer
    }
}
