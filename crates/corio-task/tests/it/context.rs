use crate::kit::{Log, forever, run, run_alone, yield_now};
use corio_seam::{Context, ContextVar, Node, copy_context};
use corio_task::{TaskOptions, TaskSet, all_tasks, create_task, create_task_with, current_task};
use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context as Cx, Waker};

static NAME: ContextVar<&str> = ContextVar::new("name");
static THING: ContextVar<Rc<dyn std::any::Any>> = ContextVar::new("thing");

fn name() -> &'static str {
    NAME.get().unwrap_or("default")
}

async fn child(log: Log, tag: &'static str) {
    log.add(format!("{tag} sees {}", name()));
    NAME.set(tag);
    yield_now().await;
    log.add(format!("{tag} keeps {}", name()));
}

#[test]
fn conformance_07_task_context() {
    let log = Log::new();
    let out = log.clone();
    run_alone(async move {
        NAME.set("one");
        let callback = out.clone();
        corio_seam::call_soon(move || callback.add(format!("callback sees {}", name()))).unwrap();
        let first = create_task(child(out.clone(), "t1"));
        NAME.set("two");
        let second = create_task(child(out.clone(), "t2"));
        let (promise, future) = corio_future::promise();
        let called = out.clone();
        future.add_done_callback(move |_| called.add(format!("done cb sees {}", name())));
        NAME.set("three");
        promise.set_result(()).unwrap();
        first.await.unwrap();
        second.await.unwrap();
        out.add(format!("main sees {}", name()));
        let context = copy_context();
        create_task_with(TaskOptions::new().context(&context), child(out.clone(), "t3")).await.unwrap();
        out.add(format!("main sees {} | ctx holds {}", name(), context.get(&NAME).unwrap()));
    });
    let expected = [
        "callback sees one",
        "t1 sees one",
        "t2 sees two",
        "done cb sees two",
        "t1 keeps t1",
        "t2 keeps t2",
        "main sees three",
        "t3 sees three",
        "t3 keeps t3",
        "main sees three | ctx holds t3",
    ];
    assert_eq!(log.take(), expected);
}

#[test]
fn nothing_leaks_from_entry_to_entry() {
    let (set, log) = (TaskSet::new(), Log::new());
    let task = |tag: &'static str| {
        let log = log.clone();
        async move {
            for turn in 0..3 {
                log.add(format!("{tag}{turn} {}", name()));
                NAME.set(tag);
                yield_now().await;
            }
        }
    };
    let (one, two) = (set.spawn(task("a")), set.spawn(task("b")));
    let inner = log.clone();
    let sets_and_panics = Node::new(|| {
        NAME.set("callback");
        panic!("a callback's own affair");
    });
    assert!(set.push(sets_and_panics).is_ok());
    assert!(set.push(Node::new(move || inner.add(format!("callback {}", name())))).is_ok());
    run(&set, yield_now()).unwrap();
    run(&set, async { (one.await.unwrap(), two.await.unwrap()) }).unwrap();
    assert_eq!(log.take(), ["a0 default", "b0 default", "callback default", "a1 a", "b1 b", "a2 a", "b2 b"]);
    assert_eq!(name(), "default");
}

#[test]
fn a_task_that_ends_or_panics_leaves_nothing_behind() {
    let set = TaskSet::new();
    let ends = set.spawn(async { drop(NAME.set("ends")) });
    let panics = set.spawn(async {
        NAME.set("panics");
        panic!("in a task");
    });
    let sees = set.spawn(async { name() });
    let seen = run(&set, async {
        ends.await.unwrap();
        assert!(panics.await.is_err());
        sees.await.unwrap()
    });
    assert_eq!((seen.unwrap(), name()), ("default", "default"));
}

#[test]
fn a_thread_s_own_context_is_copied_by_tasks_and_hidden_from_callbacks() {
    std::thread::spawn(|| {
        NAME.set("thread");
        let (set, log) = (TaskSet::new(), Log::new());
        let before = set.spawn(async { name() });
        NAME.set("later");
        let inner = log.clone();
        let bare = Node::bare(move || {
            inner.add(name());
            NAME.set("lost");
        });
        assert!(set.push(bare).is_ok());
        let seen = run(&set, async {
            assert_eq!(name(), "later");
            NAME.set("main");
            yield_now().await;
            before.await.unwrap()
        });
        assert_eq!((seen.unwrap(), name()), ("thread", "later"));
        assert_eq!(log.take(), ["default"]);
    })
    .join()
    .unwrap();
}

