use crate::kit::{Exception, Log, World, call_later, forever, log_reports, ms, run, sleep, yield_now};
use corio_combinators::{ErrorGroup, Failure, NotStarted, TaskGroup, TaskStatus, join, race, timeout};
use corio_seam::{LoopTime, now};
use corio_task::{JoinError, Task, catch_cancelled, create_task, current_task};
use std::cell::{Cell, RefCell};
use std::future::ready;
use std::rc::Rc;

fn was_cancelled<T>(ended: &Result<T, JoinError>) -> bool {
    matches!(ended, Err(JoinError::Cancelled(_)))
}

/// Waits until it is cut, cleans up for `delay`, and goes on unwinding.
async fn cleans_up(log: Log, name: &'static str, delay: u64) {
    let Err(cancelled) = catch_cancelled(forever()).await else { return };
    log.add(format_args!("{name} cut"));
    sleep(ms(delay)).await;
    log.add(format_args!("{name} clean"));
    cancelled.resume().await;
}

async fn fails(text: &'static str) -> Result<(), Exception> {
    Err(Exception("ValueError", text))
}

fn texts(group: &ErrorGroup) -> Vec<String> {
    group.failures().iter().map(ToString::to_string).collect()
}

#[test]
fn exit_waits_for_children_that_children_made_while_it_closed() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let ended = TaskGroup::run(async |group: TaskGroup| {
            let (late, log) = (group.clone(), log.clone());
            let _child = group.create_task(async move {
                sleep(ms(1)).await;
                let (later, log2) = (late.clone(), log.clone());
                let _grandchild = late.create_task(async move {
                    sleep(ms(1)).await;
                    let _third = later.create_task(async move {
                        sleep(ms(1)).await;
                        log2.add("third");
                    });
                });
                log.add("child");
            });
        });
        ended.await.unwrap();
        log.add("exit");
    });
    assert_eq!(lines.take(), ["child", "third", "exit"]);
}

#[test]
fn a_group_that_is_over_or_shuts_down_refuses_and_drops_the_future() {
    run(async {
        let kept: Rc<RefCell<Option<TaskGroup>>> = Rc::default();
        let handle = Rc::clone(&kept);
        let ended = TaskGroup::run(async move |group: TaskGroup| {
            handle.replace(Some(group.clone()));
            let (late, alive) = (group.clone(), Rc::new(()));
            let watched = Rc::downgrade(&alive);
            let _child = group.create_task(async move {
                drop(catch_cancelled(forever()).await);
                let refused = late.try_create_task(async move { drop(alive) }).unwrap_err();
                assert_eq!(refused.to_string(), "the task group is shutting down: it takes no more tasks");
                assert_eq!(watched.strong_count(), 1);
                drop(refused.into_future());
                assert_eq!(watched.strong_count(), 0);
            });
            let _failing = group.create_task(fails("one"));
        });
        assert_eq!(texts(&ended.await.unwrap_err()), ["ValueError one"]);
        let group = kept.borrow().clone().unwrap();
        let refused = group.try_create_task(forever()).unwrap_err();
        assert_eq!(refused.to_string(), "the task group is finished: it takes no more tasks");
    });
}

#[test]
fn children_are_cancelled_in_the_order_of_their_making_and_once() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let task = create_task(TaskGroup::run(async move |group: TaskGroup| {
            for name in ["a", "b", "c", "d"] {
                let _child = group.create_task(cleans_up(log.clone(), name, 5));
            }
            forever().await;
        }));
        sleep(ms(1)).await;
        task.cancel();
        yield_now().await;
        yield_now().await;
        task.cancel(); // The children are left in peace.
        assert!(was_cancelled(&task.await));
    });
    let lines = lines.take();
    assert_eq!(lines[..4], ["a cut", "b cut", "c cut", "d cut"]);
    assert_eq!(lines[4..], ["a clean", "b clean", "c clean", "d clean"]);
}

