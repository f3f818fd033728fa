use crate::kit::{forever, ms, run, sleep, yield_now};
use corio_combinators::{
    Failure, ReturnWhen, WaitSet, as_completed, gather, gather_settled, shield, timeout, timeout_scope, wait, wait_for,
};
use corio_task::{Task, TaskOptions, TaskSet, catch_cancelled, create_task, create_task_with, format_call_graph};
use futures_core::Stream;
use std::future::poll_fn;
use std::pin::Pin;

fn sleepers(delays: [u64; 3]) -> [Task<u64>; 3] {
    delays.map(|delay| {
        create_task(async move {
            sleep(ms(delay)).await;
            delay
        })
    })
}

async fn next_of<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await
}

#[test]
fn a_result_tells_whose_it_is() {
    run(async {
        let mut results = as_completed(sleepers([30, 10, 20]));
        let mut seen = Vec::new();
        while let Some((index, result)) = results.next_indexed().await {
            seen.push((index, result.unwrap()));
        }
        assert_eq!(seen, [(1, 10), (2, 20), (0, 30)]);

        let mut results = as_completed(sleepers([30, 10, 20])).within(ms(15)).indexed();
        assert_eq!(results.size_hint(), (3, Some(3)));
        assert!(matches!(next_of(&mut results).await, Some((1, Ok(10)))));
        assert!(matches!(next_of(&mut results).await, Some((0, Err(Failure::TimedOut(_))))));
        assert!(matches!(next_of(&mut results).await, Some((2, Err(Failure::TimedOut(_))))));
        assert!(next_of(&mut results).await.is_none());
    });
}

#[test]
fn a_wait_set_gives_the_finished_tasks_themselves() {
    run(async {
        let tasks = sleepers([30, 10, 20]);
        let ids = tasks.each_ref().map(Task::id);
        let mut set: WaitSet<_> = tasks.into_iter().collect();
        let mut seen = Vec::new();
        while let Some(task) = set.next().await {
            assert!(task.done());
            seen.push(task.id());
        }
        assert_eq!(seen, [ids[1], ids[2], ids[0]]);

        let mut set: WaitSet<u64> = sleepers([10, 10, 10]).into_iter().collect();
        let cut = timeout(ms(5), set.next()).await;
        assert!(cut.is_err() && set.len() == 3, "left half-way, it loses nothing");
        sleep(ms(10)).await;
        let mut count = 0;
        while next_of(&mut set).await.is_some() {
            count += 1;
        }
        assert_eq!(count, 3);
    });
}

#[test]
fn a_wait_set_can_be_asked_both_ways_in_turn() {
    run(async {
        let mut set: WaitSet<u64> = sleepers([10, 20, 30]).into_iter().collect();
        assert_eq!(set.next().await.unwrap().await.unwrap(), 10);
        let done = set.wait(ReturnWhen::FirstCompleted, None).await.unwrap();
        assert_eq!(done.len(), 1);
        sleep(ms(20)).await;
        set.push(create_task(async { 40 }));
        assert_eq!(set.next().await.unwrap().await.unwrap(), 30);
        assert_eq!(set.next().await.unwrap().await.unwrap(), 40);
        assert!(set.next().await.is_none());
    });
}

#[test]
fn an_error_comes_in_its_turn_and_the_iteration_goes_on() {
    run(async {
        let results = as_completed((0..3).map(|n| async move {
            sleep(ms(n)).await;
            if n == 1 { Err("one") } else { Ok(n) }
        }));
        let mut seen = Vec::new();
        for turn in results {
            seen.push(turn.await.map_err(|failure| failure.to_string()));
        }
        assert_eq!(seen, [Ok(0), Err("one".to_string()), Ok(2)]);
    });
}

#[test]
fn a_shared_future_given_twice_runs_once_and_fills_both_slots() {
    run(async {
        let once = create_task(async { 7 }).share();
        assert_eq!(gather([once.clone(), once.clone()]).await.unwrap(), [7, 7]);
        let mut results = as_completed([once.clone(), once]);
        assert_eq!(results.next_indexed().await.unwrap().0, 0);
        assert_eq!(results.next_indexed().await.unwrap().0, 1);
    });
}

