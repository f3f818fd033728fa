//! Ports of the conformance programs: each must print the lines that CPython prints.
//!
//! A line about what Rust refuses to compile is left out of the expected ones, by its beginning: the same handle twice in
//! `wait`, a task group that was not entered, or entered twice.

use crate::kit::{Exception, Log, World, call_later, log_reports, ms, py, sleep, yield_now};
use corio_combinators::{
    Failure, ReturnWhen, Shield, TaskGroup, TimeoutScope, fallible, gather, gather_settled, shield, timeout_scope_at,
    wait, wait_for,
};
use corio_seam::LoopTime;
use corio_task::{Task, catch_cancelled, create_task, current_task};
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// Runs `main` and compares what it logs with the lines of `expected`, less those that begin as one of `refused`.
fn check<F: Future<Output = ()>>(expected: &str, refused: &[&str], main: impl FnOnce(Log) -> F) {
    let (world, log) = (World::new(), Log::default());
    log_reports(&world.set, &log);
    world.run(main(log.clone())).unwrap();
    let wanted = expected.lines().filter(|line| !refused.iter().any(|start| line.starts_with(start)));
    assert_eq!(log.take(), wanted.collect::<Vec<_>>());
}

fn me_cancelling() -> usize {
    current_task().unwrap().cancelling()
}

#[test]
fn n24_gather_results() {
    check(include_str!("../data/24_gather_results.expected"), &[], |log| async move {
        let runs = Rc::new(RefCell::new(Vec::new()));
        let job = |n: i32, delay| {
            let (log, runs) = (log.clone(), Rc::clone(&runs));
            async move {
                runs.borrow_mut().push(n);
                sleep(ms(delay)).await;
                log.add(format!("done {n}"));
                n
            }
        };
        let nobody: [std::future::Ready<i32>; 0] = [];
        log.add(format!("{:?}", gather(nobody).await.unwrap()));
        let (a, b, c) = gather((job(1, 40), job(2, 20), job(3, 30))).await.unwrap();
        log.add(format!("{:?}", [a, b, c]));
        let t = create_task(job(4, 10)).share();
        let (a, b, c) = gather((t.clone(), job(5, 20), t)).await.unwrap();
        log.add(format!("{:?}", [a, b, c]));
        log.add(format!("runs {:?}", runs.borrow()));
    });
}

#[test]
fn n26_gather_return_exceptions() {
    check(include_str!("../data/26_gather_return_exceptions.expected"), &[], |log| async move {
        let c = create_task(sleep(ms(1000)));
        let later = c.task_ref();
        call_later(ms(10), move || assert!(later.cancel()));
        let bad = async { Err::<(), _>(Exception("ValueError", "bad")) };
        let (bad, ok, c) = gather_settled((bad, async { "ok" }, c)).await.unwrap();
        log.add(bad.unwrap_err());
        log.add(format!("str {}", ok.unwrap()));
        assert!(c.unwrap_err().is_cancelled());
        log.add("CancelledError ");

        let c = create_task(sleep(ms(1000)));
        let later = c.task_ref();
        let s = create_task(async {
            sleep(ms(30)).await;
            "sibling"
        })
        .share();
        call_later(ms(10), move || assert!(later.cancel()));
        let mut g = gather((c, s.clone()));
        if let Err(Failure::Cancelled(_)) = (&mut g).await {
            log.add(format!(
                "child cancel -> Cancelled | gather.cancelled() {} | sibling done {} | me cancelling {}",
                py(g.cancelled()),
                py(s.done()),
                me_cancelling()
            ));
        }
        log.add(s.await.unwrap());
    });
}

type Job = Task<Result<(), Exception>>;

/// Makes a task that sleeps, and then fails or not.
fn job(name: &str, delay: u64, fails: bool) -> Job {
    let task = create_task(async move {
        sleep(ms(delay)).await;
        if fails { Err(Exception("ValueError", "")) } else { Ok(()) }
    });
    task.named(name)
}