#[test]
fn a_child_cancelled_alone_is_no_failure() {
    run(async {
        let ended = TaskGroup::run(async |group: TaskGroup| {
            let child = group.create_task(forever());
            let child_ref = child.task_ref();
            call_later(ms(1), move || assert!(child_ref.cancel()));
            sleep(ms(2)).await;
            assert!(was_cancelled(&child.await));
            "goes on"
        });
        assert_eq!(ended.await.unwrap(), "goes on");
    });
}

#[test]
fn all_failures_come_out_and_the_bodys_last() {
    run(async {
        let ended = TaskGroup::run(async |group: TaskGroup| {
            let cleanup = async {
                drop(catch_cancelled(forever()).await);
                fails("cleanup").await
            };
            let _first = group.create_task(cleanup);
            yield_now().await;
            fails("body").await
        });
        assert_eq!(texts(&ended.await.unwrap_err()), ["ValueError cleanup", "ValueError body"]);
    });
}

#[test]
fn a_request_is_armed_again_when_the_error_wins() {
    run(async {
        let task = create_task(async {
            let ended = TaskGroup::run(async |group: TaskGroup| {
                let _child = group.create_task(async {
                    drop(catch_cancelled(forever()).await);
                    fails("cleanup").await
                });
                forever().await;
            });
            let texts = texts(&ended.await.unwrap_err());
            let hit = catch_cancelled(yield_now()).await.is_err();
            (texts.len(), hit, catch_cancelled(yield_now()).await.is_ok(), current_task().unwrap().cancelling())
        });
        sleep(ms(1)).await;
        task.cancel();
        assert_eq!(task.await.unwrap(), (1, true, true, 1));
    });
}

#[test]
fn a_request_that_comes_while_an_aborting_group_waits_hits_after_it() {
    for suspends in [true, false] {
        run(async move {
            let task = create_task(async move {
                let ended = TaskGroup::run(async |group: TaskGroup| {
                    let _stubborn = group.create_task(async {
                        drop(catch_cancelled(forever()).await);
                        sleep(ms(20)).await;
                    });
                    let _failing = group.create_task(fails("one"));
                });
                assert_eq!(texts(&ended.await.unwrap_err()), ["ValueError one"]);
                if suspends {
                    yield_now().await;
                    unreachable!("the request hits here")
                }
                "an error that won does not cost the task its value"
            });
            sleep(ms(10)).await;
            task.cancel();
            task.cancel();
            assert_eq!(was_cancelled(&task.await), suspends);
            assert_eq!(now(), LoopTime::ZERO + ms(20));
        });
    }
}

#[test]
fn hazard_48_inner_and_outer_fail_at_once() {
    run(async {
        let ended = TaskGroup::run(async |outer: TaskGroup| {
            let _failing = outer.create_task(fails("outer"));
            let inner = TaskGroup::run(async |inner: TaskGroup| {
                let _failing = inner.create_task(fails("inner"));
                forever().await;
            });
            assert_eq!(texts(&inner.await.unwrap_err()), ["ValueError inner"]);
            forever().await; // The outer group's request survived the handling of the inner error.
        });
        assert_eq!(texts(&ended.await.unwrap_err()), ["ValueError outer"]);
    });
}

// Cancelling a group.

#[test]
fn a_cancelled_group_ends_without_an_error() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let ended = TaskGroup::run_to_cancel(async |group: TaskGroup| {
            let _a = group.create_task(cleans_up(log.clone(), "a", 5));
            let _b = group.create_task(cleans_up(log.clone(), "b", 1));
            let handle = group.clone();
            call_later(ms(1), move || {
                handle.cancel();
                handle.cancel();
                assert!(handle.try_create_task(forever()).is_err());
            });
            cleans_up(log.clone(), "body", 3).await;
        });
        assert_eq!(ended.await.unwrap(), None);
        assert_eq!(corio_seam::cancelling(), 0);
        assert!(catch_cancelled(yield_now()).await.is_ok(), "the caller is left in peace");
    });
    assert_eq!(lines.take(), ["a cut", "b cut", "body cut", "b clean", "body clean", "a clean"]);
}

