//! Danger: jobs on other threads that nobody waits for, or that everybody waits for for ever.
//!
//! Hazards 50 (shutdown and its limits), 51 (answers that come too late), 55 (jobs that cannot be stopped).

use crate::transcript::Transcript;
use corio_executor::{Clock, EventLoop, LoopHandle, LoopTime, RunError, Runner, VirtualClock, Wait, run, sleep, test};
use corio_task::create_task;
use corio_threadpool::{CallError, RejectReason, ThreadPoolExecutor, default_executor, to_thread};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// The machine's clock, but so fast that five minutes are over in three milliseconds.
struct Fast(Instant);

const FACTOR: u32 = 100_000;

impl Clock for Fast {
    fn now(&self) -> LoopTime {
        LoopTime::ZERO + self.0.elapsed() * FACTOR
    }

    fn wait(&self, until: LoopTime) -> Wait {
        Wait::Park((until - self.now()) / FACTOR)
    }
}

fn fast_loop() -> EventLoop {
    EventLoop::builder().clock(Fast(Instant::now())).build().unwrap()
}

/// Starts a job that runs until what is returned is dropped.
fn stuck_job(event_loop: &LoopHandle) -> Sender<()> {
    let (started, has_started) = channel();
    let (open, door) = channel::<()>();
    let job = move || {
        started.send(()).unwrap();
        let _ = door.recv();
    };
    drop(create_task(event_loop.run_in_executor(job)));
    has_started.recv().unwrap();
    open
}

fn refused<T>(answer: Result<T, CallError>) -> bool {
    matches!(answer, Err(CallError::Rejected(RejectReason::ShutDown)))
}

#[test]
fn a_shutdown_waits_for_what_is_queued_and_refuses_what_comes_later() {
    test::run(async {
        let (event_loop, out) = (LoopHandle::current(), Transcript::default());
        let pool = Arc::new(ThreadPoolExecutor::builder().max_threads(1).build().unwrap());
        event_loop.set_default_executor(pool).unwrap();
        let jobs: Vec<_> = (0..3).map(|n| event_loop.run_in_executor(out.saying(n))).collect();
        assert!(event_loop.shutdown_default_executor(SECOND).await);
        assert_eq!(out.lines(), ["0", "1", "2"]);
        assert!(jobs.iter().all(|job| job.done()));
        assert!(refused(event_loop.run_in_executor(|| ()).await));
        assert!(refused(to_thread(|| ()).await));
        assert!(event_loop.set_default_executor(Arc::new(ThreadPoolExecutor::new())).is_err());
        assert!(event_loop.shutdown_default_executor(None).await, "again");
    });
}

#[test]
fn hazard_50_a_stuck_job_is_abandoned_when_the_time_is_over() {
    let (event_loop, out) = (fast_loop(), Transcript::default());
    let inner = out.clone();
    event_loop.set_exception_handler(move |report| inner.say(report));
    let main = async {
        let event_loop = LoopHandle::current();
        let open = stuck_job(&event_loop);
        let start = event_loop.time();
        assert!(!event_loop.shutdown_default_executor(SECOND * 60).await);
        assert!(event_loop.time() - start >= SECOND * 60);
        drop(open);
        assert!(event_loop.shutdown_default_executor(None).await, "it can be waited for again");
    };
    event_loop.run_until_complete(main).unwrap();
    assert_eq!(out.lines(), ["the thread pool's jobs did not end within 60s, and are left to themselves"]);
}

#[test]
fn hazard_50_the_end_of_a_run_waits_five_minutes_at_most() {
    let (runner, out) = (Runner::with_loop_factory(|| Ok(fast_loop())), Transcript::default());
    let inner = out.clone();
    let open = runner.run(async {
        let event_loop = LoopHandle::current();
        event_loop.set_exception_handler(move |report| inner.say(report));
        stuck_job(&event_loop)
    });
    runner.close().unwrap();
    assert_eq!(out.lines(), ["the thread pool's jobs did not end within 300s, and are left to themselves"]);
    drop(open.unwrap());
}

#[test]
fn waiting_for_the_end_blocks_nobody() {
    run(async {
        let event_loop = LoopHandle::current();
        let open = stuck_job(&event_loop);
        let end = create_task({
            let event_loop = event_loop.clone();
            async move { event_loop.shutdown_default_executor(None).await }
        });
        sleep(Duration::from_millis(1)).await;
        assert!(!end.done());
        drop(open);
        assert!(end.await.unwrap());
    })
    .unwrap();
}

#[test]
fn a_shutdown_that_is_given_up_leaves_the_pool_shut_down() {
    test::run(async {
        let event_loop = LoopHandle::current();
        let open = stuck_job(&event_loop);
        let end = create_task({
            let event_loop = event_loop.clone();
            async move { event_loop.shutdown_default_executor(None).await }
        });
        test::wait_all_tasks_blocked().await;
        end.cancel();
        assert!(end.await.is_err());
        assert!(refused(event_loop.run_in_executor(|| ()).await));
        drop(open);
    });
}

