//! The page of guarantees: each line names a test that is there; and those of its tests that stand nowhere else.

use crate::house::{crates, root, sources, test_is_there};
use corio::executor::{VirtualClock, test};
use corio::{
    Barrier, Event, EventLoop, Generator, LoopHandle, async_generator, concurrent, create_task, gather, generator,
    promise, race, shield, sleep, timeout, wait_for, yield_now,
};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

const PAGE: &str = include_str!("../../../crates/corio/GUARANTEES.md");

const SECOND: Duration = Duration::from_secs(1);

/// The last columns of the page's rows.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.filter_map(|row| row.rsplit_once(" | ")).filter(|(_, last)| *last != "its test")
}

#[test]
fn each_line_names_tests_that_are_there_or_says_why_there_is_none() {
    let mut count = 0;
    for (what, tests) in rows() {
        if tests.starts_with("none: ") {
            continue;
        }
        let names: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{what}: no test");
        for name in names {
            assert!(name.contains("::"), "{what}: {name} is no `path::name`");
            test_is_there(name, what);
            count += 1;
        }
    }
    assert!(count > 100, "{count} tests");
}

/// The sources of all crates that the umbrella hands on.
fn library() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for name in crates() {
        if !matches!(&*name, "corio-crawl" | "corio-hyper") {
            found.extend(sources(&root().join("crates").join(name).join("src")));
        }
    }
    found
}

/// The public items whose documentation has a section about being cancelled.
fn cancel_safe_items() -> BTreeSet<String> {
    let mut items = BTreeSet::new();
    for path in library() {
        let source = fs::read_to_string(path).unwrap();
        for section in source.split("# Cancel safety").skip(1) {
            let code = section.lines().map(str::trim_start).find(|line| line.starts_with("pub "));
            let words = code.unwrap_or_default().split(|c: char| !c.is_alphanumeric() && c != '_');
            let skipped = ["pub", "async", "fn", "struct", ""];
            items.extend(words.filter(|word| !skipped.contains(word)).map(str::to_string).next());
        }
    }
    items
}

