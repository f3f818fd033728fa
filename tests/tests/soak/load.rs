//! What is done at once: a worker for each kind of work, over and over until the end.

use crate::site::{self, AT_ONCE, PAGES};
use corio::{
    Queue, RemoteHandle, Task, as_completed, concurrent, create_task, gather, join, promise, race, sleep, timeout,
    to_thread, yield_now,
};
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many threads wake the loop.
const THREADS: u64 = 2;

/// What was done, by kind.
#[derive(Default)]
pub(crate) struct Tally {
    crawls: Cell<u64>,
    timers: Cell<u64>,
    pool: Cell<u64>,
    cancellations: Cell<u64>,
    foreign: Cell<u64>,
    queued: Cell<u64>,
    combined: Cell<u64>,
}

impl Tally {
    fn kinds(&self) -> [(&'static str, u64); 7] {
        [
            ("crawls of the site", self.crawls.get()),
            ("timers", self.timers.get()),
            ("calls in the pool", self.pool.get()),
            ("cancellations", self.cancellations.get()),
            ("answers from threads", self.foreign.get()),
            ("items queued", self.queued.get()),
            ("gathers, joins and races", self.combined.get()),
        ]
    }

    /// Returns the kinds of which nothing was done.
    pub(crate) fn idle(&self) -> impl Iterator<Item = &'static str> {
        self.kinds().into_iter().filter(|(_, count)| *count == 0).map(|(kind, _)| kind)
    }

    pub(crate) fn all_done(&self) -> impl fmt::Display {
        self.kinds().map(|(kind, count)| format!("{count:>12} {kind}")).join("\n")
    }
}

fn count(cell: &Cell<u64>) {
    cell.set(cell.get() + 1);
}

/// Starts a worker for each kind.
pub(crate) fn workers(tally: &Rc<Tally>, site: SocketAddr, end: Instant) -> Vec<Task<()>> {
    let again = |work: fn(Rc<Tally>, SocketAddr, u64) -> Turn| {
        let tally = Rc::clone(tally);
        create_task(async move {
            for round in 0.. {
                if Instant::now() >= end {
                    break;
                }
                work(Rc::clone(&tally), site, round).await;
                yield_now().await;
            }
        })
    };
    vec![
        again(|tally, site, _| Box::pin(crawl(tally, site))),
        again(|tally, _, round| Box::pin(timers(tally, round))),
        again(|tally, _, round| Box::pin(pool(tally, round))),
        again(|tally, _, round| Box::pin(cancellations(tally, round))),
        again(|tally, _, round| Box::pin(queues(tally, round))),
        again(|tally, _, round| Box::pin(combinators(tally, round))),
    ]
}

/// One turn of a worker.
type Turn = std::pin::Pin<Box<dyn Future<Output = ()>>>;

/// Crawls the whole site, some pages at a time.
pub(crate) async fn crawl(tally: Rc<Tally>, site: SocketAddr) {
    let (mut seen, mut frontier) = (HashSet::from([0]), vec![0]);
    while !frontier.is_empty() {
        let rest = frontier.split_off(frontier.len().min(AT_ONCE));
        let pages = std::mem::replace(&mut frontier, rest);
        let fetched = gather(pages.into_iter().map(|page| site::fetch(site, page))).await;
        for link in fetched.expect("the site answers").into_iter().flatten() {
            if seen.insert(link) {
                frontier.push(link);
            }
        }
    }
    assert_eq!(seen.len() as u64, PAGES, "the crawl missed a page");
    count(&tally.crawls);
}

/// Sleeps in many tasks, and cuts a part of them off.
async fn timers(tally: Rc<Tally>, round: u64) {
    let nap = |i: u64| sleep(Duration::from_micros(200 + (round * 31 + i * 7919) % 5_000));
    let tasks: Vec<_> = (0..50).map(|i| create_task(nap(i))).collect();
    for task in tasks {
        task.await.expect("nobody cancels it");
        count(&tally.timers);
    }
    assert!(timeout(Duration::from_millis(1), std::future::pending::<()>()).await.is_err());
}

/// Calls functions on the pool's threads.
async fn pool(tally: Rc<Tally>, round: u64) {
    let calls = (0..8).map(|i| to_thread(move || (0..1_000).fold(round + i, u64::wrapping_add)));
    for (i, sum) in (0..).zip(join(calls.collect::<Vec<_>>()).await) {
        assert_eq!(sum.expect("the pool is open"), round + i + 499_500);
        count(&tally.pool);
    }
    sleep(Duration::from_millis(1)).await;
}

