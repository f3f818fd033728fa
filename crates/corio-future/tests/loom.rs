//! Models of the thread-safe cell, and of the chain between it and a loop-bound one: every order of the steps of two threads, up to a number of preemptions.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=2 cargo test -p corio-future --release --test loom
//! ```
//! A lost wake-up shows as a deadlock, which loom finds. Three controls, small copies of the protocol with a
//! step misplaced, must fail; they run in a child process, for a failing model aborts.

#![cfg(loom)]

use corio_future::concurrent::{Future, FutureError, Promise, ReturnWhen, WaitError, as_completed, promise, wait};
use corio_future::{Cancelled, to_concurrent, wrap_future};
use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};

/// Awaits in a model: sleeps on a condition, so that a lost wake-up is a deadlock.
fn block_on<F: std::future::Future>(future: F) -> F::Output {
    #[derive(Default)]
    struct Bell(Mutex<bool>, Condvar);
    impl Wake for Bell {
        fn wake(self: std::sync::Arc<Self>) {
            *self.0.lock().unwrap() = true;
            self.1.notify_one();
        }
    }
    let bell = std::sync::Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let mut rung = bell.0.lock().unwrap();
        while !*rung {
            rung = bell.1.wait(rung).unwrap();
        }
        *rung = false;
    }
}

/// Runs `write` and `read` in two threads, in every order.
fn pair(write: fn(Promise<Arc<AtomicUsize>>), read: fn(Future<Arc<AtomicUsize>>)) {
    loom::model(move || {
        let (promise, future) = promise();
        let writer = thread::spawn(move || write(promise));
        read(future);
        writer.join().unwrap();
    });
}

/// Runs two readers of one future in two threads, and `write` in a third.
fn trio(write: fn(Promise<usize>), one: fn(Future<usize>), two: fn(Future<usize>)) {
    loom::model(move || {
        let (promise, future) = promise();
        let other = future.share();
        let writer = thread::spawn(move || write(promise));
        let reader = thread::spawn(move || one(other));
        two(future);
        reader.join().unwrap();
        writer.join().unwrap();
    });
}

/// A value: the count in it is how often it was read. loom finds it if it is leaked.
fn complete(promise: Promise<Arc<AtomicUsize>>) {
    let value = Arc::new(AtomicUsize::new(0));
    let kept = value.clone();
    match promise.set_result(value) {
        Ok(()) => assert!(kept.load(SeqCst) <= 1),
        Err(value) => assert_eq!(value.load(SeqCst), 0),
    }
}

fn begin_and_complete(promise: Promise<Arc<AtomicUsize>>) {
    if promise.set_running_or_notify_cancel() {
        let kept = promise.set_result(Arc::new(AtomicUsize::new(0)));
        assert!(kept.is_ok(), "work that runs is not cancelled");
    }
}

fn cancel_from_the_write_end<T>(promise: Promise<T>) {
    promise.cancel(Cancelled::new());
}

fn await_it(future: Future<Arc<AtomicUsize>>) {
    if let Ok(value) = block_on(future) {
        assert_eq!(value.fetch_add(1, SeqCst), 0);
    }
}

fn block(mut future: Future<Arc<AtomicUsize>>) {
    match future.result(None) {
        Ok(value) => assert_eq!(value.fetch_add(1, SeqCst), 0),
        Err(error) => assert!(matches!(error, WaitError::Ended(_))),
    }
}

fn cancel(mut future: Future<Arc<AtomicUsize>>) {
    let cancelled = future.cancel();
    assert_eq!(cancelled, future.cancelled());
    match future.result(None) {
        Err(WaitError::Ended(FutureError::Cancelled(_))) => assert!(cancelled),
        _ => assert!(!cancelled),
    }
}

/// Polls once, and drops the future with its waker in the cell.
fn poll_and_drop<T>(mut future: Future<T>) {
    let _ = std::future::Future::poll(Pin::new(&mut future), &mut Context::from_waker(Waker::noop()));
}

#[test]
fn complete_and_await() {
    pair(complete, await_it);
}

#[test]
fn complete_and_block() {
    pair(complete, block);
}

#[test]
fn complete_and_cancel() {
    pair(complete, cancel);
}

