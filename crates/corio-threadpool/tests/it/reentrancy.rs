use crate::{LONG, pool};
use corio_threadpool::{Executor, ExecutorExt, ThreadPoolExecutor};
use std::cell::RefCell;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};

#[test]
fn hazard_56_a_job_submits_more() {
    let pool = Arc::new(pool(2));
    let inner = pool.clone();
    let mut outer = pool.submit(move || inner.submit(|| 1).unwrap().result(Some(LONG)).unwrap()).unwrap();
    assert_eq!(outer.result(Some(LONG)).unwrap(), 1);
}

#[test]
fn hazard_56_a_job_drops_the_last_handle() {
    let pool = Arc::new(pool(1));
    let (done, is_done) = channel();
    let (go, gone) = channel();
    let inner = pool.clone();
    let job = move || {
        gone.recv_timeout(LONG).unwrap();
        drop(inner);
        done.send(()).unwrap();
    };
    drop(pool.submit(job).unwrap());
    drop(pool);
    go.send(()).unwrap();
    is_done.recv_timeout(LONG).expect("a worker joined itself");
}

#[test]
fn hazard_56_a_job_shuts_its_pool_down_and_waits() {
    let pool = Arc::new(pool(1));
    let inner = pool.clone();
    let mut job = pool.submit(move || inner.shutdown(true, false)).unwrap();
    job.result(Some(LONG)).expect("a worker waited for itself");
    assert!(pool.shutdown_timeout(LONG, false));
}

#[test]
fn hazard_56_two_jobs_shut_their_pool_down_and_wait() {
    let pool = Arc::new(pool(2));
    let both = Arc::new(Barrier::new(2));
    let mut jobs = [(); 2].map(|()| {
        let (inner, both) = (pool.clone(), both.clone());
        let wait = move || {
            both.wait();
            inner.shutdown(true, false);
        };
        pool.submit(wait).unwrap()
    });
    for job in &mut jobs {
        job.result(Some(LONG)).expect("two workers waited for each other");
    }
    assert!(pool.shutdown_timeout(LONG, false));
}

/// What is queued behind a job that waits inside runs when it is done: the wait is for other workers only.
#[test]
fn a_wait_inside_is_not_for_what_is_queued_behind_it() {
    let pool = Arc::new(pool(1));
    let (go, gone) = channel();
    let inner = pool.clone();
    drop(pool.submit(move || (gone.recv_timeout(LONG).unwrap(), inner.shutdown(true, false))).unwrap());
    let mut queued = pool.submit(|| "ran").unwrap();
    go.send(()).unwrap();
    assert_eq!(queued.result(Some(LONG)).unwrap(), "ran");
}

thread_local! {
    static AT_THE_END: RefCell<Option<ShutsDown>> = const { RefCell::new(None) };
}

struct ShutsDown(Arc<ThreadPoolExecutor>);

impl Drop for ShutsDown {
    fn drop(&mut self) {
        self.0.shutdown(true, true);
    }
}

#[test]
fn hazard_54_a_thread_local_destructor_shuts_the_pool_down() {
    let pool = Arc::new(pool(1));
    let inner = pool.clone();
    drop(pool.submit(move || AT_THE_END.set(Some(ShutsDown(inner)))).unwrap());
    assert!(pool.shutdown_timeout(LONG, false));
}

/// Hazard 53 is documented, not prevented: with a thread to spare it does not happen, and it can be got out of.
#[test]
fn hazard_53_a_job_that_waits_for_one_behind_it() {
    let pool = Arc::new(pool(1));
    let inner = pool.clone();
    let wait = move || {
        let mut behind = inner.submit(|| ()).unwrap();
        let stuck = behind.result(Some(std::time::Duration::from_millis(1))).is_err();
        behind.cancel();
        stuck
    };
    assert!(pool.submit(wait).unwrap().result(Some(LONG)).unwrap());
}