#[test]
fn the_pool_can_be_set_before_the_run_and_is_left_to_its_owner() {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let pool = Arc::new(ThreadPoolExecutor::builder().name_prefix("own").build().unwrap());
    event_loop.set_default_executor(Arc::clone(&pool)).unwrap();
    let name = || thread::current().name().map(str::to_owned);
    let names = event_loop.run_until_complete(async {
        let event_loop = LoopHandle::current();
        assert!(Arc::ptr_eq(&pool, &default_executor()));
        [event_loop.run_in_executor(name).await.unwrap(), to_thread(name).await.unwrap()]
    });
    assert!(names.unwrap().into_iter().all(|name| name.unwrap().starts_with("own_")));
    event_loop.close().unwrap();
    assert!(pool.is_shut_down(), "as asyncio: a loop that closes shuts its pool down, without waiting");
}

#[test]
fn a_closed_loop_has_no_pool() {
    let event_loop = EventLoop::new().unwrap();
    event_loop.close().unwrap();
    assert!(event_loop.set_default_executor(Arc::new(ThreadPoolExecutor::new())).is_err());
    let payload = catch_unwind(AssertUnwindSafe(|| drop(event_loop.run_in_executor(|| ())))).unwrap_err();
    assert!(corio_seam::Panic::new(payload).to_string().contains("closed"));
}

#[test]
fn hazard_51_an_answer_after_the_loop_s_end_is_dropped_on_its_thread() {
    struct Where(Sender<Option<String>>);
    impl Drop for Where {
        fn drop(&mut self) {
            let _ = self.0.send(thread::current().name().map(str::to_owned));
        }
    }
    let (sender, dropped) = channel();
    let event_loop = EventLoop::new().unwrap();
    let ((open, door), (started, has_started)) = (channel::<()>(), channel());
    let job = event_loop.run_in_executor(move || {
        started.send(()).unwrap();
        let _ = door.recv();
        Where(sender)
    });
    let task = event_loop.create_task(job);
    event_loop.run_once().unwrap();
    has_started.recv().unwrap();
    event_loop.close().unwrap();
    assert!(task.cancelled());
    drop(open);
    assert_eq!(dropped.recv().unwrap().as_deref(), Some("corio-loop_0"));
}

#[test]
fn hazard_51_an_answer_to_a_cancelled_task_is_dropped_on_its_thread() {
    run(async {
        let event_loop = LoopHandle::current();
        let ((open, door), (started, has_started)) = (channel::<()>(), channel());
        let value = Arc::new(());
        let (alive, inner): (Weak<()>, _) = (Arc::downgrade(&value), value);
        let task = create_task(event_loop.run_in_executor(move || {
            started.send(()).unwrap();
            let _ = door.recv();
            inner
        }));
        sleep(Duration::from_millis(1)).await;
        has_started.recv().unwrap();
        task.cancel();
        assert!(task.await.is_err(), "it is only left");
        assert!(alive.upgrade().is_some(), "hazard 55: the job itself goes on");
        drop(open);
        assert!(event_loop.shutdown_default_executor(None).await);
        assert!(alive.upgrade().is_none());
    })
    .unwrap();
}

#[test]
fn hazard_56_a_job_calls_the_loop_and_submits_more() {
    test::run(async {
        let event_loop = LoopHandle::current();
        let (remote, out) = (event_loop.remote(), Transcript::default());
        let inner = out.clone();
        let (promise, answer) = corio_future::concurrent::promise();
        let job = event_loop.run_in_executor(move || {
            remote.call_soon_threadsafe(inner.saying("called")).unwrap();
            remote
                .call_soon_threadsafe(move || {
                    let more = LoopHandle::current().run_in_executor(|| 7);
                    drop(create_task(async move { promise.set_result(more.await.unwrap()).unwrap() }));
                })
                .unwrap();
        });
        job.await.unwrap();
        assert_eq!(answer.await.unwrap(), 7);
        assert_eq!(out.lines(), ["called"]);
    });
}

#[test]
fn a_stopped_shutdown_is_an_error_and_still_closes() {
    let runner = Runner::with_loop_factory(|| EventLoop::builder().clock(VirtualClock::new()).build());
    let held = Rc::new(());
    let inner = Rc::clone(&held);
    runner
        .run(async {
            drop(create_task(async move {
                let _ = corio_task::catch_cancelled(sleep(Duration::MAX)).await;
                LoopHandle::current().stop();
                sleep(SECOND).await;
                drop(inner);
            }));
            corio_executor::yield_now().await;
        })
        .unwrap();
    assert!(matches!(runner.close(), Err(RunError::Stopped)));
    assert_eq!(Rc::strong_count(&held), 1);
}
