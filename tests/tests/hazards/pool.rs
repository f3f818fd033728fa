//! 50 to 56: the thread pool.

use crate::kit::{LONG, OnDrop, alone, many, ms};
use corio::executor::test;
use corio::threadpool::{BuildError, CallError, RejectReason};
use corio::{
    EventLoop, Executor, ExecutorExt, LoopHandle, ThreadPoolExecutor, concurrent, create_task, run_in_executor, sleep,
    timeout, to_thread, yield_now,
};
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;

fn pool(threads: usize) -> Arc<ThreadPoolExecutor> {
    Arc::new(ThreadPoolExecutor::builder().max_threads(threads).build().unwrap())
}

/// A job that runs until what is returned is dropped; it has begun.
fn stuck(pool: &ThreadPoolExecutor) -> (Sender<()>, concurrent::Future<u32>) {
    let ((open, door), (started, has_started)) = (channel::<()>(), channel());
    let job = move || {
        started.send(()).unwrap();
        let _ = door.recv();
        7
    };
    let answer = pool.submit(job).unwrap();
    has_started.recv_timeout(LONG).unwrap();
    (open, answer)
}

#[test]
fn h50_submits_race_a_shutdown_and_each_call_is_made_once_or_given_back() {
    for _ in 0..many(300, 60) {
        let (pool, made, start) = (pool(2), Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(3)));
        let submitters: Vec<_> = (0..2)
            .map(|_| {
                let (pool, made, start) = (Arc::clone(&pool), Arc::clone(&made), Arc::clone(&start));
                thread::spawn(move || {
                    start.wait();
                    let submit = |_| {
                        let made = Arc::clone(&made);
                        pool.submit(move || _ = made.fetch_add(1, Ordering::SeqCst)).ok()
                    };
                    (0..50).filter_map(submit).count()
                })
            })
            .collect();
        start.wait();
        pool.shutdown(true, false);
        pool.shutdown(true, false);
        let taken: usize = submitters.into_iter().map(|submitter| submitter.join().unwrap()).sum();
        assert!(pool.shutdown_timeout(LONG, false));
        assert_eq!(made.load(Ordering::SeqCst), taken);
        assert!(matches!(pool.submit(|| ()).unwrap_err().reason(), RejectReason::ShutDown));
    }
}

#[test]
fn h50_a_shutdown_with_a_job_that_does_not_end_has_a_limit() {
    let pool = pool(1);
    let (open, mut answer) = stuck(&pool);
    let mut queued = pool.submit(|| 1).unwrap();
    assert!(!pool.shutdown_timeout(ms(5), true));
    assert!(queued.result(Some(LONG)).unwrap_err().is_cancelled(), "what is queued is cancelled");
    drop(open);
    assert!(pool.shutdown_timeout(LONG, false));
    assert_eq!(answer.result(Some(LONG)).unwrap(), 7);
}

#[test]
fn h50_a_shutdown_inside_the_loop_blocks_nobody_and_can_be_given_up() {
    let ended = corio::run(async {
        let pool = pool(1);
        let (open, _answer) = stuck(&pool);
        let ticks = create_task(async {
            loop {
                sleep(ms(1)).await;
            }
        });
        assert!(timeout(ms(10), pool.shutdown_async(false)).await.is_err());
        assert!(!ticks.done());
        drop(open);
        timeout(LONG, pool.shutdown_async(false)).await.unwrap();
        ticks.cancel();
    });
    ended.unwrap();
}

#[test]
fn h50_a_pool_is_shut_down_by_its_drop_which_waits_for_nobody() {
    let pool = pool(1);
    let (open, mut answer) = stuck(&pool);
    let mut behind = pool.submit(|| 8).unwrap();
    drop(pool);
    assert!(!answer.done());
    drop(open);
    assert_eq!((answer.result(Some(LONG)).unwrap(), behind.result(Some(LONG)).unwrap()), (7, 8));
}

