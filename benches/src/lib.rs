//! corio beside the runtimes that one would otherwise pick, on the same work.
//!
//! A runtime is a file in `runtimes` that implements [`Runtime`]; a family of workloads is a file in `workloads`, of functions
//! that are generic over it. Each workload times its own part only, so that starting a runtime is not in it, and checks its
//! result. [`sample`] makes one run: `cargo bench -p corio-benches` draws Criterion's curves of many, `--bin compare` prints one
//! table.

pub mod workloads;
pub mod runtimes;
pub mod site;
pub mod calm;
pub mod measure;
pub mod sample;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// How many pages a crawler fetches at once.
pub const CRAWLERS: usize = 32;

/// What a workload needs of a runtime: each gives its own best, or what its users take. Where a runtime gives nothing of its
/// own and nobody's choice is obvious, the default here stands.
pub trait Runtime: 'static {
    /// The column's head.
    const NAME: &'static str;
    /// Whether its wakers may be used on other threads.
    const WAKES_ACROSS_THREADS: bool = true;
    /// Whether it counts in the ratio. One whose wakers are unsound is shown, and not counted.
    const COUNTS: bool = true;
    /// Whether a task makes its first step where it is made. It is compared with corio's own eager tasks, in rows that start
    /// tasks.
    const EAGER: bool = false;

    /// Runs a future to its end, as the runtime's main future.
    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T;
    /// A task's handle: a future of its result.
    type Task<T: 'static>: Future<Output = T> + 'static;
    /// Starts a task.
    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Self::Task<T>;
    /// Lets the others have a turn.
    fn yield_now() -> impl Future<Output = ()>;
    /// A value set once: the way to set it, and the way to wait for it, in one thread.
    fn oneshot<T: Send + 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static);
    /// A queue between two tasks of one thread; capacity 0 is unbounded.
    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static);
    /// A queue between several tasks.
    fn shared_queue(capacity: usize) -> (impl Put + Clone + 'static, impl Get + Clone + 'static) {
        if capacity == 0 { async_channel::unbounded() } else { async_channel::bounded(capacity) }
    }
    /// Gives a future so much time.
    fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> impl Future<Output = Option<T>>;
    /// Sleeps.
    fn sleep(time: Duration) -> impl Future<Output = ()> + 'static;

    /// Waits for all tasks, and returns their results in order. In order is the quickest way for handles of tasks that run by
    /// themselves.
    fn gather<T: 'static>(tasks: Vec<Self::Task<T>>) -> impl Future<Output = Vec<T>> {
        async {
            let mut results = Vec::with_capacity(tasks.len());
            for task in tasks {
                results.push(task.await);
            }
            results
        }
    }
    /// Waits for all tasks, and calls `each` with their results in the order in which they end.
    fn as_completed<T: 'static>(tasks: Vec<Self::Task<T>>, each: impl FnMut(T)) -> impl Future<Output = ()> {
        as_completed(tasks, each)
    }
    /// Waits for plain futures, in place.
    fn join<F: Future>(futures: Vec<F>) -> impl Future<Output = Vec<F::Output>> {
        join_all(futures)
    }
    /// Calls `each` with the results of plain futures, in place, in the order in which they end.
    fn by_completion<F: Future>(futures: Vec<F>, each: impl FnMut(F::Output)) -> impl Future<Output = ()> {
        as_completed(futures, each)
    }
    /// A value set once, on another thread.
    fn foreign_oneshot<T: Send + 'static>() -> (impl FnOnce(T) + Send + 'static, impl Future<Output = T> + 'static) {
        let (send, receive) = tokio::sync::oneshot::channel(); // Any runtime's will do: it is the waker that counts.
        (move |value| drop(send.send(value)), async move { receive.await.expect("it is sent") })
    }
}

/// Waits for all futures by futures' own stream, and calls `each` with their results in the order in which they end.
async fn as_completed<F: Future>(futures: Vec<F>, mut each: impl FnMut(F::Output)) {
    let mut futures: FuturesUnordered<_> = futures.into_iter().collect();
    while let Some(result) = futures.next().await {
        each(result);
    }
}

/// A runtime with a thread pool for blocking calls.
pub trait Blocking: Runtime {
    /// Calls `f` on another thread.
    fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> impl Future<Output = T> + 'static;
}

/// A runtime with TCP. Buffers are owned, so that completions can be had.
pub trait Network: Runtime {
    /// A socket that listens.
    type Listener: 'static;
    /// A connection.
    type Stream: 'static;
    /// Listens on a free loopback port.
    fn listen() -> impl Future<Output = (Self::Listener, SocketAddr)>;
    /// Takes a connection.
    fn accept(listener: &mut Self::Listener) -> impl Future<Output = Self::Stream>;
    /// Connects, without delay of small packets.
    fn connect(address: SocketAddr) -> impl Future<Output = Self::Stream>;
    /// Fills the buffer; `None` at the end of the stream.
    fn read(stream: &mut Self::Stream, buffer: Vec<u8>) -> impl Future<Output = Option<Vec<u8>>>;
    /// Writes the whole buffer.
    fn write(stream: &mut Self::Stream, buffer: Vec<u8>) -> impl Future<Output = Vec<u8>>;
}

/// A runtime that somebody has written a crawler on.
pub trait Crawling: Runtime {
    /// Crawls a site from its first page, [`CRAWLERS`] pages at once, and writes the rows that corio-crawl writes.
    fn crawl(seed: Url, rows: PathBuf) -> impl Future<Output = ()>;
}

/// The end of a queue that takes items.
pub trait Put {
    /// Puts an item, waiting for room.
    fn put(&self, item: u64) -> impl Future<Output = ()>;
}

/// The end of a queue that gives items.
pub trait Get {
    /// Gets an item, waiting for one.
    fn get(&mut self) -> impl Future<Output = u64>;
}

impl Put for async_channel::Sender<u64> {
    async fn put(&self, item: u64) {
        self.send(item).await.expect("the queue is open");
    }
}

impl Get for async_channel::Receiver<u64> {
    async fn get(&mut self) -> u64 {
        self.recv().await.expect("the queue is open")
    }
}