#[test]
fn a_done_callback_runs_in_a_copy_or_in_the_context_it_was_given() {
    let log = Log::new();
    let out = log.clone();
    run_alone(async move {
        let task = create_task(yield_now());
        NAME.set("added");
        let (called, shared, given) = (out.clone(), out.clone(), Context::new());
        task.add_done_callback(move |_| {
            called.add(name());
            NAME.set("callback");
        });
        task.add_done_callback_in(&given, move |_| {
            shared.add(name());
            NAME.set("shared");
        });
        NAME.set("main");
        task.await.unwrap();
        yield_now().await;
        assert_eq!((name(), given.get(&NAME)), ("main", Some("shared")));
        let (late, done) = (out.clone(), create_task(async {}));
        yield_now().await;
        done.add_done_callback(move |_| late.add(name()));
        NAME.set("after");
        yield_now().await;
    });
    assert_eq!(log.take(), ["added", "default", "main"]);
}

#[test]
fn a_task_s_context_is_one_and_the_same_whoever_asks() {
    run_alone(async {
        let me = current_task().unwrap();
        let early = me.context();
        NAME.set("main");
        assert!(early == me.context());
        assert_eq!(early.get(&NAME), Some("main"));
        let other = Context::new();
        other.run(|| {
            assert!(me.context() == early);
            NAME.set("other");
            assert_eq!(name(), "other");
        });
        assert_eq!(name(), "main");

        let task = create_task(async { (name(), current_task().unwrap().context()) });
        let view = task.task_ref();
        let context = view.context();
        context.run(|| NAME.set("from outside"));
        let (seen, inside) = task.await.unwrap();
        assert_eq!(seen, "from outside");
        assert!(inside == context && context == view.context());
        assert_eq!(all_tasks().len(), 1);
    });
}

#[test]
fn a_context_first_entered_by_a_task_without_one_is_not_taken_for_its_own() {
    run_alone(async {
        let other = Context::new();
        let mine = other.run(|| {
            NAME.set("other");
            current_task().unwrap().context()
        });
        assert!(mine != other);
        assert_eq!(name(), "default");
        NAME.set("mine");
        yield_now().await;
        assert_eq!((name(), mine.get(&NAME), other.get(&NAME)), ("mine", Some("mine"), Some("other")));
    });
}

#[test]
fn a_callback_that_somebody_runs_inside_a_task_leaves_that_task_alone() {
    run_alone(async {
        Node::new(|| drop(NAME.set("lost"))).run();
        assert_eq!(name(), "default");
        yield_now().await;
        assert_eq!(name(), "default");
        NAME.set("mine");
        Node::bare(|| assert_eq!(NAME.get(), None)).run();
        assert_eq!(name(), "mine");
    });
}

#[test]
fn a_set_inside_a_task_has_contexts_of_its_own() {
    run_alone(async {
        let inner = TaskSet::new();
        let seen = run(&inner, async {
            NAME.set("inner");
            yield_now().await;
            name()
        });
        assert_eq!((seen.unwrap(), name()), ("inner", "default"));
        inner.enter(|| drop(NAME.set("outer's, for no task of the inner set runs")));
        yield_now().await;
        assert_ne!(name(), "default");
        NAME.set("outer");
        let task = inner.spawn(async { name() });
        assert_eq!(run(&inner, async { task.await.unwrap() }).unwrap(), "outer");
        assert_eq!(name(), "outer");
    });
    assert_eq!(name(), "default");
}

#[test]
fn two_tasks_may_share_a_context() {
    run_alone(async {
        let context = Context::new();
        let options = TaskOptions::new().context(&context);
        let writer = create_task_with(options.clone(), async {
            yield_now().await;
            NAME.set("shared");
        });
        let reader = create_task_with(options, async {
            yield_now().await;
            let before = name();
            yield_now().await;
            (before, name())
        });
        writer.await.unwrap();
        assert_eq!(reader.await.unwrap(), ("shared", "shared"));
        assert_eq!(name(), "default");
    });
}

