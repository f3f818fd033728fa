//! Contexts on a loop: what each kind of callback sees, who shares what, and that nothing leaks.

use corio_executor::{EventLoop, LoopHandle, Runner, sleep, test, yield_now};
use corio_seam::{Context, ContextVar, copy_context};
use corio_task::{TaskOptions, create_task, create_task_with};
use std::cell::RefCell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

static NAME: ContextVar<&str> = ContextVar::new("name");
static REQUEST: ContextVar<u32> = ContextVar::for_threads("request");
const SECOND: Duration = Duration::from_secs(1);

fn name() -> &'static str {
    NAME.get().unwrap_or("default")
}

/// What was seen, in order.
#[derive(Clone, Default)]
struct Seen(Rc<RefCell<Vec<&'static str>>>);

impl Seen {
    /// Returns a callback that notes the name it sees, and leaves another one.
    fn look(&self) -> impl FnOnce() + use<> {
        let seen = self.clone();
        move || {
            seen.0.borrow_mut().push(name());
            NAME.set("a callback's");
        }
    }

    fn take(&self) -> Vec<&'static str> {
        self.0.take()
    }
}

#[test]
fn callbacks_see_a_copy_of_the_context_they_were_scheduled_in() {
    test::run(async {
        let (event_loop, seen) = (LoopHandle::current(), Seen::default());
        event_loop.call_soon(seen.look());
        for (moment, value) in (1..).zip(["one", "two", "three"]) {
            NAME.set(value);
            event_loop.call_later(SECOND * moment, seen.look());
            event_loop.call_at(event_loop.time() + SECOND * (moment + 10), seen.look());
        }
        event_loop.call_soon(seen.look());
        event_loop.remote().call_soon_threadsafe(|| assert_eq!(name(), "three")).unwrap();
        NAME.set("main");
        sleep(SECOND * 20).await;
        assert_eq!(seen.take(), ["default", "three", "one", "two", "three", "one", "two", "three"]);
        assert_eq!(name(), "main");
    });
}

#[test]
fn callbacks_share_a_context_that_they_are_given() {
    test::run(async {
        let (event_loop, seen, context) = (LoopHandle::current(), Seen::default(), Context::new());
        NAME.set("main");
        event_loop.call_soon_in(&context, seen.look());
        event_loop.call_later_in(&context, SECOND, seen.look());
        event_loop.call_at_in(&context, event_loop.time() + SECOND * 2, seen.look());
        sleep(SECOND * 3).await;
        assert_eq!(seen.take(), ["default", "a callback's", "a callback's"]);
        assert_eq!((name(), context.get(&NAME)), ("main", Some("a callback's")));
    });
}

#[test]
fn a_handle_knows_the_context_of_its_callback() {
    test::run(async {
        let (event_loop, seen) = (LoopHandle::current(), Seen::default());
        let soon = event_loop.call_soon(seen.look()).context();
        let later = event_loop.call_later(SECOND, seen.look()).context();
        soon.run(|| NAME.set("soon"));
        later.run(|| NAME.set("later"));
        NAME.set("main");
        let copied = event_loop.call_soon(|| ()).context();
        sleep(SECOND * 2).await;
        assert_eq!(seen.take(), ["soon", "later"]);
        assert_eq!((soon.get(&NAME), copied.get(&NAME)), (Some("a callback's"), Some("main")));
        let given = Context::new();
        assert!(event_loop.call_soon_in(&given, || ()).context() == given);
    });
}

#[test]
fn the_exception_handler_runs_in_the_context_of_whose_error_it_is() {
    test::run(async {
        let (event_loop, seen) = (LoopHandle::current(), Rc::new(RefCell::new(Vec::new())));
        let inner = Rc::clone(&seen);
        event_loop.set_exception_handler(move |_| inner.borrow_mut().push(name()));
        event_loop.call_soon(|| {
            NAME.set("made inside");
            panic!("with a handle, in no context");
        });
        NAME.set("captured");
        event_loop.call_soon(|| panic!("with a handle"));
        event_loop.call_later(SECOND, || panic!("by a timer"));
        drop(create_task(async {
            NAME.set("task");
            panic!("in a task that nobody holds")
        }));
        NAME.set("main");
        sleep(SECOND * 2).await;
        assert_eq!(*seen.borrow(), ["made inside", "captured", "task", "captured"]);
    });
}