#[test]
fn complete_and_drop() {
    pair(complete, drop);
}

#[test]
fn complete_and_drop_after_a_poll() {
    pair(complete, poll_and_drop);
}

#[test]
fn begin_and_cancel() {
    pair(begin_and_complete, cancel);
}

#[test]
fn begin_and_await() {
    pair(begin_and_complete, await_it);
}

#[test]
fn break_and_await() {
    pair(drop, await_it);
}

#[test]
fn break_and_block() {
    pair(drop, block);
}

#[test]
fn break_and_drop_after_a_poll() {
    pair(drop, poll_and_drop);
}

#[test]
fn cancel_from_both_ends() {
    pair(cancel_from_the_write_end, cancel);
}

/// Two read ends, one cancelling while the other waits.
fn cancel_beside(wait: fn(Future<usize>)) {
    loom::model(move || {
        let (promise, future) = promise::<usize>();
        let canceller = future.share();
        let thread = thread::spawn(move || assert!(canceller.cancel()));
        wait(future);
        thread.join().unwrap();
        assert!(!promise.set_running_or_notify_cancel());
    });
}

#[test]
fn cancel_and_await() {
    cancel_beside(|future| assert!(block_on(future).is_err()));
}

#[test]
fn cancel_and_block() {
    cancel_beside(|mut future| assert!(future.result(None).is_err()));
}

#[test]
fn cancel_and_drop_after_a_poll() {
    cancel_beside(poll_and_drop);
}

#[test]
fn cancel_and_cancel() {
    cancel_beside(|future| assert!(future.cancel()));
}

#[test]
fn await_and_drop_after_a_poll() {
    trio(|promise| promise.set_result(7).unwrap(), |future| assert_eq!(block_on(future).unwrap(), 7), poll_and_drop);
}

#[test]
fn await_and_block_on_a_value_that_is_lent() {
    trio(
        |promise| promise.set_result(7).unwrap(),
        |future| assert_eq!(block_on(future).unwrap(), 7),
        |mut future| assert_eq!(future.result(None).unwrap(), 7),
    );
}

#[test]
fn await_while_another_looks() {
    loom::model(|| {
        let (promise, future) = promise::<usize>();
        let other = future.share();
        promise.set_result(7).unwrap();
        let looker = thread::spawn(move || other.with_value(|value| assert_eq!(*value, 7)));
        assert_eq!(block_on(future).unwrap(), 7);
        looker.join().unwrap();
    });
}

#[test]
fn a_replaced_waker_is_the_one_that_is_woken() {
    loom::model(|| {
        let (promise, mut future) = promise::<usize>();
        assert!(std::future::Future::poll(Pin::new(&mut future), &mut Context::from_waker(Waker::noop())).is_pending());
        let writer = thread::spawn(move || promise.set_result(7).unwrap());
        assert_eq!(block_on(future).unwrap(), 7);
        writer.join().unwrap();
    });
}

#[test]
fn a_callback_is_called_once_though_it_is_added_late() {
    loom::model(|| {
        let (promise, future) = promise::<usize>();
        let calls = Arc::new(AtomicUsize::new(0));
        let writer = thread::spawn(move || promise.set_result(7).unwrap());
        let count = calls.clone();
        future.add_done_callback(move |future| {
            assert!(future.done());
            count.fetch_add(1, SeqCst);
        });
        writer.join().unwrap();
        assert_eq!(calls.load(SeqCst), 1);
    });
}

#[test]
fn a_callback_is_called_or_taken_back() {
    loom::model(|| {
        let (promise, future) = promise::<usize>();
        let calls = Arc::new(AtomicUsize::new(0));
        let count = calls.clone();
        let key = future.add_done_callback(move |_| _ = count.fetch_add(1, SeqCst));
        let writer = thread::spawn(move || promise.set_result(7).unwrap());
        let taken_back = future.remove_done_callback(key);
        writer.join().unwrap();
        assert_eq!(calls.load(SeqCst), usize::from(!taken_back));
    });
}

