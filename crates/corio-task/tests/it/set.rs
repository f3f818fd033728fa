use crate::kit::{Gone, forever, run, run_alone, yield_now};
use corio_seam::{Alarm, Timer, Waitable};
use corio_task::{JoinError, SleepTimer, TaskOptions, TaskSet, create_task, create_task_with};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Waker;
use std::thread;
use std::time::Duration;

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
        for _ in 0..if cfg!(miri) { 200 } else { 1_000 } {
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

#[test]
fn a_foreign_sleep_can_be_taken_back_once() {
    let asked = Rc::new(Cell::new(0));
    let counted = Rc::clone(&asked);
    let timer = SleepTimer::new(move |_| {
        counted.set(counted.get() + 1);
        std::future::pending()
    });
    let set = TaskSet::with_timer(Rc::clone(&timer) as Rc<dyn Timer>);
    run(&set, async {
        let key = timer.arm(timer.now() + Duration::from_secs(1), Alarm::Wake(Waker::noop().clone()));
        assert!(timer.poll(key, Waker::noop()).is_pending());
        assert!(timer.disarm(key));
        assert!(!timer.disarm(key));
        assert!(timer.poll(key, Waker::noop()).is_ready());
    })
    .unwrap();
    assert_eq!(asked.get(), 1);
}

#[test]
fn the_seam_leads_to_the_set_from_elsewhere() {
    let set = TaskSet::new();
    let called = run(&set, async {
        let remote = corio_seam::remote().expect("a set runs here");
        assert_eq!(Some(remote.loop_id()), corio_seam::loop_id());
        let (call, called) = mpsc::channel();
        thread::spawn(move || remote.call(Box::new(move || call.send(7).unwrap())).is_ok()).join().unwrap();
        yield_now().await;
        yield_now().await;
        called.try_recv()
    });
    assert_eq!(called.unwrap(), Ok(7));
    assert!(corio_seam::remote().is_none());
}

#[test]
fn the_memory_of_a_set_goes_with_the_last_that_needs_it() {
    let gone = Arc::new(AtomicBool::new(false));
    let set = TaskSet::new();
    set.set_bell(Arc::new(Gone(Arc::clone(&gone))));
    let over: Vec<_> = (0..5).map(|n| set.spawn(async move { n })).collect();
    run(&set, yield_now()).unwrap();
    drop(over);
    let (left, kept) = (set.spawn(std::future::pending::<()>()), set.spawn(async {}));
    run(&set, yield_now()).unwrap();
    drop(set);
    drop((left, kept));
    assert!(gone.load(Ordering::SeqCst));
}

/// A future of 200 KiB, on a stack of 2 MiB without optimisation: each function on the way would keep a copy.
#[test]
fn a_large_future_is_put_into_a_box_as_it_comes_in() {
    async fn large(fill: u8) -> u8 {
        let bytes = [fill; 200 * 1024];
        yield_now().await;
        bytes[usize::from(fill)]
    }
    let stack = thread::Builder::new().stack_size(2 << 20);
    let ended = stack.spawn(|| {
        let set = TaskSet::new();
        let (plain, with) = (set.spawn(large(1)), set.spawn_with(TaskOptions::new(), large(2)));
        let tasks = async {
            let inside = (create_task(large(3)), create_task_with(TaskOptions::new(), large(4)));
            [plain.await.ok(), with.await.ok(), inside.0.await.ok(), inside.1.await.ok()]
        };
        assert_eq!(run(&set, tasks).ok(), Some([1, 2, 3, 4].map(Some)));
    });
    ended.unwrap().join().unwrap();
}

#[test]
fn a_handle_is_cancelled_as_what_somebody_waits_for() {
    run_alone(async {
        let task = create_task(std::future::pending::<()>());
        assert!(Waitable::cancel(&task, Some("enough".into())));
        assert!(matches!(task.await, Err(JoinError::Cancelled(cancelled)) if cancelled.message() == Some("enough")));
    });
}
