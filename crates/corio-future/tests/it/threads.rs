//! The thread-safe pair, between threads.

use crate::ledger::{Counted, Wakes, poll_with};
use corio_future::Cancelled;
use corio_future::concurrent::{Future, FutureError, Promise, WaitError, promise};
use std::cell::Cell;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// How often a race is run.
const ROUNDS: usize = if cfg!(miri) { 3 } else { 1_000 };

#[test]
fn a_value_crosses_and_wakes_whoever_blocks() {
    let (promise, mut future) = promise();
    let setter = thread::spawn(move || promise.set_result("hello"));
    assert_eq!(future.result(None).unwrap(), "hello");
    setter.join().unwrap().unwrap();
}

#[test]
fn hazard_28_the_longest_timeout_is_for_ever() {
    let (promise, mut future) = promise();
    let setter = thread::spawn(move || promise.set_result(7).unwrap());
    assert!(future.wait(Some(Duration::MAX)));
    assert_eq!(future.result(Some(Duration::MAX)).unwrap(), 7);
    setter.join().unwrap();
}

#[test]
fn a_timeout_leaves_the_future_as_it_is() {
    let (promise, mut future) = promise::<u32>();
    assert!(!future.wait(Some(Duration::from_millis(1))));
    assert!(matches!(future.result(Some(Duration::from_millis(1))), Err(WaitError::TimedOut)));
    assert!(future.take().is_none());
    promise.set_result(7).unwrap();
    assert_eq!(future.result(Some(Duration::ZERO)).unwrap(), 7);
}

#[test]
fn every_ending_wakes_whoever_blocks() {
    let endings: [fn(Promise<u32>); 4] = [
        |promise| promise.set_result(7).unwrap(),
        |promise| promise.cancel(Cancelled::new()),
        |promise| promise.set_panic(corio_future::Panic::new(Box::new("boom"))),
        drop,
    ];
    for end in endings {
        let (promise, mut future) = promise::<u32>();
        let thread = thread::spawn(move || end(promise));
        let text = match future.result(None) {
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        };
        assert!(
            ["7", "future was cancelled", "the work panicked: boom", "the promise was dropped without a result"]
                .contains(&text.as_str()),
            "{text}"
        );
        thread.join().unwrap();
    }
}

#[test]
fn a_cancel_wakes_whoever_blocks_before_the_work_is_told() {
    let (promise, mut future) = promise::<u32>();
    let canceller = future.share();
    let thread = thread::spawn(move || canceller.cancel_with("enough"));
    let error = future.result(None).unwrap_err();
    assert!(error.is_cancelled());
    assert_eq!(error.to_string(), "future was cancelled: enough");
    assert!(thread.join().unwrap());
    assert!(!promise.set_running_or_notify_cancel());
}

#[test]
#[should_panic(expected = "`set_running_or_notify_cancel` was called twice")]
fn beginning_twice_is_refused() {
    let (promise, _future) = promise::<u32>();
    assert!(promise.set_running_or_notify_cancel());
    promise.set_running_or_notify_cancel();
}

#[test]
fn running_work_can_be_cancelled_by_its_keeper_alone() {
    let (promise, mut future) = promise::<u32>();
    promise.set_running_or_notify_cancel();
    assert!(!future.cancel());
    promise.cancel(Cancelled::with_message(Some("passed on".into())));
    assert!(
        matches!(future.result(None), Err(WaitError::Ended(FutureError::Cancelled(c))) if c.message() == Some("passed on"))
    );
}

#[test]
fn callbacks_run_in_the_completing_thread() {
    let (promise, future) = promise::<u32>();
    let (said, hear) = mpsc::channel();
    future.add_done_callback(move |future| said.send((thread::current().id(), future.with_value(|n| *n))).unwrap());
    let thread = thread::spawn(move || {
        promise.set_result(7).unwrap();
        thread::current().id()
    });
    assert_eq!(hear.recv().unwrap(), (thread.join().unwrap(), Some(7)));
}

#[test]
fn a_callback_taken_back_is_not_called() {
    let (promise, future) = promise::<u32>();
    let key = future.add_done_callback(|_| panic!("taken back"));
    assert!(future.remove_done_callback(key));
    assert!(!future.remove_done_callback(key));
    promise.set_result(7).unwrap();
    let key = future.add_done_callback(|_| ());
    assert!(!future.remove_done_callback(key));
}