fn names(tasks: &[Job]) -> String {
    let mut names: Vec<_> = tasks.iter().map(Task::name).collect();
    names.sort();
    format!("{names:?}").replace('"', "'")
}

#[test]
fn n28_wait_modes() {
    check(include_str!("../data/28_wait_modes.expected"), &["duplicates"], |log| async move {
        let show = async |label: &str, mut tasks: Vec<Job>, when, limit: Option<Duration>| {
            let done = wait(&mut tasks, when, limit).await.unwrap();
            log.add(format!("{label} {} {}", names(&done), names(&tasks)));
            gather_settled(done.into_iter().chain(tasks)).await.unwrap();
        };
        show("first", vec![job("a", 10, false), job("b", 30, false)], ReturnWhen::FirstCompleted, None).await;
        let c = job("c", 500, false);
        let later = c.task_ref();
        call_later(ms(10), move || assert!(later.cancel()));
        let tasks = vec![job("a", 20, false), job("b", 40, true), c, job("d", 60, false)];
        show("exception", tasks, ReturnWhen::FirstException, None).await;
        show("all", vec![job("a", 10, true), job("b", 20, false)], ReturnWhen::AllCompleted, None).await;
        let tasks = vec![job("a", 10, false), job("b", 50, false)];
        show("timeout", tasks, ReturnWhen::AllCompleted, Some(ms(30))).await;
        show("timeout 0", vec![job("a", 10, false)], ReturnWhen::AllCompleted, Some(ms(0))).await;
        if wait(&mut Vec::<Job>::new(), ReturnWhen::AllCompleted, None).await.is_err() {
            log.add("ValueError Set of Tasks/Futures is empty.");
        }
    });
}

#[test]
fn n29_wait_cancel() {
    check(include_str!("../data/29_wait_cancel.expected"), &[], |log| async move {
        let j = create_task(async {
            sleep(ms(20)).await;
            "job result"
        });
        let jobs = Rc::new(RefCell::new(vec![j]));
        let (lines, waited) = (log.clone(), Rc::clone(&jobs));
        let waiter = async move {
            let mut tasks = waited.take();
            if let Err(cancelled) = catch_cancelled(wait(&mut tasks, ReturnWhen::AllCompleted, None)).await {
                waited.replace(tasks);
                lines.add("waiter cancelled");
                cancelled.resume().await;
            }
        };
        let w = create_task(waiter);
        sleep(ms(0)).await;
        w.cancel();
        let w = wait(&mut vec![w], ReturnWhen::AllCompleted, None).await.unwrap();
        let j = jobs.borrow_mut().pop().unwrap();
        log.add(format!("{} {} {}", py(w[0].cancelled()), py(j.done()), py(j.cancelled())));
        log.add(j.await.unwrap());
    });
}

