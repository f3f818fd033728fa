//! From one kind to the other: value, error, cancellation; on one thread and across; under a loop and without.

use crate::ledger::{Counted, Log, Wakes, poll, poll_with};
use crate::toy_loop::{Toy, run, toy, yield_now};
use corio_future::{FutureError, Panic, concurrent, promise, to_concurrent, wrap_future};
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

#[test]
fn on_the_loops_own_thread_the_ending_is_passed_on_at_once() {
    run(async {
        let (promise, source) = concurrent::promise();
        let wrapped = wrap_future(source);
        promise.set_running_or_notify_cancel();
        promise.set_result("value").unwrap();
        assert!(wrapped.done());
        assert_eq!(wrapped.await.unwrap(), "value");
    });
}

#[test]
fn what_is_over_already_is_wrapped_as_over() {
    run(async {
        let (promise, source) = concurrent::promise();
        promise.set_result(7).unwrap();
        assert_eq!(*wrap_future(source).result().unwrap(), 7);
    });
    let (promise, source) = concurrent::promise();
    promise.set_result(7).unwrap();
    assert_eq!(*wrap_future(source).result().unwrap(), 7);
}

#[test]
fn another_thread_goes_through_the_loop() {
    run(async {
        let (promise, source) = concurrent::promise();
        let wrapped = wrap_future(source);
        let setter = thread::spawn(move || promise.set_result(7).unwrap());
        assert_eq!(wrapped.await, Ok(7));
        setter.join().unwrap();
    });
}

#[test]
fn a_callback_is_called_though_nobody_awaits() {
    let (said, hear) = mpsc::channel();
    run(async move {
        let (promise, source) = concurrent::promise();
        let (done_promise, done) = corio_future::promise();
        wrap_future(source).add_done_callback(move |wrapped| {
            said.send(*wrapped.result().unwrap()).unwrap();
            done_promise.set_result(()).unwrap();
        });
        let setter = thread::spawn(move || promise.set_result(7).unwrap());
        done.await.unwrap();
        setter.join().unwrap();
    });
    assert_eq!(hear.recv(), Ok(7));
}

#[test]
fn every_ending_crosses_over() {
    run(async {
        let wrapped = |end: fn(concurrent::Promise<u32>)| {
            let (promise, source) = concurrent::promise();
            let wrapped = wrap_future(source);
            let thread = thread::spawn(move || end(promise));
            async move {
                let ending = wrapped.await;
                thread.join().unwrap();
                ending
            }
        };
        assert_eq!(wrapped(drop).await, Err(FutureError::BrokenPromise));
        let cancel = |promise: concurrent::Promise<u32>| {
            promise.cancel(corio_future::Cancelled::with_message(Some("enough".into())));
        };
        assert_eq!(wrapped(cancel).await.unwrap_err().to_string(), "future was cancelled: enough");
        let panic = |promise: concurrent::Promise<u32>| promise.set_panic(Panic::new(Box::new("boom")));
        assert_eq!(wrapped(panic).await, Err(FutureError::Panicked("boom".into())));
    });
}

#[test]
fn cancelling_the_wrapper_cancels_work_that_has_not_begun() {
    run(async {
        let (promise, source) = concurrent::promise::<u32>();
        let wrapped = wrap_future(source);
        assert!(wrapped.cancel_with("enough"));
        assert!(!wrapped.cancel());
        assert!(promise.is_cancelled());
        assert!(!promise.set_running_or_notify_cancel());
        assert_eq!(wrapped.await.unwrap_err().to_string(), "future was cancelled: enough");
    });
}

#[test]
fn cancelling_the_wrapper_of_running_work_drops_the_late_value() {
    for looped in [true, false] {
        let test = move || {
            let (promise, source) = concurrent::promise();
            let wrapped = wrap_future(source);
            promise.set_running_or_notify_cancel();
            assert!(wrapped.cancel());
            assert!(wrapped.cancelled());
            let value = Counted::new();
            let counters = value.counters();
            assert!(promise.set_result(value).is_ok(), "the work knows nothing of it");
            assert_eq!(counters(), (1, 0));
        };
        if looped { run(async move { test() }) } else { test() }
    }
}

#[test]
fn cancelling_the_source_cancels_the_wrapper() {
    run(async {
        let (_promise, source) = concurrent::promise::<u32>();
        let canceller = source.share();
        let wrapped = wrap_future(source);
        let thread = thread::spawn(move || canceller.cancel_with("from a thread"));
        assert_eq!(wrapped.await.unwrap_err().to_string(), "future was cancelled: from a thread");
        assert!(thread.join().unwrap());
    });
}

#[test]
fn a_closed_loop_is_tolerated_and_lets_go() {
    let value = Counted::new();
    let counters = value.counters();
    let (promise, source) = concurrent::promise();
    let toy = Toy::new();
    let mut wrapped = toy.enter(|| wrap_future(source));
    toy.close();
    assert!(matches!(poll(&mut wrapped), Poll::Ready(Err(FutureError::BrokenPromise))), "no news can come");
    thread::spawn(move || assert!(promise.set_result(value).is_ok())).join().unwrap();
    assert_eq!(counters(), (1, 0));
}

