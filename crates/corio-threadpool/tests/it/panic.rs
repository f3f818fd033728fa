use crate::{LONG, pool};
use corio_threadpool::{CallError, Executor, ExecutorExt, Job, run_in_executor};
use std::panic::panic_any;
use std::sync::mpsc::channel;
use std::thread;

#[test]
fn hazard_52_a_panic_goes_to_the_future_and_the_worker_survives() {
    let pool = pool(1);
    let first = pool.submit(|| thread::current().id()).unwrap();
    let first = pollster::block_on(first).unwrap();
    let answer = pollster::block_on(run_in_executor(&pool, || -> () { panic_any(42_u8) }));
    let payload = answer.unwrap_err().try_into_panic().unwrap().into_payload();
    assert_eq!(*payload.downcast::<u8>().unwrap(), 42);
    let second = pool.submit(|| thread::current().id()).unwrap();
    assert_eq!(pollster::block_on(second).unwrap(), first);
    assert_eq!(pool.threads(), 1);
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("a destructor that panics (this is a test)");
        }
    }
}

fn survives(job: Job) {
    let pool = pool(1);
    pool.execute(job).unwrap();
    let mut next = pool.submit(|| "survived").unwrap();
    assert_eq!(next.result(Some(LONG)).unwrap(), "survived");
    assert!(pool.shutdown_timeout(LONG, false));
}

#[test]
fn hazard_52_a_panic_without_a_future_is_reported() {
    survives(Job::new(|| panic!("nobody listens (this is a test)")));
}

#[test]
fn hazard_52_a_payload_that_panics_when_dropped() {
    survives(Job::new(|| panic_any(Bomb)));
    let (job, future) = Job::for_call(|| -> () { panic_any(Bomb) });
    drop(future);
    survives(job);
}

#[test]
fn hazard_10_an_answer_that_panics_when_dropped() {
    let (job, future) = Job::for_call(|| Bomb);
    drop(future);
    survives(job);
}

#[test]
fn hazard_10_a_cancelled_call_that_panics_when_dropped() {
    let bomb = Bomb;
    let (job, future) = Job::for_call(move || drop(bomb));
    assert!(future.cancel());
    survives(job);
}

#[test]
fn a_shutdown_outlives_a_call_that_panics_when_dropped() {
    let pool = pool(1);
    let (key, gate) = crate::door();
    let (started, has_started) = channel();
    drop(pool.submit(move || (started.send(()).unwrap(), gate.pass())).unwrap());
    has_started.recv_timeout(LONG).unwrap();
    let bomb = Bomb;
    drop(pool.submit(move || drop(bomb)).unwrap());
    let after = pool.submit(|| ()).unwrap();
    pool.shutdown(false, true);
    assert!(after.cancelled());
    key.open();
    pool.shutdown(true, false);
}

#[test]
fn errors_say_what_happened() {
    let pool = pool(1);
    let call = run_in_executor(&pool, || -> () { panic!("ouch") });
    let error = pollster::block_on(call).unwrap_err();
    assert!(matches!(error, CallError::Panicked(_)) && error.is_panic() && !error.is_cancelled());
    assert_eq!(error.to_string(), "the call panicked: ouch");
}
