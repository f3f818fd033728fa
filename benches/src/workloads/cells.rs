//! Cells: promises, callbacks, ping-pong.

use super::floors::{self, CELL, TURN};
use super::tasks::sum_to;
use super::{
    Compio, Corio, CorioEager, Epoll, Futures, Glommio, Kimojio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring,
};
use super::{Position, Row, columns};
use crate::Runtime;
use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::rc::Rc;

pub(super) fn rows<P: Position>() -> Vec<Row> {
    vec![
        Row::new("promise made, set, awaited", 100_000, columns!(promise)).bar(0.70).floor(CELL, floors::cell),
        Row::new("promise through a task", 20_000, columns!(starts through_task)).bar(0.30),
        Row::new("ping-pong of two tasks, a round trip", 20_000, columns!(ping_pong))
            .bar(0.50)
            .floor(TURN, floors::turn::<2>),
        Row::new("a callback a turn later", 100_000, call_soon_columns::<P>())
            .batch(100)
            .floor(TURN, floors::turn::<100>),
        Row::new("done callback", 50_000, done_callback_columns::<P>()),
    ]
}

async fn promise<R: Runtime>(n: u64) {
    let mut sum = 0;
    for i in 0..n {
        let (set, get) = R::oneshot();
        set(black_box(i));
        sum += get.await;
    }
    assert_eq!(sum, sum_to(n));
}

async fn through_task<R: Runtime>(n: u64) {
    let mut sum = 0;
    for i in 0..n {
        let (set, get) = R::oneshot();
        let task = R::spawn(async move { set(black_box(i)) });
        sum += get.await;
        task.await;
    }
    assert_eq!(sum, sum_to(n));
}

/// Two tasks that wait for each other in turns, each time by a fresh promise.
async fn ping_pong<R: Runtime>(n: u64) {
    // Where each side finds the other's next promise; made before it is waited for.
    let table: Rc<RefCell<[Option<_>; 2]>> = Rc::default();
    let side = |me: usize| {
        let table = Rc::clone(&table);
        async move {
            let mut sum = 0;
            for i in 0..n {
                let (set, get) = R::oneshot();
                table.borrow_mut()[me] = Some(set);
                if me == 1 || i > 0 {
                    let theirs = table.borrow_mut()[1 - me].take();
                    if let Some(set) = theirs {
                        set(i);
                    }
                }
                sum += get.await;
            }
            let last = table.borrow_mut()[1 - me].take();
            if let Some(set) = last {
                set(n);
            }
            sum
        }
    };
    let (ping, pong) = (R::spawn(side(0)), R::spawn(side(1)));
    assert!(ping.await > 0);
    assert!(pong.await > 0);
}

/// Only corio has callbacks of its own; the others start a task that nobody waits for.
fn call_soon_columns<P: Position>() -> Vec<super::Column> {
    let mut columns = columns!(detached);
    columns[0].work = |n, times| P::run::<Corio, _>(times, move || call_soon(n));
    columns
}

async fn in_bursts<R: Runtime>(n: u64, start: impl Fn(Rc<Cell<u64>>)) {
    let called = Rc::new(Cell::new(0));
    for burst in 1..=n / 100 {
        for _ in 0..100 {
            start(Rc::clone(&called));
        }
        while called.get() < burst * 100 {
            R::yield_now().await;
        }
    }
}

async fn call_soon(n: u64) {
    let here = corio::LoopHandle::current();
    let call = move |called: Rc<Cell<u64>>| {
        here.call_soon(move || called.set(called.get() + 1));
    };
    in_bursts::<Corio>(n, call).await;
}

async fn detached<R: Runtime>(n: u64) {
    // The handles are kept until the end: dropping one cancels the task in some runtimes.
    let handles = RefCell::new(Vec::with_capacity(n as usize));
    let call = move |called: Rc<Cell<u64>>| {
        handles.borrow_mut().push(R::spawn(async move { called.set(called.get() + 1) }));
    };
    in_bursts::<R>(n, call).await;
}

/// Only corio has callbacks of its own; the others start a task that waits.
fn done_callback_columns<P: Position>() -> Vec<super::Column> {
    let mut columns = columns!(waiting_task);
    columns[0].work = |n, times| P::run::<Corio, _>(times, move || done_callback(n));
    columns
}

async fn done_callback(n: u64) {
    let called = Rc::new(Cell::new(0));
    for i in 0..n {
        let (promise, future) = corio::promise();
        let seen = Rc::clone(&called);
        future.add_done_callback(move |_| seen.set(seen.get() + 1));
        promise.set_result(i).expect("nobody cancels it");
        corio::yield_now().await;
    }
    assert_eq!(called.get(), n);
}

async fn waiting_task<R: Runtime>(n: u64) {
    let called = Rc::new(Cell::new(0));
    for i in 0..n {
        let (set, get) = R::oneshot();
        let seen = Rc::clone(&called);
        let task = R::spawn(async move {
            get.await;
            seen.set(seen.get() + 1);
        });
        set(i);
        task.await;
    }
    assert_eq!(called.get(), n);
}