#[test]
fn an_awaiter_is_woken_from_another_thread() {
    for _ in 0..ROUNDS {
        let (promise, future) = promise();
        let setter = thread::spawn(move || promise.set_result(7).unwrap());
        assert_eq!(pollster::block_on(future).unwrap(), 7);
        setter.join().unwrap();
    }
}

#[test]
fn hazard_01_a_read_end_is_dropped_while_the_promise_is_kept() {
    for _ in 0..ROUNDS {
        let value = Counted::new();
        let counters = value.counters();
        let (promise, mut future) = promise();
        let (waker, wakes) = Wakes::new();
        assert!(poll_with(&mut future, &waker).is_pending());
        let barrier = Arc::new(Barrier::new(2));
        let other = barrier.clone();
        let setter = thread::spawn(move || {
            other.wait();
            promise.set_result(value).unwrap();
        });
        barrier.wait();
        drop(future);
        setter.join().unwrap();
        drop(waker);
        assert_eq!(Arc::strong_count(&wakes), 1);
        assert_eq!(counters(), (1, 0));
    }
}

#[test]
fn one_of_cancel_and_begin_wins() {
    for _ in 0..ROUNDS {
        let (promise, future) = promise::<u32>();
        let canceller = thread::spawn(move || future.cancel());
        let begun = promise.set_running_or_notify_cancel();
        let cancelled = canceller.join().unwrap();
        assert_ne!(begun, cancelled);
    }
}

/// Not `Sync`: cloning it in two threads at once would be a race.
#[derive(Debug)]
struct Unsynchronised(Cell<u32>);

impl Clone for Unsynchronised {
    fn clone(&self) -> Unsynchronised {
        let n = self.0.get();
        thread::yield_now();
        self.0.set(n + 1);
        Unsynchronised(Cell::new(n + 1))
    }
}

#[test]
fn hazard_11_a_value_that_is_not_sync_is_cloned_by_one_thread_at_a_time() {
    for _ in 0..ROUNDS.div_ceil(10) {
        let (promise, mut last) = promise();
        let readers: Vec<_> = (0..3)
            .map(|n| {
                let mut end: Future<Unsynchronised> = last.share();
                thread::spawn(move || match n {
                    0 => pollster::block_on(end).unwrap().0.get(),
                    1 => end.with_value(|value| value.0.replace(value.0.get())).map_or(0, |_| 0),
                    _ => end.result(None).unwrap().0.get(),
                })
            })
            .collect();
        promise.set_result(Unsynchronised(Cell::new(0))).unwrap();
        let clones: Vec<u32> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        let total = last.result(None).unwrap().0.get();
        assert!(clones.iter().all(|clone| *clone <= total), "{clones:?} {total}");
        assert!(total <= 3);
    }
}

#[test]
fn an_exception_is_read_by_everybody() {
    let (promise, future) = promise::<Result<u32, String>>();
    assert!(matches!(future.exception(Some(Duration::ZERO)), Err(WaitError::TimedOut)));
    promise.set_exception("boom".to_owned()).unwrap();
    assert_eq!(future.exception(None).unwrap().as_deref(), Some("boom"));
    assert_eq!(future.exception(None).unwrap().as_deref(), Some("boom"));
    let mut future = future;
    assert_eq!(future.result(None).unwrap(), Err("boom".to_owned()));
    assert_eq!(future.exception(None).unwrap(), None, "it was moved out");
}

#[test]
fn many_threads_block_and_await_one_future() {
    let (promise, future) = promise::<u32>();
    let sum = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..if cfg!(miri) { 3 } else { 16 })
        .map(|n| {
            let (mut end, sum) = (future.share(), sum.clone());
            thread::spawn(move || {
                let value = if n % 2 == 0 { end.result(None).unwrap() } else { pollster::block_on(end).unwrap() };
                *sum.lock().unwrap() += value;
            })
        })
        .collect();
    let count = u32::try_from(threads.len()).unwrap();
    promise.set_result(1).unwrap();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*sum.lock().unwrap(), count);
}