/// Cancels tasks at each depth and stage.
async fn cancellations(tally: Rc<Tally>, round: u64) {
    let tasks: Vec<_> = (0..20)
        .map(|i| {
            create_task(async move {
                let inner = create_task(async { sleep(Duration::from_secs(3_600)).await });
                match i % 4 {
                    0 => drop(inner.await),
                    1 => drop(join((inner, sleep(Duration::from_secs(3_600)))).await),
                    2 => drop(corio::catch_cancelled(inner).await),
                    _ => drop(timeout(Duration::from_secs(3_600), inner).await),
                }
            })
        })
        .collect();
    for _ in 0..round % 4 {
        yield_now().await;
    }
    for task in tasks {
        task.cancel();
        // One that catches it returns; the others are cancelled.
        let _ = task.await;
        count(&tally.cancellations);
    }
}

/// Passes items through a queue between two pairs of tasks.
async fn queues(tally: Rc<Tally>, round: u64) {
    let queue = Queue::new(1 + (round % 5) as usize);
    let put = |from: u64| {
        let queue = queue.clone();
        create_task(async move {
            for item in from..from + 50 {
                queue.put(item).await.expect("it is open");
            }
        })
    };
    let get = || {
        let queue = queue.clone();
        create_task(async move {
            let mut sum = 0;
            for _ in 0..50 {
                sum += queue.get().await.expect("it is open");
            }
            sum
        })
    };
    let (putting, getting) = ([put(0), put(50)], [get(), get()]);
    for task in putting {
        task.await.expect("nobody cancels it");
    }
    let [one, two] = getting;
    assert_eq!(one.await.expect("nobody cancels it") + two.await.expect("nobody cancels it"), 4_950);
    tally.queued.set(tally.queued.get() + 100);
}

/// Gathers, joins, races and takes in order of completion.
async fn combinators(tally: Rc<Tally>, round: u64) {
    let late = |i: u64| async move {
        for _ in 0..i % 3 {
            yield_now().await;
        }
        i
    };
    let sum: u64 = gather((0..40).map(late)).await.expect("all return").into_iter().sum();
    assert_eq!(sum, 780);
    assert_eq!(join((0..40).map(late)).await.into_iter().sum::<u64>(), 780);
    assert!(race((0..5).map(late).collect::<Vec<_>>()).await < 5);
    let mut ended = as_completed((0..10).map(|i| create_task(late(i))));
    let mut sum = 0;
    while let Some(i) = ended.next().await {
        sum += i.expect("all return");
    }
    assert_eq!(sum, 45);
    let (set, get) = promise();
    get.add_done_callback(|_| ());
    set.set_result(round).expect("nobody cancels it");
    assert_eq!(get.await, Ok(round));
    tally.combined.set(tally.combined.get() + 4);
}

/// What a thread is asked: to set a promise.
type Question = concurrent::Promise<u64>;

/// Threads that wake the loop in all ways.
pub(crate) struct Threads {
    pub(crate) questions: Vec<mpsc::Sender<Question>>,
    pub(crate) handles: Vec<JoinHandle<()>>,
}

/// Starts threads that answer questions, and between them call into the loop.
pub(crate) fn foreign_threads(remote: RemoteHandle, end: Instant) -> Threads {
    let start = |number: u64| {
        let (send, receive) = mpsc::channel::<Question>();
        let remote = remote.clone();
        let handle = thread::spawn(move || {
            let mut calls = 0;
            while Instant::now() < end {
                match receive.recv_timeout(Duration::from_millis(2)) {
                    Ok(question) => drop(question.set_result(number)),
                    Err(mpsc::RecvTimeoutError::Timeout) => (),
                    Err(mpsc::RecvTimeoutError::Disconnected) => break,
                }
                calls += 1;
                if calls % 16 == 0 {
                    drop(remote.call_soon_threadsafe(|| ()));
                    let turn = remote.run_coroutine_threadsafe(|| async { yield_now().await });
                    drop(turn.map(|mut turn| turn.result(Some(Duration::from_millis(100)))));
                }
            }
        });
        (send, handle)
    };
    let (questions, handles) = (0..THREADS).map(start).unzip();
    Threads { questions, handles }
}

/// Asks the threads, and waits for their answers.
pub(crate) async fn foreign_answers(tally: Rc<Tally>, questions: Vec<mpsc::Sender<Question>>, end: Instant) {
    // The threads end a little earlier than this may ask.
    while Instant::now() + Duration::from_millis(200) < end {
        for (number, thread) in (0..).zip(&questions) {
            let (promise, future) = concurrent::promise();
            if thread.send(promise).is_err() {
                return;
            }
            match timeout(Duration::from_secs(5), future).await.expect("a thread answers within seconds") {
                Ok(answer) => assert_eq!(answer, number),
                Err(_) => return, // It has ended, and broken the promise.
            }
            count(&tally.foreign);
        }
    }
}
