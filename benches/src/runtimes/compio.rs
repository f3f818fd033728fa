//! compio, on io_uring, with local-sync's channels.

use super::Expecting;
use crate::{Blocking, Get, Network, Put, Runtime};
use compio::io::{AsyncReadExt, AsyncWriteExt};
use compio::net::{TcpListener, TcpStream};
use compio::runtime::JoinHandle;
use std::net::SocketAddr;
use std::time::Duration;

/// compio.
#[derive(Debug)]
pub struct Compio;

impl Runtime for Compio {
    const NAME: &'static str = "compio";

    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        compio::runtime::Runtime::new().expect("a runtime").block_on(main)
    }

    type Task<T: 'static> = Expecting<JoinHandle<T>>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Self::Task<T> {
        Expecting(compio::runtime::spawn(future))
    }

    fn yield_now() -> impl Future<Output = ()> {
        futures_lite::future::yield_now()
    }

    fn oneshot<T: Send + 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        super::Monoio::<super::Epoll>::oneshot()
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        super::Monoio::<super::Epoll>::queue(capacity)
    }

    async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        compio::time::timeout(limit, future).await.ok()
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + 'static {
        compio::time::sleep(time)
    }
}

impl Blocking for Compio {
    async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
        compio::runtime::spawn_blocking(f).await.expect("the call completes")
    }
}

impl Network for Compio {
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
        buffer.clear(); // It fills the room, not the length.
        let compio::BufResult(read, buffer) = stream.read_exact(buffer).await;
        read.is_ok().then_some(buffer)
    }

    async fn write(stream: &mut TcpStream, buffer: Vec<u8>) -> Vec<u8> {
        let compio::BufResult(written, buffer) = stream.write_all(buffer).await;
        written.expect("the peer reads");
        buffer
    }
}
