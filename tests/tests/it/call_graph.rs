//! Who waits for whom, through each thing that stands between.

use corio_combinators::{ReturnWhen, TaskGroup, WaitSet, as_completed, gather, join, shield, timeout, wait};
use corio_executor::{sleep, test, yield_now};
use corio_future::concurrent;
use corio_queue::Queue;
use corio_sync::{Event, Semaphore};
use corio_task::{Awaitable, CallGraph, Task, capture_call_graph, catch_cancelled, create_task, current_task};
use std::cell::RefCell;
use std::future::pending;
use std::pin::Pin;
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

/// Starts a task for each future, lets them come to rest, and returns by what the graph says that each waits.
async fn rest(futures: Vec<Pin<Box<dyn Future<Output = ()>>>>) -> Vec<String> {
    let tasks: Vec<_> = futures.into_iter().map(create_task).collect();
    for _ in 0..5 {
        yield_now().await;
    }
    let seen = |task: &Task<()>| {
        let graph = capture_call_graph(task);
        graph.waits_for().iter().map(|thing| thing.name().to_string()).collect::<Vec<_>>().join(", ")
    };
    let seen = tasks.iter().map(seen).collect();
    tasks.iter().for_each(|task| _ = task.cancel());
    seen
}

/// Tasks that wait for each thing that stands between, and for each that stands at the end.
#[test]
fn everything_is_shown() {
    fn child(name: &str) -> Task<()> {
        create_task(pending()).named(name)
    }
    let seen = test::run(async {
        let queue = Queue::<u32>::new(1);
        queue.put_nowait(1).unwrap();
        let (empty, semaphore) = (Queue::<u32>::new(0), Semaphore::new(0));
        let (_promise, other) = concurrent::promise::<()>();
        rest(vec![
            Box::pin(async { child("awaited").await.unwrap() }),
            Box::pin(async { drop(gather((child("one"), child("two"))).await) }),
            Box::pin(async { drop(gather((gather((child("deep"),)), child("flat"))).await) }),
            Box::pin(async { drop(shield(child("shielded")).await) }),
            Box::pin(async { drop(wait(&mut vec![child("x"), child("y")], ReturnWhen::AllCompleted, None).await) }),
            Box::pin(async {
                let mut set: WaitSet<_> = [child("x"), child("y")].into_iter().collect();
                drop(set.wait(ReturnWhen::FirstCompleted, None).await);
            }),
            Box::pin(async { drop(as_completed([child("x"), child("y")]).next().await) }),
            Box::pin(async {
                let group = TaskGroup::run(async |group| drop(group.create_task(pending::<()>()).named("member")));
                group.await.unwrap();
            }),
            Box::pin(async { drop(timeout(Duration::from_secs(9), child("limited")).await) }),
            Box::pin(async { drop(catch_cancelled(child("caught")).await) }),
            Box::pin(async { drop(join((child("left"), child("right"))).await) }),
            Box::pin(async { drop(join((0..40).map(|_| child("many"))).await) }),
            Box::pin(async move { queue.put(2).await.unwrap() }),
            Box::pin(async move { _ = empty.get().await }),
            Box::pin(async move { drop(semaphore.acquire().await) }),
            Box::pin(sleep(Duration::from_secs(9))),
            Box::pin(async { drop(other.await) }),
            Box::pin(pending()),
        ])
        .await
    });
    let many = vec!["many"; 40].join(", ");
    let expected = [
        "awaited",
        "one, two",
        "deep, flat",
        "shielded",
        "x, y",
        "x, y",
        "x, y",
        "member",
        "limited",
        "caught",
        "left, right",
        &many,
        "Queue.put",
        "Queue.get",
        "Semaphore.acquire",
        "sleep",
        "concurrent::Future",
        "",
    ];
    assert_eq!(seen, expected);
}
