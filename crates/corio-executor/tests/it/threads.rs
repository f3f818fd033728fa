//! Danger: a wake-up from another thread that is lost, or that costs a system call each.
//!
//! Hazard 32. These tests run real threads, and wait for nothing but each other.

use corio_executor::{EventLoop, LoopHandle, RemoteCall, VirtualClock, run, sleep, test};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

/// How often a race is tried.
const ROUNDS: usize = if cfg!(miri) { 20 } else { 2_000 };

#[test]
fn no_wake_up_is_lost() {
    test::run(async {
        let remote = LoopHandle::current().remote();
        let (ask, asked) = mpsc::channel::<corio_future::concurrent::Promise<usize>>();
        let thread = thread::spawn(move || {
            for (n, promise) in asked.into_iter().enumerate() {
                if n % 2 == 0 {
                    promise.set_result(n).unwrap();
                } else {
                    remote.call_soon_threadsafe(move || promise.set_result(n).unwrap()).unwrap();
                }
            }
        });
        for n in 0..ROUNDS {
            let (promise, answer) = corio_future::concurrent::promise();
            ask.send(promise).unwrap();
            assert_eq!(answer.await.unwrap(), n); // The loop sleeps here, or is about to.
        }
        drop(ask);
        thread.join().unwrap();
    });
}

#[test]
fn each_threads_calls_come_in_order() {
    let count = if cfg!(miri) { 20 } else { 1_000 };
    let seen = test::run(async move {
        let remote = LoopHandle::current().remote();
        let (promise, done) = corio_future::concurrent::promise();
        let left = Arc::new((AtomicUsize::new(4 * count), parking_lot::Mutex::new(Some(promise))));
        thread_local!(static SEEN: RefCell<[Vec<usize>; 4]> = RefCell::default());
        let threads = [0, 1, 2, 3].map(|thread| {
            let (remote, left) = (remote.clone(), Arc::clone(&left));
            thread::spawn(move || {
                for n in 0..count {
                    let left = Arc::clone(&left);
                    let call = move || {
                        SEEN.with_borrow_mut(|seen| seen[thread].push(n));
                        if left.0.fetch_sub(1, Ordering::Relaxed) == 1 {
                            left.1.lock().take().unwrap().set_result(()).unwrap();
                        }
                    };
                    remote.call_soon_threadsafe(call).unwrap();
                }
            })
        });
        done.await.unwrap();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        SEEN.take()
    });
    for numbers in seen {
        assert_eq!(numbers, (0..count).collect::<Vec<_>>());
    }
}

#[test]
#[cfg_attr(miri, ignore = "measures real time")]
fn hazard_32_a_burst_leaves_no_bells_behind() {
    let event_loop = EventLoop::new().unwrap();
    let (calls, remote) = (Rc::new(Cell::new(0)), event_loop.remote());
    thread::spawn(move || (0..100_000).for_each(|_| drop(remote.call_soon_threadsafe(|| ())))).join().unwrap();
    event_loop.run_once().unwrap();
    let inner = Rc::clone(&calls);
    event_loop.call_later(Duration::from_millis(5), move || inner.set(1));
    let mut iterations = 0;
    while calls.get() == 0 {
        event_loop.run_once().unwrap();
        iterations += 1;
    }
    assert!(iterations <= 5, "{iterations} iterations to sleep once");
}

#[test]
fn a_call_from_the_loops_own_thread_is_an_ordinary_callback() {
    test::run(async {
        let (event_loop, order) = (LoopHandle::current(), Arc::new(parking_lot::Mutex::new(Vec::new())));
        let note = |n: u32| {
            let order = Arc::clone(&order);
            move || order.lock().push(n)
        };
        event_loop.call_soon(note(1));
        event_loop.remote().call_soon_threadsafe(note(2)).unwrap();
        event_loop.call_soon(note(3));
        corio_executor::yield_now().await;
        assert_eq!(*order.lock(), [1, 2, 3]);
    });
}

#[test]
fn a_cancelled_call_never_runs() {
    test::run(async {
        let remote = LoopHandle::current().remote();
        for _ in 0..ROUNDS / 10 {
            let calls = Arc::new(AtomicUsize::new(0));
            let (inner, sender, barrier) = (Arc::clone(&calls), remote.clone(), Arc::new(Barrier::new(2)));
            let (promise, done) = corio_future::concurrent::promise();
            let there = Arc::clone(&barrier);
            let thread = thread::spawn(move || {
                let call: RemoteCall =
                    sender.call_soon_threadsafe(move || _ = inner.fetch_add(1, Ordering::Relaxed)).unwrap();
                there.wait();
                // When `cancel` has returned, the callback has been called, or never will be.
                let ran = usize::from(!call.cancel());
                assert_eq!(call.cancelled(), ran == 0);
                promise.set_result(ran).unwrap();
            });
            barrier.wait();
            let ran = done.await.unwrap();
            corio_executor::yield_now().await;
            assert_eq!(calls.load(Ordering::Relaxed), ran);
            thread.join().unwrap();
        }
    });
}

#[test]
fn cancelling_a_running_call_waits_for_its_end() {
    test::run(async {
        let remote = LoopHandle::current().remote();
        let (promise, done) = corio_future::concurrent::promise();
        let over = Arc::new(AtomicUsize::new(0));
        let (started, start) = mpsc::channel();
        let inner = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let seen = Arc::clone(&inner);
            let call = remote.call_soon_threadsafe(move || {
                started.send(()).unwrap();
                thread::sleep(Duration::from_millis(2)); // So that `cancel` finds it running.
                inner.store(1, Ordering::Relaxed);
            });
            start.recv().unwrap();
            assert!(!call.unwrap().cancel());
            promise.set_result(seen.load(Ordering::Relaxed)).unwrap();
        });
        assert_eq!(done.await.unwrap(), 1);
        thread.join().unwrap();
    });
}

