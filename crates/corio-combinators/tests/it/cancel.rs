use crate::kit::{Exception, Log, World, forever, ms, run, sleep, yield_now};
use corio_combinators::{
    Failure, ReturnWhen, TaskGroup, as_completed, by_completion, gather, gather_settled, join, race, timeout, try_join,
    wait, wait_for,
};
use corio_task::{Cancelled, JoinError, catch_cancelled, create_task, current_task};

/// Waits until it is cut, cleans up for `delay`, and goes on unwinding.
async fn cleans_up(log: Log, name: &'static str, delay: u64) {
    let Err(cancelled) = catch_cancelled(forever()).await else { return };
    sleep(ms(delay)).await;
    log.add(name);
    cancelled.resume().await;
}

fn was_cancelled<T>(ended: &Result<T, JoinError>) -> bool {
    matches!(ended, Err(JoinError::Cancelled(_)))
}

#[test]
fn a_request_reaches_every_child_in_place_and_all_clean_up() {
    for many in [3, 100] {
        let log = Log::default();
        let lines = log.clone();
        run(async move {
            let task = create_task(join((0..many).map(move |n| cleans_up(log.clone(), "cleaned", n))));
            yield_now().await;
            task.cancel();
            assert!(was_cancelled(&task.await));
        });
        assert_eq!(lines.take().len() as u64, many);
    }
}

#[test]
fn siblings_that_do_not_catch_wait_for_those_who_do() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let task = create_task(async move { join((forever(), cleans_up(log, "cleaned", 10))).await });
        yield_now().await;
        task.cancel();
        assert!(was_cancelled(&task.await));
    });
    assert_eq!(lines.take(), ["cleaned"]);
}

#[test]
fn a_child_that_cancels_itself_ends_the_caller_at_once() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let task = create_task(async move {
            let itself = async { match Cancelled::new().resume().await {} };
            join((cleans_up(log, "never", 1), itself)).await
        });
        assert!(was_cancelled(&task.await));
    });
    assert!(lines.take().is_empty());
}

#[test]
fn a_child_that_catches_wins_the_race() {
    run(async {
        let task = create_task(async {
            let catches = async {
                assert!(catch_cancelled(forever()).await.is_err());
                yield_now().await;
                "caught"
            };
            race((std::future::pending::<&str>(), catches)).await
        });
        yield_now().await;
        task.cancel();
        assert_eq!(task.await.unwrap(), "caught");

        let task = create_task(race([forever(), forever()]));
        yield_now().await;
        task.cancel();
        assert!(was_cancelled(&task.await));
    });
}

#[test]
fn a_stream_gives_what_survives_and_then_unwinds() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let task = create_task(async move {
            let survives = async {
                assert!(catch_cancelled(forever()).await.is_err());
                "survived"
            };
            let cut = std::future::pending::<&'static str>();
            type Boxed = std::pin::Pin<Box<dyn Future<Output = &'static str>>>;
            let mut outputs = by_completion([Box::pin(cut) as Boxed, Box::pin(survives)]);
            while let Some(output) = outputs.next().await {
                log.add(output);
            }
        });
        yield_now().await;
        task.cancel();
        assert!(was_cancelled(&task.await));
    });
    assert_eq!(lines.take(), ["survived"]);
}

#[test]
fn an_error_comes_before_a_siblings_cancellation() {
    run(async {
        let task = create_task(async {
            let fails = async { catch_cancelled(forever()).await.map_err(|_| "interrupted") };
            try_join((std::future::pending::<Result<(), _>>(), fails)).await
        });
        yield_now().await;
        task.cancel();
        assert_eq!(task.await.unwrap(), Err("interrupted"));
    });
}

#[test]
fn of_many_timeouts_only_the_late_one_cuts() {
    run(async {
        let ended = join((0..50).map(|n| timeout(ms(30), sleep(ms(10 + n))))).await;
        assert_eq!(ended.iter().filter(|ended| ended.is_ok()).count(), 20);
    });
}

