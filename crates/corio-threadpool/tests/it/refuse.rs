use crate::{LONG, door};
use corio_threadpool::{BuildError, Executor, ExecutorExt, RejectReason, ThreadPoolExecutor};

#[test]
fn hazard_53_a_pool_of_no_threads_is_an_error() {
    let built = ThreadPoolExecutor::builder().max_threads(0).build();
    assert_eq!(built.unwrap_err(), BuildError::NoThreads);
}

#[test]
fn a_name_that_no_thread_can_bear_is_an_error() {
    let built = ThreadPoolExecutor::builder().name_prefix("a\0b").build();
    assert_eq!(built.unwrap_err(), BuildError::BadName);
}

/// Hazard 36: a stack that no address space holds makes the system refuse the thread.
#[test]
#[cfg(not(miri))]
fn hazard_36_a_thread_that_does_not_start_is_an_error() {
    let pool = ThreadPoolExecutor::builder().stack_size(usize::MAX / 4).build().unwrap();
    for _ in 0..3 {
        let error = pool.submit(|| 1).unwrap_err();
        assert!(matches!(error.reason(), RejectReason::NoThread(_)));
        let (job, mut future) = error.into_parts();
        job.run();
        assert_eq!(future.result(Some(LONG)).unwrap(), 1);
    }
    assert_eq!((pool.threads(), pool.queued()), (0, 0));
    pool.shutdown(true, false);
}

#[test]
fn a_bound_without_end_is_a_bound() {
    let pool = ThreadPoolExecutor::builder().max_threads(usize::MAX).build().unwrap();
    let (key, gate) = door();
    let first = pool.submit(move || gate.pass()).unwrap();
    pollster::block_on(pool.submit(|| ()).unwrap()).unwrap();
    key.open();
    pollster::block_on(first).unwrap();
}
