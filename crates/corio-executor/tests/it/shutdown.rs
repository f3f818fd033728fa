//! Danger: work that is lost, or waited for in vain, when a program ends.

use crate::transcript::Transcript;
use corio_executor::{EventLoop, LoopHandle, RunError, Runner, VirtualClock, run, sleep, test, yield_now};
use corio_seam::{OnShutdown, ShutdownHook, on_shutdown};
use corio_task::{catch_cancelled, create_task, current_task};
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn virtual_runner() -> Runner {
    Runner::with_loop_factory(|| EventLoop::builder().clock(VirtualClock::new()).build())
}

#[test]
fn left_over_tasks_are_cancelled_and_waited_for() {
    let out = Transcript::default();
    test::run(async {
        for name in ["a", "b"] {
            let out = out.clone();
            drop(create_task(async move {
                if let Err(cancelled) = catch_cancelled(sleep(Duration::MAX)).await {
                    out.say(format!("{name} cleans up"));
                    sleep(SECOND).await;
                    out.say(format!("{name} has cleaned up"));
                    cancelled.resume().await;
                }
            }));
        }
        yield_now().await;
        out.say("main ends");
    });
    assert_eq!(out.lines(), ["main ends", "a cleans up", "b cleans up", "a has cleaned up", "b has cleaned up"]);
}

/// Something that takes a second to close, and then opens the next, if it has one.
struct Open {
    name: &'static str,
    next: Option<Rc<Open>>,
    hook: RefCell<Option<ShutdownHook>>,
    out: Transcript,
}

impl Open {
    fn new(name: &'static str, next: Option<Rc<Open>>, out: &Transcript) -> Rc<Open> {
        Rc::new(Open { name, next, hook: RefCell::default(), out: out.clone() })
    }

    fn open(self: &Rc<Open>) {
        let what: Weak<Open> = Rc::downgrade(self);
        self.hook.replace(Some(on_shutdown(what).unwrap()));
    }
}

impl OnShutdown for Open {
    fn close(self: Rc<Open>) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async move {
            sleep(SECOND).await;
            self.out.say(format!("{} closes at {:?}", self.name, LoopHandle::current().time().since_start()));
            self.next.iter().for_each(Open::open);
        })
    }

    fn describe(&self) -> String {
        self.name.into()
    }
}

#[test]
fn what_asked_for_it_is_closed_and_then_what_that_left_open() {
    let out = Transcript::default();
    let first = Open::new("a", Some(Open::new("c", None, &out)), &out);
    let second = Open::new("b", None, &out);
    test::run(async {
        first.open();
        second.open();
        out.say("main ends");
    });
    assert_eq!(out.lines(), ["main ends", "a closes at 1s", "b closes at 1s", "c closes at 2s"]);
}

#[test]
fn a_task_that_has_not_started_never_does() {
    let out = Transcript::default();
    let runner = virtual_runner();
    runner.run(yield_now()).unwrap();
    let event_loop = runner.event_loop().unwrap();
    let inner = out.clone();
    let _task = event_loop.create_task(async move { inner.say("started") });
    runner.close().unwrap();
    assert!(out.lines().is_empty());
}

#[test]
fn panics_during_the_shutdown_are_reported() {
    let out = Transcript::default();
    test::run(async {
        let inner = out.clone();
        LoopHandle::current().set_exception_handler(move |report| {
            let panic = report.panic.as_ref().and_then(|panic| panic.message()).unwrap_or("?").to_owned();
            inner.say(format!("{}: {panic}", report.message));
        });
        drop(create_task(async {
            let _ = catch_cancelled(sleep(Duration::MAX)).await;
            panic!("cleanup failed");
        }));
        yield_now().await;
    });
    assert_eq!(out.lines(), ["unhandled exception during run() shutdown: cleanup failed"]);
}