#[test]
fn a_timeout_does_not_swallow_the_callers_cancellation() {
    run(async {
        let task = create_task(async { timeout(ms(10), forever()).await });
        let asked = task.task_ref();
        crate::kit::call_later(ms(10), move || assert!(asked.cancel()));
        assert!(was_cancelled(&task.await));
    });
}

#[test]
fn an_old_request_does_not_make_a_timeout_unwind() {
    run(async {
        let task = create_task(async {
            assert!(catch_cancelled(forever()).await.is_err());
            let cut = catch_cancelled(timeout(ms(10), timeout(ms(20), forever()))).await;
            (cut.unwrap().is_err(), timeout(ms(0), yield_now()).await.is_err(), corio_seam::cancelling())
        });
        yield_now().await;
        task.cancel();
        assert_eq!(task.await.unwrap(), (true, true, 1));
    });
}

#[test]
fn when_both_deadlines_are_due_the_outer_one_is_told() {
    run(async {
        let ended = timeout(ms(10), async {
            let inner = timeout(ms(10), forever()).await;
            unreachable!("the inner timeout unwinds, and does not return {inner:?}")
        });
        assert!(ended.await.is_err_and(|error: corio_combinators::TimedOut| error.to_string() == "timed out"));
    });
}

#[test]
fn cancelling_the_awaiter_of_a_gather_cancels_the_children() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let (first, second) = (cleans_up(log.clone(), "first", 10), cleans_up(log.clone(), "second", 20));
        let (seen, all) = (log.clone(), (create_task(first), create_task(second)));
        let task = create_task(async move { gather(all).await });
        yield_now().await;
        yield_now().await;
        task.cancel_with("why");
        match task.await {
            Err(JoinError::Cancelled(cancelled)) => seen.add(cancelled.message().unwrap_or_default()),
            other => panic!("{other:?}"),
        }
        sleep(ms(30)).await;
    });
    assert_eq!(lines.take(), ["first", "why", "second"]);
}

#[test]
fn a_settled_gather_ends_cancelled_when_all_have_ended() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let all = [cleans_up(log.clone(), "first", 10), cleans_up(log.clone(), "second", 20)];
        let mut gathered = gather_settled(all);
        yield_now().await;
        assert!(gathered.cancel());
        assert!(!gathered.done());
        assert!(matches!((&mut gathered).await, Err(Failure::Cancelled(_))));
        assert!(gathered.cancelled());
        assert!(!gathered.cancel());
    });
    assert_eq!(lines.take(), ["first", "second"]);
}

#[test]
fn a_gather_is_cancelled_although_its_children_swallow_it() {
    run(async {
        let swallows = || async { drop(catch_cancelled(forever()).await) };
        let gathered = gather((swallows(), swallows()));
        yield_now().await;
        assert!(gathered.cancel());
        assert!(gathered.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn a_gather_that_failed_cannot_be_cancelled_and_stops_nobody() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let goes_on = async move {
            sleep(ms(10)).await;
            log.add("went on");
            Err::<(), _>("too late to matter")
        };
        let mut gathered = gather((async { Err::<(), _>("first") }, goes_on));
        assert_eq!((&mut gathered).await.unwrap_err().to_string(), "first");
        assert!(!gathered.cancel());
        sleep(ms(20)).await;
    });
    assert_eq!(lines.take(), ["went on"]);
}

#[test]
fn a_child_may_cancel_the_gather_it_is_in() {
    run(async {
        let parent = current_task().unwrap();
        let child = async move {
            parent.cancel();
            forever().await;
        };
        assert!(catch_cancelled(gather((child, forever()))).await.is_err());
    });
}

#[test]
fn wait_and_as_completed_detach_only() {
    run(async {
        let task = create_task(async {
            let mut tasks = vec![create_task(sleep(ms(10)))];
            let cut = catch_cancelled(wait(&mut tasks, ReturnWhen::AllCompleted, None)).await;
            let mut results = as_completed(tasks);
            (cut.is_err(), results.next().await.unwrap().is_ok())
        });
        yield_now().await;
        task.cancel();
        assert_eq!(task.await.unwrap(), (true, true));
    });
}

#[test]
fn wait_for_cuts_a_task_and_hears_its_ending() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let task = create_task(cleans_up(log, "cleaned", 10));
        assert!(wait_for(task, ms(10)).await.is_err());
        let stubborn = create_task(async {
            drop(catch_cancelled(forever()).await);
            "late"
        });
        yield_now().await;
        assert_eq!(wait_for(stubborn, ms(0)).await.unwrap().unwrap(), "late");
    });
    assert_eq!(lines.take(), ["cleaned"]);
}

