//! Danger: a program that is right only as long as nobody else comes first.

use corio_executor::{EventLoop, LoopHandle, sleep, test, yield_now};
use corio_task::create_task;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Enough seeds for each order of a few things.
const SEEDS: u64 = if cfg!(miri) { 8 } else { 60 };

/// Runs `main` under each seed, and returns what came of each.
fn outcomes<T>(main: impl AsyncFn() -> T) -> Vec<T> {
    let outcomes = RefCell::new(Vec::new());
    test::run_seeds(SEEDS, async || {
        let outcome = main().await;
        outcomes.borrow_mut().push(outcome);
    });
    outcomes.into_inner()
}

/// Sets timers of one moment, and returns the order in which they fired.
async fn timers() -> Vec<u32> {
    let fired: Rc<RefCell<Vec<u32>>> = Rc::default();
    for n in 0..4 {
        let fired = Rc::clone(&fired);
        LoopHandle::current().call_later(SECOND, move || fired.borrow_mut().push(n));
    }
    let early = Rc::clone(&fired);
    LoopHandle::current().call_later(SECOND / 2, move || early.borrow_mut().push(9));
    sleep(SECOND * 2).await;
    fired.take()
}

#[test]
fn timers_of_one_moment_fire_in_any_order() {
    let orders = outcomes(timers);
    assert_eq!(orders[0], [9, 0, 1, 2, 3], "seed 0 is every day's order");
    assert!(orders.iter().all(|order| order[0] == 9), "a moment comes before a later one");
    let distinct: BTreeSet<_> = orders.iter().collect();
    assert!(distinct.len() > if cfg!(miri) { 3 } else { 15 }, "{distinct:?}");
}

#[test]
fn the_same_seed_gives_the_same_order() {
    assert_eq!(outcomes(timers), outcomes(timers));
}

#[test]
fn callbacks_and_steps_keep_theirs() {
    let orders = outcomes(async || {
        let order: Rc<RefCell<Vec<u32>>> = Rc::default();
        for n in [0, 2] {
            let (soon, step) = (Rc::clone(&order), Rc::clone(&order));
            LoopHandle::current().call_soon(move || soon.borrow_mut().push(n));
            drop(create_task(async move { step.borrow_mut().push(n + 1) }));
        }
        yield_now().await;
        order.take()
    });
    assert!(orders.iter().all(|order| *order == [0, 1, 2, 3]));
}

#[test]
fn threads_are_heard_in_any_order_each_in_its_own() {
    let orders = outcomes(async || {
        let order: Arc<Mutex<Vec<(char, u32)>>> = Arc::default();
        for name in ['a', 'b', 'c'] {
            let (remote, order) = (LoopHandle::current().remote(), Arc::clone(&order));
            // One after the other: only the seed decides who is heard first.
            let send = move || {
                for n in 0..2 {
                    let order = Arc::clone(&order);
                    remote.call_soon_threadsafe(move || order.lock().unwrap().push((name, n))).unwrap();
                }
            };
            thread::spawn(send).join().unwrap();
        }
        yield_now().await;
        yield_now().await;
        let order = order.lock().unwrap().clone();
        assert_eq!(order.len(), 6);
        for name in ['a', 'b', 'c'] {
            let own: Vec<_> = order.iter().filter(|call| call.0 == name).map(|call| call.1).collect();
            assert_eq!(own, [0, 1], "{order:?}");
        }
        order
    });
    assert_eq!(orders[0].iter().map(|call| call.0).collect::<String>(), "aabbcc");
    let distinct: BTreeSet<_> = orders.iter().collect();
    assert!(distinct.len() > if cfg!(miri) { 3 } else { 15 }, "{distinct:?}");
}

#[test]
fn a_wake_from_a_thread_keeps_its_place_behind_that_thread_s_calls() {
    outcomes(async || {
        let (remote, called) = (LoopHandle::current().remote(), Arc::new(Mutex::new(false)));
        let (promise, future) = corio_future::concurrent::promise();
        let (inner, (go, wait)) = (Arc::clone(&called), std::sync::mpsc::channel());
        LoopHandle::current().call_soon(move || go.send(()).unwrap()); // When main waits.
        let thread = thread::spawn(move || {
            wait.recv().unwrap();
            remote.call_soon_threadsafe(move || *inner.lock().unwrap() = true).unwrap();
            promise.set_result(()).unwrap();
        });
        future.await.unwrap();
        assert!(*called.lock().unwrap());
        thread.join().unwrap();
    });
}

#[test]
fn all_tasks_is_a_set() {
    let orders = outcomes(async || {
        let tasks: Vec<_> = (0..4).map(|_| create_task(yield_now())).collect();
        let names: Vec<_> = LoopHandle::current().all_tasks().iter().map(|task| task.name()).collect();
        assert_eq!(names.len(), tasks.len() + 1);
        names
    });
    assert!(orders.iter().collect::<BTreeSet<_>>().len() > 3);
}

