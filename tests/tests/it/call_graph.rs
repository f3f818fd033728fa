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