#[test]
fn what_failed_in_the_shutdown_is_reported_when_all_cleanup_is_over() {
    let out = Transcript::default();
    test::run(async {
        let inner = out.clone();
        LoopHandle::current().set_exception_handler(move |report| {
            inner.say(report.message);
            LoopHandle::current().call_soon(|| ()); // The loop still takes calls.
        });
        for (fails, seconds) in [(true, 1), (false, 2)] {
            let inner = out.clone();
            drop(create_task(async move {
                let _ = catch_cancelled(sleep(Duration::MAX)).await;
                sleep(Duration::from_secs(seconds)).await;
                inner.say(format!("cleaned up in {seconds}"));
                assert!(!fails, "cleanup failed");
            }));
        }
        yield_now().await;
    });
    assert_eq!(out.lines(), ["cleaned up in 1", "cleaned up in 2", "unhandled exception during run() shutdown"]);
}

#[test]
fn a_panic_of_main_goes_on_when_the_loop_is_closed() {
    let cleaned = Rc::new(Cell::new(false));
    let inner = Rc::clone(&cleaned);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        run(async move {
            drop(create_task(async move {
                let _ = catch_cancelled(sleep(Duration::MAX)).await;
                inner.set(true);
            }));
            yield_now().await;
            panic!("main's own");
        })
    }));
    let panic = corio_seam::Panic::new(outcome.unwrap_err());
    assert_eq!((panic.message(), cleaned.get()), (Some("main's own"), true));
}

#[test]
fn a_main_that_cancels_itself_is_an_error() {
    let outcome = virtual_runner().run(async {
        current_task().unwrap().cancel();
        sleep(SECOND).await;
    });
    assert!(matches!(&outcome, Err(error) if error.is_cancelled()), "{outcome:?}");
}

#[test]
fn a_loop_stopped_under_main_says_so() {
    let outcome = virtual_runner().run(async {
        LoopHandle::current().stop();
        sleep(SECOND).await;
    });
    assert!(matches!(outcome, Err(RunError::Stopped)), "{outcome:?}");
}

#[test]
fn dropping_a_runner_closes_it() {
    let runner = virtual_runner();
    let held = Rc::new(());
    let inner = Rc::clone(&held);
    runner.run(async { drop(create_task(async move { (sleep(Duration::MAX).await, inner).1 })) }).unwrap();
    assert_eq!(Rc::strong_count(&held), 2);
    drop(runner);
    assert_eq!(Rc::strong_count(&held), 1);
}

#[test]
fn a_runner_that_never_ran_makes_no_loop() {
    let runner = Runner::with_loop_factory(|| panic!("nobody asked for a loop"));
    runner.close().unwrap();
    assert!(matches!(runner.run(async {}), Err(RunError::Closed)));
}

#[test]
fn a_loop_that_cannot_be_made_is_an_error() {
    let runner = Runner::with_loop_factory(|| Err(std::io::Error::other("no descriptors are left")));
    assert!(matches!(runner.run(async {}), Err(RunError::Io(_))));
}

#[test]
fn closing_drops_callbacks_timers_and_tasks_uncalled() {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let held = Rc::new(());
    let (soon, later, task) = (Rc::clone(&held), Rc::clone(&held), Rc::clone(&held));
    event_loop.call_soon(move || unreachable!("{soon:?}"));
    event_loop.call_later(SECOND, move || unreachable!("{later:?}"));
    let task = event_loop.create_task(async move {
        sleep(SECOND).await;
        drop(task);
    });
    assert_eq!(Rc::strong_count(&held), 4);
    event_loop.close().unwrap();
    assert_eq!(Rc::strong_count(&held), 1);
    assert!(task.done() && task.cancelled());
}

#[test]
fn destructors_may_use_the_loop_while_it_closes() {
    struct Nosy(LoopHandle);
    impl Drop for Nosy {
        fn drop(&mut self) {
            let _ = self.0.time();
            assert!(catch_unwind(AssertUnwindSafe(|| drop(self.0.call_later(SECOND, || ())))).is_err());
            assert!(self.0.remote().call_soon_threadsafe(|| ()).is_err());
        }
    }
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let (nosy, dropped) = (Nosy(event_loop.handle().clone()), Rc::new(()));
    let inner = Rc::clone(&dropped);
    let _task = event_loop.create_task(async move {
        let _nosy = nosy;
        sleep(SECOND).await;
        drop(inner);
    });
    event_loop.run_once().unwrap();
    drop(event_loop);
    assert_eq!(Rc::strong_count(&dropped), 1);
}