#[test]
fn a_child_cancelled_by_somebody_is_a_gathers_error_and_not_its_end() {
    run(async {
        let [a, b, c] = sleepers([10, 20, 30]);
        let (second, third) = (b.task_ref(), c.task_ref());
        let mut gathered = gather([a, b, c]);
        yield_now().await;
        second.cancel();
        let failed = (&mut gathered).await.unwrap_err();
        assert!(failed.is_cancelled() && !gathered.cancelled(), "it failed, and was not cancelled");
        assert!(!third.done(), "and the others go on");
        sleep(ms(30)).await;
        assert!(third.done() && !third.cancelled());

        let settled = gather_settled(sleepers([1, 2, 3]));
        assert_eq!(settled.await.unwrap().into_iter().filter(Result::is_ok).count(), 3);
    });
}

#[test]
fn a_cancelled_gather_ends_with_the_first_child_that_does() {
    run(async {
        let cleans = |delay| async move {
            let Err(cancelled) = catch_cancelled(forever()).await else { return };
            sleep(ms(delay)).await;
            cancelled.resume().await;
        };
        let (fast, slow) = (create_task(cleans(5)), create_task(cleans(50)));
        let slow_ref = slow.task_ref();
        let gathered = gather([fast, slow]);
        yield_now().await;
        assert!(gathered.cancel());
        assert!(gathered.await.unwrap_err().is_cancelled());
        assert!(!slow_ref.done(), "the other is still cleaning up");
    });
}

#[test]
fn wait_judges_at_wake_up_and_ignores_cancellations_as_exceptions() {
    run(async {
        let mut tasks: Vec<_> = sleepers([10, 10, 20]).into();
        let done = wait(&mut tasks, ReturnWhen::FirstCompleted, None).await.unwrap();
        assert_eq!((done.len(), tasks.len()), (2, 1), "more than one may be over");

        let (pending, cancelled) = (create_task(sleep(ms(50))), create_task(forever()));
        cancelled.cancel();
        let mut tasks = vec![pending, cancelled];
        let done = wait(&mut tasks, ReturnWhen::FirstException, None).await.unwrap();
        assert_eq!((done.len(), tasks.len()), (2, 0));
        assert!(wait(&mut tasks, ReturnWhen::AllCompleted, None).await.is_err(), "an empty set is refused");

        let mut tasks: Vec<_> = sleepers([10, 20, 30]).into();
        let done = wait(&mut tasks, ReturnWhen::AllCompleted, ms(15)).await.unwrap();
        assert_eq!((done.len(), tasks.len()), (1, 2), "running out of time is no error, and cancels nothing");
        assert!(tasks.iter().all(|task| task.cancelling() == 0));
    });
}

#[test]
fn a_shield_of_what_is_over_is_over_and_one_of_the_cancelled_is_cancelled() {
    run(async {
        let task = create_task(async { 7 });
        yield_now().await;
        let shielded = shield(task);
        assert!(shielded.done());
        assert_eq!(shielded.await.unwrap(), 7);

        let inner = create_task(forever());
        let inner_ref = inner.task_ref();
        let shielded = shield(inner);
        yield_now().await;
        inner_ref.cancel();
        assert!(shielded.await.unwrap_err().is_cancelled());
        assert_eq!(corio_seam::cancelling(), 0);

        let inner = create_task(forever());
        inner.cancel();
        yield_now().await;
        let mut shielded = shield(inner);
        assert!(shielded.done() && shielded.cancelled());
        assert!((&mut shielded).await.unwrap_err().is_cancelled());
        assert!(shielded.done() && shielded.cancelled(), "also when its result was taken");
    });
}

#[test]
fn hazard_47_a_timeout_of_the_past_fires_at_the_first_suspension_alone() {
    run(async {
        let never_suspends = timeout_scope(ms(0), async |limit| limit.expired());
        assert_eq!(never_suspends.await, Ok(false));
        let swallows = timeout_scope(ms(0), async |limit| {
            let cut = catch_cancelled(forever()).await.is_err();
            let refused = limit.reschedule(None).unwrap_err().to_string();
            (cut, limit.expired(), refused)
        });
        assert_eq!(swallows.await, Ok((true, true, "an expired timeout cannot be rescheduled".to_string())));
        let later = timeout(ms(1), async { Err::<(), _>("an error of the body passes") });
        assert_eq!(later.await, Ok(Err("an error of the body passes")));
    });
}