#[test]
fn a_body_that_has_returned_keeps_its_value() {
    run(async {
        let ended = TaskGroup::run(async |group: TaskGroup| {
            let handle = group.clone();
            let _child = group.create_task(forever());
            let _ends = group.create_task(async move { handle.cancel() });
            7
        });
        assert_eq!(ended.await.unwrap(), 7);
        let cut = TaskGroup::run(async |group: TaskGroup| {
            group.cancel();
            forever().await; // It is hit at its first suspension.
        });
        let error = cut.await.unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(error.to_string(), "the task group was cancelled");
        let never_suspends = TaskGroup::run(async |group: TaskGroup| {
            group.cancel();
            8
        });
        assert_eq!(never_suspends.await.unwrap(), 8);
    });
}

#[test]
fn hazard_48_a_foreign_request_after_a_groups_own_is_not_swallowed() {
    for moment in [0, 1, 2, 15] {
        run(async move {
            let task = create_task(async {
                let ended = TaskGroup::run_to_cancel(async |group: TaskGroup| {
                    let _stubborn = group.create_task(async {
                        drop(catch_cancelled(forever()).await);
                        sleep(ms(20)).await;
                    });
                    let handle = group.clone();
                    call_later(ms(1), move || handle.cancel());
                    forever().await;
                });
                drop(ended.await);
                yield_now().await;
            });
            let asked = task.task_ref();
            call_later(ms(moment), move || assert!(asked.cancel()));
            assert!(was_cancelled(&task.await), "at {moment}");
        });
    }
}

#[test]
fn failures_of_cleanup_are_a_cancelled_groups_error() {
    run(async {
        let ended = TaskGroup::run_to_cancel(async |group: TaskGroup| {
            let _child = group.create_task(async {
                drop(catch_cancelled(forever()).await);
                fails("cleanup").await
            });
            yield_now().await;
            group.cancel();
            forever().await;
        });
        assert_eq!(texts(&ended.await.unwrap_err()), ["ValueError cleanup"]);
    });
}

#[test]
fn cancelling_a_group_that_is_over_or_failed_does_nothing() {
    run(async {
        let kept: Rc<RefCell<Option<TaskGroup>>> = Rc::default();
        let handle = Rc::clone(&kept);
        let ended = TaskGroup::run(async move |group: TaskGroup| {
            handle.replace(Some(group.clone()));
            let _failing = group.create_task(fails("one"));
            let Err(cancelled) = catch_cancelled(forever()).await else { return };
            group.cancel();
            cancelled.resume().await;
        });
        assert_eq!(texts(&ended.await.unwrap_err()), ["ValueError one"]);
        kept.borrow().as_ref().unwrap().cancel();
        yield_now().await;
    });
}

#[test]
fn an_inner_group_is_cancelled_and_the_outer_goes_on() {
    run(async {
        let ended = TaskGroup::run(async |outer: TaskGroup| {
            let sibling = outer.create_task(sleep(ms(10)));
            let inner = TaskGroup::run_to_cancel(async |inner: TaskGroup| {
                let _child = inner.create_task(forever());
                inner.cancel();
                forever().await;
            });
            assert_eq!(inner.await.unwrap(), None);
            yield_now().await;
            sibling.await.is_ok()
        });
        assert!(ended.await.unwrap());
    });
}

// Readiness.

#[test]
fn start_waits_until_the_child_is_ready() {
    run(async {
        let ended = TaskGroup::run(async |group: TaskGroup| {
            let serve = async |status: TaskStatus<u16>| {
                sleep(ms(5)).await;
                status.started(8080);
                sleep(ms(10)).await;
                fails("later").await
            };
            assert_eq!(group.start(serve).await.unwrap(), 8080);
            assert_eq!(now(), LoopTime::ZERO + ms(5));
            forever().await;
        });
        assert_eq!(texts(&ended.await.unwrap_err()), ["ValueError later"], "it was an ordinary child by then");
    });
}

