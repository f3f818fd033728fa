use crate::kit::{Log, call_later, forever, ms, run, sleep, yield_now};
use corio_combinators::{
    TimeoutScope, cancel_scope, move_on_after, move_on_at, shielded, timeout, timeout_at, timeout_scope,
};
use corio_seam::{LoopTime, call_soon, now};
use corio_task::{catch_cancelled, current_deadline};
use std::cell::OnceCell;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

fn at(millis: u64) -> LoopTime {
    LoopTime::ZERO + ms(millis)
}

#[test]
fn a_deadline_is_so_long_after_the_beginning() {
    run(async {
        sleep(ms(3)).await;
        let seen = timeout_scope(ms(5), async |limit| (limit.when(), current_deadline())).await;
        assert_eq!(seen, Ok((Some(at(8)), Some(at(8)))));
        let seen = move_on_after(ms(5), async |scope| (scope.deadline(), current_deadline())).await;
        assert_eq!(seen.unwrap(), (Some(at(8)), Some(at(8))));
        let seen = move_on_at(at(9), async |scope| (scope.deadline(), scope.cancel_called())).await;
        assert_eq!(seen.unwrap(), (Some(at(9)), false));
        assert!(timeout(ms(5), forever()).await.is_err());
        assert_eq!(now(), at(8));
        assert!(timeout_at(at(10), forever()).await.is_err());
        assert_eq!(now(), at(10));
        assert!(move_on_after(ms(2), async |_| forever().await).await.is_err());
        assert_eq!(now(), at(12));
        assert!(shielded(ms(3), forever()).await.is_err());
        assert_eq!(now(), at(15));
    });
}

/// Moves a deadline in the iteration in which its timer has called, just before that is heard.
#[test]
fn a_deadline_that_is_moved_while_its_call_is_on_the_way_counts_where_it_is_now() {
    run(async {
        let ended = timeout_scope(ms(5), async |limit| {
            let moved = limit.clone();
            call_later(ms(5), move || moved.reschedule(at(9)).unwrap());
            forever().await;
        });
        assert!(ended.await.is_err());
        // The callback was armed before the deadline, at the body's first suspension.
        assert_eq!(now(), at(9));
        let ended = move_on_after(ms(5), async |scope| {
            call_later(ms(5), move || scope.set_deadline(None));
            sleep(ms(100)).await;
            "in peace"
        });
        assert_eq!(ended.await, Ok("in peace"));
    });
}

#[test]
fn a_deadline_that_is_due_already_is_heard_before_what_becomes_ready_after_it() {
    run(async {
        let (log, kept) = (Log::default(), Rc::new(OnceCell::new()));
        let before = |log: &Log, limit: &TimeoutScope| log.add(format_args!("before: {}", limit.expired()));
        let mut ended = pin!(timeout_scope(ms(0), async |limit| {
            let (seen, log) = (limit.clone(), log.clone());
            call_soon(move || before(&log, &seen)).unwrap();
            kept.set(limit).unwrap();
            forever().await;
        }));
        let mut first = true;
        let cut = std::future::poll_fn(|cx| {
            let polled = ended.as_mut().poll(cx);
            if std::mem::take(&mut first) {
                let (log, kept) = (log.clone(), Rc::clone(&kept));
                call_soon(move || log.add(format_args!("after: {}", kept.get().unwrap().expired()))).unwrap();
            }
            polled
        });
        assert!(cut.await.is_err());
        assert_eq!(log.take(), ["before: false", "after: true"]);
    });
}

#[test]
fn a_moment_that_has_come_is_not_waited_for() {
    run(async {
        sleep(ms(5)).await;
        let order = Log::default();
        let scope = timeout_scope(ms(0), async |limit| {
            let (log, seen) = (order.clone(), limit.clone());
            // Ready after the deadline's call, because it is made after the first suspension.
            call_later(ms(0), move || log.add(seen.expired()));
            forever().await;
        });
        assert!(scope.await.is_err());
        yield_now().await;
        assert_eq!(order.take(), ["true"]);
        assert_eq!(now(), at(5));
    });
}

#[test]
fn a_scope_keeps_its_first_reason() {
    run(async {
        let ended = cancel_scope(async |scope| {
            assert!(scope.cancel_with("one") && scope.cancel_with("two") && scope.cancel());
            assert!(scope.cancel_called());
            forever().await;
        });
        assert_eq!(ended.await.unwrap_err().message(), Some("one"));
        let ended = move_on_after(ms(1), async |scope| {
            let cut = catch_cancelled(forever()).await.unwrap_err();
            assert!(scope.cancel(), "it was cancelled already, and is not over");
            cut.message().map(str::to_owned)
        });
        assert_eq!(ended.await.unwrap().as_deref(), Some("the deadline has passed"));
        let kept = cancel_scope(async |scope| scope).await.unwrap();
        assert!(!kept.cancel() && !kept.cancel_with("late") && !kept.cancel_called());
        let once = timeout(ms(1), catch_cancelled(forever())).await.unwrap();
        assert_eq!(once.unwrap_err().message(), None, "a timeout gives no reason");
    });
}

#[test]
fn a_timeout_says_when_and_whether() {
    run(async {
        let mut limited = pin!(timeout(ms(5), async {
            drop(catch_cancelled(forever()).await);
            forever().await;
        }));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(limited.as_mut().poll(&mut cx).is_pending());
        assert_eq!(format!("{limited:?}"), format!("Timeout {{ when: {:?}, expired: false, .. }}", Some(at(5))));
        sleep(ms(9)).await;
        assert!(matches!(limited.as_mut().poll(&mut cx), Poll::Pending));
        assert_eq!(format!("{limited:?}"), format!("Timeout {{ when: {:?}, expired: true, .. }}", Some(at(5))));
        let words = timeout_scope(ms(5), async |limit| {
            yield_now().await;
            format!("{limit:?}")
        });
        assert_eq!(words.await.unwrap(), format!("TimeoutScope {{ when: {:?}, phase: Armed }}", Some(at(14))));
    });
}