#[test]
fn n31_wait_for() {
    async fn inner(how: &'static str, log: Log) -> Result<&'static str, Exception> {
        let delay = if how == "fast" { 10 } else { 1000 };
        let Err(cancelled) = catch_cancelled(sleep(ms(delay))).await else { return Ok(how) };
        sleep(ms(10)).await;
        log.add(format!("  cleaned {how}"));
        match how {
            "error" => Err(Exception("ValueError", "from cleanup")),
            "swallow" => Ok("swallowed value"),
            _ => match cancelled.resume().await {},
        }
    }
    check(include_str!("../data/31_wait_for.expected"), &[], |log| async move {
        for how in ["fast", "slow", "error", "swallow"] {
            match wait_for(inner(how, log.clone()), ms(30)).await {
                Ok(Ok(value)) => log.add(format!("{how} -> {value}")),
                Ok(Err(error)) => log.add(format!("{how} -> {error}")),
                Err(_) => log.add(format!("{how} -> Timeout")),
            }
        }
        let lines = log.clone();
        if wait_for(async move { lines.add("must not start") }, ms(0)).await.is_err() {
            log.add("zero -> Timeout");
        }
        let (promise, f) = corio_future::promise();
        promise.set_result("ready").unwrap();
        log.add(format!("zero, done -> {}", wait_for(f, ms(0)).await.unwrap().unwrap()));
        log.add(format!("none -> {}", wait_for(inner("fast", log.clone()), None).await.unwrap().unwrap()));
    });
}

#[test]
fn n32_wait_for_cancel() {
    async fn inner(tag: &'static str, log: Log) -> &'static str {
        match catch_cancelled(sleep(ms(40))).await {
            Ok(()) => {
                log.add(format!("{tag} completed"));
                tag
            }
            Err(cancelled) => {
                log.add(format!("{tag} cancelled"));
                match cancelled.resume().await {}
            }
        }
    }
    check(include_str!("../data/32_wait_for_cancel.expected"), &[], |log| async move {
        let i = create_task(inner("i1", log.clone()));
        let seen = i.task_ref();
        let w = create_task(wait_for(i, ms(1000)));
        sleep(ms(10)).await;
        w.cancel();
        let w = wait(&mut vec![w], ReturnWhen::AllCompleted, None).await.unwrap();
        log.add(format!("w {} i1 {}", py(w[0].cancelled()), py(seen.cancelled())));
        let i = create_task(inner("i2", log.clone())).share();
        if wait_for(shield(i.clone()), ms(10)).await.is_err() {
            log.add(format!("timeout, i2 done {}", py(i.done())));
        }
        log.add(i.await.unwrap());
    });
}

/// Runs a body in a timeout scope, and logs how it ended.
async fn attempt(
    log: &Log,
    label: &str,
    delay: Option<u64>,
    body: impl AsyncFnOnce(TimeoutScope) -> Result<(), Exception>,
) {
    let scope = OnceCell::new();
    let when = delay.map(|delay| corio_seam::now() + ms(delay));
    let when = if label.starts_with("past") { Some(LoopTime::ZERO) } else { when };
    let ended = catch_cancelled(timeout_scope_at(when, async |limit| {
        scope.set(limit.clone()).unwrap();
        body(limit).await
    }));
    let ended = ended.await;
    let how = match &ended {
        Ok(Ok(Ok(()))) => "ok",
        Ok(Ok(Err(error))) => error.0,
        Ok(Err(_)) => "Timeout",
        Err(_) => "Cancelled",
    };
    log.add(format!("{label} {how} {} {}", py(scope.get().unwrap().expired()), me_cancelling()));
    if ended.is_err() {
        current_task().unwrap().uncancel();
    }
}

#[test]
fn n33_timeout_scope() {
    let slow = async |_: TimeoutScope| {
        sleep(ms(1000)).await;
        Ok(())
    };
    let fast = async |_: TimeoutScope| {
        sleep(ms(10)).await;
        Ok(())
    };
    let yields = async |_: TimeoutScope| {
        sleep(ms(0)).await;
        Ok(())
    };
    check(include_str!("../data/33_timeout_scope.expected"), &[], |log| async move {
        attempt(&log, "slow", Some(10), slow).await;
        attempt(&log, "fast", Some(50), fast).await;
        attempt(&log, "disabled", None, fast).await;
        attempt(&log, "zero, no await", Some(0), async |_| Ok(())).await;
        attempt(&log, "zero, yields", Some(0), yields).await;
        attempt(&log, "past, yields", None, yields).await;
        attempt(&log, "own error", Some(50), async |_| Err(Exception("KeyError", "k"))).await;
        let key_on_cancel = async |_| match catch_cancelled(sleep(ms(1000))).await {
            Ok(()) => Ok(()),
            Err(_) => Err(Exception("KeyError", "k")),
        };
        attempt(&log, "error on cancel", Some(10), key_on_cancel).await;
        let extend = async |limit: TimeoutScope| {
            limit.reschedule(corio_seam::now() + ms(60)).unwrap();
            sleep(ms(30)).await;
            Ok(())
        };
        attempt(&log, "reschedule", Some(10), extend).await;
        let swallow = async |_| {
            if catch_cancelled(sleep(ms(1000))).await.is_err() {
                log.add("  swallowed");
            }
            Ok(())
        };
        attempt(&log, "swallow", Some(10), swallow).await;
        let foreign = async |_| {
            current_task().unwrap().cancel();
            sleep(ms(1000)).await;
            Ok(())
        };
        attempt(&log, "foreign cancel", Some(1000), foreign).await;
    });
}

#[test]
fn n35_taskgroup_ok() {
    let refused = ["RuntimeError: not entered", "RuntimeError: entered twice"];
    check(include_str!("../data/35_taskgroup_ok.expected"), &refused, |log| async move {
        let child = |name: &'static str, delay| {
            let log = log.clone();
            async move {
                sleep(ms(delay)).await;
                log.add(format!("child {name}"));
                name
            }
        };
        let ended = TaskGroup::run(async |tg| {
            let (late, inside) = (child("late", 30), tg.clone());
            let spawner = async move {
                sleep(ms(20)).await;
                let _detached = inside.create_task(late);
            };
            let a = tg.create_task(child("a", 30));
            let _detached = tg.create_task(spawner);
            let c = tg.create_task(child("cancelled", 900));
            sleep(ms(10)).await;
            c.cancel();
            log.add("body ends");
            (a, c, tg)
        });
        let (a, c, tg) = ended.await.unwrap();
        log.add(format!("closed {} {}", a.await.unwrap(), py(c.cancelled())));
        if tg.try_create_task(child("x", 0)).is_err_and(|refused| refused.to_string().contains("finished")) {
            log.add("RuntimeError: finished");
        }
    });
}

#[test]
fn n36_taskgroup_error() {
    async fn bad(delay: u64, text: &'static str) -> Result<(), Exception> {
        sleep(ms(delay)).await;
        Err(Exception("ValueError", text))
    }
    async fn sibling(tg: TaskGroup, fail: bool, log: Log) -> Result<(), Exception> {
        let Err(cancelled) = catch_cancelled(sleep(ms(1000))).await else { return Ok(()) };
        if tg.try_create_task(bad(0, "never")).is_err() {
            log.add("  no new child while aborting");
        }
        sleep(ms(10)).await;
        log.add("  sibling cleaned");
        if fail {
            return Err(Exception("KeyError", "cleanup"));
        }
        match cancelled.resume().await {}
    }
    async fn run(label: &str, fail: bool, body_error: bool, log: &Log) {
        let ended = TaskGroup::run(async |tg| {
            let _detached = tg.create_task(bad(10, "first"));
            let _detached = tg.create_task(sibling(tg.clone(), fail, log.clone()));
            let Err(cancelled) = catch_cancelled(sleep(ms(1000))).await else { return Ok(()) };
            log.add("  body cancelled");
            if body_error {
                return Err(Exception("OSError", "body"));
            }
            match cancelled.resume().await {}
        });
        let group = ended.await.unwrap_err();
        let name = |failure: &Failure| failure.downcast_ref::<Exception>().unwrap().0;
        let mut names: Vec<_> = group.failures().iter().map(name).collect();
        names.sort_unstable();
        log.add(format!("{label} {names:?} {}", me_cancelling()).replace('"', "'"));
        sleep(ms(0)).await;
    }
    check(include_str!("../data/36_taskgroup_error.expected"), &[], |log| async move {
        run("plain", false, false, &log).await;
        run("cleanup error", true, false, &log).await;
        run("body error too", true, true, &log).await;
        let s = OnceCell::new();
        let ended = TaskGroup::run(async |tg| {
            s.set(tg.create_task(sleep(ms(1000))).task_ref()).unwrap();
            Err::<(), _>(Exception("OSError", "body only"))
        });
        let (errors, rest) = ended.await.unwrap_err().split::<Exception>();
        assert!(rest.is_none());
        log.add(format!("body raised {} child cancelled {}", errors.len(), py(s.get().unwrap().cancelled())));
    });
}

#[test]
fn n38_shield() {
    async fn inner(log: Log) -> &'static str {
        match catch_cancelled(sleep(ms(30))).await {
            Ok(()) => {
                log.add("inner completed");
                "value"
            }
            Err(cancelled) => {
                log.add("inner cancelled");
                match cancelled.resume().await {}
            }
        }
    }
    check(include_str!("../data/38_shield.expected"), &[], |log| async move {
        let i = create_task(inner(log.clone())).share();
        let shielded = i.clone();
        let o = create_task(async move { shield(shielded).await });
        sleep(ms(10)).await;
        o.cancel();
        let o = wait(&mut vec![o], ReturnWhen::AllCompleted, None).await.unwrap();
        log.add(format!("outer {} inner done {}", py(o[0].cancelled()), py(i.done())));
        let value = i.clone().await.unwrap();
        log.add(format!("{value} {}", py(shield(i).done())));
        let i = create_task(inner(log.clone()));
        let cancel = i.task_ref();
        let mut sh: Shield<_> = shield(i);
        sleep(ms(0)).await;
        cancel.cancel();
        if let Err(Failure::Cancelled(_)) = (&mut sh).await {
            log.add(format!("shield cancelled {} me {}", py(sh.cancelled()), me_cancelling()));
        }
        let error = shield(async { Err::<(), _>(Exception("ValueError", "bad")) }).await.unwrap_err();
        log.add(format!("error {}", error.downcast_ref::<Exception>().unwrap().1));
    });
}

