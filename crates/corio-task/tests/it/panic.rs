use crate::kit::{Log, forever, run, run_alone, yield_now};
use corio_seam::Report;
use corio_task::{JoinError, TaskSet, create_task};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

/// A set whose reports go to a log.
fn reporting() -> (TaskSet, Log) {
    let (set, log) = (TaskSet::new(), Log::new());
    let lines = log.clone();
    set.set_report_handler(Some(Rc::new(move |report: Report| lines.add(report.to_string()))));
    (set, log)
}

/// Panics when dropped.
struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("{}", self.0);
        }
    }
}

#[test]
fn a_panic_is_delivered_to_whoever_awaits() {
    run_alone(async {
        let task = create_task(async { panic!("of the task") });
        let error: JoinError = task.await.unwrap_err();
        assert_eq!(error.to_string(), "task panicked: of the task");
        assert_eq!(error.into_panic().unwrap().message(), Some("of the task"));
        let later = create_task(async {
            yield_now().await;
            panic!("later")
        });
        assert!(later.await.unwrap_err().is_panic());
    });
}

#[test]
fn a_panic_that_nobody_hears_is_reported() {
    let (set, log) = reporting();
    run(&set, async {
        drop(create_task(async { panic!("detached before") }));
        let held = create_task(async { panic!("dropped after") });
        yield_now().await;
        assert!(held.task_ref().panicked());
        drop(held);
    })
    .unwrap();
    let lines = log.take();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("never retrieved") && lines[0].contains("detached before"), "{lines:?}");
    assert!(lines[1].contains("dropped after") && lines[1].contains("Task-3"), "{lines:?}");
}

#[test]
fn an_error_that_nobody_takes_is_reported_if_asked_for() {
    let (set, log) = reporting();
    run(&set, async {
        drop(create_task(async { Err::<(), _>("detached") }).reported());
        drop(create_task(async { Err::<(), _>("silent") }));
        let held = create_task(async { Err::<(), _>("held") }).reported();
        let read = create_task(async { Err::<(), _>("read") }).reported();
        yield_now().await;
        drop(held);
        assert!(read.await.unwrap().is_err());
    })
    .unwrap();
    let lines = log.take().join("\n");
    assert!(lines.contains(": detached") && lines.contains(": held"), "{lines}");
    assert!(!lines.contains("silent") && !lines.contains(": read"), "{lines}");
}

#[test]
fn a_panic_in_a_destructor_is_the_tasks_end() {
    run_alone(async {
        let at_end = create_task(async {
            let bomb = Bomb("at the end");
            yield_now().await;
            drop(bomb);
        });
        assert!(at_end.await.unwrap_err().is_panic());
        let cancelled = create_task(async {
            let _bomb = Bomb("while it was cancelled");
            forever().await;
        });
        yield_now().await;
        cancelled.cancel();
        let error = cancelled.await.unwrap_err();
        assert_eq!(error.into_panic().unwrap().message(), Some("while it was cancelled"));
    });
}

#[test]
fn a_future_that_panics_when_it_is_dropped_after_it_is_ready() {
    struct Ready(#[allow(dead_code, reason = "it is dropped, and that is all")] Bomb);
    impl Future for Ready {
        type Output = String;
        fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Poll<String> {
            Poll::Ready("lost".to_string())
        }
    }
    run_alone(async {
        let task = create_task(Ready(Bomb("late")));
        assert!(task.await.unwrap_err().is_panic());
    });
}

#[test]
fn an_output_whose_destructor_panics_stops_nobody() {
    let (set, log) = reporting();
    run(&set, async {
        drop(create_task(async { Bomb("the output") }));
        let held = create_task(async { Bomb("the held output") });
        yield_now().await;
        drop(held);
        assert_eq!(create_task(async { 1 }).await.unwrap(), 1);
    })
    .unwrap();
    assert_eq!(log.take().len(), 2);
}

#[test]
fn a_callback_that_panics_stops_no_other() {
    let (set, log) = reporting();
    let lines = Log::new();
    let seen = lines.clone();
    run(&set, async move {
        let task = create_task(async {});
        task.add_done_callback(|_| panic!("in a callback"));
        task.add_done_callback(move |_| seen.add("second"));
        task.await.unwrap();
        yield_now().await;
    })
    .unwrap();
    assert_eq!(lines.take(), ["second"]);
    assert!(log.take()[0].contains("in a callback"));
}

#[test]
fn a_panic_leaves_the_current_task_as_it_was() {
    run_alone(async {
        let task = create_task(async {
            poll_fn(|_| -> Poll<()> { panic!("inside") }).await;
        });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!(corio_task::current_task().unwrap().name(), "Task-1");
    });
}

#[test]
#[should_panic(expected = "a task awaits itself")]
fn a_task_that_awaits_itself_is_told() {
    use std::cell::RefCell;
    let ended = run(&TaskSet::new(), async {
        let slot: Rc<RefCell<Option<corio_task::Task<()>>>> = Rc::default();
        let inner = Rc::clone(&slot);
        let task = create_task(async move {
            let me = inner.borrow_mut().take().unwrap();
            let _ = me.await;
        });
        let view = task.task_ref();
        slot.borrow_mut().replace(task);
        yield_now().await;
        assert!(view.done());
        // The handle was in the task itself, so the panic was reported; show it here.
        panic!("a task awaits itself");
    });
    ended.unwrap_err().into_panic().unwrap().resume_unwind();
}

#[test]
#[should_panic(expected = "no event loop runs on this thread")]
fn a_task_needs_a_set() {
    drop(create_task(async {}));
}
