use crate::kit::{forever, yield_now};
use corio_task::{TaskSet, create_task};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

#[test]
fn a_set_is_a_future_that_any_block_on_can_poll() {
    let set = TaskSet::new();
    let sum = pollster::block_on(set.run_until(async {
        let tasks: Vec<_> = (0..10).map(|n| create_task(async move { n })).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    }));
    assert_eq!(sum.unwrap(), 45);
}

#[test]
fn a_set_that_is_polled_wakes_for_other_threads() {
    let set = TaskSet::new();
    let remote = set.remote();
    let (promise, future) = corio_future::concurrent::promise();
    let caller = thread::spawn(move || {
        remote.call(Box::new(|| create_task(async {}).set_name("from elsewhere"))).ok().unwrap();
        promise.set_result(3).unwrap();
    });
    assert_eq!(pollster::block_on(set.run_until(future)).unwrap().unwrap(), 3);
    caller.join().unwrap();
}

#[test]
fn a_busy_set_lets_its_runtime_have_a_turn() {
    let set = TaskSet::new();
    drop(set.spawn(async {
        loop {
            yield_now().await;
        }
    }));
    let value = pollster::block_on(set.run_until(async {
        for _ in 0..1000 {
            yield_now().await;
        }
        1
    }));
    assert_eq!(value.unwrap(), 1);
}

#[test]
fn misuse_is_a_panic_with_a_sentence() {
    let set = TaskSet::new();
    let inside = set.drive(
        async {
            let nested = catch_unwind(AssertUnwindSafe(|| set.run_batch()));
            let closed = catch_unwind(AssertUnwindSafe(|| set.close()));
            (nested.is_err(), closed.is_err())
        },
        |set| {
            set.run_batch();
            std::ops::ControlFlow::Continue(())
        },
    );
    assert_eq!(inside.unwrap().unwrap(), (true, true));
    set.close();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(set.spawn(forever())))).is_err());
    let after = catch_unwind(AssertUnwindSafe(|| {
        set.drive(async {}, |_| std::ops::ControlFlow::Continue(()));
    }));
    assert!(after.is_err());
}

#[test]
fn a_set_inside_a_task_of_another() {
    let outer = TaskSet::new();
    let value = pollster::block_on(outer.run_until(async {
        let inner = TaskSet::new();
        let name = inner.run_until(async { corio_task::current_task().unwrap().name() }).await.unwrap();
        (name, corio_task::current_task().unwrap().id().set() == corio_seam::loop_id().unwrap())
    }));
    assert_eq!(value.unwrap(), ("Task-1".to_string(), true));
}

#[test]
fn a_loops_value_is_made_once_and_dies_with_the_set() {
    let set = TaskSet::new();
    let value = set.enter(|| corio_seam::local(|| 5_u8)).unwrap();
    assert_eq!(set.enter(|| corio_seam::local(|| 6_u8)).as_deref(), Some(&5));
    assert_eq!(std::rc::Rc::strong_count(&value), 2);
    set.close();
    assert_eq!(std::rc::Rc::strong_count(&value), 1);
    assert!(corio_seam::local(|| 7_u8).is_none());
}
