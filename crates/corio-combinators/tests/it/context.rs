use crate::kit::{run, yield_now};
use corio_combinators::{TaskGroup, gather, timeout_scope};
use corio_seam::{Context, ContextVar};
use corio_task::{Task, TaskOptions, create_task, create_task_with};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

static NAME: ContextVar<&str> = ContextVar::new("name");

fn name() -> &'static str {
    NAME.get().unwrap_or("default")
}

fn eager() -> TaskOptions {
    TaskOptions::new().eager(true)
}

#[test]
fn a_group_starts_children_with_options() {
    run(async {
        let context = Context::new();
        TaskGroup::run(async |group| {
            let first =
                group.create_task_with(eager().name("first").context(&context), async { drop(NAME.set("child")) });
            assert!(first.done() && first.name() == "first");
            let second = group.create_task_with(eager(), async {
                yield_now().await;
                2
            });
            assert!(!second.done());
            assert_eq!(second.await.unwrap(), 2);
        })
        .await
        .unwrap();
        assert_eq!((name(), context.get(&NAME)), ("default", Some("child")));
    });
}

#[test]
fn an_eager_child_that_fails_at_once_aborts_the_group_at_the_body_s_next_suspension() {
    run(async {
        let reached = Rc::new(Cell::new(false));
        let inner = Rc::clone(&reached);
        let failed = TaskGroup::run(async |group| {
            let _child = group.create_task_with(eager(), async { Err::<(), _>("no") });
            inner.set(true);
            drop(group.create_task_with(eager(), async {}));
            std::future::pending::<()>().await;
        });
        assert_eq!(failed.await.unwrap_err().failures()[0].to_string(), "no");
        assert!(reached.get());
    });
}

#[test]
fn a_gather_of_tasks_that_are_done_is_done() {
    run(async {
        let done = |n: u32| -> Task<u32> { create_task_with(eager(), async move { n }) };
        let both = gather((done(1), done(2)));
        assert!(both.done());
        assert_eq!(both.await.unwrap(), (1, 2));
    });
}

#[test]
fn what_stands_in_place_shares_the_caller_s_context_and_tasks_copy_it() {
    run(async {
        NAME.set("caller");
        let scoped = timeout_scope(Duration::from_secs(1), async |_| drop(NAME.set("scope")));
        scoped.await.unwrap();
        assert_eq!(name(), "scope");
        let writes = async || {
            assert_eq!(name(), "scope");
            NAME.set("child");
        };
        gather((writes(), writes())).await.unwrap();
        assert_eq!(name(), "scope");
    });
}

#[test]
fn callbacks_of_a_gather_have_contexts() {
    run(async {
        let (context, seen) = (Context::new(), Rc::new(Cell::new("")));
        let both = gather((create_task(yield_now()), create_task(yield_now())));
        NAME.set("added");
        let inner = Rc::clone(&seen);
        both.add_done_callback(move || inner.set(name()));
        both.add_done_callback_in(&context, || drop(NAME.set("given")));
        NAME.set("main");
        both.await.unwrap();
        yield_now().await;
        assert_eq!((seen.get(), context.get(&NAME), name()), ("added", Some("given"), "main"));
    });
}

#[test]
fn hazard_48_an_eager_child_is_in_its_group_before_its_first_poll() {
    run(async {
        let ended = TaskGroup::run_to_cancel(async |group: TaskGroup| {
            let itself = group.clone();
            let child = group.create_task_with(eager(), async move {
                itself.cancel(); // It asks its own task as well, which is hit at its first suspension.
                std::future::pending::<()>().await; // It is hit here,
            });
            assert!(group.try_create_task(async {}).is_err());
            assert!(!child.done());
            std::future::pending::<()>().await; // and the body here.
        });
        assert_eq!(ended.await.unwrap(), None);
    });
}
