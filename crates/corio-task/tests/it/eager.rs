use crate::kit::{Log, OnDrop, forever, run, run_alone, yield_now};
use corio_seam::{Context, ContextVar, Node};
use corio_task::{
    JoinError, TaskOptions, TaskRef, TaskSet, all_tasks, catch_cancelled, create_task, create_task_with, current_task,
};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

static NAME: ContextVar<&str> = ContextVar::new("name");

fn eager() -> TaskOptions {
    TaskOptions::new().eager(true)
}

#[test]
fn one_that_does_not_suspend_is_done_at_once() {
    run_alone(async {
        let me = current_task();
        let seen = Rc::new(RefCell::new(None));
        let inner = Rc::clone(&seen);
        let mut task = create_task_with(eager(), async move {
            inner.replace(current_task().map(|task| (task.clone(), all_tasks().contains(&task))));
            "value"
        });
        let (inside, registered) = seen.take().unwrap();
        assert!(inside == task.task_ref() && registered);
        assert!(current_task() == me);
        assert!(task.done() && !task.cancelled());
        assert!(!all_tasks().contains(&inside));
        assert_eq!(task.take_output().unwrap().unwrap(), "value");
    });
}

#[test]
fn one_that_suspends_is_an_ordinary_task_from_then_on() {
    let log = Log::new();
    let out = log.clone();
    run_alone(async move {
        let inner = out.clone();
        let task = create_task_with(eager(), async move {
            inner.add("started");
            yield_now().await;
            inner.add("went on");
            7
        });
        out.add("made");
        assert!(!task.done() && all_tasks().contains(&task.task_ref()));
        yield_now().await;
        out.add("yielded");
        assert_eq!(task.await.unwrap(), 7);
    });
    assert_eq!(log.take(), ["started", "made", "went on", "yielded"]);
}

#[test]
fn done_callbacks_come_through_the_queue() {
    let log = Log::new();
    let out = log.clone();
    run_alone(async move {
        let (within, outside) = (out.clone(), out.clone());
        let task = create_task_with(eager(), async move {
            current_task().unwrap().add_done_callback(move |_| within.add("added inside"));
        });
        task.add_done_callback(move |_| outside.add("added outside"));
        out.add("made");
        yield_now().await;
    });
    assert_eq!(log.take(), ["made", "added inside", "added outside"]);
}

#[test]
fn a_panic_is_stored_not_raised() {
    let (set, reports) = (TaskSet::new(), Log::new());
    let handler = reports.clone();
    set.set_report_handler(Some(Rc::new(move |report| handler.add(report.message))));
    run(&set, async {
        let dropped = Log::new();
        let guard = OnDrop(dropped.clone(), "dropped");
        let task = create_task_with(eager(), async move {
            let _guard = guard;
            panic!("inside");
        });
        assert!(task.done() && task.task_ref().panicked());
        assert_eq!(dropped.take(), ["dropped"]);
        let JoinError::Panicked(panic) = task.await.unwrap_err() else { panic!("it panicked") };
        assert_eq!(panic.message(), Some("inside"));
        drop(create_task_with(eager(), async { panic!("and nobody looks") }));
    })
    .unwrap();
    assert_eq!(reports.take(), ["task exception was never retrieved"]);
}

#[test]
fn eager_tasks_nest() {
    fn nested(depth: u32) -> u32 {
        let me = current_task();
        let mut task = create_task_with(eager(), async move { if depth == 0 { 0 } else { nested(depth - 1) + 1 } });
        assert!(current_task() == me);
        task.take_output().unwrap().unwrap()
    }
    let depth = if cfg!(miri) { 10 } else { 200 };
    assert_eq!(run_alone(async move { nested(depth) }), depth);

    let log = Log::new();
    let out = log.clone();
    run_alone(async move {
        let (a, b) = (out.clone(), out.clone());
        let outer = create_task_with(eager(), async move {
            let inner = create_task_with(eager(), async move {
                yield_now().await;
                b.add("inner");
            });
            a.add("outer");
            inner.await.unwrap();
        });
        outer.await.unwrap();
    });
    assert_eq!(log.take(), ["outer", "inner"]);
}

