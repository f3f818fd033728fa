//! User code that comes back while it is called.

use crate::ledger::{Log, Wakes, odd_waker, poll, poll_with};
use corio_future::{CallbackKey, Future, Promise, concurrent, promise};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Poll;

thread_local! {
    static PROMISE: RefCell<Option<Promise<u32>>> = const { RefCell::new(None) };
}

fn keep() {
    let promise = PROMISE.take();
    if let Some(promise) = promise {
        promise.set_result(7).unwrap();
    }
}

#[test]
fn hazard_05_a_replaced_waker_completes_the_promise_when_it_is_dropped() {
    let (promise, mut future) = promise::<u32>();
    let bad = odd_waker(|what| {
        if what == "drop" {
            keep();
        }
    });
    assert!(poll_with(&mut future, &bad).is_pending());
    PROMISE.set(Some(promise));
    let (good, wakes) = Wakes::new();
    assert!(poll_with(&mut future, &good).is_pending());
    assert_eq!(wakes.count(), 1, "it is ready, and says so");
    assert_eq!(poll(&mut future), Poll::Ready(Ok(7)));
}

#[test]
fn hazard_05_also_between_threads() {
    let (promise, mut future) = concurrent::promise::<u32>();
    let place = Arc::new(Mutex::new(Some(promise)));
    let bad = odd_waker(move |what| {
        let promise = if what == "drop" { place.lock().unwrap().take() } else { None };
        if let Some(promise) = promise {
            promise.set_result(7).unwrap();
        }
    });
    assert!(poll_with(&mut future, &bad).is_pending());
    let (good, wakes) = Wakes::new();
    assert!(poll_with(&mut future, &good).is_pending());
    assert_eq!(wakes.count(), 1);
    assert_eq!(future.result(None).unwrap(), 7);
}

#[test]
fn hazard_05_a_waker_completes_the_promise_while_it_is_cloned() {
    let (promise, mut future) = promise::<u32>();
    PROMISE.set(Some(promise));
    let bad = odd_waker(|what| {
        if what == "clone" {
            keep();
        }
    });
    assert_eq!(poll_with(&mut future, &bad), Poll::Ready(Ok(7)));

    let (promise, mut future) = concurrent::promise::<u32>();
    let place = Mutex::new(Some(promise));
    let bad = odd_waker(move |what| {
        let promise = if what == "clone" { place.lock().unwrap().take() } else { None };
        if let Some(promise) = promise {
            promise.set_result(7).unwrap();
        }
    });
    assert!(matches!(poll_with(&mut future, &bad), Poll::Ready(Ok(7))));
}

#[test]
fn hazard_08_a_callback_adds_removes_and_drops() {
    let log = Log::default();
    let (promise, future) = promise::<u32>();
    let place: Rc<RefCell<Option<Future<u32>>>> = Rc::default();
    let own: Rc<Cell<Option<CallbackKey>>> = Rc::default();
    let (says, handle, key) = (log.clone(), place.clone(), own.clone());
    own.set(Some(future.add_done_callback(move |future| {
        says.say("first");
        assert!(!future.remove_done_callback(key.get().unwrap()), "it is running");
        let says = says.clone();
        future.add_done_callback(move |future| says.say(format!("added {}", future.result().unwrap())));
        drop(handle.take()); // The last read end.
    })));
    let says = log.clone();
    future.add_done_callback(move |future| says.say(format!("second {}", future.result().unwrap())));
    place.replace(Some(future));
    promise.set_result(7).unwrap();
    assert_eq!(log.lines(), ["first", "second 7", "added 7"]);
    assert!(place.take().is_none());
}

#[test]
fn hazard_08_a_thread_safe_callback_adds_removes_and_drops() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let (promise, future) = concurrent::promise::<u32>();
    let place = Arc::new(Mutex::new(None));
    let (says, handle) = (log.clone(), place.clone());
    future.add_done_callback(move |future| {
        let inner = says.clone();
        future.add_done_callback(move |_| inner.lock().unwrap().push("added"));
        says.lock().unwrap().push("first");
        drop(handle.lock().unwrap().take());
    });
    let says = log.clone();
    future.add_done_callback(move |_| says.lock().unwrap().push("second"));
    *place.lock().unwrap() = Some(future);
    promise.set_result(7).unwrap();
    assert_eq!(*log.lock().unwrap(), ["added", "first", "second"], "at once, in the completing thread");
}

#[test]
fn a_callback_shares_what_it_is_lent() {
    let (promise, future) = promise::<String>();
    let kept: Rc<RefCell<Option<Future<String>>>> = Rc::default();
    let place = kept.clone();
    future.add_done_callback(move |future| drop(place.replace(Some(future.share()))));
    drop(future);
    promise.set_result("kept".into()).unwrap();
    assert_eq!(pollster::block_on(kept.take().unwrap()).unwrap(), "kept");
}

#[test]
fn hazard_23_a_long_chain_of_completions_is_not_deep() {
    let links = if cfg!(miri) { 50 } else { 1_000_000 };
    let (first, mut last) = promise::<u32>();
    for _ in 0..links {
        let (next, future) = promise::<u32>();
        last.add_done_callback(move |last| next.set_result(*last.result().unwrap() + 1).unwrap());
        last = future;
    }
    first.set_result(0).unwrap();
    assert_eq!(pollster::block_on(last), Ok(links));
}

#[test]
fn hazard_23_a_long_chain_of_broken_promises_is_not_deep() {
    let links = if cfg!(miri) { 50 } else { 1_000_000 };
    let (first, mut last) = promise::<u32>();
    for _ in 0..links {
        let (next, future) = promise::<u32>();
        last.add_done_callback(move |_| drop(next));
        last = future;
    }
    drop(first);
    assert!(pollster::block_on(last).is_err());
}

#[test]
fn many_come_and_go_in_any_order() {
    let many = if cfg!(miri) { 50 } else { 100_000 };
    let (promise, future) = promise::<u32>();
    let keys: Vec<CallbackKey> = (0..many).map(|_| future.add_done_callback(|_| panic!("taken back"))).collect();
    let log = Log::default();
    let says = log.clone();
    future.add_done_callback(move |_| says.say("kept"));
    assert!(keys.iter().step_by(2).all(|&key| future.remove_done_callback(key)));
    assert!(keys.iter().skip(1).step_by(2).rev().all(|&key| future.remove_done_callback(key)));
    promise.set_result(7).unwrap();
    assert_eq!(log.lines(), ["kept"]);
}

#[test]
#[should_panic(expected = "from within what looks at that value")]
fn waiting_for_a_value_inside_what_looks_at_it_is_refused() {
    let (promise, future) = concurrent::promise::<u32>();
    let mut other = future.share();
    promise.set_result(7).unwrap();
    future.with_value(|_| other.result(None).ok());
}
