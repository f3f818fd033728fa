//! Async generators in tasks: where a cancellation lands, and who closes what is left open.

use crate::runtimes::{everywhere, in_a_set};
use corio_combinators::timeout;
use corio_executor::{LoopHandle, Runner, run, sleep, test, yield_now};
use corio_generator::{AsyncGenerator, async_generator, generator};
use corio_task::{TaskSet, catch_cancelled, create_task};
use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::rc::Rc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// What happened, line by line.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn say(&self, line: impl Display) {
        self.0.borrow_mut().push(line.to_string());
    }

    fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

/// Says something when it is dropped.
struct OnDrop(Log, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.say(self.1);
    }
}

/// Says what it does, and cleans up with an await however it ends.
fn produce(out: &Log, tag: &'static str, n: u32, block_at: Option<u32>) -> AsyncGenerator<u32> {
    let out = out.clone();
    async_generator(async move |y| {
        let numbers = async {
            for i in 0..n {
                if Some(i) == block_at {
                    out.say(format!("{tag} blocks"));
                    sleep(SECOND).await;
                }
                out.say(format!("{tag} produce {i}"));
                y.yield_(i).await;
                yield_now().await;
            }
        };
        let ended = y.catch_closed(catch_cancelled(numbers)).await;
        let cancelled = ended.ok().and_then(Result::err);
        if cancelled.is_some() {
            out.say(format!("{tag} cancelled"));
        }
        yield_now().await;
        out.say(format!("{tag} closed"));
        if let Some(cancelled) = cancelled {
            cancelled.resume().await;
        }
    })
}

#[test]
fn generators_under_any_executor() {
    everywhere(|| async {
        let mut log = Vec::new();
        let closed = Rc::new(Cell::new(false));
        let inner = Rc::clone(&closed);
        let mut numbers = async_generator(async move |y| {
            let caught = y.catch_closed(async {
                for n in generator(async |y| y.yield_all(0..).await) {
                    smol::future::yield_now().await;
                    y.yield_(n).await;
                }
            });
            assert!(caught.await.is_err());
            smol::future::yield_now().await;
            inner.set(true);
        });
        while let Some(n) = numbers.next().await {
            log.push(n);
            if n == 3 {
                numbers.close().await;
            }
        }
        assert_eq!(log, [0, 1, 2, 3]);
        assert!(closed.get());
    });
}

#[test]
fn without_a_loop_a_drop_drops_the_body_and_no_more() {
    everywhere(|| async {
        let log = Log::default();
        drop(opened(&log).await);
        assert_eq!(log.lines(), ["body dropped"]);
    });
}

/// Makes a generator that has yielded, and whose cleanup awaits.
async fn opened(log: &Log) -> AsyncGenerator<u32> {
    let log = log.clone();
    let mut numbers = async_generator(async move |y| {
        let caught = y
            .catch_closed(async {
                let _dropped = OnDrop(log.clone(), "body dropped");
                y.yield_(1).await;
                y.yield_(2).await;
            })
            .await;
        if caught.is_err() {
            log.say("cleaning up");
            smol::future::yield_now().await;
            log.say("cleaned up");
        }
    });
    assert_eq!(numbers.next().await, Some(1));
    numbers
}

#[test]
fn dropped_half_way_it_is_closed_by_a_task() {
    in_a_set(|| async {
        let log = Log::default();
        drop(opened(&log).await);
        assert!(log.lines().is_empty());
        for _ in 0..3 {
            create_task(async {}).await.unwrap();
        }
        assert_eq!(log.lines(), ["body dropped", "cleaning up", "cleaned up"]);
    });
}

#[test]
fn dropped_half_way_as_main_ends_it_is_closed_all_the_same() {
    let log = Log::default();
    test::run(async {
        drop(opened(&log).await); // Its task is cancelled before it starts.
        log.say("main ends");
    });
    assert_eq!(log.lines(), ["main ends", "body dropped", "cleaning up", "cleaned up"]);
}

