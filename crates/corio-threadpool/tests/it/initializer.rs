use crate::{Door, LONG, door};
use corio_threadpool::{CallError, Executor, ExecutorExt, RejectReason, ThreadPoolExecutor, run_in_executor};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(0) };
}

#[test]
fn each_thread_is_initialized_once_before_its_first_job() {
    let next = Arc::new(AtomicUsize::new(1));
    let counter = next.clone();
    let initializer = move || MINE.set(counter.fetch_add(1, Ordering::Relaxed));
    let pool = ThreadPoolExecutor::builder().max_threads(3).initializer(initializer).build().unwrap();
    for number in pool.map(0..50, |_| MINE.get()).map(Result::unwrap) {
        assert!((1..=3).contains(&number));
    }
    let threads = pool.threads();
    pool.shutdown(true, false);
    assert_eq!(next.load(Ordering::Relaxed), threads + 1);
}

/// The initializer panics once it is let; until then a call is queued.
#[test]
fn a_panicking_initializer_breaks_the_pool() {
    let (key, gate) = door();
    let initializer = move || {
        gate.pass();
        panic!("no database (this is a test)");
    };
    let pool = ThreadPoolExecutor::builder().max_threads(1).initializer(initializer).build().unwrap();
    let calls = [run_in_executor(&pool, || ()), run_in_executor(&pool, || ())];
    key.open();
    for call in calls {
        assert!(matches!(pollster::block_on(call), Err(CallError::Broken)));
    }
    assert!(pool.shutdown_timeout(LONG, false));
    assert!(pool.is_broken() && pool.is_shut_down());

    let error = pool.submit(|| ()).unwrap_err();
    assert!(matches!(error.reason(), RejectReason::Broken));
    let late = pollster::block_on(run_in_executor(&pool, || ()));
    assert!(matches!(late, Err(CallError::Rejected(RejectReason::Broken))));
    pool.shutdown(true, true);
}

/// One worker is at work when another one's initializer panics: its job ends well, the queued ones fail.
#[test]
fn a_worker_that_runs_is_not_broken_off() {
    let started = AtomicUsize::new(0);
    let initializer = move || assert_eq!(started.fetch_add(1, Ordering::Relaxed), 0, "the second (this is a test)");
    let pool = ThreadPoolExecutor::builder().max_threads(2).initializer(initializer).build().unwrap();
    let (key, gate) = door();
    let (says, started) = channel();
    let first = move || {
        says.send(()).unwrap();
        gate.pass();
        "done"
    };
    let mut first = pool.submit(first).unwrap();
    started.recv_timeout(LONG).unwrap();
    let second = run_in_executor(&pool, || ());
    assert!(matches!(pollster::block_on(second), Err(CallError::Broken)));
    key.open();
    assert_eq!(first.result(Some(LONG)).unwrap(), "done");
    pool.shutdown(true, false);
}

/// Says that it is being dropped, and is held at a door.
struct Lingers(Sender<()>, Door);

impl Drop for Lingers {
    fn drop(&mut self) {
        self.0.send(()).unwrap();
        self.1.pass();
    }
}

/// The worker whose initializer has panicked fails the queued jobs; so does another that comes from its own job meanwhile.
#[test]
fn a_worker_that_takes_a_job_of_a_broken_pool_fails_it() {
    let ((breaks, breaking), (ends, end), (goes, going)) = (door(), door(), door());
    let number = AtomicUsize::new(0);
    let initializer = move || {
        if number.fetch_add(1, Ordering::Relaxed) == 1 {
            breaking.pass();
            panic!("the second (this is a test)");
        }
    };
    let pool = ThreadPoolExecutor::builder().max_threads(2).initializer(initializer).build().unwrap();
    let (says, said) = channel();
    let lingers = Lingers(says.clone(), going);
    let first = run_in_executor(&pool, move || {
        says.send(()).unwrap();
        end.pass();
    });
    said.recv_timeout(LONG).unwrap();
    let second = run_in_executor(&pool, move || drop(lingers));
    let third = run_in_executor(&pool, || ());
    breaks.open();
    said.recv_timeout(LONG).unwrap(); // The second is being failed, and the third is queued.
    ends.open();
    assert!(matches!(pollster::block_on(third), Err(CallError::Broken)));
    goes.open();
    assert!(matches!(pollster::block_on(second), Err(CallError::Broken)));
    pollster::block_on(first).unwrap();
    pool.shutdown(true, false);
}