#[test]
fn n75_taskgroup_nested_cancel() {
    async fn bad(name: &'static str) -> Result<(), Exception> {
        sleep(ms(0)).await;
        Err(Exception(name, ""))
    }
    check(include_str!("../data/75_taskgroup_nested_cancel.expected"), &[], |log| async move {
        let ended = TaskGroup::run(async |outer| {
            let ended = TaskGroup::run(async |inner| {
                let _detached = inner.create_task(bad("RuntimeError"));
                let _detached = outer.create_task(bad("ValueError"));
            });
            if ended.await.is_err() {
                // The outer group's request is aimed at its body's scope, not at the task.
                log.add(format!("inner handled {}", corio_seam::cancelling()));
            }
            match catch_cancelled(sleep(ms(0))).await {
                Ok(()) => log.add("unreachable"),
                Err(cancelled) => {
                    log.add("outer cancel delivered");
                    cancelled.resume().await;
                }
            }
        });
        if ended.await.is_err() {
            log.add(format!("outer handled {}", corio_seam::cancelling()));
        }
        let (lines, (ready, ev)) = (log.clone(), corio_future::promise());
        let victim = async move {
            let fails_late = async move {
                ready.set_result(()).unwrap();
                bad("RuntimeError").await
            };
            let ended = TaskGroup::run(async |tg| {
                let _detached = tg.create_task(fails_late);
                sleep(ms(1000)).await;
            });
            if ended.await.is_err() {
                lines.add(format!("error and cancel: count {}", me_cancelling()));
            }
            sleep(ms(0)).await;
            sleep(ms(0)).await;
            lines.add("unreachable");
        };
        let t = create_task(victim);
        ev.await.unwrap();
        t.cancel();
        let t = wait(&mut vec![t], ReturnWhen::AllCompleted, None).await.unwrap();
        log.add(format!("cancel was not lost {}", py(t[0].cancelled())));
    });
}

#[test]
fn n78_shield_late_error() {
    check(include_str!("../data/78_shield_late_error.expected"), &[], |log| async move {
        let i = create_task(async {
            sleep(ms(10)).await;
            Err::<(), _>(Exception("ValueError", "late"))
        });
        let seen = i.task_ref();
        let o = create_task(async move { shield(fallible(i)).await });
        yield_now().await;
        yield_now().await;
        o.cancel();
        let o = wait(&mut vec![o], ReturnWhen::AllCompleted, None).await.unwrap();
        sleep(ms(30)).await;
        log.add(format!("inner {} {}", py(seen.done()), py(o[0].cancelled())));
    });
}