#[test]
fn dropped_by_the_cancellation_of_its_owner_it_is_closed_all_the_same() {
    let log = Log::default();
    test::run(async {
        let inner = log.clone();
        drop(create_task(async move {
            let _kept = opened(&inner).await;
            sleep(Duration::MAX).await;
        }));
        sleep(SECOND).await;
        log.say("main ends");
    });
    assert_eq!(log.lines(), ["main ends", "body dropped", "cleaning up", "cleaned up"]);
}

#[test]
fn dropped_between_two_runs_it_is_closed_when_the_runner_is() {
    let log = Log::default();
    let runner = Runner::new();
    let numbers = runner.run(opened(&log)).unwrap();
    drop(numbers);
    assert!(log.lines().is_empty());
    runner.close().unwrap();
    assert_eq!(log.lines(), ["body dropped", "cleaning up", "cleaned up"]);
}

#[test]
fn dropped_in_the_midst_of_its_closing_it_is_closed_on() {
    let log = Log::default();
    test::run(async {
        let inner = log.clone();
        let mut numbers = async_generator(async move |y| {
            let _caught = y.catch_closed(y.yield_(1)).await;
            inner.say("cleaning up");
            sleep(SECOND).await;
            inner.say("cleaned up");
        });
        assert_eq!(numbers.next().await, Some(1));
        assert!(timeout(SECOND / 2, numbers.close()).await.is_err());
        drop(numbers);
        log.say("dropped");
        sleep(SECOND).await;
    });
    assert_eq!(log.lines(), ["cleaning up", "dropped", "cleaned up"]);
}

#[test]
fn a_loop_closed_without_a_shutdown_drops_the_body() {
    let log = Log::default();
    let set = TaskSet::new();
    let inner = log.clone();
    let numbers = pollster::block_on(set.run_until(async move { opened(&inner).await })).unwrap();
    drop(numbers); // The set keeps it: nobody runs.
    assert!(log.lines().is_empty());
    drop(set);
    assert_eq!(log.lines(), ["body dropped"]);
}

#[test]
fn left_open_without_a_cleanup_it_is_dropped_while_the_loop_runs() {
    struct NeedsALoop(Log);
    impl Drop for NeedsALoop {
        fn drop(&mut self) {
            self.0.say(corio_seam::loop_id().is_some());
        }
    }
    let (log, kept) = (Log::default(), RefCell::new(None));
    run(async {
        let held = NeedsALoop(log.clone());
        let mut numbers = async_generator(async move |y| {
            let _held = held;
            y.yield_(1).await;
        });
        assert_eq!(numbers.next().await, Some(1));
        kept.replace(Some(numbers));
    })
    .unwrap();
    assert_eq!(log.lines(), ["true"]);
    assert!(kept.take().unwrap().is_over());
}

#[test]
fn what_a_cleanup_leaves_open_is_closed_too() {
    let (log, kept) = (Log::default(), Rc::new(RefCell::new(Vec::new())));
    test::run(async {
        let (inner, keep) = (log.clone(), Rc::clone(&kept));
        let mut numbers = async_generator(async move |y| {
            let _caught = y.catch_closed(y.yield_(1)).await;
            let opened = opened(&inner).await;
            keep.borrow_mut().push(opened);
        });
        assert_eq!(numbers.next().await, Some(1));
        kept.borrow_mut().push(numbers);
    });
    assert_eq!(log.lines(), ["body dropped", "cleaning up", "cleaned up"]);
}

/// Makes a generator that has yielded, and whose cleanup panics.
async fn broken() -> AsyncGenerator<u32> {
    let mut numbers = async_generator(async |y| {
        let _caught = y.catch_closed(y.yield_(1)).await;
        sleep(SECOND).await;
        panic!("cleanup failed");
    });
    assert_eq!(numbers.next().await, Some(1));
    numbers
}

#[test]
fn panics_of_a_closing_by_the_loop_are_reported() {
    let (log, kept) = (Log::default(), RefCell::new(None));
    test::run(async {
        let inner = log.clone();
        LoopHandle::current().set_exception_handler(move |report| inner.say(report));
        drop(broken().await);
        sleep(SECOND * 2).await;
        log.say("main ends");
        kept.replace(Some(broken().await));
    });
    let line = "an error occurred while an async generator was closed: panicked: cleanup failed";
    assert_eq!(log.lines(), [line, "main ends", line]);
}

