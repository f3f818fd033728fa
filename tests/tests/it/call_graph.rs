//! Who waits for whom, through each thing that stands between.

use corio_combinators::{ReturnWhen, TaskGroup, gather, shield, wait};
use corio_executor::{sleep, test, yield_now};
use corio_sync::Event;
use corio_task::{Awaitable, CallGraph, capture_call_graph, create_task, current_task};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Appends who waits for a thing, and so on, by name. A task that is there to adapt another one is passed through.
fn walk(graph: &CallGraph, depth: usize, lines: &mut Vec<String>) {
    lines.push("  ".repeat(depth) + graph.name());
    let through = |waiter: CallGraph| if waiter.name() == "adapter" { waiter.awaited_by() } else { vec![waiter] };
    let mut waiters: Vec<_> = graph.awaited_by().into_iter().flat_map(through).collect();
    waiters.sort_by(|one, other| one.name().cmp(other.name()));
    waiters.iter().for_each(|waiter| walk(waiter, depth + 1, lines));
}

fn shown(of: &impl Awaitable) -> Vec<String> {
    let mut lines = Vec::new();
    walk(&capture_call_graph(of), 0, &mut lines);
    lines
}

/// As CPython prints it; but the parent of a group is seen to wait from the end of the group's body on, not all the while.
#[test]
fn c80_call_graph() {
    let lines = test::run(async {
        let event = Rc::new(Event::new());
        let leaf = |name: &str| {
            let event = Rc::clone(&event);
            create_task(async move { event.wait().await }).named(name)
        };
        let task = leaf("leaf");
        let reference = task.task_ref();
        let task = task.share();
        let (one, two, three) = (task.clone(), task.clone(), task.clone());
        let by_await = create_task(async move { drop(one.await) }).named("await");
        let by_gather = create_task(async move { drop(gather((two, sleep(Duration::ZERO))).await) }).named("gather");
        let by_wait = create_task(async move {
            let mut tasks = vec![create_task(three).named("adapter")]; // `wait` takes handles of tasks, and a task has one.
            drop(wait(&mut tasks, ReturnWhen::AllCompleted, None).await);
        })
        .named("wait");
        let by_shield = create_task(async move { drop(shield(task).await) }).named("shield");
        let waiters = [by_await, by_gather, by_wait, by_shield];
        let top = create_task(async move { drop(gather(waiters).await) }).named("top");
        for _ in 0..4 {
            yield_now().await;
        }
        let mut lines = shown(&reference);
        TaskGroup::run(async |group| {
            let child = group.create_task({
                let event = Rc::clone(&event);
                async move { event.wait().await }
            });
            child.set_name("child");
            current_task().unwrap().set_name("main");
            let (event, child) = (Rc::clone(&event), child.task_ref());
            let seen = Rc::new(RefCell::new(Vec::new()));
            let note = Rc::clone(&seen);
            let _asker = create_task(async move {
                yield_now().await;
                *note.borrow_mut() = shown(&child);
                event.set();
            });
            seen
        })
        .await
        .unwrap()
        .take()
        .into_iter()
        .for_each(|line| lines.push(line));
        top.await.unwrap();
        lines.extend(shown(&reference));
        lines
    });
    let expected = "leaf\n  await\n    top\n  gather\n    top\n  shield\n    top\n  wait\n    top\nchild\n  main\nleaf";
    assert_eq!(lines.join("\n"), expected);
}