#[test]
fn a_child_that_wakes_or_cancels_its_parent_finds_it_running() {
    let log = Log::new();
    let out = log.clone();
    let ended = run(&TaskSet::new(), async move {
        let steps = Rc::new(Cell::new(0));
        let count = Rc::clone(&steps);
        poll_fn(move |cx| {
            count.set(count.get() + 1);
            if count.get() > 1 {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            drop(create_task_with(eager(), async move { waker.wake() }));
            Poll::Pending
        })
        .await;
        assert_eq!(steps.get(), 2);

        let parent = current_task().unwrap();
        let inner = out.clone();
        let caught = catch_cancelled(async move {
            let child = create_task_with(eager(), async move { parent.cancel() });
            assert!(child.await.unwrap());
            inner.add("not delivered where nothing suspends");
            yield_now().await;
            inner.add("unreachable");
        });
        assert!(caught.await.is_err());
        out.add("delivered");
        current_task().unwrap().uncancel();
    });
    ended.unwrap();
    assert_eq!(log.take(), ["not delivered where nothing suspends", "delivered"]);
}

#[test]
fn one_that_cancels_itself_is_hit_at_its_first_suspension() {
    run_alone(async {
        let log = Log::new();
        let guard = OnDrop(log.clone(), "dropped");
        let task = create_task_with(eager(), async move {
            let _guard = guard;
            current_task().unwrap().cancel();
            yield_now().await;
        });
        assert!(!task.done(), "it is hit where it is suspended, by its next step");
        yield_now().await;
        assert!(task.cancelled());
        assert_eq!(log.take(), ["dropped"]);
        assert!(matches!(task.await, Err(JoinError::Cancelled(_))));

        let unsuspended = create_task_with(eager(), async { current_task().unwrap().cancel() });
        assert!(unsuspended.cancelled(), "a request that was never delivered wins over the value");
    });
}

#[test]
fn scopes_of_the_caller_are_not_the_child_s() {
    let ended = run(&TaskSet::new(), async {
        let caught = catch_cancelled(async {
            yield_now().await;
            let task = create_task_with(eager(), async {
                assert_eq!(corio_seam::cancelling(), 0);
                yield_now().await; // Noted in the child's own slot.
                "went on"
            });
            let handle = current_task().unwrap();
            handle.cancel();
            assert_eq!(corio_seam::cancelling(), 1);
            Some(task)
        });
        let task = caught.await.unwrap().unwrap();
        current_task().unwrap().uncancel();
        task.await.unwrap()
    });
    assert_eq!(ended.unwrap(), "went on");
}

#[test]
fn a_handle_may_go_at_any_time() {
    let log = Log::new();
    let out = log.clone();
    run_alone(async move {
        let value = |text| OnDrop(out.clone(), text);
        let (done, later) = (value("done"), value("later"));
        drop(create_task_with(eager(), async move { done }));
        out.add("dropped the first");
        drop(create_task_with(eager(), async move {
            yield_now().await;
            later
        }));
        out.add("dropped the second");
        yield_now().await;
        yield_now().await;
        let (kept, view) = (value("kept"), Rc::new(RefCell::new(None::<TaskRef>)));
        let inner = Rc::clone(&view);
        drop(create_task_with(eager(), async move {
            inner.replace(current_task());
            kept
        }));
        assert!(view.borrow().as_ref().unwrap().done());
    });
    assert_eq!(log.take(), ["done", "dropped the first", "dropped the second", "later", "kept"]);
}

#[test]
fn wakers_may_outlive_an_eager_task() {
    let waker = run_alone(async {
        let mut task = create_task_with(eager(), poll_fn(|cx| Poll::Ready(cx.waker().clone())));
        task.take_output().unwrap().unwrap()
    });
    waker.wake_by_ref();
    std::thread::spawn(move || drop(waker)).join().unwrap();
}

#[test]
fn only_what_the_set_runs_starts_eagerly() {
    let (set, started) = (TaskSet::new(), Rc::new(Cell::new(0)));
    let start = |set: &TaskSet| {
        let started = Rc::clone(&started);
        drop(set.spawn_with(eager(), async move { started.set(started.get() + 1) }));
    };
    start(&set);
    assert_eq!(started.get(), 0, "the set does not run");
    set.enter(|| start(&set));
    assert_eq!(started.get(), 0, "it does not run yet");
    run(&set, async {
        yield_now().await;
        assert_eq!(started.get(), 2);
        start(&set);
        assert_eq!(started.get(), 3);
        let inner = TaskSet::new();
        run(&inner, async {
            start(&set);
            assert_eq!(started.get(), 3, "another set runs, inside");
            start(&inner);
            assert_eq!(started.get(), 4);
        })
        .unwrap();
        yield_now().await;
        assert_eq!(started.get(), 5);
    })
    .unwrap();
}

#[test]
fn a_callback_may_start_one() {
    run_alone(async {
        let log = Log::new();
        let (out, inner) = (log.clone(), log.clone());
        corio_seam::call_soon(move || {
            drop(create_task_with(eager(), async move {
                inner.add("task");
                NAME.set("task's");
                yield_now().await;
                inner.add(NAME.get().unwrap());
            }));
            assert!(current_task().is_none() && NAME.get().is_none());
            out.add("callback");
        })
        .unwrap();
        yield_now().await;
        yield_now().await;
        assert_eq!(log.take(), ["task", "callback", "task's"]);
    });
}

#[test]
fn the_set_s_default_is_overridden_by_options() {
    let set = TaskSet::new();
    set.set_eager_tasks(true);
    run(&set, async {
        assert!(create_task(async {}).done());
        assert!(create_task_with(TaskOptions::new(), async {}).done());
        assert!(!create_task_with(TaskOptions::new().eager(false), async {}).done());
    })
    .unwrap();
    set.set_eager_tasks(false);
    run(&set, async { assert!(!create_task(async {}).done()) }).unwrap();
}

#[test]
fn contexts_are_swapped_too() {
    run_alone(async {
        NAME.set("parent");
        let given = Context::new();
        let task = create_task_with(eager(), async {
            assert_eq!(NAME.get(), Some("parent"));
            NAME.set("child");
            yield_now().await;
            NAME.get()
        });
        assert_eq!(NAME.get(), Some("parent"));
        drop(create_task_with(eager().context(&given), async {
            assert_eq!(NAME.get(), None);
            NAME.set("given");
        }));
        assert_eq!((NAME.get(), given.get(&NAME)), (Some("parent"), Some("given")));
        assert_eq!(task.await.unwrap(), Some("child"));
    });
}

#[test]
fn a_child_may_reach_for_the_context_of_its_parent() {
    run_alone(async {
        let parent = current_task().unwrap();
        let inner = parent.clone();
        drop(create_task_with(eager(), async move {
            let context = inner.context();
            context.run(|| NAME.set("by the child"));
            assert_eq!(NAME.get(), None);
        }));
        assert_eq!(NAME.get(), Some("by the child"));
        yield_now().await;
        assert_eq!(NAME.get(), Some("by the child"));
        assert_eq!(parent.context().get(&NAME), Some("by the child"));
    });
}

#[test]
fn misuse_inside_says_so_and_harms_nobody() {
    let set = Rc::new(TaskSet::new());
    let inner = Rc::clone(&set);
    run(&set, async {
        let runs_its_set = create_task_with(eager(), async move { inner.run_batch() });
        assert!(runs_its_set.task_ref().panicked());
        drop(runs_its_set.await.unwrap_err());
        let waits = create_task_with(eager(), forever());
        waits.cancel();
        assert!(matches!(waits.await, Err(JoinError::Cancelled(_))));
    })
    .unwrap();
    assert!(set.push(Node::new(|| ())).is_ok());
}