#[test]
fn a_group_waits_for_cleanup_when_its_caller_is_cancelled() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        for in_the_body in [true, false] {
            let log = log.clone();
            let task = create_task(TaskGroup::run(async move |group: TaskGroup| {
                let _detached = group.create_task(cleans_up(log, "child cleaned", 10));
                if in_the_body {
                    forever().await;
                }
            }));
            yield_now().await;
            yield_now().await;
            task.cancel();
            task.cancel();
            assert!(was_cancelled(&task.await));
        }
    });
    assert_eq!(lines.take(), ["child cleaned", "child cleaned"]);
}

#[test]
fn an_error_group_is_not_lost_to_a_request_that_came_as_well() {
    run(async {
        let task = create_task(TaskGroup::run(async |group: TaskGroup| {
            let fails = async {
                drop(catch_cancelled(forever()).await);
                Err::<(), _>(Exception("ValueError", "cleanup"))
            };
            let _detached = group.create_task(fails);
            forever().await;
        }));
        yield_now().await;
        yield_now().await;
        task.cancel();
        // The task returned without suspending again: the request that was armed again costs it nothing.
        assert_eq!(task.await.unwrap().unwrap_err().failures().len(), 1);
    });
}

#[test]
fn a_group_inside_a_group_wraps_and_a_sibling_in_place_is_left_alone() {
    run(async {
        let nested = TaskGroup::run(async |_| {
            TaskGroup::run(async |inner| {
                let _detached = inner.create_task(async { Err::<(), _>(Exception("ValueError", "inner")) });
                forever().await;
            })
            .await
        });
        let (ended, slept) = join((nested, sleep(ms(20)))).await;
        let failures = ended.unwrap_err().into_failures();
        assert!(failures[0].downcast_ref::<corio_combinators::ErrorGroup>().is_some());
        assert_eq!((failures.len(), slept), (1, ()));
        assert_eq!(corio_seam::cancelling(), 0);
    });
}

#[test]
fn a_group_dropped_half_way_cancels_its_children_and_lets_go() {
    let log = Log::default();
    let lines = log.clone();
    let world = World::new();
    let main = async move {
        let group = TaskGroup::run(async |group: TaskGroup| {
            let _detached = group.create_task(cleans_up(log, "cleaned", 10));
            forever().await;
        });
        race((async { drop(group.await) }, sleep(ms(5)))).await;
        sleep(ms(20)).await;
    };
    world.run(main).unwrap();
    assert_eq!(lines.take(), ["cleaned"]);
}

#[test]
fn beside_a_branch_that_forwards_the_others_are_cut_too() {
    for forwards_first in [true, false] {
        let log = Log::default();
        let lines = log.clone();
        run(async move {
            let child = create_task(cleans_up(log.clone(), "child", 10));
            let child_ref = child.task_ref();
            let task = create_task(async move {
                let waits = async {
                    let ended = child.await;
                    unreachable!("the request was ours, and the child ended for it: {ended:?}")
                };
                if forwards_first {
                    join((waits, cleans_up(log, "sibling", 5))).await;
                } else {
                    join((cleans_up(log, "sibling", 5), waits)).await;
                }
            });
            yield_now().await;
            yield_now().await;
            task.cancel();
            assert!(was_cancelled(&task.await));
            assert!(child_ref.cancelled());
        });
        assert_eq!(lines.take(), ["sibling", "child"]);
    }
}
