//! Who waits for whom, through each thing that stands between.

use corio_combinators::{ReturnWhen, TaskGroup, WaitSet, as_completed, gather, join, shield, timeout, wait};
use corio_executor::{sleep, test, yield_now};
use corio_future::concurrent;
use corio_queue::Queue;
use corio_sync::Semaphore;
use corio_task::{Task, capture_call_graph, catch_cancelled, create_task};
use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

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
