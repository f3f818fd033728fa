use crate::{LONG, Log, Witness, door, pool};
use corio_threadpool::{Executor, ExecutorExt, RejectReason};
use std::cell::RefCell;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

#[test]
fn hazard_50_queued_jobs_run_before_the_end() {
    let (pool, log) = (pool(1), Log::default());
    let (key, gate) = door();
    let blocker = pool.submit(move || gate.pass()).unwrap();
    let (queued_log, queued) = (log.clone(), pool.submit(|| 1).unwrap());
    let last = pool.submit(move || queued_log.add("ran")).unwrap();
    key.open();
    pool.shutdown(true, false);
    assert!(blocker.done() && queued.done() && last.done());
    assert_eq!((log.lines(), pool.threads()), (vec!["ran".to_owned()], 0));
}

#[test]
fn hazard_50_cancel_futures_cancels_what_is_queued() {
    let pool = pool(1);
    let (key, gate) = door();
    let (started, has_started) = channel();
    let mut running = pool.submit(move || (started.send(()).unwrap(), gate.pass())).unwrap();
    has_started.recv_timeout(LONG).unwrap();
    let queued = pool.submit(|| unreachable!("it was cancelled")).unwrap();
    pool.shutdown(false, true);
    assert!(queued.cancelled());
    assert!(running.running());
    key.open();
    running.result(Some(LONG)).unwrap();
    pool.shutdown(true, false);
}

#[test]
fn hazard_50_a_pool_that_is_dropped_lets_its_idle_threads_end() {
    /// Says so when its thread ends.
    struct AtTheEnd(Sender<()>);

    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    thread_local!(static LAST: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) });
    let (pool, (ends, ended)) = (pool(1), channel());
    pool.submit(move || LAST.set(Some(AtTheEnd(ends)))).unwrap().result(Some(LONG)).unwrap();
    while pool.idle() == 0 {
        thread::yield_now();
    }
    drop(pool);
    ended.recv_timeout(LONG).unwrap();
}

#[test]
fn hazard_50_submit_after_shutdown_gives_the_call_back() {
    let pool = pool(1);
    pool.shutdown(true, false);
    let error = pool.submit(|| 6 * 7).unwrap_err();
    assert!(matches!(error.reason(), RejectReason::ShutDown));
    assert_eq!(error.to_string(), "the executor has been shut down");
    let (job, mut future) = error.into_parts();
    job.run();
    assert_eq!(future.result(Some(LONG)).unwrap(), 42);

    let (_, future) = pool.submit(|| ()).unwrap_err().into_parts();
    assert!(future.cancelled(), "the job was dropped unrun");
}

#[test]
fn hazard_50_shutdown_may_be_called_again() {
    let pool = pool(2);
    let (key, gate) = door();
    let (started, has_started) = channel();
    for _ in 0..2 {
        let (started, gate) = (started.clone(), gate.clone());
        drop(pool.submit(move || (started.send(()).unwrap(), gate.pass())).unwrap());
        has_started.recv_timeout(LONG).unwrap();
    }
    let queued = pool.submit(|| ()).unwrap();
    pool.shutdown(false, false);
    pool.shutdown(false, false);
    assert!(!queued.cancelled());
    pool.shutdown(false, true);
    assert!(queued.cancelled());
    drop(key);
    pool.shutdown(true, true);
    pool.shutdown(true, false);
    assert!(pool.is_shut_down() && !pool.is_broken());
}

#[test]
fn hazard_50_a_shutdown_can_have_a_limit() {
    let pool = pool(1);
    let (key, gate) = door();
    drop(pool.submit(move || gate.pass()).unwrap());
    assert!(!pool.shutdown_timeout(Duration::from_millis(1), false), "the job blocks");
    key.open();
    assert!(pool.shutdown_timeout(Duration::MAX, false));
    assert!(pool.shutdown_timeout(Duration::ZERO, false), "a second time it is over at once");
}

