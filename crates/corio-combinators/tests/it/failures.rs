use crate::kit::{Caused, Exception, Log, World, forever, log_reports, ms, run, sleep, yield_now};
use corio_combinators::{
    ErrorGroup, Failure, NotStarted, TaskGroup, TaskStatus, fallible, gather, gather_settled, timeout, timeout_scope_at,
};
use corio_future::promise;
use corio_seam::LoopTime;
use corio_task::{Cancelled, JoinError, Panic, catch_cancelled, create_task};
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

const ERROR: Exception = Exception("ValueError", "no bread");

fn failed() -> Failure {
    Failure::Failed(Box::new(ERROR))
}

fn cancelled() -> Failure {
    Failure::from(JoinError::Cancelled(Cancelled::new()))
}

fn panicked() -> Failure {
    Failure::from(JoinError::Panicked(Panic::new(Box::new("boom"))))
}

/// A failure by a limit in time.
fn late() -> Failure {
    run(async { timeout(ms(0), forever()).await.unwrap_err().into() })
}

#[test]
fn a_failure_is_of_one_kind() {
    let kinds = |failure: Failure| {
        let timed_out = matches!(failure, Failure::TimedOut(_));
        (failure.is_cancelled(), failure.is_panic(), failure.downcast_ref() == Some(&ERROR), timed_out)
    };
    assert_eq!(kinds(failed()), (false, false, true, false));
    assert_eq!(kinds(cancelled()), (true, false, false, false));
    assert_eq!(kinds(panicked()), (false, true, false, false));
    assert_eq!(kinds(late()), (false, false, false, true));
}

#[test]
fn an_error_can_be_had_back_by_its_type_and_no_other() {
    assert_eq!(failed().downcast::<Exception>().unwrap(), ERROR);
    assert!(failed().downcast_ref::<fmt::Error>().is_none());
    let other = failed().downcast::<fmt::Error>().unwrap_err();
    assert_eq!(other.downcast_ref(), Some(&ERROR), "it is given back as it was");
    assert!(cancelled().downcast::<Exception>().unwrap_err().is_cancelled());
    assert!(panicked().downcast::<Exception>().unwrap_err().is_panic());
}

#[test]
fn what_only_says_how_a_task_or_a_cell_ended_is_unpacked() {
    run(async {
        let child = |error: JoinError| async { Err::<(), _>(error) };
        let unpacked = gather([child(JoinError::Cancelled(Cancelled::new()))]).await.unwrap_err();
        assert!(unpacked.is_cancelled());
        let unpacked = gather([child(JoinError::Panicked(Panic::new(Box::new("boom"))))]).await.unwrap_err();
        assert!(unpacked.is_panic());
        let (_promise, cell) = promise::<()>();
        cell.cancel();
        let of_cell = async { Err::<(), _>(cell.await.unwrap_err()) };
        assert!(gather([of_cell]).await.unwrap_err().is_cancelled());
        let twice = async { Err::<(), _>(gather([async { Err::<(), _>(ERROR) }]).await.unwrap_err()) };
        assert_eq!(gather([twice]).await.unwrap_err().downcast_ref(), Some(&ERROR));
    });
}

#[test]
fn resumed_a_failure_ends_who_resumes_it_as_it_ended_the_child() {
    run(async {
        assert!(catch_cancelled(cancelled().resume()).await.unwrap_err().message().is_none());
        assert!(create_task(panicked().resume()).await.unwrap_err().is_panic());
        assert_eq!(failed().resume().await.downcast_ref(), Some(&ERROR));
        assert!(matches!(late_in_place().await.resume().await, Failure::TimedOut(_)));
    });
}

async fn late_in_place() -> Failure {
    timeout(ms(0), forever()).await.unwrap_err().into()
}

/// The error of a group with these children's failures, and one that panics.
async fn group_of(errors: &'static [Exception]) -> ErrorGroup {
    let group = TaskGroup::run(async |group: TaskGroup| {
        for error in errors {
            drop(group.create_task(ready(Err::<(), _>(error.clone()))));
        }
        drop(group.create_task(async { assert!(errors.is_empty(), "boom") }));
        drop(group.create_task(ready(Err::<(), _>(fmt::Error))));
    });
    group.await.unwrap_err()
}

#[test]
fn a_group_s_error_is_taken_apart_by_type() {
    const TWO: [Exception; 2] = [Exception("ValueError", "one"), Exception("ValueError", "two")];
    run(async {
        let error = group_of(&TWO).await;
        assert!(!error.is_cancelled() && error.failures().len() == 4);
        let (found, rest) = error.split::<Exception>();
        assert_eq!(found, TWO);
        let (found, rest) = rest.unwrap().split::<fmt::Error>();
        assert_eq!(found, [fmt::Error]);
        let (found, rest) = rest.unwrap().split::<Exception>();
        assert!(found.is_empty());
        let left = rest.unwrap().into_failures();
        assert!(left.len() == 1 && left[0].is_panic());

        let all = TaskGroup::run(async |group: TaskGroup| drop(group.create_task(ready(Err::<(), _>(ERROR)))));
        let (found, rest) = all.await.unwrap_err().split::<Exception>();
        assert!(found == [ERROR] && rest.is_none(), "nothing is left: no error is");
    });
}