#[test]
fn a_call_may_cancel_itself_and_may_panic() {
    test::run(async {
        let event_loop = LoopHandle::current();
        let reports = Rc::new(Cell::new(0));
        let inner = Rc::clone(&reports);
        event_loop.set_exception_handler(move |_| inner.set(inner.get() + 1));
        let own: Arc<parking_lot::Mutex<Option<RemoteCall>>> = Arc::default();
        let seen = Arc::clone(&own);
        let call = event_loop.remote().call_soon_threadsafe(move || {
            let own = seen.lock().clone().unwrap();
            assert!(!own.cancel(), "it runs");
            panic!("afterwards");
        });
        *own.lock() = Some(call.unwrap());
        corio_executor::yield_now().await;
        let call = own.lock().take().unwrap();
        assert_eq!((reports.get(), call.cancel(), call.cancelled()), (1, false, false));
    });
}

#[test]
fn what_is_in_the_inbox_when_the_loop_closes_is_dropped() {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let (held, remote) = (Arc::new(()), event_loop.remote());
    let inner = Arc::clone(&held);
    thread::spawn(move || drop(remote.call_soon_threadsafe(move || drop(inner)).unwrap())).join().unwrap();
    assert_eq!(Arc::strong_count(&held), 2);
    event_loop.close().unwrap();
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn stop_comes_from_any_thread() {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let remote = event_loop.remote();
    let thread = thread::spawn(move || remote.stop().unwrap());
    event_loop.run_forever().unwrap();
    thread.join().unwrap();
}

#[test]
fn a_panic_of_a_task_started_elsewhere_goes_to_whoever_started_it() {
    test::run(async {
        let remote = LoopHandle::current().remote();
        let future = thread::spawn(move || remote.run_coroutine_threadsafe(|| async { panic!("boom") as u8 }).unwrap());
        let outcome = future.join().unwrap().await;
        let text = outcome.unwrap_err().to_string();
        assert!(text.contains("boom"), "{text}");
    });
}

#[test]
fn a_task_started_elsewhere_that_is_cancelled_here_tells_whoever_started_it() {
    test::run(async {
        let remote = LoopHandle::current().remote();
        let start = move || remote.run_coroutine_threadsafe(|| sleep(Duration::MAX)).unwrap();
        let future = thread::spawn(start).join().unwrap();
        sleep(Duration::from_secs(1)).await; // It starts, and sleeps.
        let me = corio_task::current_task().unwrap();
        for task in LoopHandle::current().all_tasks() {
            if task != me {
                task.cancel();
            }
        }
        assert!(future.await.is_err());
    });
}

#[test]
fn a_task_started_elsewhere_is_cancelled_by_whoever_started_it() {
    test::run(async {
        let event_loop = LoopHandle::current();
        let remote = event_loop.remote();
        let start = move || remote.run_coroutine_threadsafe(|| sleep(Duration::MAX)).unwrap();
        let future = thread::spawn(start).join().unwrap();
        sleep(Duration::from_secs(1)).await; // It starts, and sleeps.
        assert_eq!(event_loop.all_tasks().len(), 2);
        thread::spawn(move || assert!(future.cancel())).join().unwrap();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(event_loop.all_tasks().len(), 1, "the main task alone is left");
    });
}

#[test]
fn closing_the_loop_lets_whoever_waits_elsewhere_go() {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let remote = event_loop.remote();
    let started = thread::spawn(move || remote.run_coroutine_threadsafe(|| sleep(Duration::MAX)).unwrap());
    let mut future = started.join().unwrap();
    event_loop.run_once().unwrap();
    event_loop.run_once().unwrap();
    event_loop.close().unwrap();
    assert!(future.result(None).is_err());
}

#[test]
fn many_wakes_are_one_step() {
    let polls = Rc::new(Cell::new(0));
    let inner = Rc::clone(&polls);
    run(async move {
        let (sender, wakers) = mpsc::channel::<std::task::Waker>();
        let (over, ended) = mpsc::channel();
        let thread = thread::spawn(move || {
            let waker = wakers.recv().unwrap();
            (0..1_000).for_each(|_| waker.wake_by_ref());
            over.send(()).unwrap();
        });
        std::future::poll_fn(|cx| {
            inner.set(inner.get() + 1);
            if inner.get() == 1 {
                sender.send(cx.waker().clone()).unwrap();
                ended.recv().unwrap(); // All of them while this step runs.
                return std::task::Poll::Pending;
            }
            std::task::Poll::Ready(())
        })
        .await;
        thread.join().unwrap();
    })
    .unwrap();
    assert_eq!(polls.get(), 2);
}

#[test]
fn hazard_34_a_foreign_unpark_ends_no_sleep() {
    let delay = Duration::from_millis(if cfg!(miri) { 1 } else { 5 });
    let (me, over) = (thread::current(), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let inner = Arc::clone(&over);
    let nuisance = thread::spawn(move || {
        while !inner.load(Ordering::Relaxed) {
            me.unpark();
            thread::yield_now();
        }
    });
    let start = std::time::Instant::now();
    run(sleep(delay)).unwrap();
    assert!(start.elapsed() >= delay);
    over.store(true, Ordering::Relaxed);
    nuisance.join().unwrap();
}