#[test]
fn h51_an_answer_that_comes_too_late_is_dropped_on_its_thread() {
    let (sender, dropped) = channel();
    let answer = move || {
        let sender = sender.clone();
        OnDrop(move || sender.send(thread::current().id()).unwrap())
    };
    let home = thread::current().id();
    // To a task that was cancelled, and to a loop that is closed.
    for closed in [false, true] {
        let ((open, door), (started, has_started), answer) = (channel::<()>(), channel(), answer.clone());
        let event_loop = EventLoop::new().unwrap();
        let waits = event_loop.create_task(event_loop.run_in_executor(move || {
            started.send(()).unwrap();
            let _ = door.recv();
            answer()
        }));
        event_loop.run_once().unwrap();
        has_started.recv_timeout(LONG).unwrap();
        if closed {
            event_loop.close().unwrap();
        } else {
            waits.cancel();
            event_loop.run_until_complete(yield_now()).unwrap();
        }
        assert!(waits.cancelled());
        drop(open);
        assert_ne!(dropped.recv_timeout(LONG).unwrap(), home);
        drop(event_loop);
    }
}

#[test]
fn h52_a_panic_is_delivered_with_its_payload_and_its_hook_is_called_once() {
    alone(|| {
        let hooks = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&hooks);
        std::panic::set_hook(Box::new(move |_| _ = count.fetch_add(1, Ordering::SeqCst)));
        let pool = pool(1);
        let ended = pollster::block_on(run_in_executor(&*pool, || std::panic::panic_any(7_u32)));
        let payload = ended.unwrap_err().try_into_panic().unwrap().into_payload();
        assert_eq!(payload.downcast_ref::<u32>(), Some(&7));
        assert_eq!(pollster::block_on(run_in_executor(&*pool, || 8)).unwrap(), 8);
        let ended = test::run(async { create_task(async { std::panic::panic_any(9_u32) }).await });
        assert!(ended.unwrap_err().is_panic());
        assert_eq!((hooks.load(Ordering::SeqCst), pool.threads()), (2, 1));
    });
}

#[test]
fn h53_a_pool_of_no_threads_is_refused_and_of_one_does_all() {
    assert_eq!(ThreadPoolExecutor::builder().max_threads(0).build().unwrap_err(), BuildError::NoThreads);
    let pool = pool(1);
    let answers: Vec<_> = (0..100).map(|n| pool.submit(move || n).unwrap()).collect();
    let answers = answers.into_iter().map(|mut answer| answer.result(Some(LONG)).unwrap());
    assert!(answers.eq(0..100));
    assert_eq!(pool.threads(), 1);
}

#[test]
fn h53_jobs_that_wait_for_jobs_behind_them_can_be_got_out_of() {
    // Documented, not prevented: the pool stands still, its loop does not, and a limit or a cancel ends it.
    let pool = pool(1);
    let inner = Arc::clone(&pool);
    let mut outer = pool
        .submit(move || {
            let mut behind = inner.submit(|| ()).unwrap();
            let stuck = behind.result(Some(ms(5))).unwrap_err().is_timed_out();
            (stuck, behind.cancel())
        })
        .unwrap();
    assert_eq!(outer.result(Some(LONG)).unwrap(), (true, true));
    let ended = corio::run(async move {
        let (open, _answer) = stuck(&pool);
        let behind = run_in_executor(&*pool, || 1);
        assert!(timeout(ms(5), behind).await.is_err(), "the loop goes on, and leaves");
        drop(open);
        run_in_executor(&*pool, || 2).await.unwrap()
    });
    assert_eq!(ended.unwrap(), 2);
}

#[test]
fn h54_whoever_is_idle_is_counted_on_exactly() {
    let pool = pool(8);
    for _ in 0..many(2_000, 300) {
        pool.submit(|| ()).unwrap().result(Some(LONG)).unwrap();
        let deadline = std::time::Instant::now() + LONG;
        while pool.idle() == 0 && std::time::Instant::now() < deadline {
            thread::yield_now();
        }
    }
    assert_eq!((pool.threads(), pool.idle(), pool.queued()), (1, 1, 0), "one thread was enough for one call at a time");
}