#[test]
fn the_end_of_a_run_cancels_in_any_order() {
    /// Notes its number when it is dropped.
    struct Note(u32, Rc<RefCell<Vec<u32>>>);
    impl Drop for Note {
        fn drop(&mut self) {
            self.1.borrow_mut().push(self.0);
        }
    }
    let ended: Rc<RefCell<Vec<u32>>> = Rc::default();
    let orders = RefCell::new(BTreeSet::new());
    test::run_seeds(SEEDS, async || {
        orders.borrow_mut().insert(ended.take());
        for n in 0..3 {
            let note = Note(n, Rc::clone(&ended));
            drop(create_task(async move {
                let _note = note;
                sleep(Duration::MAX).await;
            }));
        }
        yield_now().await;
    });
    assert!(orders.borrow().len() > 3, "{orders:?}");
}

#[test]
fn seeds_end_with_their_runs() {
    outcomes(async || ());
    assert!(!corio_seam::is_seeded());
    let panicked = catch_unwind(AssertUnwindSafe(|| test::run_seeds(3, async || assert!(!corio_seam::is_seeded()))));
    assert!(panicked.is_err());
    assert!(!corio_seam::is_seeded());
}

#[test]
fn the_first_seed_that_fails_is_the_last_that_runs() {
    let runs = Cell::new(0);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        test::run_seeds(10, async || {
            runs.set(runs.get() + 1);
            assert!(runs.get() < 4, "the fourth fails");
        });
    }));
    assert_eq!(corio_seam::Panic::new(outcome.unwrap_err()).message(), Some("the fourth fails"));
    assert_eq!(runs.get(), 4);
}

#[test]
fn a_closure_that_returns_a_future_will_do() {
    let runs = Rc::new(Cell::new(0));
    test::run_seeds(3, || {
        let runs = Rc::clone(&runs);
        async move { runs.set(runs.get() + 1) }
    });
    assert_eq!(runs.get(), 3);
}

#[test]
fn a_test_may_return_a_result() {
    test::run_seeds(2, async || Ok::<(), std::fmt::Error>(()));
}

#[test]
#[should_panic(expected = "the test returned an error")]
fn an_error_is_a_failure() {
    test::run_seeds(2, async || Err::<(), _>(std::fmt::Error));
}

#[test]
#[should_panic(expected = "under no seed")]
fn no_seed_is_no_test() {
    test::run_seeds(0, async || ());
}

#[test]
fn a_loop_made_before_the_seed_keeps_its_order() {
    let event_loop = EventLoop::new().unwrap();
    let _seeded = corio_seam::seed(7);
    let (remote, order) = (event_loop.remote(), Arc::new(Mutex::new(Vec::new())));
    for n in 0..5 {
        let (remote, order) = (remote.clone(), Arc::clone(&order));
        let send = move || remote.call_soon_threadsafe(move || order.lock().unwrap().push(n)).unwrap();
        thread::spawn(send).join().unwrap();
    }
    event_loop.run_once().unwrap();
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
}

/// Fails under some seeds; a child of the tests below, which alone ask for it.
#[test]
fn child_fails_under_some_seeds() {
    if std::env::var_os("CORIO_TEST_CHILD").is_none() {
        return;
    }
    let runs = Cell::new(0);
    test::run_seeds(20, async || {
        runs.set(runs.get() + 1);
        let order = timers().await;
        println!("run {}", runs.get());
        assert!(order[1] == 0, "the first one is not the first: {order:?}");
    });
}

#[cfg(all(unix, not(miri)))]
fn child(seed: Option<&str>) -> (bool, String) {
    let mut child = crate::this_program::this_program();
    child.args(["--exact", "seeds::child_fails_under_some_seeds", "--nocapture"]).env("CORIO_TEST_CHILD", "1");
    child.env_remove("CORIO_SEED").envs(seed.map(|seed| ("CORIO_SEED", seed)));
    let output = child.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

#[test]
#[cfg(all(unix, not(miri)))]
fn a_failure_names_its_seed_which_can_be_run_alone() {
    let (succeeded, text) = child(None);
    assert!(!succeeded);
    let (_, rest) = text.split_once("set CORIO_SEED=").unwrap_or_else(|| panic!("{text}"));
    let seed = rest.split_whitespace().next().unwrap();
    assert_ne!(seed, "0");
    let (succeeded, alone) = child(Some(seed));
    assert!(!succeeded && alone.contains("run 1") && !alone.contains("run 2"), "{alone}");
    assert!(alone.contains(&format!("set CORIO_SEED={seed}")), "{alone}");
    let (succeeded, first) = child(Some("0"));
    assert!(succeeded && !first.contains("run 2"), "{first}");
    let (succeeded, nonsense) = child(Some("seven"));
    assert!(
        !succeeded && nonsense.contains("CORIO_SEED is the number of the seed to run, not \"seven\""),
        "{nonsense}"
    );
}
