use crate::kit::{run_alone, yield_now};
use corio_task::{Cancelled, JoinError, Task, TaskOptions, TaskSet, catch_cancelled, create_task, create_task_with};
use std::error::Error;
use std::future::pending;

#[test]
fn a_task_says_its_name_and_how_it_stands() {
    run_alone(async {
        let task = create_task_with(TaskOptions::new().name("baker"), pending::<()>());
        let of = |state| format!(r#"TaskRef {{ name: "baker", {state}, .. }}"#);
        assert_eq!(format!("{:?}", task.task_ref()), of("done: false, cancelled: false"));
        assert_eq!(format!("{task:?}"), format!("Task({})", of("done: false, cancelled: false")));
        task.cancel();
        yield_now().await;
        yield_now().await;
        assert_eq!(format!("{:?}", task.task_ref()), of("done: true, cancelled: true"));
    });
}

#[test]
fn a_set_says_how_many_it_has() {
    let set = TaskSet::new();
    let _tasks: [Task<()>; 2] = [set.spawn(pending()), set.spawn(pending())];
    assert_eq!(format!("{set:?}"), format!("TaskSet {{ id: {:?}, tasks: 2, is_closed: false, .. }}", set.id()));
    set.close();
    assert_eq!(format!("{set:?}"), format!("TaskSet {{ id: {:?}, tasks: 0, is_closed: true, .. }}", set.id()));
}

#[test]
fn scopes_say_how_often_they_were_asked() {
    let scope = corio_task::Scope::new();
    assert_eq!(format!("{scope:?}"), "Scope { requests: 0, .. }");
    let handle = scope.handle();
    assert_eq!(format!("{handle:?}"), "ScopeHandle { requests: 0 }");
    handle.request(None);
    assert_eq!(format!("{handle:?} {scope:?}"), "ScopeHandle { requests: 1 } Scope { requests: 1, .. }");
    let caught = catch_cancelled(pending::<()>());
    assert_eq!(format!("{caught:?}"), "CatchCancelled { scope: Scope { requests: 0, .. }, .. }");
}

#[test]
fn errors_are_sentences() {
    let cancelled = JoinError::from(Cancelled::with_message(Some("late".into())));
    assert_eq!(cancelled.to_string(), "task was cancelled: late");
    assert!(cancelled.is_cancelled() && !cancelled.is_panic() && cancelled.source().is_none());
    let panicked = run_alone(async { create_task(async { panic!("boom") }).await.map(|(): ()| ()).unwrap_err() });
    assert_eq!(panicked.to_string(), "task panicked: boom");
    assert!(!panicked.is_cancelled() && panicked.is_panic());
    assert_eq!(panicked.into_panic().unwrap().message(), Some("boom"));
    assert!(cancelled.into_panic().unwrap_err().is_cancelled());
}
