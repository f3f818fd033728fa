use crate::{LONG, Log, door, pool};
use corio_threadpool::{Executor, ExecutorExt, ThreadPoolExecutor};
use std::sync::mpsc::channel;
use std::thread;

#[test]
fn one_thread_runs_jobs_in_order() {
    let (pool, log) = (pool(1), Log::default());
    for job in 0..100 {
        let log = log.clone();
        drop(pool.submit(move || log.add(job.to_string())).unwrap());
    }
    pool.shutdown(true, false);
    assert_eq!(log.lines(), (0..100).map(|job| job.to_string()).collect::<Vec<_>>());
}

#[test]
fn threads_start_on_demand_up_to_the_bound() {
    let pool = pool(3);
    assert_eq!(pool.threads(), 0);
    let (key, gate) = door();
    let mut futures = Vec::new();
    for threads in [1, 2, 3, 3, 3] {
        let gate = gate.clone();
        futures.push(pool.submit(move || gate.pass()).unwrap());
        assert_eq!(pool.threads(), threads);
    }
    drop(key);
    for mut future in futures {
        future.result(Some(LONG)).unwrap();
    }
    assert_eq!((pool.threads(), pool.queued()), (3, 0));
}

#[test]
fn what_no_thread_has_taken_is_counted() {
    let pool = pool(1);
    let (key, gate) = door();
    let (started, has_started) = channel();
    let running = pool.submit(move || (started.send(()).unwrap(), gate.pass())).unwrap();
    has_started.recv_timeout(LONG).unwrap();
    for queued in [1, 2] {
        drop(pool.submit(|| ()).unwrap());
        assert_eq!(pool.queued(), queued);
    }
    key.open();
    pool.shutdown(true, false);
    assert!(running.done());
    assert_eq!(pool.queued(), 0);
}

/// Hazard 54: whoever is idle is counted on, exactly.
#[test]
fn hazard_54_an_idle_thread_is_used_before_another_starts() {
    let pool = pool(8);
    for _ in 0..20 {
        pool.submit(|| ()).unwrap().result(Some(LONG)).unwrap();
        // The worker is idle a moment after the answer is there.
        while pool.idle() == 0 {
            thread::yield_now();
        }
    }
    assert_eq!(pool.threads(), 1);
}

#[test]
fn threads_are_named_and_numbered() {
    let pool = ThreadPoolExecutor::builder().max_threads(2).name_prefix("thumbs").build().unwrap();
    let (key, gate) = door();
    let name = move || {
        gate.pass();
        thread::current().name().unwrap().to_owned()
    };
    let calls = [pool.submit(name.clone()).unwrap(), pool.submit(name).unwrap()];
    drop(key); // By now both threads have been started; either may have taken either call.
    pool.shutdown(true, false);
    let mut names = calls.map(|call| pollster::block_on(call).unwrap());
    names.sort();
    assert!(names.iter().all(|name| ["thumbs_0", "thumbs_1"].contains(&&**name)), "{names:?}");
}

#[test]
fn the_default_bound_is_pythons() {
    let cores = thread::available_parallelism().unwrap().get();
    assert_eq!(ThreadPoolExecutor::new().max_threads(), (cores + 4).min(32));
}

#[test]
#[cfg(not(miri))]
fn stacks_can_be_large() {
    let pool = ThreadPoolExecutor::builder().max_threads(1).stack_size(16 << 20).build().unwrap();
    let deep =
        pool.submit(|| std::hint::black_box([1_u8; 4 << 20]).iter().map(|byte| usize::from(*byte)).sum::<usize>());
    assert_eq!(pollster::block_on(deep.unwrap()).unwrap(), 4 << 20);
}
