use crate::kit::{Log, run, run_alone, yield_now};
use corio_task::{TaskSet, all_tasks, create_task, current_task};
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

#[test]
fn tasks_start_in_order_and_take_turns() {
    let log = Log::new();
    let lines = log.clone();
    run_alone(async move {
        let tasks: Vec<_> = ["a", "b", "c"]
            .into_iter()
            .map(|name| {
                let log = log.clone();
                create_task(async move {
                    for step in 0..2 {
                        log.add(format!("{name}{step}"));
                        yield_now().await;
                    }
                })
            })
            .collect();
        log.add("main");
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(lines.take(), ["main", "a0", "b0", "c0", "a1", "b1", "c1"]);
}

#[test]
fn done_callbacks_run_in_order_and_never_at_once() {
    let log = Log::new();
    let lines = log.clone();
    run_alone(async move {
        let task = create_task(async { 1 });
        for name in ["first", "second"] {
            let log = log.clone();
            task.add_done_callback(move |task| log.add(format!("{name} {}", task.done())));
        }
        let removed = task.add_done_callback(|_| unreachable!("it was taken back"));
        assert!(task.remove_done_callback(removed));
        assert!(!task.remove_done_callback(removed));
        yield_now().await;
        log.add("ended");
        yield_now().await;
        log.add("told");
        let late = log.clone();
        task.add_done_callback(move |_| late.add("late"));
        log.add("added");
        yield_now().await;
    });
    assert_eq!(lines.take(), ["ended", "first true", "second true", "told", "added", "late"]);
}

#[test]
fn awaiting_costs_one_iteration_a_task() {
    let set = TaskSet::new();
    let mut iterations = 0;
    let main = async {
        let inner = create_task(async {
            let innermost = create_task(async { 7 });
            innermost.await.unwrap()
        });
        inner.await.unwrap()
    };
    let value = set.drive(main, |set| {
        iterations += 1;
        set.run_batch();
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(value.unwrap().unwrap(), 7);
    // main; inner; innermost; inner again; main again; and the one in which the end is noticed.
    assert_eq!(iterations, 6);
}

#[test]
fn awaiting_what_is_over_does_not_yield() {
    let log = Log::new();
    let lines = log.clone();
    run_alone(async move {
        let task = create_task(async { 5 });
        yield_now().await;
        let other = log.clone();
        let _detached = create_task(async move { other.add("other") });
        assert_eq!(task.await.unwrap(), 5);
        log.add("main");
        yield_now().await;
    });
    assert_eq!(lines.take(), ["main", "other"]);
}

#[test]
fn the_current_task_and_all_tasks_are_known() {
    run_alone(async {
        let task = create_task(async {
            let me = current_task().expect("a task runs");
            (me.name(), all_tasks().len())
        })
        .named("worker");
        assert_eq!(task.await.unwrap(), ("worker".to_string(), 2));
        assert_eq!(current_task().unwrap().name(), "Task-1");
    });
    assert!(current_task().is_none());
    assert!(all_tasks().is_empty());
}

#[test]
fn what_a_task_waits_for_is_known() {
    run_alone(async {
        let inner = create_task(crate::kit::forever()).named("inner");
        let inner_ref = inner.task_ref();
        let outer = create_task(inner);
        yield_now().await;
        let waits = outer.task_ref().waiting_on().expect("it waits for a task of ours");
        assert!(waits.contains("\"inner\" pending"), "{waits}");
        assert_eq!(inner_ref.waiting_on(), None);
    });
}

/// A future that is waited for stands in the task's word as one of its references, until the task goes on, is cancelled, gets
/// a root scope or waits for a second thing.
#[test]
fn a_future_that_is_waited_for_is_held_once() {
    run_alone(async {
        let (promise, future) = corio_future::promise::<u32>();
        let cell = future.waitable();
        let held = || Rc::strong_count(&cell) - 3; // The promise's, the future's, and ours.
        let task = create_task(future);
        assert_eq!(held(), 0);
        yield_now().await;
        assert_eq!((held(), task.task_ref().waiting_on().as_deref()), (1, Some("future pending")));
        assert_eq!(held(), 1); // What was looked at is not held.
        let named = task.named("with a root scope");
        assert_eq!((held(), named.task_ref().waiting_on().as_deref()), (1, Some("future pending")));
        promise.set_result(7).unwrap();
        assert_eq!((named.await.unwrap().unwrap(), Rc::strong_count(&cell)), (7, 1));

        let (_promise, future) = corio_future::promise::<u32>();
        let cell = future.waitable();
        let task = create_task(future);
        yield_now().await;
        assert!(task.cancel());
        assert!(task.await.unwrap_err().is_cancelled() && cell.is_over());
        assert_eq!(Rc::strong_count(&cell), 2);

        let ((_one, first), (_two, second)) = (corio_future::promise::<u32>(), corio_future::promise::<u32>());
        let (cell, other) = (first.waitable(), second.waitable());
        let task = create_task(async {
            let (mut first, mut second) = (pin!(first), pin!(second));
            poll_fn(|cx| match first.as_mut().poll(cx) {
                Poll::Ready(_) => Poll::Ready(()),
                Poll::Pending => second.as_mut().poll(cx).map(drop),
            })
            .await;
        });
        yield_now().await;
        assert_eq!(task.task_ref().waiting_on().as_deref(), Some("several"));
        assert_eq!((Rc::strong_count(&cell), Rc::strong_count(&other)), (3, 3));
        assert!(task.cancel());
        assert!(task.await.unwrap_err().is_cancelled() && !cell.is_over());
        assert_eq!((Rc::strong_count(&cell), Rc::strong_count(&other)), (2, 2));
    });
}

#[test]
fn the_main_future_may_borrow() {
    let mut numbers = vec![1, 2];
    let sum = run(&TaskSet::new(), async {
        numbers.push(3);
        yield_now().await;
        numbers.iter().sum::<i32>()
    });
    assert_eq!(sum.unwrap(), 6);
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn an_output_can_be_looked_at_and_then_taken() {
    run_alone(async {
        let mut task = create_task(async { String::from("here") });
        assert_eq!(task.output(), None);
        yield_now().await;
        assert_eq!(task.output().map(String::as_str), Some("here"));
        assert_eq!(task.take_output().unwrap().unwrap(), "here");
        assert_eq!(task.output(), None);
    });
}

/// Whoever awaits a task is woken, whatever else is noted at it, and whether it is a task of ours or not.
#[test]
fn whoever_awaits_is_woken_with_callbacks_and_without() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    for with_callback in [false, true] {
        let (set, count) = (TaskSet::new(), Arc::new(Count(AtomicUsize::new(0))));
        let called = Rc::new(Cell::new(0));
        let mut task = set.spawn(async { 7 });
        let waker = Waker::from(Arc::clone(&count));
        assert!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
        if with_callback {
            let called = Rc::clone(&called);
            task.add_done_callback(move |_| called.set(called.get() + 1));
        }
        set.run_batch();
        set.run_batch();
        assert_eq!((count.0.load(Ordering::Relaxed), called.get()), (1, u32::from(with_callback)));

        let called = Rc::new(Cell::new(0));
        let awaited = set.spawn(async { yield_now().await });
        let task = awaited.task_ref();
        let awaiter = set.spawn(awaited);
        set.run_batch();
        if with_callback {
            let called = Rc::clone(&called);
            task.add_done_callback(move |_| called.set(called.get() + 1));
        }
        while set.has_ready() {
            set.run_batch();
        }
        assert_eq!((awaiter.done(), called.get()), (true, u32::from(with_callback)));
    }
}
