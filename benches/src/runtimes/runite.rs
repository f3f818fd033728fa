//! runite, on io_uring, with its own channels.

use super::Expecting;
use crate::{Blocking, Get, Network, Put, Runtime};
use runite::channel::{mpsc, oneshot};
use runite::net::{TcpListener, TcpStream};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Semaphore; // Any runtime's will do.

/// How many blocking calls its queue takes; it refuses those beyond, which have to wait their turn.
const CALLS: usize = 1024;

thread_local! {
    static ROOM: Rc<Semaphore> = Rc::new(Semaphore::new(CALLS));
}

/// runite.
#[derive(Debug)]
pub struct Runite;

impl Runtime for Runite {
    const NAME: &'static str = "runite";

    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        runite::block_on(main)
    }

    type Task<T: 'static> = Expecting<runite::JoinHandle<T>>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Self::Task<T> {
        Expecting(runite::spawn(future))
    }

    fn yield_now() -> impl Future<Output = ()> {
        runite::yield_now()
    }

    fn oneshot<T: Send + 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        let (send, mut receive) = oneshot::channel();
        (move |value| drop(send.send(value)), async move { receive.recv().await.expect("it is sent") })
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        if capacity == 0 {
            let (send, receive) = mpsc::unbounded_channel();
            (Sender::Unbounded(send), receive)
        } else {
            let (send, receive) = mpsc::channel(capacity);
            (Sender::Bounded(send), receive)
        }
    }

    async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        runite::time::timeout(limit, future).await.ok()
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + 'static {
        runite::time::sleep(time)
    }
}

enum Sender {
    Bounded(mpsc::Sender<u64>),
    Unbounded(mpsc::UnboundedSender<u64>),
}

impl Put for Sender {
    async fn put(&self, item: u64) {
        match self {
            Sender::Bounded(sender) => sender.send(item).await.expect("the queue is open"),
            Sender::Unbounded(sender) => sender.send(item).expect("the queue is open"),
        }
    }
}

impl Get for mpsc::Receiver<u64> {
    async fn get(&mut self) -> u64 {
        self.recv().await.expect("the queue is open")
    }
}

impl Blocking for Runite {
    async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
        let room = ROOM.with(Rc::clone);
        let _place = room.acquire().await.expect("it is open");
        runite::task::spawn_blocking(f).expect("a thread").await.expect("the call completes")
    }
}

impl Network for Runite {
    type Listener = TcpListener;
    type Stream = TcpStream;

    async fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
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