#[test]
fn a_child_that_ends_before_it_is_ready_fails_its_start_and_not_the_group() {
    run(async {
        let ended = TaskGroup::run(async |group: TaskGroup| {
            let failing = group.start(async |_status: TaskStatus<()>| fails("no port").await);
            let error = failing.await.unwrap_err();
            assert_eq!(error.to_string(), "the task failed before it was ready: ValueError no port");
            assert!(matches!(error, NotStarted::Failed(Failure::Failed(_))));

            let silent = group.start(async |_status: TaskStatus<()>| yield_now().await);
            assert!(matches!(silent.await, Err(NotStarted::Silent)));

            let drops = group.start(async |status: TaskStatus<()>| {
                drop(status);
                forever().await; // It is asked to end: a start never hangs.
            });
            assert!(matches!(drops.await, Err(NotStarted::Silent)));

            let cancelled = group.start(async |status: TaskStatus<()>| {
                current_task().unwrap().cancel();
                yield_now().await;
                status.started(());
            });
            assert!(matches!(cancelled.await, Err(NotStarted::Cancelled)));

            let panics = group.start(async |status: TaskStatus<()>| {
                assert!(format!("{status:?}").is_empty(), "before it was ready");
            });
            assert!(matches!(panics.await, Err(NotStarted::Failed(failure)) if failure.is_panic()));
            "the group goes on"
        });
        assert_eq!(ended.await.unwrap(), "the group goes on");
    });
}

#[test]
fn a_starter_that_leaves_cancels_the_child() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let ended = TaskGroup::run(async |group: TaskGroup| {
            let child = log.clone();
            let slow = group.start(async move |status: TaskStatus<()>| {
                cleans_up(child, "child", 5).await;
                status.started(());
            });
            assert!(timeout(ms(1), slow).await.is_err());
            log.add("left");
        });
        ended.await.unwrap();
        log.add("exit");
    });
    assert_eq!(lines.take(), ["left", "child cut", "child clean", "exit"]);
}

#[test]
fn a_start_in_a_group_that_shuts_down() {
    run(async {
        let ended = TaskGroup::run_to_cancel(async |group: TaskGroup| {
            let (handle, starts) = (group.clone(), group.clone());
            call_later(ms(1), move || handle.cancel());
            let _waits = group.create_task(async move {
                let never = starts.start(async |status: TaskStatus<()>| {
                    let _status = status;
                    forever().await;
                });
                let cut = catch_cancelled(never).await;
                assert!(cut.is_err());
                let refused = starts.start(async |_: TaskStatus<()>| ()).await.unwrap_err();
                assert_eq!(refused.to_string(), "the task group is shutting down: it takes no more tasks");
            });
        });
        assert_eq!(ended.await.unwrap(), Some(()));
    });
}

// So many at a time.

#[test]
fn a_limited_group_runs_so_many_in_order() {
    for limit in [1, 2, 3, 100] {
        let log = Log::default();
        let lines = log.clone();
        run(async move {
            let (running, most) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
            let seen = Rc::clone(&most);
            TaskGroup::run_limited(limit, async move |group: TaskGroup| {
                for n in 0..7 {
                    let (log, running, most) = (log.clone(), Rc::clone(&running), Rc::clone(&most));
                    let _child = group.create_task(async move {
                        log.add(n);
                        running.set(running.get() + 1);
                        most.set(most.get().max(running.get()));
                        sleep(ms(10)).await;
                        running.set(running.get() - 1);
                    });
                }
            })
            .await
            .unwrap();
            assert_eq!(seen.get(), limit.min(7));
            assert_eq!(now(), LoopTime::ZERO + ms(10 * 7_u64.div_ceil(limit as u64)));
        });
        assert_eq!(lines.take(), (0..7).map(|n| n.to_string()).collect::<Vec<_>>());
    }
}