#[test]
fn destructors_and_the_exception_handler_see_the_task_s_context() {
    struct SeenByDrop(Log);
    impl Drop for SeenByDrop {
        fn drop(&mut self) {
            self.0.add(format!("dropped in {}", name()));
        }
    }
    let (set, log) = (TaskSet::new(), Log::new());
    let handler = log.clone();
    set.set_report_handler(Some(Rc::new(move |_| handler.add(format!("reported in {}", name())))));
    let task = |tag: &'static str, panics: bool| {
        let guard = SeenByDrop(log.clone());
        async move {
            let _guard = guard;
            NAME.set(tag);
            yield_now().await;
            assert!(!panics, "as it should");
            forever().await;
        }
    };
    drop(set.spawn(task("detached", true)));
    let held = set.spawn(task("held", true));
    let cancelled = set.spawn(task("cancelled", false));
    let closed = set.spawn(task("closed", false));
    run(&set, async {
        yield_now().await;
        yield_now().await;
        cancelled.cancel();
        yield_now().await;
        NAME.set("main");
        drop(held);
        assert_eq!(name(), "main");
    })
    .unwrap();
    set.close();
    let expected = [
        "dropped in detached",
        "reported in detached",
        "dropped in held",
        "dropped in cancelled",
        "reported in held",
        "dropped in closed",
    ];
    assert_eq!(log.take(), expected);
    assert!(closed.cancelled());
}

#[test]
fn a_callback_s_panic_is_reported_in_its_context() {
    let (set, log) = (TaskSet::new(), Log::new());
    let handler = log.clone();
    set.set_report_handler(Some(Rc::new(move |_| handler.add(name()))));
    run(&set, async {
        corio_seam::call_soon(|| {
            NAME.set("made inside");
            panic!("one");
        })
        .unwrap();
        NAME.set("captured");
        corio_seam::call_soon(|| panic!("two")).unwrap();
        yield_now().await;
    })
    .unwrap();
    assert_eq!(log.take(), ["made inside", "captured"]);
}

/// Does something to a task, or with its waker, when dropped.
struct AtEnd(RefCell<Option<Box<dyn FnOnce()>>>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        if let Some(f) = self.0.take() {
            f();
        }
    }
}

#[test]
fn values_die_with_the_last_context_and_their_destructors_may_do_anything() {
    let dropped = Rc::new(Cell::new(0));
    let set = TaskSet::new();
    for held in [false, true] {
        let count = Rc::clone(&dropped);
        let task = set.spawn(std::future::poll_fn(move |cx| {
            let (waker, count) = (cx.waker().clone(), Rc::clone(&count));
            let at_end = move || {
                waker.wake_by_ref();
                drop(waker); // The last of the task's own wakers, inside the task's end.
                assert!(current_task().is_none_or(|task| !task.done()));
                NAME.set("from a destructor");
                count.set(count.get() + 1);
                panic!("and at last a panic");
            };
            THING.set(Rc::new(AtEnd(RefCell::new(Some(Box::new(at_end))))));
            std::task::Poll::Ready(())
        }));
        let task = held.then_some(task);
        run(&set, async move {
            yield_now().await;
            drop(task);
        })
        .unwrap();
    }
    assert_eq!(dropped.get(), 2);
    let seen = run(&set, async { name() });
    assert_eq!(seen.unwrap(), "default");
}

#[test]
fn the_set_as_a_plain_future_keeps_the_thread_s_context_apart() {
    std::thread::spawn(|| {
        NAME.set("thread");
        let set = TaskSet::new();
        let mut running = pin!(set.run_until(async {
            NAME.set("inside");
            forever().await;
        }));
        for _ in 0..3 {
            assert!(running.as_mut().poll(&mut Cx::from_waker(Waker::noop())).is_pending());
            assert_eq!(name(), "thread");
        }
    })
    .join()
    .unwrap();
}

#[test]
fn main_may_be_given_a_context() {
    let (set, context) = (TaskSet::new(), Context::new());
    for turn in 0..3_u32 {
        let options = TaskOptions::new().context(&context).name("main").eager(true);
        let ended = set.drive_with(options, async { (current_task().unwrap().name(), name()) }, |set| {
            set.run_batch();
            std::ops::ControlFlow::Continue(())
        });
        let expected = if turn == 0 { "default" } else { "kept" };
        assert_eq!(ended.unwrap().unwrap(), ("main".to_string(), expected));
        context.run(|| NAME.set("kept"));
    }
}