#[test]
fn a_loop_dropped_with_handles_left_frees_what_they_hold() {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let (handle, held) = (event_loop.handle().clone(), Rc::new(()));
    let inner = (Rc::clone(&held), handle.clone());
    event_loop.call_later(SECOND, move || drop(inner)); // A cycle: the loop holds a handle to itself.
    drop(event_loop);
    assert!(handle.is_closed());
    assert_eq!(Rc::strong_count(&held), 1);
}

#[test]
fn the_exception_handler_hears_of_the_close_and_goes_with_the_loop() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a destructor's own");
        }
    }
    let (out, held) = (Transcript::default(), Rc::new(()));
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let (inner, cycle) = (out.clone(), (event_loop.handle().clone(), Rc::clone(&held)));
    event_loop.set_exception_handler(move |report| {
        let _ = &cycle;
        inner.say(report.panic.unwrap().message().unwrap());
    });
    let (soon, later) = (Bomb, Bomb);
    event_loop.call_soon(move || drop(soon));
    event_loop.call_later(SECOND, move || drop(later));
    drop(event_loop);
    assert_eq!(out.lines(), ["a destructor's own", "a destructor's own"]);
    assert_eq!(Rc::strong_count(&held), 1);
}

#[test]
fn a_closed_loop_tells_of_each_task_that_did_not_end() {
    let out = Transcript::default();
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let inner = out.clone();
    event_loop.set_exception_handler(move |report| inner.say(report.to_string()));
    let asleep = event_loop.create_task(sleep(SECOND)).named("asleep");
    drop(event_loop.create_task(async {}).named("over"));
    event_loop.run_once().unwrap();
    let new = event_loop.create_task(async {}).named("new");
    event_loop.close().unwrap();
    event_loop.close().unwrap();
    let told = |task: &corio_task::TaskRef| {
        let (name, place) = (task.name(), task.location());
        format!("task was destroyed but it is pending: task {name:?} pending, made at {place}")
    };
    assert_eq!(out.lines(), [told(&asleep.task_ref()), told(&new.task_ref())]);
}

#[test]
fn a_handler_that_hears_of_a_close_may_panic_make_tasks_and_close() {
    let event_loop = Rc::new(EventLoop::builder().clock(VirtualClock::new()).build().unwrap());
    let (again, told) = (Rc::clone(&event_loop), Rc::new(Cell::new(0)));
    let count = Rc::clone(&told);
    event_loop.set_exception_handler(move |_| {
        count.set(count.get() + 1);
        again.close().unwrap();
        drop(create_task(async {}));
        panic!("the handler's own");
    });
    let tasks = [1, 2].map(|_| event_loop.create_task(sleep(SECOND)));
    event_loop.close().unwrap();
    assert_eq!(told.get(), 2);
    assert!(tasks.iter().all(|task| task.cancelled()) && event_loop.all_tasks().is_empty());
}

#[test]
fn a_run_has_no_unfinished_task_to_tell_of() {
    let out = Transcript::default();
    let (told, inner) = (out.clone(), out.clone());
    test::run(async move {
        LoopHandle::current().set_exception_handler(move |report| told.say(report.to_string()));
        drop(create_task(async move {
            let _ = catch_cancelled(sleep(Duration::MAX)).await;
            inner.say("cleaned up");
        }));
        yield_now().await;
    });
    assert_eq!(out.lines(), ["cleaned up"]);
}

#[test]
fn jobs_in_the_loops_thread_pool_are_waited_for() {
    use corio_threadpool::{ExecutorExt, default_executor};
    for runner in [Runner::new(), virtual_runner()] {
        let (pool, job) = runner
            .run(async {
                let pool = default_executor();
                let job = pool.submit(|| std::thread::sleep(Duration::from_millis(2))).unwrap();
                (pool, job)
            })
            .unwrap();
        runner.close().unwrap();
        assert!(job.done());
        assert!(pool.submit(|| ()).is_err(), "the loop is closed, and its pool with it");
    }
}

