use crate::kit::{Caused, run};
use corio_combinators::{
    Failure, NotStarted, ReturnWhen, TaskGroup, TimedOut, WaitSet, as_completed, by_completion, cancel_scope, fallible,
    gather, join, move_on_after, race, shield, staggered_race, timeout, timeout_scope, try_join, wait,
};
use corio_seam::{Cancelled, Panic};
use corio_task::{Task, create_task};
use futures_core::Stream;
use std::error::Error;
use std::fmt;
use std::future::{pending, ready};
use std::time::Duration;

fn text(value: &dyn fmt::Debug) -> String {
    format!("{value:?}")
}

#[test]
fn joins_say_how_many_they_wait_for() {
    assert_eq!(text(&join((ready(1), ready(2)))), "Join { children: 2, .. }");
    assert_eq!(text(&join(vec![ready(1); 3])), "Join { children: 3, .. }");
    assert_eq!(text(&race((ready(1), ready(2)))), "Race { children: 2, .. }");
    assert_eq!(text(&try_join(vec![ready(Ok::<_, u8>(1)); 3])), "TryJoin { children: 3, .. }");
    assert_eq!(text(&by_completion([ready(1), ready(2)])), "ByCompletion { left: 2, .. }");
}

#[test]
fn what_waits_for_tasks_says_how_it_stands() {
    run(async {
        let held = shield(pending::<u8>());
        assert_eq!(text(&held), "Shield { done: false, cancelled: false }");
        held.cancel();
        assert_eq!(text(&held), "Shield { done: true, cancelled: true }");
        let mut all = as_completed([create_task(ready(1)), create_task(ready(2))]);
        assert_eq!((text(&all), all.size_hint()), ("AsCompleted { left: 2, .. }".to_owned(), (2, Some(2))));
        assert!(all.next().await.is_some());
        assert_eq!((text(&all), all.len()), ("AsCompleted { left: 1, .. }".to_owned(), 1));
        let mut set = WaitSet::new();
        set.push(create_task(pending::<u8>()));
        assert_eq!(text(&set), "WaitSet { tasks: 1, .. }");
        let both = gather((ready(1), ready(2)));
        assert!(text(&both).starts_with("Gather(Future { state: \"pending\""), "{both:?}");
        let gone = fallible(create_task(pending::<Result<u8, TimedOut>>()));
        assert_eq!(text(&gone), "Fallible { is_over: false, .. }");
    });
}

#[test]
fn groups_and_scopes_say_how_they_stand() {
    run(async {
        let words = TaskGroup::run(async |group| {
            let _child = group.create_task(ready(1));
            text(&group)
        });
        assert_eq!(words.await.unwrap(), "TaskGroup { children: 1, phase: Open, .. }");
        let words = cancel_scope(async |scope| {
            let before = text(&scope);
            scope.cancel();
            (before, text(&scope))
        });
        let (before, after) = words.await.unwrap();
        assert_eq!(before, "CancelScope { deadline: None, cancel_called: false, .. }");
        assert_eq!(after, "CancelScope { deadline: None, cancel_called: true, .. }");
        let words = move_on_after(Duration::from_secs(1), async |scope| text(&scope)).await.unwrap();
        assert!(words.starts_with("CancelScope { deadline: Some("), "{words}");
        let words = timeout_scope(Duration::from_secs(1), async |scope| text(&scope)).await.unwrap();
        assert!(words.starts_with("TimeoutScope { when: Some("), "{words}");
        let limit = timeout(Duration::from_secs(1), ready(1));
        assert_eq!(text(&limit), "Timeout { when: None, expired: false, .. }");
    });
}

/// Returns the error of a wait that took too long.
async fn timed_out() -> TimedOut {
    timeout(Duration::ZERO, pending::<()>()).await.unwrap_err()
}

#[test]
fn errors_are_sentences() {
    let late = run(timed_out());
    let failures = [
        Failure::Failed("no bread".into()),
        Failure::Cancelled(Cancelled::new()),
        Failure::Panicked(Panic::new(Box::new("boom"))),
        Failure::TimedOut(late),
    ];
    assert!(failures.iter().all(|failure| failure.source().is_none()));
    let caused = Failure::Failed(Box::new(Caused(late)));
    assert_eq!(caused.source().unwrap().to_string(), "timed out");
    assert_eq!(failures.map(|failure| failure.to_string()), ["no bread", "cancelled", "panicked: boom", "timed out"]);
    assert_eq!(NotStarted::Cancelled.to_string(), "the task was cancelled before it was ready");
    let silent = "the task will not be ready: it ended without calling `started`";
    assert_eq!(NotStarted::Silent.to_string(), silent);
    assert_eq!(NotStarted::Refused("closed").to_string(), "closed");
    let failed = NotStarted::Failed(Failure::TimedOut(late));
    assert_eq!(failed.to_string(), "the task failed before it was ready: timed out");
}

/// So that what comes after is reached, for the compiler.
fn group_is_odd() -> bool {
    false
}

#[test]
fn a_group_s_error_lists_what_failed() {
    run(async {
        let late = timed_out().await;
        let fail = || ready(Err::<(), _>(late));
        let one = TaskGroup::run(async |group| drop(group.create_task(fail()))).await;
        assert_eq!(one.unwrap_err().to_string(), "unhandled errors in a task group (1 failure); timed out");
        let both = TaskGroup::run(async |group| {
            drop(group.create_task(fail()));
            drop(group.create_task(async { assert!(group_is_odd(), "boom") }));
        });
        let words = both.await.unwrap_err().to_string();
        assert_eq!(words, "unhandled errors in a task group (2 failures); timed out; panicked: boom");
        let none = staggered_race([ready(Err::<u8, _>("no bread")), ready(Err("no wine"))], None).await;
        assert_eq!(none.unwrap_err().to_string(), "no attempt succeeded, of 2; no bread; no wine");
        let nothing = wait(&mut Vec::<Task<u8>>::new(), ReturnWhen::AllCompleted, None).await.unwrap_err();
        assert_eq!(nothing.to_string(), "the set of tasks to wait for is empty");
    });
}