#[test]
fn a_loop_that_closes_lets_go_of_what_nobody_holds() {
    let (promise, source) = concurrent::promise::<Counted>();
    let held = Rc::new(());
    let toy = Toy::new();
    toy.enter(|| {
        let holds = held.clone();
        wrap_future(source).add_done_callback(move |_| drop(holds));
    });
    assert_eq!(Rc::strong_count(&held), 2);
    toy.close();
    assert_eq!(Rc::strong_count(&held), 1);
    let value = Counted::new();
    let counters = value.counters();
    promise.set_result(value).unwrap();
    assert_eq!(counters(), (1, 0));
}

#[test]
fn another_loop_on_the_same_thread_does_not_take_the_callbacks() {
    let log = Log::default();
    let (one, two) = (Toy::new(), Toy::new());
    let (promise, source) = concurrent::promise::<u32>();
    let says = log.clone();
    let wrapped = one.enter(|| wrap_future(source));
    wrapped.add_done_callback(move |_| says.say("called"));
    two.enter(|| promise.set_result(7).unwrap());
    assert!(!wrapped.done(), "it waits in the inbox of its own loop");
    two.run_batch();
    assert!(log.lines().is_empty());
    one.run_batch();
    one.run_batch();
    assert_eq!(log.lines(), ["called"]);
    one.close();
    two.close();
}

#[test]
fn without_a_loop_the_awaiter_drives() {
    for _ in 0..if cfg!(miri) { 2 } else { 500 } {
        let (promise, source) = concurrent::promise();
        let wrapped = wrap_future(source);
        let setter = thread::spawn(move || promise.set_result(7).unwrap());
        assert_eq!(pollster::block_on(wrapped), Ok(7));
        setter.join().unwrap();
    }
}

#[test]
fn without_a_loop_this_thread_passes_the_ending_on_at_once() {
    let log = Log::default();
    let (promise, source) = concurrent::promise();
    let wrapped = wrap_future(source);
    let says = log.clone();
    wrapped.add_done_callback(move |wrapped| says.say(wrapped.result().unwrap()));
    promise.set_result(7).unwrap();
    assert_eq!(log.lines(), ["7"]);
}

#[test]
fn without_a_loop_every_awaiter_is_woken_and_a_dropped_one_leaves() {
    let (promise, source) = concurrent::promise();
    let mut ends = Vec::from([wrap_future(source)]);
    ends.push(ends[0].share());
    ends.push(ends[0].share());
    let wakers: Vec<_> = (0..3).map(|_| Wakes::new()).collect();
    for _ in 0..2 {
        for (end, (waker, _)) in ends.iter_mut().zip(&wakers) {
            assert!(poll_with(end, waker).is_pending());
        }
    }
    drop(ends.remove(1));
    thread::spawn(move || promise.set_result(7).unwrap()).join().unwrap();
    assert_eq!(wakers.iter().map(|(_, wakes)| wakes.count()).collect::<Vec<_>>(), [1, 0, 1]);
    assert_eq!(Arc::strong_count(&wakers[1].1), 2, "only the waker in our own hands is left");
    for end in ends {
        assert_eq!(pollster::block_on(end), Ok(7));
    }
}

#[test]
fn without_a_loop_the_last_read_end_takes_the_source_with_it() {
    let value = Counted::new();
    let counters = value.counters();
    let (promise, source) = concurrent::promise();
    let log = Log::default();
    let (wrapped, says) = (wrap_future(source), log.clone());
    wrapped.add_done_callback(move |wrapped| says.say(wrapped.result().unwrap_err()));
    drop(wrapped);
    assert_eq!(log.lines(), ["the promise was dropped without a result"]);
    promise.set_result(value).unwrap();
    assert_eq!(counters(), (1, 0));
}

#[test]
fn a_value_that_another_reader_looks_at_arrives_when_it_is_back() {
    let (promise, source) = concurrent::promise::<Arc<u32>>();
    let other = source.share();
    let (looking, looks) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    promise.set_result(Arc::new(7)).unwrap();
    let looker = thread::spawn(move || {
        other.with_value(|_| {
            looking.send(()).unwrap();
            wait.recv().unwrap();
        });
    });
    looks.recv().unwrap();
    run(async move {
        let wrapped = wrap_future(source);
        yield_now().await;
        assert!(!wrapped.done());
        go_on.send(()).unwrap();
        assert_eq!(*wrapped.await.unwrap(), 7);
    });
    looker.join().unwrap();
}

#[test]
fn a_value_goes_to_a_thread() {
    let (promise, source) = promise();
    let mut future = to_concurrent(source);
    assert!(!future.done());
    let reader = thread::spawn(move || future.result(None).unwrap());
    promise.set_result(7).unwrap();
    assert_eq!(reader.join().unwrap(), 7);
}