#[test]
fn the_pool_ends_even_if_main_panics() {
    use corio_threadpool::{ExecutorExt, default_executor};
    let job = Rc::new(Cell::new(None));
    let inner = Rc::clone(&job);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        run(async move {
            inner.set(Some(default_executor().submit(|| 5).unwrap()));
            panic!("main's own");
        })
    }));
    assert!(outcome.is_err());
    assert!(job.take().is_some_and(|job| job.done()));
}

#[test]
fn any_future_can_be_main() {
    assert_eq!(run(std::future::ready(1)).unwrap(), 1);
    let boxed: std::pin::Pin<Box<dyn Future<Output = u32>>> = Box::pin(async { 2 });
    assert_eq!(run(boxed).unwrap(), 2);
    assert_eq!(run(std::future::poll_fn(|_| std::task::Poll::Ready(3))).unwrap(), 3);
    let (promise, future) = corio_future::promise();
    promise.set_result(4).unwrap();
    assert_eq!(run(future).unwrap().unwrap(), 4);
    let runner = virtual_runner();
    let task = runner.event_loop().unwrap().create_task(async { 5 });
    assert_eq!(runner.run(task).unwrap().unwrap(), 5);
}

#[test]
fn a_task_made_during_the_shutdown_ends_with_the_loop() {
    let (out, held) = (Transcript::default(), Rc::new(()));
    test::run(async {
        let (out, held) = (out.clone(), Rc::clone(&held));
        drop(create_task(async move {
            let _ = catch_cancelled(sleep(Duration::MAX)).await;
            let inner = out.clone();
            drop(create_task(async move {
                inner.say("late one started");
                sleep(Duration::MAX).await;
                drop(held);
            }));
            sleep(SECOND).await;
            out.say("cleaned up");
        }));
        yield_now().await;
    });
    assert_eq!(out.lines(), ["late one started", "cleaned up"]);
    assert_eq!(Rc::strong_count(&held), 1, "asyncio would complain that it was destroyed");
}

#[test]
fn hazard_40_a_full_loop_closes_in_linear_time() {
    let count: u32 = if cfg!(miri) { 100 } else { 50_000 };
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let held = Rc::new(());
    for n in 0..count {
        let (task, timer, soon) = (Rc::clone(&held), Rc::clone(&held), Rc::clone(&held));
        drop(event_loop.create_task(async move { (sleep(SECOND * (n % 1000)).await, task).1 }));
        event_loop.call_later(SECOND * n, move || drop(timer));
        event_loop.call_soon(move || drop(soon));
    }
    event_loop.run_once().unwrap(); // Each task sleeps now.
    assert_eq!(event_loop.all_tasks().len(), count as usize);
    event_loop.close().unwrap();
    assert_eq!(Rc::strong_count(&held), 1); // Were it quadratic, this would take minutes.
}

#[test]
fn a_loop_that_runs_for_ever_is_the_thread_s_until_it_stops() {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let (id, seen) = (event_loop.id(), Rc::new(Cell::new(None)));
    let inner = Rc::clone(&seen);
    event_loop.call_later(SECOND, move || {
        let event_loop = LoopHandle::current();
        assert!(event_loop.is_running() && current_task().is_none(), "a callback is no task");
        inner.set(Some(event_loop.id()));
        event_loop.stop();
    });
    event_loop.run_forever().unwrap();
    assert_eq!(seen.get(), Some(id));
    assert!(corio_seam::loop_id().is_none() && LoopHandle::try_current().is_none() && !event_loop.is_running());
}

#[test]
fn a_runner_that_is_dropped_ends_its_loop_as_a_close_does() {
    let cleaned = Rc::new(Cell::new(false));
    let (runner, mine) = (Runner::new(), Rc::clone(&cleaned));
    let main = async {
        drop(create_task(async move {
            let _ = catch_cancelled(pending::<()>()).await;
            yield_now().await;
            mine.set(true);
        }));
        yield_now().await;
    };
    runner.run(main).unwrap();
    assert!(!cleaned.get());
    drop(runner);
    assert!(cleaned.get());
}
