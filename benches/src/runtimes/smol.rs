//! smol: a static `LocalExecutor`, async-channel, async-io's timers and sockets.

use crate::{Blocking, Get, Network, Put, Runtime};
use futures_lite::{AsyncReadExt, AsyncWriteExt, FutureExt as _};
use std::net::SocketAddr;
use std::time::Duration;

thread_local! {
    static EXECUTOR: &'static smol::LocalExecutor<'static> = Box::leak(Box::new(smol::LocalExecutor::new()));
}

/// smol, on one thread.
#[derive(Debug)]
pub struct Smol;

impl Runtime for Smol {
    const NAME: &'static str = "smol";

    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        let executor = EXECUTOR.with(|executor| *executor);
        smol::block_on(executor.run(main))
    }

    type Task<T: 'static> = smol::Task<T>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> smol::Task<T> {
        EXECUTOR.with(|executor| executor.spawn(future))
    }

    fn yield_now() -> impl Future<Output = ()> {
        futures_lite::future::yield_now()
    }

    fn oneshot<T: Send + 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        Self::foreign_oneshot()
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        match capacity {
            0 => async_channel::unbounded(),
            capacity => async_channel::bounded(capacity),
        }
    }

    async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        timeout(limit, future).await
    }

    async fn sleep(time: Duration) {
        async_io::Timer::after(time).await;
    }
}

/// The timeout that smol's own documentation shows.
pub(super) async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let late = async {
        async_io::Timer::after(limit).await;
        None
    };
    async { Some(future.await) }.or(late).await
}

impl Blocking for Smol {
    fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> impl Future<Output = T> + 'static {
        blocking::unblock(f)
    }
}

impl Network for Smol {
    type Listener = smol::net::TcpListener;
    type Stream = smol::net::TcpStream;

    async fn listen() -> (Self::Listener, SocketAddr) {
        let listener = smol::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    async fn accept(listener: &mut Self::Listener) -> Self::Stream {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream
    }

    async fn connect(address: SocketAddr) -> Self::Stream {
        let stream = smol::net::TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream
    }

    async fn read(stream: &mut Self::Stream, mut buffer: Vec<u8>) -> Option<Vec<u8>> {
        stream.read_exact(&mut buffer).await.ok()?;
        Some(buffer)
    }

    async fn write(stream: &mut Self::Stream, buffer: Vec<u8>) -> Vec<u8> {
        stream.write_all(&buffer).await.expect("the peer reads");
        buffer
    }
}