#[test]
fn a_start_that_failed_has_the_childs_cause() {
    run(async {
        let ended = TaskGroup::run(async |group: TaskGroup| {
            let fails = async |_status: TaskStatus<()>| Err::<(), _>(Caused(ERROR));
            let error = group.start(fails).await.unwrap_err();
            assert_eq!(error.source().unwrap().to_string(), ERROR.to_string());
            assert_eq!(error.to_string(), "the task failed before it was ready: caused");
        });
        ended.await.unwrap();
    });
    assert!(NotStarted::Silent.source().is_none() && NotStarted::Cancelled.source().is_none());
}

#[test]
fn a_status_that_a_panicking_child_held_says_what_it_is() {
    run(async {
        let ended = TaskGroup::run(async |group: TaskGroup| {
            let child = async |status: TaskStatus<String>| {
                let words = format!("{status:?}");
                status.started(words);
            };
            group.start(child).await.unwrap()
        });
        assert_eq!(ended.await.unwrap(), "TaskStatus { .. }");
    });
}

#[test]
fn a_refused_future_says_why_and_comes_back() {
    run(async {
        let group = TaskGroup::run(async |group: TaskGroup| (group,)).await.unwrap().0;
        let refused = group.try_create_task(async { 7 }).unwrap_err();
        assert_eq!(
            format!("{refused:?}"),
            "Refused { why: \"the task group is finished: it takes no more tasks\", .. }"
        );
        assert_eq!(refused.to_string(), "the task group is finished: it takes no more tasks");
        assert_eq!(refused.into_future().await, 7);
        let asked = AssertUnwindSafe(|| drop(group.create_task(async {})));
        let panic = Panic::new(catch_unwind(asked).unwrap_err());
        assert_eq!(panic.message(), Some("the task group is finished: it takes no more tasks"));
        let refused = group.start(async |_: TaskStatus<()>| unreachable_child()).await.unwrap_err();
        assert_eq!(refused.to_string(), "the task group is finished: it takes no more tasks");
    });
}

fn unreachable_child() {
    unreachable!("it was refused")
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a destructor's own affair");
    }
}

#[test]
fn a_child_whose_future_panics_when_it_is_dropped_fails_its_group() {
    run(async {
        let group = TaskGroup::run(async |group: TaskGroup| {
            let bomb = Bomb;
            let child = group.create_task(async move {
                let _bomb = bomb;
                forever().await;
            });
            yield_now().await;
            child.cancel();
            forever().await; // It is cut by the child's failure.
        });
        assert_eq!(group.await.unwrap_err().failures().len(), 1);
    });
}

#[test]
fn a_failure_outside_is_reported_as_what_it_is() {
    let (world, log) = (World::new(), Log::default());
    log_reports(&world.set, &log);
    let main = async {
        let slow = |ended: Result<(), Exception>| async {
            sleep(ms(1)).await;
            ended
        };
        for ended in [Ok(()), Err(ERROR)] {
            drop(corio_combinators::shield(slow(ended)));
        }
        let cut = create_task(forever());
        let cut_ref = cut.task_ref();
        drop(corio_combinators::shield(cut));
        cut_ref.cancel();
        sleep(ms(5)).await;
    };
    world.run(main).unwrap();
    assert_eq!(log.take(), ["handler: ValueError exception in shielded future | no bread"]);
}

#[test]
fn a_shield_that_nobody_asked_reports_what_it_heard() {
    let (world, log) = (World::new(), Log::default());
    log_reports(&world.set, &log);
    let main = async {
        let held = corio_combinators::shield(async { Err::<(), _>(ERROR) });
        sleep(ms(1)).await;
        assert!(held.done() && !held.cancelled() && !held.cancel());
        drop(held);
        let mut held = corio_combinators::shield(async { Err::<(), _>(ERROR) });
        assert!((&mut held).await.is_err()); // This one was asked.
        assert!(held.done() && !held.cancelled());
        drop(held);
        let mut cut = corio_combinators::shield(forever());
        assert!(cut.cancel() && cut.done() && cut.cancelled() && !cut.cancel());
        assert!((&mut cut).await.unwrap_err().is_cancelled());
        assert!(cut.done() && cut.cancelled());
    };
    world.run(main).unwrap();
    assert_eq!(log.take(), ["handler: ValueError exception in shielded future | no bread"]);
}

#[test]
fn the_error_of_a_handle_counts_by_its_own_kind() {
    run(async {
        let (promise, cell) = promise::<Result<u32, Exception>>();
        promise.set_result(Err(ERROR)).unwrap();
        assert_eq!(fallible(cell).await.unwrap_err().downcast_ref(), Some(&ERROR));
        let task = create_task(async { Err::<u32, _>(ERROR) });
        assert_eq!(fallible(task).await.unwrap_err().downcast_ref(), Some(&ERROR));
        let task = create_task(pending::<Result<u32, Exception>>());
        task.cancel();
        let (first, second) = gather_settled((fallible(task), async { 2 })).await.unwrap();
        assert!(first.unwrap_err().is_cancelled());
        assert_eq!(second.unwrap(), 2);
    });
}

#[test]
fn a_scope_by_moment_tells_when() {
    run(async {
        let seen = Rc::new(Cell::new(None));
        let inside = Rc::clone(&seen);
        let when = LoopTime::ZERO + ms(5);
        let ended = timeout_scope_at(when, async move |limit| {
            inside.set(limit.when());
            assert!(!limit.expired());
            forever().await;
        });
        assert!(ended.await.is_err());
        assert_eq!((seen.get(), corio_seam::now()), (Some(when), when));
        let never = timeout_scope_at(None, async |limit| {
            sleep(ms(1000)).await;
            (limit.when(), limit.expired())
        });
        assert_eq!(never.await, Ok((None, false)));
    });
}
