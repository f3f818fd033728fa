//! Task groups.

use crate::harness::{conforms, ms, until_done};
use crate::python::{KeyError, OSError, RuntimeError, ValueError, python, type_name};
use corio::{ErrorGroup, Event, TaskGroup, catch_cancelled, create_task, current_task, sleep, yield_now};
use std::cell::OnceCell;
use std::error::Error;
use std::rc::Rc;

#[test]
fn c35_taskgroup_ok() {
    async fn child(name: &'static str, delay: u64) -> &'static str {
        sleep(ms(delay)).await;
        say!("child {name}");
        name
    }
    conforms("35_taskgroup_ok", async {
        let (a, c, group) = TaskGroup::run(async |group| {
            let inside = group.clone();
            let a = group.create_task(child("a", 30));
            let _detached = group.create_task(async move {
                sleep(ms(20)).await;
                let _detached = inside.create_task(child("late", 30));
            });
            let c = group.create_task(child("cancelled", 900));
            sleep(ms(10)).await;
            c.cancel();
            say!("body ends");
            (a, c, group)
        })
        .await
        .unwrap();
        say!("closed {} {}", a.output().unwrap(), c.cancelled());
        if let Err(refused) = group.try_create_task(child("x", 0)) {
            say!("{}: finished", python(refused).kind);
        }
    });
}

#[test]
fn c36_taskgroup_error() {
    async fn bad(delay: u64, text: &'static str) -> Result<(), ValueError> {
        sleep(ms(delay)).await;
        Err(ValueError(text))
    }
    async fn sibling(group: TaskGroup, fail: bool) -> Result<(), KeyError> {
        let Err(cancelled) = catch_cancelled(sleep(ms(1000))).await else { return Ok(()) };
        if group.try_create_task(bad(0, "never")).is_err() {
            say!("  no new child while aborting");
        }
        sleep(ms(10)).await;
        say!("  sibling cleaned");
        if fail {
            return Err(KeyError("cleanup"));
        }
        match cancelled.resume().await {}
    }
    async fn run(label: &str, fail: bool, body_error: bool) {
        let ended = TaskGroup::run(async |group| {
            let _detached = group.create_task(bad(10, "first"));
            let _detached = group.create_task(sibling(group.clone(), fail));
            let Err(cancelled) = catch_cancelled(sleep(ms(1000))).await else { return Ok(()) };
            say!("  body cancelled");
            if body_error {
                return Err(OSError("body"));
            }
            match cancelled.resume().await {}
        });
        let errors = ended.await.unwrap_err();
        let mut names: Vec<_> = errors.failures().iter().map(|failure| type_name(failure)).collect();
        names.sort_unstable();
        say!("{label} {names:?} {}", current_task().unwrap().cancelling());
        yield_now().await;
    }
    conforms("36_taskgroup_error", async {
        run("plain", false, false).await;
        run("cleanup error", true, false).await;
        run("body error too", true, true).await;
        let child = OnceCell::new();
        let ended = TaskGroup::run(async |group| {
            child.set(group.create_task(sleep(ms(1000)))).unwrap();
            Err::<(), _>(OSError("body only"))
        });
        let (errors, rest) = ended.await.unwrap_err().split::<OSError>();
        assert!(rest.is_none());
        say!("body raised {} child cancelled {}", errors.len(), child.get().unwrap().cancelled());
    });
}

#[test]
fn c75_taskgroup_nested_cancel() {
    async fn bad(error: impl Error + 'static) -> Result<(), Box<dyn Error>> {
        yield_now().await;
        Err(error.into())
    }
    // Counts the requests on all scopes around the caller: a group asks its body's scope, and never the task.
    fn cancelling() -> usize {
        corio::seam::cancelling()
    }
    conforms("75_taskgroup_nested_cancel", async {
        let outer = TaskGroup::run(async |outer| {
            let inner = TaskGroup::run(async |inner| {
                let _detached = inner.create_task(bad(RuntimeError("inner")));
                let _detached = outer.create_task(bad(ValueError("outer")));
            });
            let (errors, _) = inner.await.unwrap_err().split::<RuntimeError>();
            assert_eq!(errors.len(), 1);
            say!("inner handled {}", cancelling());
            let ended = catch_cancelled(async {
                yield_now().await;
                say!("unreachable");
            });
            if let Err(cancelled) = ended.await {
                say!("outer cancel delivered");
                cancelled.resume().await;
            }
        });
        let (errors, _) = outer.await.unwrap_err().split::<ValueError>();
        assert_eq!(errors.len(), 1);
        say!("outer handled {}", cancelling());

        let ready = Rc::new(Event::new());
        let set = Rc::clone(&ready);
        let victim = create_task(async move {
            let ended = TaskGroup::run(async |group| {
                let _detached = group.create_task(async move {
                    set.set();
                    bad(RuntimeError("late")).await
                });
                sleep(ms(1000)).await;
            });
            if ended.await.is_err() {
                say!("error and cancel: count {}", cancelling());
            }
            yield_now().await;
            yield_now().await;
            say!("unreachable");
        });
        ready.wait().await;
        victim.cancel();
        say!("cancel was not lost {}", until_done(victim).await.cancelled());
    });
}

#[test]
fn x19_group_parent_cancel() {
    async fn child(name: char, cleanup: u64) {
        let Err(cancelled) = catch_cancelled(sleep(ms(1000))).await else { return };
        if catch_cancelled(sleep(ms(cleanup))).await.is_err() {
            say!("  cancelled twice, which must not be");
        }
        say!("  cleaned {name}");
        cancelled.resume().await;
    }
    async fn parent(in_body: bool) {
        let ended = catch_cancelled(TaskGroup::run(async |group| {
            let _detached = group.create_task(child('a', 20));
            let _detached = group.create_task(child('b', 10));
            if !in_body {
                return;
            }
            if let Err(cancelled) = catch_cancelled(sleep(ms(1000))).await {
                say!("  body cancelled");
                cancelled.resume().await;
            }
        }));
        match ended.await {
            Ok(_) => say!("unreachable"),
            Err(cancelled) => {
                say!("  parent {}", current_task().unwrap().cancelling());
                cancelled.resume().await;
            }
        }
    }
    conforms("x19_group_parent_cancel", async {
        for in_body in [true, false] {
            let task = create_task(parent(in_body));
            sleep(ms(10)).await;
            say!("cancel {} {}", if in_body { "in body" } else { "in exit" }, task.cancel());
            sleep(ms(5)).await;
            say!("  waits {}", !task.done());
            say!("  ended {}", until_done(task).await.cancelled());
        }
    });
}

#[test]
fn x20_group_nested_errors() {
    async fn bad(error: impl Error + 'static) -> Result<(), Box<dyn Error>> {
        yield_now().await;
        Err(error.into())
    }
    fn show(errors: &ErrorGroup, depth: usize) {
        for failure in errors.failures() {
            let indent = "  ".repeat(depth);
            match failure.downcast_ref::<ErrorGroup>() {
                None => say!("{indent}{} {failure}", type_name(failure)),
                Some(inner) => {
                    say!("{indent}{} ", type_name(failure));
                    show(inner, depth + 1);
                }
            }
        }
    }
    conforms("x20_group_nested_errors", async {
        let ended = TaskGroup::run(async |outer| {
            let _detached = outer.create_task(bad(ValueError("outer")));
            TaskGroup::run(async |inner| {
                let _detached = inner.create_task(bad(RuntimeError("inner")));
                let _detached = inner.create_task(bad(OSError("inner too")));
                sleep(ms(1000)).await;
            })
            .await
        });
        show(&ended.await.unwrap_err(), 0);

        let ended = TaskGroup::run(async |group| {
            let _detached = group.create_task(bad(ValueError("named")));
            let _detached = group.create_task(bad(OSError("left")));
        });
        let (named, left) = ended.await.unwrap_err().split::<ValueError>();
        say!("taken out {}", named.len());
        if let Some(left) = left {
            say!("left {:?}", Vec::from_iter(left.failures().iter().map(|failure| type_name(failure))));
        }
    });
}
