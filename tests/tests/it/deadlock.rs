//! A loop that can never wake says so, and no other: one test for each thing that may still wake it.

use corio_combinators::{gather, timeout};
use corio_executor::{EventLoop, RunError, Runner, run, sleep};
use corio_future::promise;
use corio_queue::Queue;
use corio_sync::{Event, Lock};
use corio_task::{Task, catch_cancelled, create_task};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

/// Runs a future that can never end, and returns the tree.
#[track_caller]
fn stuck<T>(main: impl Future<Output = T>) -> String {
    match run(main) {
        Err(RunError::Deadlock(deadlock)) => deadlock.tree().to_string(),
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("it ended"),
    }
}

/// Sets something from another thread, a moment later: nothing but that wakes the loop.
fn later(f: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        f();
    });
}

// What is reported.

#[test]
fn hazard_49_a_task_awaits_itself() {
    let tree = stuck(async {
        let slot = Rc::new(RefCell::new(None::<corio_future::Future<()>>));
        let inner = Rc::clone(&slot);
        let task = create_task(async move {
            let me = inner.borrow().clone();
            drop(me.unwrap().await);
        })
        .named("narcissus");
        let shared = task.share();
        slot.replace(Some(shared.clone()));
        drop(shared.await);
    });
    assert!(tree.contains("cycle: shared task pending -> narcissus (task 2) -> shared task pending"), "{tree}");
}

#[test]
fn hazard_49_two_tasks_await_each_other() {
    let tree = stuck(async {
        let (left, right) = (Rc::new(Cell::new(None::<Task<()>>)), Rc::new(Cell::new(None::<Task<()>>)));
        let (one, two) = (Rc::clone(&left), Rc::clone(&right));
        let first = create_task(async move { drop(two.take().unwrap().await) }).named("first");
        let second = create_task(async move { drop(one.take().unwrap().await) }).named("second");
        left.set(Some(first));
        right.set(Some(second));
        Event::new().wait().await;
    });
    assert!(tree.contains("cycle: first (task 2) -> second (task 3) -> first (task 2)"), "{tree}");
    assert!(tree.contains("waits for Event.wait"), "{tree}");
}

#[test]
fn everything_of_ours_is_seen_through() {
    stuck(Event::new().wait());
    stuck(async {
        let queue = Queue::<u32>::new(0);
        queue.get().await
    });
    stuck(async {
        let lock = Lock::new();
        let _held = lock.acquire().await;
        drop(lock.acquire().await);
    });
    stuck(async {
        let (_promise, future) = promise::<()>();
        future.await
    });
    stuck(async {
        let event = Rc::new(Event::new());
        let wait = |event: &Rc<Event>| {
            let event = Rc::clone(event);
            async move { event.wait().await }
        };
        gather((wait(&event), wait(&event))).await.unwrap();
    });
    stuck(catch_cancelled(async { Event::new().wait().await }));
    stuck(timeout(Duration::MAX, async { Event::new().wait().await }));
}

#[test]
fn main_is_unwound_and_the_rest_is_cancelled() {
    struct Note(Rc<RefCell<Vec<&'static str>>>, &'static str);
    impl Drop for Note {
        fn drop(&mut self) {
            self.0.borrow_mut().push(self.1);
        }
    }
    let order = Rc::new(RefCell::new(Vec::new()));
    let (notes, child_notes) = (Rc::clone(&order), Rc::clone(&order));
    let ended = run(async move {
        let _child = create_task(async move {
            let _note = Note(Rc::clone(&child_notes), "child");
            drop(catch_cancelled(Event::new().wait()).await);
            sleep(Duration::from_millis(1)).await; // Cleanup that awaits is waited for.
            child_notes.borrow_mut().push("cleanup");
        });
        let _note = Note(notes, "main");
        Event::new().wait().await;
    });
    assert!(matches!(ended, Err(RunError::Deadlock(_))));
    assert_eq!(*order.borrow(), ["main", "cleanup", "child"]);
}

#[test]
fn a_runner_goes_on() {
    let runner = Runner::new();
    assert!(matches!(runner.run(Event::new().wait()), Err(RunError::Deadlock(_))));
    assert_eq!(runner.run(async { 7 }).unwrap(), 7);
    runner.close().unwrap();
}

#[test]
#[should_panic(expected = "deadlock: nothing can wake the event loop")]
fn a_test_panics_with_the_tree() {
    corio_executor::test::run(async { Event::new().wait().await });
}

#[test]
fn a_loop_without_anything_cannot_run_for_ever() {
    let event_loop = EventLoop::new().unwrap();
    let RunError::Deadlock(deadlock) = event_loop.run_forever().unwrap_err() else { panic!("another error") };
    assert_eq!(deadlock.to_string(), "deadlock: the event loop has nothing to do, and nobody can give it something");
    let remote = event_loop.remote();
    later(move || remote.stop().unwrap());
    event_loop.run_forever().unwrap();
}
