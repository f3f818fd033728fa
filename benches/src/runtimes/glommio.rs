//! glommio, on io_uring, with its own channels. Its tasks start eagerly: compare them with [`CorioEager`](super::CorioEager).

use crate::{Blocking, Get, Network, Put, Runtime};
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use glommio::channels::local_channel::{LocalReceiver, LocalSender, new_bounded, new_unbounded};
use glommio::net::{TcpListener, TcpStream};
use glommio::{LocalExecutorBuilder, Placement};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

/// glommio.
#[derive(Debug)]
pub struct Glommio;

impl Runtime for Glommio {
    const NAME: &'static str = "glommio";
    const EAGER: bool = true;

    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        LocalExecutorBuilder::new(Placement::Unbound).make().expect("an executor").run(main)
    }

    type Task<T: 'static> = GlommioTask<T>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Self::Task<T> {
        GlommioTask(glommio::spawn_local(future))
    }

    fn yield_now() -> impl Future<Output = ()> {
        futures_lite::future::yield_now()
    }

    fn oneshot<T: Send + 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        super::Monoio::<super::Epoll>::oneshot()
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        let (send, receive) = if capacity == 0 { new_unbounded() } else { new_bounded(capacity) };
        (send, Rc::new(receive))
    }

    async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        glommio::timer::timeout(limit, async { Ok::<_, glommio::GlommioError<()>>(future.await) }).await.ok()
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + 'static {
        glommio::timer::sleep(time)
    }
}

/// A task's handle.
#[derive(Debug)]
pub struct GlommioTask<T>(glommio::Task<T>);

impl<T> Future for GlommioTask<T> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl Put for LocalSender<u64> {
    async fn put(&self, item: u64) {
        self.send(item).await.expect("the queue is open");
    }
}

impl Get for Rc<LocalReceiver<u64>> {
    async fn get(&mut self) -> u64 {
        self.recv().await.expect("the queue is open")
    }
}

impl Blocking for Glommio {
    async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
        glommio::executor().spawn_blocking(f).await
    }
}

impl Network for Glommio {
    type Listener = TcpListener;
    type Stream = TcpStream;

    async fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    async fn accept(listener: &mut TcpListener) -> TcpStream {
        let stream = listener.accept().await.expect("a connection");
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