#[test]
fn the_first_of_two_ends_the_wait() {
    loom::model(|| {
        let (promise, one) = promise::<usize>();
        let (keep, two) = corio_future::concurrent::promise::<usize>();
        let writer = thread::spawn(move || promise.set_result(7).unwrap());
        let futures = [one, two];
        assert_eq!(wait(&futures, None, ReturnWhen::FirstCompleted).done, [0]);
        writer.join().unwrap();
        drop(keep);
    });
}

#[test]
fn all_of_two_end_the_wait_and_one_is_cancelled() {
    loom::model(|| {
        let (promise, one) = promise::<usize>();
        let (unwanted, two) = corio_future::concurrent::promise::<usize>();
        assert!(two.cancel());
        let writer = thread::spawn(move || {
            promise.set_result(7).unwrap();
            assert!(!unwanted.set_running_or_notify_cancel());
        });
        let futures = [one, two];
        assert_eq!(wait(&futures, None, ReturnWhen::AllCompleted).done, [0, 1]);
        writer.join().unwrap();
    });
}

#[test]
fn two_arrive() {
    loom::model(|| {
        let (first, one) = promise::<usize>();
        let (second, two) = promise::<usize>();
        let writer = thread::spawn(move || first.set_result(1).unwrap());
        let completed = as_completed([one, two], None);
        second.set_result(2).unwrap();
        let sum: usize = completed.map(|future| future.unwrap().result(None).unwrap()).sum();
        assert_eq!(sum, 3);
        writer.join().unwrap();
    });
}

/// Wraps a thread-safe future where no loop runs: whoever awaits it here must hear of what another thread does.
fn wrapped(write: fn(Promise<usize>), read: fn(corio_future::Future<usize>)) {
    loom::model(move || {
        let (promise, source) = promise();
        let writer = thread::spawn(move || write(promise));
        read(wrap_future(source));
        writer.join().unwrap();
    });
}

#[test]
fn a_wrapped_future_hears_of_its_value() {
    wrapped(|promise| promise.set_result(7).unwrap(), |future| assert_eq!(block_on(future).unwrap(), 7));
}

#[test]
fn a_wrapped_future_hears_of_a_broken_promise() {
    wrapped(drop, |future| assert!(block_on(future).is_err_and(|error| !error.is_cancelled())));
}

#[test]
fn a_wrapped_future_hears_of_a_cancellation() {
    wrapped(cancel_from_the_write_end, |future| assert!(block_on(future).is_err_and(|error| error.is_cancelled())));
}

#[test]
fn a_wrapped_future_is_cancelled_while_its_value_comes() {
    wrapped(
        |promise| drop(promise.set_result(7)),
        |future| {
            let cancelled = future.cancel(); // Not if the value was there before it was wrapped.
            assert_eq!(cancelled, block_on(future).is_err());
        },
    );
}

#[test]
fn one_of_two_who_await_a_wrapped_future_leaves() {
    wrapped(
        |promise| promise.set_result(7).unwrap(),
        |mut future| {
            let mut other = future.share();
            let mut cx = Context::from_waker(Waker::noop());
            let early = std::future::Future::poll(Pin::new(&mut other), &mut cx).is_ready();
            drop(other);
            match early {
                true => assert_eq!(future.take().unwrap().unwrap(), 7),
                false => assert_eq!(block_on(future).unwrap(), 7),
            }
        },
    );
}

#[test]
fn a_wrapped_future_is_dropped_while_its_value_comes() {
    wrapped(
        |promise| drop(promise.set_result(7)),
        |mut future| {
            let _ = std::future::Future::poll(Pin::new(&mut future), &mut Context::from_waker(Waker::noop()));
        },
    );
}

/// Hands a loop-bound future to another thread, while it gets its value here.
fn handed_over(read: fn(Future<usize>)) {
    loom::model(move || {
        let (promise, source) = corio_future::promise();
        let future = to_concurrent(source);
        let reader = thread::spawn(move || read(future));
        promise.set_result(7).unwrap();
        reader.join().unwrap();
    });
}

#[test]
fn a_future_that_was_handed_over_hears_of_its_value() {
    handed_over(|future| assert_eq!(block_on(future).unwrap(), 7));
    handed_over(|mut future| assert_eq!(future.result(None).unwrap(), 7));
}