#[test]
fn h54_thread_locals_of_workers_may_hold_handles_of_the_loop_and_of_the_pool() {
    type AtTheEnd = OnDrop<Box<dyn FnMut()>>;
    thread_local!(static KEPT: RefCell<Vec<AtTheEnd>> = const { RefCell::new(Vec::new()) });
    let pool = pool(2);
    let (said, hear) = channel();
    let ended = corio::run(async {
        let (remote, inner, said) = (LoopHandle::current().remote(), Arc::downgrade(&pool), said.clone());
        let keep = move || {
            let (remote, inner, said) = (remote.clone(), inner.clone(), said.clone());
            let at_the_end: Box<dyn FnMut()> = Box::new(move || {
                let _ = remote.call_soon_threadsafe(|| ());
                let refused = inner.upgrade().is_none_or(|pool| pool.submit(|| ()).is_err());
                said.send(refused).unwrap();
            });
            KEPT.with(|kept| kept.borrow_mut().push(OnDrop(at_the_end)));
        };
        run_in_executor(&*pool, keep).await.unwrap();
    });
    ended.unwrap();
    assert!(pool.shutdown_timeout(LONG, false));
    assert!(hear.recv_timeout(LONG).unwrap(), "a pool that is shut down takes no call from its last moments either");
}

#[test]
fn h54_a_process_ends_beside_a_worker_that_does_not() {
    alone(|| {
        let pool = pool(1);
        let (open, _answer) = stuck(&pool);
        std::mem::forget(open);
        drop(pool); // The test's own process ends now, or hangs.
    });
}

#[test]
fn h55_a_call_that_runs_is_only_left() {
    let ended = corio::run(async {
        let ((open, door), done) = (channel::<()>(), Arc::new(AtomicUsize::new(0)));
        let (started, has_started) = channel();
        let count = Arc::clone(&done);
        let call = create_task(to_thread(move || {
            started.send(()).unwrap();
            let _ = door.recv();
            count.store(1, Ordering::SeqCst);
        }));
        yield_now().await;
        has_started.recv_timeout(LONG).unwrap();
        assert!(call.cancel());
        assert!(call.await.unwrap_err().is_cancelled(), "at once");
        assert_eq!(done.load(Ordering::SeqCst), 0);
        drop(open);
        assert!(LoopHandle::current().shutdown_default_executor(None).await);
        assert_eq!(done.load(Ordering::SeqCst), 1, "the thread went on to its end");
    });
    ended.unwrap();
}

#[test]
fn h55_a_call_that_waits_in_the_queue_is_never_made() {
    let pool = pool(1);
    let (open, mut answer) = stuck(&pool);
    let mut queued = run_in_executor(&*pool, || panic!("it was cancelled"));
    assert!(queued.cancel());
    assert!(matches!(pollster::block_on(queued), Err(CallError::Cancelled(_))));
    drop(open);
    answer.result(Some(LONG)).unwrap();
    pool.shutdown(true, false);
}

#[test]
fn h56_a_job_calls_the_loop_submits_more_and_drops_the_last_handle() {
    let ended = corio::run(async {
        let pool = pool(1);
        let (remote, inner) = (LoopHandle::current().remote(), Arc::clone(&pool));
        let (set, called) = concurrent::promise::<u32>();
        let (go, gone) = channel::<()>();
        let call = run_in_executor(&*pool, move || {
            remote.call_soon_threadsafe(move || set.set_result(7).unwrap()).unwrap();
            let more = inner.submit(|| 8).unwrap();
            let _ = gone.recv_timeout(LONG);
            drop(inner); // The last one: a worker that would join itself here.
            more
        });
        assert_eq!(called.await.unwrap(), 7);
        drop(pool);
        go.send(()).unwrap();
        let more = timeout(LONG, call).await.unwrap().unwrap();
        assert_eq!(timeout(LONG, more).await.unwrap().unwrap(), 8);
    });
    ended.unwrap();
}

#[test]
fn h56_two_jobs_shut_their_own_pool_down_and_wait() {
    let (pool, both) = (pool(2), Arc::new(Barrier::new(2)));
    let jobs = [(); 2].map(|()| {
        let (inner, both) = (Arc::clone(&pool), Arc::clone(&both));
        let wait = move || {
            both.wait();
            inner.shutdown(true, false);
        };
        pool.submit(wait).unwrap()
    });
    for mut job in jobs {
        job.result(Some(LONG)).expect("two workers waited for each other");
    }
    assert!(pool.shutdown_timeout(LONG, false));
}