/// Every call that was let in is made once; every other one is given back; and the end comes.
#[test]
fn hazard_50_submitters_race_a_shutdown() {
    let (rounds, jobs) = if cfg!(miri) { (3, 5) } else { (200, 20) };
    for _ in 0..rounds {
        let pool = Arc::new(pool(2));
        let (ran, start) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(3)));
        let submit = || {
            let (pool, ran, start) = (pool.clone(), ran.clone(), start.clone());
            thread::spawn(move || {
                start.wait();
                let one = || {
                    let ran = ran.clone();
                    pool.submit(move || ran.fetch_add(1, Ordering::Relaxed)).is_ok()
                };
                (0..jobs).filter(|_| one()).count()
            })
        };
        let submitters = [submit(), submit()];
        start.wait();
        assert!(pool.shutdown_timeout(LONG, false), "a thread has hung");
        let admitted: usize = submitters.into_iter().map(|submitter| submitter.join().unwrap()).sum();
        assert_eq!(ran.load(Ordering::Relaxed), admitted);
    }
}

#[test]
fn dropping_the_pool_lets_the_queue_run_out() {
    let pool = pool(1);
    let (key, gate) = door();
    drop(pool.submit(move || gate.pass()).unwrap());
    let mut queued = pool.submit(|| "ran").unwrap();
    drop(pool);
    key.open();
    assert_eq!(queued.result(Some(LONG)).unwrap(), "ran");
}

/// Wakes are counted; it is the last worker that wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn the_last_worker_completes_the_async_shutdown() {
    let pool = pool(2);
    let (key, gate) = door();
    for gate in [gate.clone(), gate] {
        drop(pool.submit(move || gate.pass()).unwrap());
    }
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut end = pin!(pool.shutdown_async(false));
    assert!(end.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(pool.submit(|| ()).is_err(), "it is shut down from the call on");
    key.open();
    key.open();
    pool.shutdown(true, false);
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
    assert_eq!(end.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(()));
}

#[test]
fn all_who_await_the_end_hear_of_it() {
    let pool = pool(1);
    let (key, gate) = door();
    drop(pool.submit(move || gate.pass()).unwrap());
    let counts: [Arc<Count>; 2] = Default::default();
    let mut ends = [pool.shutdown_async(false), pool.shutdown_async(false)];
    for (end, count) in ends.iter_mut().zip(&counts) {
        assert!(pin!(end).poll(&mut Context::from_waker(&Waker::from(Arc::clone(count)))).is_pending());
    }
    key.open();
    pool.shutdown(true, false);
    assert_eq!(counts.map(|count| count.0.load(Ordering::SeqCst)), [1, 1]);
}

#[test]
fn hazard_07_a_dropped_async_shutdown_drops_its_waker() {
    let pool = pool(1);
    let (key, gate) = door();
    drop(pool.submit(move || gate.pass()).unwrap());
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    {
        let end = pin!(pool.shutdown_async(false));
        assert!(end.poll(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(Arc::strong_count(&count), 3);
    }
    assert_eq!(Arc::strong_count(&count), 2);
    key.open();
    pool.shutdown(true, false);
    assert_eq!(count.0.load(Ordering::SeqCst), 0);
}

#[test]
fn an_unused_pool_ends_at_once() {
    let pool = pool(4);
    pollster::block_on(pool.shutdown_async(false));
    pool.shutdown(true, true);
    assert_eq!(pool.threads(), 0);
}

thread_local! {
    static LAST_WORDS: RefCell<Option<Witness>> = const { RefCell::new(None) };
}

#[test]
fn hazard_54_thread_locals_are_gone_after_a_shutdown_that_waits() {
    let log = Log::default();
    let pool = corio_threadpool::ThreadPoolExecutor::builder().max_threads(1).name_prefix("tls").build().unwrap();
    let witness = Witness("thread-local", log.clone());
    let set = pool.submit(move || LAST_WORDS.set(Some(witness))).unwrap();
    pollster::block_on(set).unwrap();
    pool.shutdown(true, false);
    assert_eq!(log.lines(), ["thread-local dropped on tls_0"]);
}