#[test]
fn a_future_that_was_handed_over_is_cancelled_while_its_value_comes() {
    handed_over(|mut future| {
        let cancelled = future.cancel();
        assert_eq!(future.result(None).is_err(), cancelled);
    });
}

/// The protocol in small, with a step misplaced: models that must fail.
mod control {
    use super::block_on;
    use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use loom::sync::{Arc, Mutex};
    use loom::thread;
    use std::future::poll_fn;
    use std::task::{Poll, Waker};

    /// Set for a child, in which a model that must fail runs; in the parent the test of its name does nothing.
    const CHILD: &str = "CORIO_LOOM_CONTROL";

    fn is_child() -> bool {
        std::env::var_os(CHILD).is_some()
    }

    #[derive(Default)]
    struct Small {
        done: bool,
        waker: Option<Waker>,
    }

    /// Says that it is over, and wakes after the lock is released, as the cell does.
    fn complete(cell: &Mutex<Small>) {
        let mut small = cell.lock().unwrap();
        small.done = true;
        let waker = small.waker.take();
        drop(small);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The bug: the waker is put in under a second lock, and nobody looks again whether it is over.
    #[test]
    fn a_waker_put_in_without_a_second_look() {
        if !is_child() {
            return;
        }
        loom::model(|| {
            let cell = Arc::new(Mutex::new(Small::default()));
            let other = cell.clone();
            let writer = thread::spawn(move || complete(&other));
            block_on(poll_fn(|cx| {
                if cell.lock().unwrap().done {
                    return Poll::Ready(());
                }
                cell.lock().unwrap().waker = Some(cx.waker().clone());
                Poll::Pending
            }));
            writer.join().unwrap();
        });
    }

    /// The chain's bug: it is asked whether the source is over first, and noted who awaits then. The source, which ends in
    /// between, knocks where nobody is noted.
    #[test]
    fn an_awaiter_noted_too_late() {
        if !is_child() {
            return;
        }
        loom::model(|| {
            let (source, awaiter) = (Arc::new(Mutex::new(false)), Arc::new(Mutex::new(None::<Waker>)));
            let (other_source, other_awaiter) = (source.clone(), awaiter.clone());
            let writer = thread::spawn(move || {
                *other_source.lock().unwrap() = true;
                let noted = other_awaiter.lock().unwrap().take();
                if let Some(waker) = noted {
                    waker.wake();
                }
            });
            block_on(poll_fn(|cx| {
                let is_over = *source.lock().unwrap();
                *awaiter.lock().unwrap() = Some(cx.waker().clone());
                if is_over { Poll::Ready(()) } else { Poll::Pending }
            }));
            writer.join().unwrap();
        });
    }

    /// The bug: whether it is over is asked under one lock, and said under another.
    #[test]
    fn two_endings() {
        if !is_child() {
            return;
        }
        loom::model(|| {
            let done = Arc::new(Mutex::new(false));
            let endings = Arc::new(AtomicUsize::new(0));
            let end = |done: Arc<Mutex<bool>>, endings: Arc<AtomicUsize>| {
                if !*done.lock().unwrap() {
                    *done.lock().unwrap() = true;
                    endings.fetch_add(1, SeqCst);
                }
            };
            let (also_done, also_endings) = (done.clone(), endings.clone());
            let other = thread::spawn(move || end(also_done, also_endings));
            end(done, endings.clone());
            other.join().unwrap();
            assert_eq!(endings.load(SeqCst), 1, "it ended twice");
        });
    }

    #[test]
    fn the_models_find_what_they_should() {
        let controls = [
            ("control::a_waker_put_in_without_a_second_look", "deadlock"),
            ("control::an_awaiter_noted_too_late", "deadlock"),
            ("control::two_endings", "it ended twice"),
        ];
        for (name, sign) in controls {
            let this = std::env::current_exe().unwrap();
            let ran = std::process::Command::new(this).args(["--exact", "--nocapture", name]).env(CHILD, "1").output();
            let ran = ran.unwrap();
            let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
            assert!(said.contains("running 1 test"), "{name} was not run:\n{said}");
            assert!(!ran.status.success(), "{name} passed, though it must fail:\n{said}");
            assert!(said.contains(sign), "{name} failed otherwise than by {sign:?}:\n{said}");
        }
    }
}