#[test]
fn every_ending_goes_to_a_thread() {
    let ending = |end: fn(corio_future::Promise<u32>)| {
        let (promise, source) = promise::<u32>();
        let mut future = to_concurrent(source);
        end(promise);
        future.result(Some(Duration::ZERO)).unwrap_err().to_string()
    };
    assert_eq!(ending(drop), "the promise was dropped without a result");
    assert_eq!(ending(|promise| promise.cancel(corio_future::Cancelled::new())), "future was cancelled");
    assert_eq!(ending(|promise| promise.set_panic(Panic::new(Box::new("boom")))), "the work panicked: boom");
}

#[test]
fn a_thread_cancels_through_the_loop() {
    run(async {
        let (promise, source) = promise::<u32>();
        let future = to_concurrent(source);
        let mut promise = promise;
        let thread = thread::spawn(move || future.cancel());
        promise.cancelled().await;
        assert!(promise.is_cancelled());
        assert!(thread.join().unwrap());
        yield_now().await;
    });
}

#[test]
fn this_thread_cancels_at_once() {
    for looped in [true, false] {
        let test = || {
            let (promise, source) = promise::<u32>();
            let future = to_concurrent(source);
            assert!(future.cancel());
            assert!(promise.is_cancelled());
        };
        if looped { run(async move { test() }) } else { test() }
    }
}

#[test]
fn a_cancel_that_comes_too_late_is_nothing() {
    run(async {
        let (promise, source) = promise::<u32>();
        let future = to_concurrent(source);
        promise.set_result(7).unwrap();
        yield_now().await;
        assert!(!future.cancel());
        assert_eq!(future.await.unwrap(), 7);
    });
}

#[test]
fn a_loop_that_closes_breaks_what_it_had_not_passed_on() {
    let toy = Toy::new();
    let mut future = toy.enter(|| {
        let (promise, source) = promise::<u32>();
        let future = to_concurrent(source);
        promise.set_result(7).unwrap();
        future
    });
    toy.close();
    assert_eq!(future.result(None).unwrap_err().to_string(), "the promise was dropped without a result");
    drop(future);
}

#[test]
fn there_and_back_again() {
    run(async {
        let (promise, future) = promise::<u32>();
        let back = wrap_future(to_concurrent(future));
        promise.set_result(7).unwrap();
        assert_eq!(back.await, Ok(7));
        let (promise, future) = corio_future::promise::<u32>();
        let back = wrap_future(to_concurrent(future));
        assert!(back.cancel());
        assert!(promise.is_cancelled());
    });
}

#[test]
fn an_awaited_wrapper_forwards_the_awaiters_cancellation() {
    run(async {
        let (promise, source) = concurrent::promise::<u32>();
        let mut wrapped = wrap_future(source);
        assert!(poll(&mut wrapped).is_pending());
        let target = toy().unwrap().target();
        assert!(target.cancel(None));
        assert!(promise.is_cancelled());
    });
}

#[test]
fn a_thread_safe_future_that_is_awaited_is_only_left() {
    run(async {
        let (_promise, mut source) = concurrent::promise::<u32>();
        assert!(poll(&mut source).is_pending());
        assert_eq!(toy().unwrap().waits_for(), "concurrent::Future");
    });
}

#[test]
fn wrapping_says_nothing_to_the_scope_around() {
    run(async {
        let before = toy().unwrap().waits_for();
        let (_promise, source) = concurrent::promise::<u32>();
        let _wrapped = wrap_future(source);
        assert_eq!(toy().unwrap().waits_for(), before);
    });
}

#[test]
fn chained_values_may_be_shared() {
    run(async {
        let (promise, source) = promise::<String>();
        let other = source.share();
        let future = to_concurrent(source);
        let read = Arc::new(Mutex::new(None));
        let place = read.clone();
        promise.set_result("twice".into()).unwrap();
        let reader = thread::spawn(move || *place.lock().unwrap() = Some(pollster::block_on(future).unwrap()));
        assert_eq!(other.await.unwrap(), "twice");
        yield_now().await;
        reader.join().unwrap();
        assert_eq!(read.lock().unwrap().as_deref(), Some("twice"));
    });
}

#[test]
fn what_is_over_leaves_nothing_in_the_loop() {
    let toy = Toy::new();
    let before = toy.doors();
    toy.run(async {
        let (promise, source) = concurrent::promise();
        let wrapped = wrap_future(source);
        let setter = thread::spawn(move || promise.set_result(7).unwrap());
        assert_eq!(wrapped.await, Ok(7));
        setter.join().unwrap();

        let (running, source) = concurrent::promise::<u32>();
        running.set_running_or_notify_cancel();
        assert!(wrap_future(source).cancel());
        running.set_result(7).unwrap();

        let (promise, source) = corio_future::promise();
        let future = to_concurrent(source);
        promise.set_result(7).unwrap();
        assert_eq!(future.await.unwrap(), 7);

        let (_promise, source) = corio_future::promise::<u32>();
        assert!(to_concurrent(source).cancel());
        yield_now().await;
    });
    assert_eq!(toy.doors(), before);
    toy.close();
}
