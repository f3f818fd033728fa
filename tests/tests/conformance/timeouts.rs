//! timeout, wait_for.

use crate::harness::{conforms, ms, until_done};
use crate::python::{KeyError, ValueError, none_or, python};
use corio::combinators::TimeoutScope;
use corio::{
    JoinError, LoopHandle, LoopTime, catch_cancelled, create_task, current_task, gather, promise, shield, sleep,
    timeout, timeout_scope, timeout_scope_at, wait_for, yield_now,
};
use std::cell::OnceCell;
use std::time::Duration;

#[test]
fn c31_wait_for() {
    async fn inner(how: &'static str) -> Result<&'static str, ValueError> {
        let delay = if how == "fast" { ms(10) } else { ms(1000) };
        let Err(cancelled) = catch_cancelled(sleep(delay)).await else { return Ok(how) };
        sleep(ms(10)).await;
        say!("  cleaned {how}");
        match how {
            "error" => Err(ValueError("from cleanup")),
            "swallow" => Ok("swallowed value"),
            _ => match cancelled.resume().await {},
        }
    }
    conforms("31_wait_for", async {
        for how in ["fast", "slow", "error", "swallow"] {
            match wait_for(inner(how), ms(30)).await {
                Ok(Ok(value)) => say!("{how} -> {value}"),
                Ok(Err(error)) => say!("{how} -> ValueError {error}"),
                Err(_) => say!("{how} -> Timeout"),
            }
        }
        if wait_for(async { say!("must not start") }, Duration::ZERO).await.is_err() {
            say!("zero -> Timeout");
        }
        let (set, future) = promise();
        set.set_result("ready").unwrap();
        say!("zero, done -> {}", wait_for(future, Duration::ZERO).await.unwrap().unwrap());
        say!("none -> {}", wait_for(inner("fast"), None).await.unwrap().unwrap());
    });
}

#[test]
fn c32_wait_for_cancel() {
    async fn inner(tag: &'static str) -> &'static str {
        match catch_cancelled(sleep(ms(40))).await {
            Ok(()) => {
                say!("{tag} completed");
                tag
            }
            Err(cancelled) => {
                say!("{tag} cancelled");
                match cancelled.resume().await {}
            }
        }
    }
    conforms("32_wait_for_cancel", async {
        let i = create_task(inner("i1"));
        let seen = i.task_ref();
        let w = create_task(wait_for(i, ms(1000)));
        sleep(ms(10)).await;
        w.cancel();
        let w = until_done(w).await;
        say!("w {} i1 {}", w.cancelled(), seen.cancelled());

        let i = create_task(inner("i2")).share();
        if wait_for(shield(i.clone()), ms(10)).await.is_err() {
            say!("timeout, i2 done {}", i.done());
        }
        say!("{}", i.await.unwrap());
    });
}

#[test]
fn c33_timeout_scope() {
    async fn attempt(
        label: &str,
        deadline: Option<LoopTime>,
        body: impl AsyncFnOnce(TimeoutScope) -> Result<(), KeyError>,
    ) {
        let me = current_task().unwrap();
        let limit = OnceCell::new();
        let ended = catch_cancelled(timeout_scope_at(deadline, async |scope| {
            limit.set(scope.clone()).unwrap();
            body(scope).await
        }));
        let (ended, expired) = (ended.await, || limit.get().unwrap().expired());
        match ended {
            Ok(Ok(Ok(()))) => say!("{label} ok {} {}", expired(), me.cancelling()),
            Ok(Err(_)) => say!("{label} Timeout {} {}", expired(), me.cancelling()),
            Ok(Ok(Err(_))) => say!("{label} KeyError {} {}", expired(), me.cancelling()),
            Err(_) => {
                say!("{label} Cancelled {} {}", expired(), me.cancelling());
                me.uncancel();
            }
        }
    }
    fn after(delay: u64) -> Option<LoopTime> {
        Some(LoopHandle::current().time() + ms(delay))
    }
    conforms("33_timeout_scope", async {
        let slow = async |_| {
            sleep(ms(1000)).await;
            Ok(())
        };
        let fast = async |_| {
            sleep(ms(10)).await;
            Ok(())
        };
        let yields = async |_| {
            yield_now().await;
            Ok(())
        };
        let key_on_cancel = async |_| {
            let _ = catch_cancelled(sleep(ms(1000))).await;
            Err(KeyError("k"))
        };
        let extend = async |limit: TimeoutScope| {
            limit.reschedule(after(60)).unwrap();
            sleep(ms(30)).await;
            Ok(())
        };
        let swallow = async |_| {
            if catch_cancelled(sleep(ms(1000))).await.is_err() {
                say!("  swallowed");
            }
            Ok(())
        };
        let foreign = async |_| {
            current_task().unwrap().cancel();
            sleep(ms(1000)).await;
            Ok(())
        };
        attempt("slow", after(10), slow).await;
        attempt("fast", after(50), fast).await;
        attempt("disabled", None, fast).await;
        attempt("zero, no await", after(0), async |_| Ok(())).await;
        attempt("zero, yields", after(0), yields).await;
        attempt("past, yields", Some(LoopTime::ZERO), yields).await;
        attempt("own error", after(50), async |_| Err(KeyError("k"))).await;
        attempt("error on cancel", after(10), key_on_cancel).await;
        attempt("reschedule", after(10), extend).await;
        attempt("swallow", after(10), swallow).await;
        attempt("foreign cancel", after(1000), foreign).await;
    });
}

#[test]
fn x16_nested_timeouts() {
    async fn both(outer_delay: u64, inner_delay: u64) {
        let start = LoopHandle::current().time();
        let (outer_limit, inner_limit) = (OnceCell::new(), OnceCell::new());
        let ended = timeout_scope_at(start + ms(outer_delay), async |outer| {
            outer_limit.set(outer).unwrap();
            let inner = timeout_scope_at(start + ms(inner_delay), async |inner| {
                inner_limit.set(inner).unwrap();
                sleep(ms(1000)).await;
            });
            match catch_cancelled(inner).await {
                Ok(ended) => {
                    say!("  inner Timeout");
                    ended
                }
                Err(cancelled) => {
                    say!("  inner Cancelled");
                    match cancelled.resume().await {}
                }
            }
        });
        if matches!(ended.await, Err(_) | Ok(Err(_))) {
            say!("  outer Timeout");
        }
        let expired = |limit: &OnceCell<TimeoutScope>| limit.get().unwrap().expired();
        let requests = current_task().unwrap().cancelling();
        say!("{outer_delay} {inner_delay} {} {} {requests}", expired(&outer_limit), expired(&inner_limit));
    }
    conforms("x16_nested_timeouts", async {
        both(10, 20).await;
        both(20, 10).await;
        both(10, 10).await;
        let body = async {
            if let Err(cancelled) = catch_cancelled(sleep(ms(1000))).await {
                if timeout(ms(20), sleep(ms(1000))).await.is_err() {
                    say!("cleanup timed out");
                }
                cancelled.resume().await;
            }
        };
        if timeout(ms(10), body).await.is_err() {
            say!("and so did the body");
        }
    });
}

#[test]
fn x17_timeout_reschedule() {
    conforms("x17_timeout_reschedule", async {
        let event_loop = LoopHandle::current();
        let start = event_loop.time();
        let seconds = |count| Duration::from_secs(count);
        let limit = timeout_scope_at(start + seconds(10), async |limit| {
            let when = || limit.when().map(|when| (when - start).as_secs());
            say!("when {} {}", none_or(when()), limit.expired());
            limit.reschedule(start + seconds(20)).unwrap();
            say!("when {}", none_or(when()));
            limit.reschedule(None).unwrap();
            say!("when {}", none_or(when()));
            sleep(ms(10)).await;
            limit
        });
        if let Err(error) = limit.await.unwrap().reschedule(start + seconds(30)) {
            say!("finished -> {}", python(error).kind);
        }
        let ended = timeout_scope(seconds(10), async |limit| {
            limit.reschedule(start).unwrap(); // It has passed.
            say!("not yet {}", limit.expired());
            if let Err(cancelled) = catch_cancelled(yield_now()).await {
                say!("cut {}", limit.expired());
                if let Err(error) = limit.reschedule(event_loop.time() + seconds(1)) {
                    say!("expired -> {}", python(error).kind);
                }
                cancelled.resume().await;
            }
        });
        if ended.await.is_err() {
            say!("Timeout");
        }
    });
}

#[test]
fn x18_wait_for_more() {
    async fn bad() -> Result<(), ValueError> {
        sleep(ms(10)).await;
        Err(ValueError("inner"))
    }
    async fn slow(name: char) {
        if let Err(cancelled) = catch_cancelled(sleep(ms(1000))).await {
            say!("cancelled {name}");
            cancelled.resume().await;
        }
    }
    conforms("x18_wait_for_more", async {
        if let Err(error) = wait_for(bad(), ms(1000)).await.unwrap() {
            say!("ValueError {error}");
        }
        let task = create_task(sleep(ms(1000)));
        let (seen, victim) = (task.task_ref(), task.task_ref());
        LoopHandle::current().call_later(ms(10), move || _ = victim.cancel());
        if let Err(JoinError::Cancelled(_)) = wait_for(task, ms(500)).await.unwrap() {
            say!("inner cancelled {} {}", seen.cancelled(), current_task().unwrap().cancelling());
        }
        let task = create_task(async {
            sleep(ms(10)).await;
            "in time"
        });
        let seen = task.task_ref();
        say!("{}", wait_for(task, ms(20)).await.unwrap().unwrap());
        sleep(ms(30)).await;
        say!("{} {}", seen.cancelled(), seen.cancelling());
        if wait_for(gather([slow('a'), slow('b')]), ms(10)).await.is_err() {
            say!("gather timed out");
        }
    });
}
