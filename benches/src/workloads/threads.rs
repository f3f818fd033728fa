//! Other threads: waking the loop, and the thread pool.

use super::floors::{self, FUTEX};
use super::tasks::sum_to;
use super::{Compio, Corio, Epoll, Futures, Glommio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring};
use super::{Position, Row, columns};
use crate::{Blocking, Runtime};
use std::hint::black_box;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How many wake-ups come in one burst.
const BURST: u64 = 1_000;

/// The runtimes whose wakers other threads may use.
macro_rules! foreign {
    ($($work:tt)+) => {
        columns!($($work)+: Corio, Tokio, TokioLocal, Smol, Futures, Monoio<Epoll>, Monoio<Uring>, Compio, Glommio, Runite)
    };
}

/// The runtimes that have a thread pool.
macro_rules! pools {
    ($work:ident $(($argument:expr))?) => {
        columns!($work $(($argument))?: Corio, Tokio, TokioLocal, Smol, Monoio<Epoll>, Monoio<Uring>, Compio, Glommio, Runite)
    };
}

pub(super) fn rows<P: Position>() -> Vec<Row> {
    vec![
        Row::new("woken by a thread, one at a time", 5_000, foreign!(one_at_a_time))
            .threads()
            .bar(1.00)
            .floor(FUTEX, floors::round_trip),
        Row::new("woken by a thread, in bursts", 50_000, foreign!(in_bursts)).batch(BURST).threads().bar(0.75),
        Row::new("thread pool, one call at a time", 5_000, pools!(one_call))
            .threads()
            .bar(0.90)
            .floor(FUTEX, floors::round_trip),
        Row::new("thread pool, 10,000 calls of 0 us", 10_000, pools!(many_calls(0))).batch(10_000).threads().bar(0.90),
        Row::new("thread pool, 10,000 calls of 10 us", 10_000, pools!(many_calls(10)))
            .batch(10_000)
            .threads()
            .unpinned(),
    ]
}

/// The way to set a promise from a thread.
type Set = Box<dyn FnOnce() + Send>;

/// A thread that sets what it is given.
fn setter() -> (mpsc::Sender<Set>, thread::JoinHandle<()>) {
    let (send, receive) = mpsc::channel::<Set>();
    let thread = thread::spawn(move || receive.into_iter().for_each(|set| set()));
    (send, thread)
}

async fn one_at_a_time<R: Runtime>(n: u64) {
    let (send, thread) = setter();
    let mut sum = 0;
    for i in 0..n {
        let (set, get) = R::foreign_oneshot();
        send.send(Box::new(move || set(i))).expect("the thread lives");
        sum += get.await;
    }
    assert_eq!(sum, sum_to(n));
    drop(send);
    thread.join().expect("it does not panic");
}

/// A thousand tasks wait, and one thread wakes them all.
async fn in_bursts<R: Runtime>(n: u64) {
    let (send, thread) = setter();
    for _ in 0..n / BURST {
        let (sets, gets): (Vec<_>, Vec<_>) = (0..BURST).map(|_| R::foreign_oneshot()).unzip();
        let tasks: Vec<_> = gets.into_iter().map(R::spawn).collect();
        R::yield_now().await;
        let set_all = move || (0..).zip(sets).for_each(|(i, set)| set(i));
        send.send(Box::new(set_all)).expect("the thread lives");
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        assert_eq!(sum, sum_to(BURST));
    }
    drop(send);
    thread.join().expect("it does not panic");
}

async fn one_call<R: Blocking>(n: u64) {
    let mut sum = 0;
    for i in 0..n {
        sum += R::blocking(move || black_box(i)).await;
    }
    assert_eq!(sum, sum_to(n));
}

async fn many_calls<R: Blocking>(n: u64, micros: u64) {
    let call = |i| {
        R::spawn(R::blocking(move || {
            spin(Duration::from_micros(micros));
            black_box(i)
        }))
    };
    let tasks: Vec<_> = (0..n).map(call).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await;
    }
    assert_eq!(sum, sum_to(n));
}

/// Works for so long.
fn spin(time: Duration) {
    let start = Instant::now();
    while !time.is_zero() && start.elapsed() < time {
        std::hint::spin_loop();
    }
}