#[test]
fn a_body_that_closes_itself_says_so() {
    let log = Log::default();
    test::run(async {
        let inner = log.clone();
        LoopHandle::current().set_exception_handler(move |report| inner.say(report));
        let mut numbers = async_generator(async |y| {
            for hook in corio_seam::take_shutdown_hooks() {
                hook.close().await; // Among them, itself.
            }
            y.yield_(1).await;
        });
        assert_eq!(numbers.next().await, Some(1), "no harm is done");
        numbers.close().await;
    });
    assert_eq!(log.lines().len(), 1);
    assert!(log.lines()[0].contains("an async generator is already running"), "{:?}", log.lines());
}

#[test]
fn one_that_is_started_after_the_shutdown_is_reported() {
    let log = Log::default();
    let (inner, started) = (log.clone(), Rc::new(RefCell::new(None)));
    let keep = Rc::clone(&started);
    let event_loop = Runner::new();
    event_loop
        .run(async move {
            LoopHandle::current().set_exception_handler(move |report| inner.say(report.message));
            let held = StartsOne(keep);
            // A callback that is dropped when the loop closes, after the shutdown.
            LoopHandle::current().call_later(Duration::MAX, move || drop(held));
        })
        .unwrap();
    event_loop.close().unwrap();
    assert_eq!(log.lines(), ["started after the loop's shutdown, which will not close it"]);
    assert!(started.take().is_some());
}

/// Makes a generator's first step when it is dropped.
struct StartsOne(Rc<RefCell<Option<AsyncGenerator<u32>>>>);

impl Drop for StartsOne {
    fn drop(&mut self) {
        let mut numbers = async_generator(async |y| y.yield_(1).await);
        assert_eq!(pollster::block_on(numbers.next()), Some(1));
        self.0.replace(Some(numbers));
    }
}

#[test]
fn a_step_that_times_out_loses_nothing() {
    test::run(async {
        let mut numbers = async_generator(async |y| {
            for n in 0..3 {
                sleep(SECOND).await;
                y.yield_(n).await;
            }
        });
        assert!(timeout(SECOND / 2, numbers.next()).await.is_err());
        let mut all = Vec::new();
        while let Some(n) = numbers.next().await {
            all.push(n);
        }
        assert_eq!(all, [0, 1, 2]);
        assert_eq!(LoopHandle::current().time().since_start(), SECOND * 3);
    });
}

#[test]
fn a_cancellation_that_leaves_the_body_ends_it() {
    test::run(async {
        let mut numbers = async_generator(async |y| {
            if let Err(cancelled) = catch_cancelled(sleep(SECOND)).await {
                yield_now().await;
                cancelled.resume().await;
            }
            y.yield_(1).await;
        });
        assert!(timeout(SECOND / 2, numbers.next()).await.is_err());
        assert!(numbers.is_over());
        assert_eq!(numbers.next().await, None);
    });
}

#[test]
fn a_cancellation_that_the_body_swallows_is_swallowed() {
    test::run(async {
        let task = create_task(async {
            let mut numbers = async_generator(async |y| {
                let caught = catch_cancelled(sleep(SECOND)).await.is_err();
                y.yield_(caught).await;
            });
            numbers.next().await
        });
        yield_now().await;
        task.cancel();
        assert_eq!(task.await.unwrap(), Some(true));
    });
}

#[test]
fn a_consumer_cancelled_elsewhere_closes_the_generator_it_drops() {
    let log = Log::default();
    test::run(async {
        let inner = log.clone();
        let consumer = create_task(async move {
            let mut numbers = produce(&inner, "gen", 3, None);
            while let Some(n) = numbers.next().await {
                inner.say(format!("got {n}"));
                sleep(SECOND).await;
            }
        });
        sleep(SECOND / 2).await;
        consumer.cancel();
        assert!(consumer.await.is_err());
        log.say("consumer over");
        sleep(SECOND).await;
    });
    assert_eq!(log.lines()[..3], ["gen produce 0", "got 0", "consumer over"]);
    assert_eq!(log.lines().last().unwrap(), "gen closed");
}