#[test]
fn hazard_45_gathers_of_none_one_nested_and_of_a_child_that_cancels_itself() {
    run(async {
        let none: Vec<Task<u64>> = Vec::new();
        assert!(gather(none).await.unwrap().is_empty());
        assert_eq!(gather([async { 1 }]).await.unwrap(), [1]);
        assert_eq!(gather((gather([async { 1 }]), async { 2 })).await.unwrap(), (vec![1], 2));

        let itself = create_task(async {
            corio_task::current_task().unwrap().cancel();
            yield_now().await;
        });
        let (first, second) = gather_settled((itself, async { 2 })).await.unwrap();
        assert!(first.unwrap_err().is_cancelled());
        assert_eq!(second.unwrap(), 2);

        let outer = create_task(async { gather_settled([forever(), forever()]).await.is_ok() });
        yield_now().await;
        yield_now().await;
        outer.cancel();
        assert!(outer.await.is_err(), "a settled gather does not swallow its awaiter's cancellation");
    });
}

#[test]
fn hazard_47_a_result_in_the_iteration_of_the_limit() {
    run(async {
        // As in asyncio, a request that comes in the iteration of the wake-up wins, and what was waited for is lost.
        let value = create_task(sleep(ms(10)));
        yield_now().await;
        assert!(wait_for(value, ms(10)).await.is_err());
        assert!(timeout(ms(10), sleep(ms(10))).await.is_err());
        // One that comes an iteration later finds the task over.
        let over = create_task(async { 7 });
        yield_now().await;
        assert_eq!(wait_for(over, ms(0)).await.unwrap().unwrap(), 7);
        assert!(catch_cancelled(yield_now()).await.is_ok(), "nothing of it comes later");
        let late = create_task(async {
            drop(catch_cancelled(forever()).await);
            sleep(ms(5)).await;
            "ignored it"
        });
        assert_eq!(wait_for(late, ms(1)).await.unwrap().unwrap(), "ignored it");
        let raises = create_task(async { catch_cancelled(forever()).await.map_err(|_| "in cleanup") });
        assert_eq!(wait_for(raises, ms(1)).await.unwrap().unwrap(), Err("in cleanup"));
    });
}

/// Of the children, those that are over are waited for no more, also before anybody asked for their results.
#[test]
fn who_waits_for_as_completed_waits_for_the_unfinished() {
    run(async {
        let named = |name: &str, delay| create_task_with(TaskOptions::new().name(name), sleep(ms(delay)));
        let tasks = [named("fast", 1), named("slow", 5), named("slower", 9)];
        let waiter = create_task(async move {
            let mut results = as_completed(tasks);
            while results.next().await.is_some() {}
        });
        let drawn = |waiter: &Task<()>| format_call_graph(waiter);
        sleep(ms(3)).await;
        let text = drawn(&waiter);
        assert!(text.contains("slow") && text.contains("slower") && !text.contains("fast"), "{text}");
        sleep(ms(5)).await;
        let text = drawn(&waiter);
        assert!(text.contains("slower") && !text.contains("\"slow\""), "{text}");
        waiter.await.unwrap();
    });
}

/// A task of this loop that is over stands in the queue itself; one of another set is told by a callback.
#[test]
fn those_that_are_over_come_in_the_order_in_which_they_were_given() {
    let other = TaskSet::new();
    let theirs = [other.spawn(async { 2 }), other.spawn(async { 3 })];
    other.run_batch();
    run(async {
        let eager = |number| create_task_with(TaskOptions::new().eager(true), async move { number });
        let [second, third] = theirs;
        let pending = create_task(async { 0 });
        let mut results = as_completed([eager(1), pending, second, eager(4), third]);
        let mut seen = Vec::new();
        while let Some((index, result)) = results.next_indexed().await {
            seen.push((index, result.unwrap()));
        }
        // The pending one ends before them, and is told of in the turn after.
        assert_eq!(seen, [(0, 1), (2, 2), (3, 4), (4, 3), (1, 0)]);
    });
}
