use crate::kit::{forever, ms, run, sleep, yield_now};
use corio_combinators::{
    ReturnWhen, TaskGroup, WaitSet, as_completed, by_completion, gather, gather_settled, join, race, timeout, try_join,
};
use corio_task::{catch_cancelled, create_task};
use std::time::Duration;

/// Minutes, if any of these cost the square of it.
const MANY: usize = if cfg!(miri) { 40 } else { 100_000 };

async fn numbered(n: usize) -> usize {
    yield_now().await;
    n
}

#[test]
fn in_place() {
    run(async {
        assert_eq!(join((0..MANY).map(numbered)).await.len(), MANY);
        let tried = try_join((0..MANY).map(|n| async move { Ok::<_, ()>(numbered(n).await) })).await;
        assert_eq!(tried.unwrap().last(), Some(&(MANY - 1)));
        assert_eq!(race((0..MANY).map(numbered)).await, 0);
        let mut outputs = by_completion((0..MANY).map(numbered));
        while outputs.next().await.is_some() {}
        join((0..MANY).map(|n| timeout(Duration::from_secs(1), numbered(n)))).await;
    });
}

#[test]
fn cancelled_in_place() {
    run(async {
        let task = create_task(join((0..MANY).map(|_| catch_cancelled(forever()))));
        yield_now().await;
        task.cancel();
        assert!(task.await.unwrap().iter().all(Result::is_err));
    });
}

#[test]
fn over_tasks() {
    run(async {
        assert_eq!(gather((0..MANY).map(numbered)).await.unwrap().len(), MANY);
        assert_eq!(gather_settled((0..MANY).map(numbered)).await.unwrap().len(), MANY);
        let mut results = as_completed((0..MANY).map(numbered));
        while results.next().await.is_some() {}
        let group = TaskGroup::run(async |group| {
            for n in 0..MANY {
                let _detached = group.create_task(numbered(n));
            }
        });
        group.await.unwrap();
    });
}

#[test]
fn one_by_one() {
    const MANY: usize = if cfg!(miri) { 50 } else { 10_000 };
    run(async {
        let delayed = |n| {
            create_task(async move {
                sleep(ms(n as u64)).await;
                n
            })
        };
        let mut pending: WaitSet<_> = (0..MANY).map(delayed).collect();
        for n in 0..MANY {
            let mut done = pending.wait(ReturnWhen::FirstCompleted, ms(1_000_000)).await.unwrap();
            assert_eq!((done.len(), done.pop().unwrap().await.unwrap()), (1, n));
        }
        assert!(pending.is_empty() && pending.wait(ReturnWhen::AllCompleted, None).await.is_err());
    });
}

#[test]
fn cancelled_over_tasks() {
    run(async {
        let task = create_task(async { gather((0..MANY).map(|_| forever())).await });
        yield_now().await;
        yield_now().await;
        task.cancel();
        assert!(task.await.is_err());
    });
}
