use crate::kit::{Log, OnDrop};
use corio_task::{Bell, TaskSet};
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;

/// A bell that counts, and unparks the thread that made it.
struct Counted(AtomicUsize, thread::Thread);

impl Bell for Counted {
    fn ring(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.1.unpark();
    }
}

fn belled() -> (TaskSet, Arc<Counted>) {
    let set = TaskSet::new();
    let bell = Arc::new(Counted(AtomicUsize::new(0), thread::current()));
    set.set_bell(Arc::clone(&bell) as Arc<dyn Bell>);
    (set, bell)
}

/// Runs the set, parking when it has nothing to do, until `over`.
fn run_parked(set: &TaskSet, over: impl Fn() -> bool) {
    while !over() {
        set.drain_inbox();
        if set.has_ready() {
            set.run_batch();
        } else if set.fall_asleep() {
            thread::park_timeout(std::time::Duration::from_secs(20));
            set.wake_up();
        }
    }
}

#[test]
fn a_waker_works_on_another_thread() {
    let (set, _bell) = belled();
    let (send, receive) = mpsc::channel::<Waker>();
    let foreign = thread::spawn(move || {
        for waker in receive {
            waker.clone().wake_by_ref();
            drop(waker);
        }
    });
    let rounds = if cfg!(miri) { 20 } else { 2_000 };
    let mut left = rounds;
    let done = Rc::new(Cell::new(false));
    let over = Rc::clone(&done);
    let task = set.spawn(poll_fn(move |cx| {
        if left == 0 {
            over.set(true);
            return Poll::Ready(());
        }
        left -= 1;
        send.send(cx.waker().clone()).unwrap();
        Poll::Pending
    }));
    run_parked(&set, || done.get());
    drop(task);
    drop(set);
    foreign.join().unwrap();
}

#[test]
fn calls_of_one_thread_keep_their_order_and_ring_once() {
    let (set, bell) = belled();
    let log = Log::new();
    let remote = set.remote();
    assert!(set.fall_asleep());
    let sender = thread::spawn(move || {
        for n in 0..100 {
            remote.call(Box::new(move || SEEN.with(|seen| seen.borrow_mut().push(n)))).ok().unwrap();
        }
    });
    sender.join().unwrap();
    set.wake_up();
    assert_eq!(bell.0.load(Ordering::SeqCst), 1);
    set.drain_inbox();
    set.run_batch();
    SEEN.with(|seen| assert_eq!(*seen.borrow(), (0..100).collect::<Vec<_>>()));
    assert!(log.take().is_empty());
}

thread_local! {
    static SEEN: std::cell::RefCell<Vec<i32>> = const { std::cell::RefCell::new(Vec::new()) };
}

#[test]
fn there_is_no_sleep_while_something_waits() {
    let (set, _bell) = belled();
    set.remote().call(Box::new(|| ())).ok().unwrap();
    assert!(!set.fall_asleep());
    set.drain_inbox();
    assert!(!set.fall_asleep());
    set.run_batch();
    assert!(set.fall_asleep());
}

#[test]
fn something_ready_on_the_owners_thread_rings_for_a_sleeper_too() {
    let (set, bell) = belled();
    let task = set.spawn(std::future::pending::<()>());
    set.run_batch();
    assert!(set.fall_asleep());
    task.cancel();
    assert_eq!(bell.0.load(Ordering::SeqCst), 1);
    assert!(set.has_ready());
}

/// Nothing but the count orders what the owner did with the cell before the thread that frees it; Miri and the thread
/// sanitizer watch.
#[test]
fn a_waker_that_is_the_last_to_go_has_seen_all_that_was_done() {
    let (send, receive) = mpsc::channel::<Waker>();
    let over = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&over);
    let foreign = thread::spawn(move || {
        let waker = receive.recv().unwrap();
        while seen.load(Ordering::Relaxed) == 0 {
            thread::yield_now();
        }
        drop(waker);
    });
    let set = TaskSet::new();
    let mut send = Some(send);
    let task = set.spawn(poll_fn(move |cx| {
        cx.waker().wake_by_ref();
        match send.take() {
            Some(send) => send.send(cx.waker().clone()).map_or(Poll::Ready(1), |()| Poll::Pending),
            None => Poll::Ready(2),
        }
    }));
    set.run_batch();
    set.run_batch();
    assert_eq!(task.into_output().unwrap(), 2);
    over.store(1, Ordering::Relaxed);
    foreign.join().unwrap();
}

#[test]
fn a_waker_outlives_the_set_and_dies_elsewhere() {
    let (send, receive) = mpsc::channel::<Waker>();
    let set = TaskSet::new();
    let theirs = send.clone();
    let task = set.spawn(poll_fn(move |cx| {
        for _ in 0..3 {
            theirs.send(cx.waker().clone()).unwrap();
        }
        Poll::<String>::Pending
    }));
    set.run_batch();
    drop(set);
    assert!(task.cancelled());
    drop(task);
    drop(send);
    thread::spawn(move || {
        for waker in receive {
            waker.wake_by_ref();
            drop(waker.clone());
        }
    })
    .join()
    .unwrap();
}

#[test]
fn eight_threads_wake_one_task() {
    let (set, _bell) = belled();
    let wakes = if cfg!(miri) { 20 } else { 20_000 };
    let (send, receive) = mpsc::channel();
    let polls = Rc::new(Cell::new(0_u64));
    let count = Rc::clone(&polls);
    let finished = Arc::new(AtomicUsize::new(0));
    let ended = Arc::clone(&finished);
    let task = set.spawn(poll_fn(move |cx| {
        if count.get() == 0 {
            send.send(cx.waker().clone()).unwrap();
        }
        count.set(count.get() + 1);
        if ended.load(Ordering::SeqCst) == 8 { Poll::Ready(()) } else { Poll::Pending }
    }));
    set.run_batch();
    let waker = receive.recv().unwrap();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (waker, finished) = (waker.clone(), Arc::clone(&finished));
            thread::spawn(move || {
                for _ in 0..wakes {
                    waker.wake_by_ref();
                }
                finished.fetch_add(1, Ordering::SeqCst);
                waker.wake();
            })
        })
        .collect();
    run_parked(&set, || task.done());
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(polls.get() > 1);
}

/// What another thread woke stands in the inbox until the set looks there, and is given up with it.
#[test]
fn what_was_woken_elsewhere_goes_with_a_set_that_closes() {
    for kept in [true, false] {
        let (set, dropped, place) = (TaskSet::new(), Log::new(), Rc::new(Cell::new(None)));
        let (line, mine) = (OnDrop(dropped.clone(), "dropped"), Rc::clone(&place));
        drop(set.spawn(async move {
            let _line = line;
            poll_fn(|cx| {
                mine.set(Some(cx.waker().clone()));
                Poll::<()>::Pending
            })
            .await;
        }));
        set.run_batch();
        let waker: Waker = place.take().unwrap();
        let elsewhere = thread::spawn(move || {
            waker.wake_by_ref();
            kept.then_some(waker)
        });
        let waker = elsewhere.join().unwrap();
        set.close();
        drop(set);
        assert_eq!(dropped.take(), ["dropped"]);
        if let Some(waker) = waker {
            waker.wake_by_ref(); // It wakes nobody, and is all that is left.
            drop(waker);
        }
    }
}