#[test]
fn a_value_that_dies_with_its_callback_leaves_nothing_behind() {
    struct SetsWhenDropped;
    impl Drop for SetsWhenDropped {
        fn drop(&mut self) {
            NAME.set("from a destructor");
        }
    }
    static VALUE: ContextVar<Rc<SetsWhenDropped>> = ContextVar::new("value");
    test::run(async {
        let (event_loop, seen) = (LoopHandle::current(), Seen::default());
        event_loop.call_soon(|| drop(VALUE.set(Rc::new(SetsWhenDropped))));
        event_loop.call_soon(seen.look());
        drop(create_task(async { drop(VALUE.set(Rc::new(SetsWhenDropped))) }));
        let task = create_task(async { name() });
        assert_eq!(task.await.unwrap(), "default");
        assert_eq!(seen.take(), ["default"]);
    });
}

#[test]
fn from_other_threads_come_the_values_that_may() {
    test::run(async {
        let remote = LoopHandle::current().remote();
        NAME.set("main");
        REQUEST.set(1);
        let (promise, called) = corio_future::concurrent::promise();
        let sender = thread::spawn(move || {
            NAME.set("thread");
            REQUEST.set(7);
            remote.call_soon_threadsafe(move || promise.set_result((name(), REQUEST.get())).unwrap()).unwrap();
            remote.run_coroutine_threadsafe(|| async {
                yield_now().await;
                (name(), REQUEST.get())
            })
        });
        assert_eq!(called.await.unwrap(), ("default", Some(7)));
        let task = sender.join().unwrap().unwrap();
        assert_eq!(task.await.unwrap(), ("default", Some(7)));
        assert_eq!((name(), REQUEST.get()), ("main", Some(1)));
    });
}

#[test]
fn runs_of_a_runner_share_one_context() {
    let in_a_thread = thread::spawn(|| {
        NAME.set("thread");
        let runner = Runner::new();
        runner.event_loop().unwrap();
        NAME.set("set too late");
        assert_eq!(runner.run(async { name() }).unwrap(), "thread");
        runner.run(async { drop(NAME.set("first run")) }).unwrap();
        assert_eq!(runner.run(async { name() }).unwrap(), "first run");
        let given = Context::new();
        let seen = runner.run_in(&given, async { NAME.set("given").old_value() });
        assert_eq!((seen.unwrap(), given.get(&NAME)), (None, Some("given")));
        assert_eq!(runner.run(async { name() }).unwrap(), "first run");
        assert_eq!(name(), "set too late");
    });
    in_a_thread.join().unwrap();
}

#[test]
fn what_a_run_sets_the_next_sees_also_where_nothing_was_set_before() {
    let in_a_thread = thread::spawn(|| {
        for runs_before in [0, 1] {
            let runner = Runner::new();
            (0..runs_before).for_each(|_| assert_eq!(runner.run(async { name() }).unwrap(), "default"));
            runner.run(async { drop(NAME.set("a run's")) }).unwrap();
            assert_eq!(runner.run(async { name() }).unwrap(), "a run's");
            assert_eq!(name(), "default");
        }
    });
    in_a_thread.join().unwrap();
}

#[test]
fn a_loop_without_a_runner_copies_the_thread_s_context_for_each_run() {
    let in_a_thread = thread::spawn(|| {
        let event_loop = EventLoop::new().unwrap();
        for value in ["one", "two"] {
            NAME.set(value);
            let main = async { NAME.set("main").old_value() };
            assert_eq!(event_loop.run_until_complete(main).unwrap(), Some(value));
            assert_eq!(name(), value);
        }
    });
    in_a_thread.join().unwrap();
}

#[test]
fn a_loop_starts_tasks_with_options() {
    test::run(async {
        let (event_loop, context) = (LoopHandle::current(), copy_context());
        let options = TaskOptions::new().name("n").context(&context).eager(true);
        let task = event_loop.create_task_with(options, async { drop(NAME.set("task")) });
        assert!(task.done() && task.name() == "n");
        assert_eq!((name(), context.get(&NAME)), ("default", Some("task")));
        event_loop.set_eager_tasks(true);
        assert!(create_task(async {}).done() && event_loop.create_task(async {}).done());
        assert!(!create_task_with(TaskOptions::new().eager(false), async {}).done());
    });
}

#[test]
fn a_loop_that_does_not_run_starts_no_task_eagerly() {
    let event_loop = EventLoop::new().unwrap();
    event_loop.set_eager_tasks(true);
    let task = event_loop.create_task(async {});
    assert!(!task.done());
    event_loop.run_until_complete(task).unwrap().unwrap();
}
