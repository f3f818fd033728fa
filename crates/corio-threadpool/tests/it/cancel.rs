use crate::{LONG, Log, Witness, door, pool};
use corio_threadpool::{Executor, ExecutorExt, ThreadPoolExecutor, run_in_executor, to_thread};
use std::pin::pin;
use std::sync::mpsc::channel;
use std::task::{Context, Waker};

#[test]
fn a_queued_call_that_is_cancelled_is_never_made() {
    let (pool, log) = (pool(1), Log::default());
    let (key, gate) = door();
    drop(pool.submit(move || gate.pass()).unwrap());
    let witness = log.clone();
    let queued = run_in_executor(&pool, move || witness.add("made"));
    drop(queued);
    key.open();
    pool.shutdown(true, false);
    assert_eq!(log.lines(), [""; 0]);
}

#[test]
fn dropping_a_future_from_submit_cancels_nothing() {
    let (pool, log) = (pool(1), Log::default());
    let witness = log.clone();
    drop(pool.submit(move || witness.add("made")).unwrap());
    pool.shutdown(true, false);
    assert_eq!(log.lines(), ["made"]);
}

/// Hazards 51 and 55: a running call goes on; what it returns dies on its thread.
#[test]
fn hazard_55_a_running_call_is_only_left() {
    let log = Log::default();
    let pool = ThreadPoolExecutor::builder().max_threads(1).name_prefix("left").build().unwrap();
    let (key, gate) = door();
    let (started, has_started) = channel();
    let witness = Witness("answer", log.clone());
    let call = run_in_executor(&pool, move || {
        started.send(()).unwrap();
        gate.pass();
        witness
    });
    has_started.recv_timeout(LONG).unwrap();
    drop(call);
    assert_eq!(log.lines(), [""; 0]);
    key.open();
    pool.shutdown(true, false);
    assert_eq!(log.lines(), ["answer dropped on left_0"]);
}

#[test]
fn cancelling_twice_or_late_does_nothing() {
    let pool = pool(1);
    let mut call = run_in_executor(&pool, || 1);
    pool.shutdown(true, false);
    assert!(call.done() && !call.cancel() && !call.cancelled());
    assert_eq!(pollster::block_on(call).unwrap(), 1);

    let (key, gate) = door();
    let pool = crate::pool(1);
    let mut call = run_in_executor(&pool, move || gate.pass());
    assert!(call.cancel() && !call.cancel() && call.cancelled() && call.done());
    assert!(pollster::block_on(call).unwrap_err().is_cancelled());
    drop(key);
}

#[test]
fn a_thread_future_that_was_never_polled_does_nothing() {
    let log = Log::default();
    let witness = log.clone();
    drop(to_thread(move || witness.add("made")));
    assert_eq!(log.lines(), [""; 0]);
}

#[test]
fn a_thread_future_dropped_while_pending_leaves_its_call() {
    let (key, gate) = door();
    let (done, is_done) = channel();
    {
        let mut call = pin!(to_thread(move || {
            gate.pass();
            done.send(()).unwrap();
        }));
        let mut polls = 0;
        while polls < 3 {
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            polls += 1;
        }
        key.open();
        is_done.recv_timeout(LONG).unwrap();
    }
}