#[test]
fn each_item_that_speaks_of_cancel_safety_is_in_the_table() {
    let items = cancel_safe_items();
    assert!(items.len() > 40, "{items:?}");
    let table = PAGE.split("## Cancel safety").nth(1).unwrap().split("\n## ").next().unwrap();
    let words: BTreeSet<_> = table.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let missing: Vec<_> = items.iter().filter(|item| !words.contains(&***item)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn only_the_pool_starts_threads() {
    for path in library() {
        let source = fs::read_to_string(&path).unwrap();
        // What stands below is tests.
        let code = source.split("#[cfg(test)]").next().unwrap().split("#[cfg(all(test").next().unwrap();
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let starts = code.into_iter().any(|line| line.contains("thread::spawn") || line.contains("thread::Builder"));
        let path = path.display().to_string();
        let test = path.contains("tests.rs") || path.contains("models.rs");
        assert!(!starts || test || path.contains("corio-threadpool"), "{path} starts a thread");
    }
}

#[test]
fn what_comes_from_a_thread_or_is_due_enters_at_the_next_iteration() {
    let clock = VirtualClock::new();
    let event_loop = EventLoop::builder().clock(clock.clone()).build().unwrap();
    event_loop
        .run_until_complete(async {
            let (event_loop, fired) = (LoopHandle::current(), Rc::new(Cell::new(false)));
            let inner = Rc::clone(&fired);
            event_loop.call_later(SECOND, move || inner.set(true));
            let (remote, (set, called)) = (event_loop.remote(), concurrent::promise::<()>());
            let call = move || drop(remote.call_soon_threadsafe(move || set.set_result(()).unwrap()).unwrap());
            thread::spawn(call).join().unwrap();
            clock.advance(SECOND);
            yield_now().await; // The iteration that takes both in, behind this step.
            yield_now().await;
            assert!(fired.get() && called.done());
        })
        .unwrap();
}

#[test]
fn awaiting_a_handle_by_reference_loses_nothing() {
    test::run(async {
        let mut task = create_task(async {
            sleep(SECOND).await;
            1
        });
        let (set, mut cell) = promise::<u32>();
        let (set_other, mut other) = concurrent::promise::<u32>();
        let mut both = gather((sleep(SECOND), sleep(SECOND)));
        for _ in 0..3 {
            race((async { drop((&mut task).await) }, yield_now())).await;
            race((async { drop((&mut cell).await) }, yield_now())).await;
            race((async { drop((&mut other).await) }, yield_now())).await;
            race((async { drop((&mut both).await) }, yield_now())).await;
        }
        set.set_result(2).unwrap();
        set_other.set_result(3).unwrap();
        assert_eq!((task.await.unwrap(), cell.await.unwrap(), other.await.unwrap()), (1, 2, 3));
        assert!(both.await.is_ok());
    });
}

#[test]
fn waiting_for_a_cancel_may_be_given_up() {
    test::run(async {
        let (mut set, future) = promise::<u32>();
        for _ in 0..3 {
            assert!(timeout(SECOND, set.cancelled()).await.is_err());
        }
        future.cancel();
        assert!(timeout(SECOND, set.cancelled()).await.is_ok());
        assert_eq!(set.set_result(7), Err(7));
    });
}

#[test]
fn a_party_that_leaves_a_barrier_is_not_counted() {
    test::run(async {
        let barrier = Barrier::new(2);
        assert!(timeout(SECOND, barrier.wait()).await.is_err());
        assert_eq!(barrier.n_waiting(), 0);
        assert!(timeout(SECOND, barrier.wait()).await.is_err(), "it waits for two who are there");
        let (one, other) = corio::join((barrier.wait(), barrier.wait())).await;
        assert!(one.is_ok() && other.is_ok());
    });
}

#[test]
fn a_dropped_gather_or_shield_stops_no_child() {
    test::run(async {
        let ended = Rc::new(Cell::new(0));
        let child = || {
            let ended = Rc::clone(&ended);
            async move {
                sleep(SECOND).await;
                ended.set(ended.get() + 1);
            }
        };
        drop(gather((child(), child())));
        drop(shield(child()));
        sleep(SECOND * 2).await;
        assert_eq!(ended.get(), 3);
    });
}

#[test]
fn a_dropped_wait_for_detaches_its_task() {
    test::run(async {
        let ended = Rc::new(Cell::new(false));
        let inner = Rc::clone(&ended);
        let task = create_task(async move {
            sleep(SECOND).await;
            inner.set(true);
        });
        race((async { drop(wait_for(task, SECOND * 9).await) }, yield_now())).await;
        sleep(SECOND * 2).await;
        assert!(ended.get());
    });
}

#[test]
fn a_close_that_is_given_up_is_gone_on_with() {
    test::run(async {
        let cleaned = Rc::new(Cell::new(false));
        let inner = Rc::clone(&cleaned);
        let mut numbers = async_generator(|y| async move {
            let Err(closed) = y.catch_closed(y.yield_(1)).await else { return };
            sleep(SECOND).await;
            inner.set(true);
            closed.resume().await;
        });
        assert_eq!(numbers.next().await, Some(1));
        assert!(timeout(SECOND / 2, numbers.close()).await.is_err());
        assert!(!cleaned.get());
        numbers.close().await;
        assert!(cleaned.get() && numbers.is_over());
    });
}

#[test]
fn what_is_delegated_to_is_dropped_with_its_delegation() {
    struct Numbers(Rc<Cell<bool>>);
    impl Drop for Numbers {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    impl Iterator for Numbers {
        type Item = u32;
        fn next(&mut self) -> Option<u32> {
            Some(1)
        }
    }
    let dropped = Rc::new(Cell::new(false));
    let numbers = Numbers(Rc::clone(&dropped));
    let mut outer: Generator<'_, u32> = generator(|y| async move { y.yield_all(numbers).await });
    assert_eq!(outer.start(), Some(1));
    drop(outer);
    assert!(dropped.replace(false));
    let numbers = Numbers(Rc::clone(&dropped));
    let inner: Generator<'_, u32> = generator(|y| async move { y.yield_all(numbers).await });
    let mut outer: Generator<'_, u32> = generator(|y| async move { y.yield_from(inner).await });
    assert_eq!(outer.start(), Some(1));
    drop(outer);
    assert!(dropped.get());
}

#[test]
fn a_run_of_a_set_that_is_given_up_goes_on_later() {
    let (set, ended, gate) = (corio::task::TaskSet::new(), Rc::new(Cell::new(false)), Rc::new(Event::new()));
    let (inner, open) = (Rc::clone(&ended), Rc::clone(&gate));
    let mut run = Box::pin(set.run_until(async move {
        open.wait().await;
        inner.set(true);
    }));
    assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(run);
    gate.set();
    assert!(!ended.get());
    pollster::block_on(set.run_until(async {})).unwrap();
    assert!(ended.get());
}
