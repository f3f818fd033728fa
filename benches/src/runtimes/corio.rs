//! corio: a loop of its own, tasks, cells, queues.

use super::Expecting;
use crate::{Blocking, CRAWLERS, Crawling, Get, Network, Put, Runtime};
use corio::net::{TcpListener, TcpStream};
use corio_crawl::crawl::{Crawl, Options};
use corio_crawl::frontier::Limits;
use corio_crawl::output::Output;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// corio.
#[derive(Debug)]
pub struct Corio;

impl Runtime for Corio {
    const NAME: &'static str = "corio";

    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        corio::run(main).expect("the main future completes")
    }

    type Task<T: 'static> = Expecting<corio::Task<T>>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Self::Task<T> {
        Expecting(corio::create_task(future))
    }

    fn yield_now() -> impl Future<Output = ()> {
        corio::yield_now()
    }

    fn oneshot<T: Send + 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        let (promise, future) = corio::promise();
        (move |value| drop(promise.set_result(value)), async move { future.await.expect("the promise is kept") })
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        let queue = corio::Queue::new(capacity);
        (queue.clone(), queue)
    }

    fn shared_queue(capacity: usize) -> (impl Put + Clone + 'static, impl Get + Clone + 'static) {
        let queue = corio::Queue::new(capacity);
        (queue.clone(), queue)
    }

    async fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        corio::timeout(limit, future).await.ok()
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + 'static {
        corio::sleep(time)
    }

    async fn gather<T: 'static>(tasks: Vec<Self::Task<T>>) -> Vec<T> {
        // A handle is one of corio's own: it is listened to, and not polled.
        let tasks = tasks.into_iter().map(|expecting| expecting.0);
        corio::gather(tasks).await.expect("all complete")
    }

    async fn as_completed<T: 'static>(tasks: Vec<Self::Task<T>>, mut each: impl FnMut(T)) {
        let mut tasks = corio::as_completed(tasks.into_iter().map(|expecting| expecting.0));
        while let Some(result) = tasks.next().await {
            each(result.expect("all complete"));
        }
    }

    fn join<F: Future>(futures: Vec<F>) -> impl Future<Output = Vec<F::Output>> {
        corio::join(futures)
    }

    async fn by_completion<F: Future>(futures: Vec<F>, mut each: impl FnMut(F::Output)) {
        let mut futures = corio::by_completion(futures);
        while let Some(result) = futures.next().await {
            each(result);
        }
    }

    fn foreign_oneshot<T: Send + 'static>() -> (impl FnOnce(T) + Send + 'static, impl Future<Output = T> + 'static) {
        let (promise, future) = corio::concurrent::promise();
        (move |value| drop(promise.set_result(value)), async move { future.await.expect("the promise is kept") })
    }
}

impl Put for corio::Queue<u64> {
    async fn put(&self, item: u64) {
        corio::Queue::put(self, item).await.expect("the queue is open");
    }
}

impl Get for corio::Queue<u64> {
    async fn get(&mut self) -> u64 {
        corio::Queue::get(self).await.expect("the queue is open")
    }
}

impl Blocking for Corio {
    async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
        corio::to_thread(f).await.expect("the call completes")
    }
}

impl Network for Corio {
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

impl Crawling for Corio {
    async fn crawl(seed: Url, rows: PathBuf) {
        let concurrency = NonZeroUsize::new(CRAWLERS).expect("some");
        let limits = Limits { depth: None, max_pages: None };
        let crawl = Crawl::new(vec![seed], Options { concurrency, limits, timeout: Duration::from_secs(30) });
        crawl.run(Output::open(Some(&rows)).expect("a file for the rows")).await.expect("the crawl completes");
    }
}