#[test]
fn a_child_that_waits_for_its_turn_and_is_cancelled_never_starts() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let ended = TaskGroup::run_limited(1, async |group: TaskGroup| {
            let add = |name: &'static str| {
                let log = log.clone();
                group.create_task(async move {
                    log.add(name);
                    sleep(ms(1)).await;
                })
            };
            let (_first, second, third, _fourth) = (add("first"), add("second"), add("third"), add("fourth"));
            yield_now().await;
            second.cancel(); // While it waits.
            sleep(ms(1)).await; // The first has just ended, and the third was woken.
            third.cancel();
            assert!(was_cancelled(&second.await) && was_cancelled(&third.await));
        });
        ended.await.unwrap();
    });
    assert_eq!(lines.take(), ["first", "fourth"], "a place that was given to a cancelled child goes on");
}

#[test]
fn a_failure_in_a_limited_group_ends_those_who_wait_too() {
    run(async {
        let started = Rc::new(Cell::new(0));
        let count = Rc::clone(&started);
        let ended = TaskGroup::run_limited(2, async move |group: TaskGroup| {
            for n in 0..10 {
                let count = Rc::clone(&count);
                let _child = group.create_task(async move {
                    count.set(count.get() + 1);
                    sleep(ms(n + 1)).await;
                    if n == 1 { fails("second").await } else { Ok(()) }
                });
            }
        });
        assert_eq!(texts(&ended.await.unwrap_err()), ["ValueError second"]);
        assert_eq!(started.get(), 3);
    });
}

#[test]
#[should_panic(expected = "give it a limit of at least 1")]
fn a_limit_of_none_is_refused() {
    drop(TaskGroup::run_limited(0, async |_| ()));
}

#[test]
fn a_limited_group_costs_no_iteration_while_there_is_room() {
    let turns = |limit: Option<usize>| {
        let world = World::new();
        let count = Rc::clone(&world.turns);
        let body = async |group: TaskGroup| {
            let _children: Vec<Task<()>> = (0..3).map(|_| group.create_task(yield_now())).collect();
        };
        let main = async move {
            match limit {
                Some(limit) => TaskGroup::run_limited(limit, body).await.unwrap(),
                None => TaskGroup::run(body).await.unwrap(),
            }
        };
        world.run(main).unwrap();
        count.get()
    };
    assert_eq!(turns(Some(3)), turns(None));
}

#[test]
fn many_children_with_few_places_are_linear() {
    let many = if cfg!(miri) { 100 } else { 100_000 };
    run(async move {
        let ended = TaskGroup::run_limited(3, async move |group: TaskGroup| {
            for _ in 0..many {
                let _child = group.create_task(yield_now());
            }
        });
        ended.await.unwrap();
    });
}

#[test]
fn a_group_dropped_half_way_reports_what_fails_later() {
    let log = Log::default();
    let world = World::new();
    log_reports(&world.set, &log);
    let main = async {
        let group = TaskGroup::run(async |group: TaskGroup| {
            let _child = group.create_task(async {
                drop(catch_cancelled(forever()).await);
                fails("late").await
            });
            forever().await;
        });
        race((async { drop(group.await) }, sleep(ms(5)))).await;
        join((sleep(ms(5)), yield_now())).await;
    };
    world.run(main).unwrap();
    assert_eq!(log.take(), ["handler: ValueError a task failed after its task group was dropped | late"]);
}

#[test]
fn a_turn_that_nobody_waits_for_is_kept_for_whoever_comes() {
    run(async {
        let ended = TaskGroup::run_limited(1, async |group: TaskGroup| {
            let first = group.create_task(ready(1)).await.unwrap();
            first + group.create_task(ready(2)).await.unwrap()
        });
        assert_eq!(ended.await.unwrap(), 3);
    });
}
