use crate::{LONG, Log, door, pool};
use corio_threadpool::{CallError, Executor, ExecutorExt, MapError, MapOptions, RejectReason};
use std::cell::Cell;
use std::time::Duration;

#[test]
fn results_come_in_the_order_of_the_items() {
    let pool = pool(4);
    let (key, gate) = door();
    let mut results = pool.map([true, false, false], move |waits| {
        if waits {
            gate.pass();
        }
        waits
    });
    key.open();
    assert_eq!(results.by_ref().map(Result::unwrap).collect::<Vec<_>>(), [true, false, false]);
    assert!(results.next().is_none() && results.next().is_none());
}

#[test]
fn no_items_no_results() {
    let pool = pool(1);
    assert!(pool.map(Vec::<u8>::new(), |byte| byte).next().is_none());
    assert_eq!(pool.threads(), 0);
}

#[test]
fn without_a_buffer_all_is_submitted_at_once() {
    let (pool, taken) = (pool(1), Cell::new(0));
    let _results = pool.map((0..10).inspect(|_| taken.set(taken.get() + 1)), |item| item);
    assert_eq!(taken.get(), 10);
}

/// One is submitted for each result that is asked for, before it is waited for.
#[test]
fn a_buffer_is_refilled_one_by_one() {
    let (pool, taken) = (pool(2), Cell::new(0));
    let items = (0..6).inspect(|_| taken.set(taken.get() + 1));
    let results = pool.map_with(MapOptions::new().buffer_size(2), items, |item| item * item);
    assert_eq!(taken.get(), 2);
    let steps: Vec<_> = results.map(|square| (square.unwrap(), taken.get())).collect();
    assert_eq!(steps, [(0, 3), (1, 4), (4, 5), (9, 6), (16, 6), (25, 6)]);
}

#[test]
#[should_panic = "a buffer of no items yields no results"]
fn a_buffer_of_none_is_misuse() {
    let _ = MapOptions::new().buffer_size(0);
}

#[test]
fn an_error_ends_it_and_cancels_the_rest() {
    let (pool, log) = (pool(1), Log::default());
    let (key, gate) = door();
    let blocked = gate.clone();
    let calls = log.clone();
    let mut results = pool.map(0..4, move |item| {
        calls.add(item.to_string());
        assert_ne!(item, 1, "the second item (this is a test)");
        if item == 2 {
            blocked.pass();
        }
        item
    });
    assert_eq!(results.next().unwrap().unwrap(), 0);
    assert!(matches!(results.next(), Some(Err(MapError::Failed(CallError::Panicked(_))))));
    assert!(results.next().is_none());
    drop(results);
    key.open();
    pool.shutdown(true, false);
    let lines = log.lines();
    assert!(lines == ["0", "1"] || lines == ["0", "1", "2"], "{lines:?}");
}

#[test]
fn dropping_it_cancels_the_rest() {
    let (pool, log) = (pool(1), Log::default());
    let (key, gate) = door();
    drop(pool.submit(move || gate.pass()).unwrap());
    let calls = log.clone();
    drop(pool.map(0..10, move |_| calls.add("called")));
    key.open();
    pool.shutdown(true, false);
    assert_eq!(log.lines(), [""; 0]);
}

#[test]
fn the_time_is_counted_from_the_call() {
    let pool = pool(1);
    let (key, gate) = door();
    drop(pool.submit(move || gate.pass()).unwrap());
    let options = MapOptions::new().timeout(Duration::from_millis(2));
    let mut results = pool.map_with(options, 0..2, |item| item);
    std::thread::sleep(Duration::from_millis(3));
    let asked = std::time::Instant::now();
    assert!(matches!(results.next(), Some(Err(MapError::TimedOut))));
    assert!(asked.elapsed() < LONG);
    assert!(results.next().is_none());
    key.open();
}

#[test]
fn a_time_limit_beyond_the_clock_is_none() {
    let pool = pool(1);
    let options = MapOptions::new().timeout(Duration::MAX);
    assert_eq!(pool.map_with(options, 0..2, |item| item).map(Result::unwrap).sum::<i32>(), 1);
}

#[test]
fn a_refusal_is_the_last_result() {
    let pool = pool(1);
    let mut results = pool.map_with(MapOptions::new().buffer_size(1), 0..5, |item| item);
    assert_eq!(results.next().unwrap().unwrap(), 0);
    pool.shutdown(true, false);
    assert_eq!(results.next().unwrap().unwrap(), 1, "it was under way");
    assert!(matches!(results.next(), Some(Err(MapError::Failed(CallError::Rejected(RejectReason::ShutDown))))));
    assert!(results.next().is_none());
}
