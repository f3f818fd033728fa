//! Tasks, combinators and pools keep their promises under any executor: the same bodies under three of them. The
//! primitives have a suite of their own, see `primitives`.

use corio_combinators::{gather, join, race, timeout, try_join};
use corio_task::{SleepTimer, TaskSet, catch_cancelled, create_task};
use corio_threadpool::{ThreadPoolExecutor, run_in_executor, to_thread};
use std::rc::Rc;
use std::time::Duration;

/// Runs the same body under a bare `block_on`, under smol, and under tokio.
pub(crate) fn everywhere<F: Future<Output = ()>>(body: impl Fn() -> F) {
    pollster::block_on(body());
    smol::block_on(body());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(tokio::task::LocalSet::new().run_until(body()));
}

/// Runs the same body as a task of a set that each of them polls.
pub(crate) fn in_a_set<F: Future<Output = ()> + 'static>(body: impl Fn() -> F) {
    let run = async || TaskSet::new().run_until(body()).await.expect("the body ends");
    everywhere(run);
}

#[test]
fn combinators_in_place() {
    everywhere(|| async {
        let text = String::from("borrowed");
        let (a, b) = join((async { text.len() }, async { text.as_str() })).await;
        assert_eq!((a, b), (8, "borrowed"));
        let failed = try_join((async { Ok::<u8, &str>(1) }, async { Err::<u8, &str>("no") })).await;
        assert_eq!(failed, Err("no"));
        let first = race((std::future::pending::<u8>(), async { 2 })).await;
        assert_eq!(first, 2);
    });
}

#[test]
fn tasks_and_gather() {
    in_a_set(|| async {
        let results = gather((async { 1 }, create_task(async { "two" }))).await;
        assert_eq!(results.unwrap(), (1, "two"));
        let tasks: Vec<_> = (0..100).map(|n| create_task(async move { n })).collect();
        assert_eq!(gather(tasks).await.unwrap().iter().sum::<i32>(), 4950);
    });
}

#[test]
fn cancellation_unwinds() {
    in_a_set(|| async {
        let dropped = Rc::new(());
        let held = Rc::clone(&dropped);
        let task = create_task(async move {
            let caught = catch_cancelled(async {
                let _held = held;
                std::future::pending::<()>().await;
            })
            .await;
            caught.is_err()
        });
        create_task(async {}).await.unwrap();
        assert_eq!(Rc::strong_count(&dropped), 2);
        task.cancel();
        assert!(task.await.unwrap());
        assert_eq!(Rc::strong_count(&dropped), 1);
    });
}

#[test]
fn timeouts_by_the_runtimes_own_sleep() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let set = TaskSet::with_timer(SleepTimer::new(tokio::time::sleep));
    let local = tokio::task::LocalSet::new();
    let body = async {
        let late = timeout(Duration::from_millis(1), std::future::pending::<()>()).await;
        assert!(late.is_err());
        let quick = timeout(Duration::from_secs(60), async { 3 }).await;
        assert_eq!(quick.unwrap(), 3);
    };
    local.block_on(&runtime, set.run_until(body)).unwrap();

    let set = TaskSet::with_timer(SleepTimer::new(async |time| {
        smol::Timer::after(time).await;
    }));
    let slept = smol::block_on(
        set.run_until(async { timeout(Duration::from_millis(1), std::future::pending::<()>()).await.is_err() }),
    );
    assert!(slept.unwrap());
}

#[test]
fn pools() {
    everywhere(|| async {
        let pool = ThreadPoolExecutor::new();
        let sum = run_in_executor(&pool, || (1..=10).sum::<u32>()).await;
        assert_eq!(sum.unwrap(), 55);
        let here = std::thread::current().id();
        assert_ne!(to_thread(move || std::thread::current().id()).await.unwrap(), here);
    });
}
