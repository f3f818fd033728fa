use crate::kit::{Log, OnDrop, forever, run, run_alone, was_cancelled, was_hit, yield_now};
use corio_seam::LoopTime;
use corio_task::{
    Branch, Cancelled, JoinError, Scope, TaskSet, Until, catch_cancelled, create_task, current_deadline, current_task,
};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

#[test]
fn before_its_first_step_a_task_ends_without_one() {
    run_alone(async {
        let task = create_task(async { unreachable!("it was cancelled first") });
        assert!(task.cancel());
        assert!(!task.done());
        yield_now().await;
        assert!(task.cancelled());
        assert!(!task.cancel());
        assert!(was_cancelled(&task.await));
    });
}

#[test]
fn it_unwinds_from_the_inside_out() {
    let log = Log::new();
    let lines = log.clone();
    run_alone(async move {
        let inner = log.clone();
        let task = create_task(async move {
            let _outer = OnDrop(inner.clone(), "outer");
            async {
                let _inner = OnDrop(inner.clone(), "inner");
                forever().await;
            }
            .await;
        });
        yield_now().await;
        task.cancel_with("why");
        match task.await {
            Err(JoinError::Cancelled(cancelled)) => log.add(cancelled.message().unwrap_or("")),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(lines.take(), ["inner", "outer", "why"]);
}

#[test]
fn it_can_be_caught_and_swallowed() {
    run_alone(async {
        let task = create_task(async {
            let caught = catch_cancelled(forever()).await;
            yield_now().await;
            caught.is_err()
        });
        yield_now().await;
        task.cancel();
        task.cancel();
        assert_eq!(task.cancelling(), 2);
        assert!(task.await.unwrap());
    });
}

#[test]
fn cleanup_may_await_and_the_cancellation_go_on() {
    let log = Log::new();
    let lines = log.clone();
    run_alone(async move {
        let inner = log.clone();
        let task = create_task(async move {
            if let Err(cancelled) = catch_cancelled(forever()).await {
                inner.add("cleanup");
                yield_now().await;
                inner.add("clean");
                cancelled.resume().await;
            }
            unreachable!("the cancellation went on")
        });
        yield_now().await;
        task.cancel();
        assert!(was_cancelled::<()>(&task.await));
    });
    assert_eq!(lines.take(), ["cleanup", "clean"]);
}

#[test]
fn only_the_innermost_scope_is_hit() {
    run_alone(async {
        let task = create_task(async {
            let outer = catch_cancelled(async {
                let inner = catch_cancelled(forever()).await;
                inner.is_err()
            })
            .await;
            outer.expect("the inner scope took it")
        });
        yield_now().await;
        task.cancel();
        assert!(task.await.unwrap());
    });
}

#[test]
fn a_task_that_cancels_itself_is_hit_at_its_next_await() {
    let log = Log::new();
    let lines = log.clone();
    run_alone(async move {
        let inner = log.clone();
        let task = create_task(async move {
            current_task().unwrap().cancel();
            inner.add("still here");
            std::future::ready(()).await;
            inner.add("an await of something done is none");
            yield_now().await;
            unreachable!("it is hit here")
        });
        assert!(was_cancelled::<()>(&task.await));
    });
    assert_eq!(lines.take().len(), 2);
}

#[test]
fn a_request_that_is_never_delivered_counts_at_the_end() {
    run_alone(async {
        let task = create_task(async {
            current_task().unwrap().cancel();
            7
        });
        assert!(was_cancelled(&task.await));
    });
}

#[test]
fn uncancel_withdraws_what_was_not_delivered() {
    run_alone(async {
        let task = create_task(async {
            let me = current_task().unwrap();
            me.cancel();
            assert_eq!(me.uncancel(), 0);
            assert_eq!(me.uncancel(), 0);
            yield_now().await;
            7
        });
        assert_eq!(task.await.unwrap(), 7);
        let waiting = create_task(async {
            yield_now().await;
            yield_now().await;
            8
        });
        yield_now().await;
        waiting.cancel();
        waiting.uncancel();
        assert_eq!(waiting.await.unwrap(), 8);
    });
}

#[test]
fn scopes_side_by_side_are_all_hit() {
    run_alone(async {
        let task = create_task(async {
            let mut left = std::pin::pin!(catch_cancelled(forever()));
            let mut right = std::pin::pin!(catch_cancelled(forever()));
            let (mut a, mut b) = (None, None);
            std::future::poll_fn(|cx| {
                use std::task::Poll;
                if a.is_none() {
                    if let Poll::Ready(end) = left.as_mut().poll(cx) {
                        a = Some(end.is_err());
                    }
                }
                if b.is_none() {
                    if let Poll::Ready(end) = right.as_mut().poll(cx) {
                        b = Some(end.is_err());
                    }
                }
                if a.is_some() && b.is_some() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            (a, b)
        });
        yield_now().await;
        task.cancel();
        assert_eq!(task.await.unwrap(), (Some(true), Some(true)));
    });
}

#[test]
fn a_scope_that_is_alive_but_not_awaited_passes_it_on() {
    run_alone(async {
        let task = create_task(async {
            let mut parked = Box::pin(catch_cancelled(forever()));
            std::future::poll_fn(|cx| {
                assert!(parked.as_mut().poll(cx).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
            yield_now().await;
            forever().await;
            drop(parked);
        });
        for _ in 0..4 {
            yield_now().await;
        }
        task.cancel();
        assert!(was_cancelled(&task.await));
    });
}

#[test]
fn the_main_future_can_be_cancelled_too() {
    let ended = run(&TaskSet::new(), async {
        current_task().unwrap().cancel_with("main");
        forever().await;
    });
    assert!(matches!(ended, Err(JoinError::Cancelled(c)) if c.message() == Some("main")));
}

#[test]
fn a_catch_outside_any_task_catches_what_is_raised_inside() {
    let caught = pollster::block_on(catch_cancelled(async {
        corio_task::Cancelled::new().resume().await;
    }));
    assert!(caught.is_err());
}

#[test]
fn cancelling_sums_the_scopes_around() {
    run_alone(async {
        let task = create_task(async {
            catch_cancelled(async {
                current_task().unwrap().cancel();
                corio_seam::cancelling()
            })
            .await
        });
        assert!(was_cancelled(&task.await));
        assert_eq!(corio_seam::cancelling(), 0);
    });
}

#[test]
fn a_scope_that_never_paused_knows_who_is_around_it() {
    run_alone(async {
        let task = create_task(async {
            assert!(catch_cancelled(forever()).await.is_err());
            catch_cancelled(catch_cancelled(async { corio_seam::cancelling() })).await
        });
        yield_now().await;
        task.cancel();
        assert_eq!(task.await.unwrap(), Ok(Ok(1)));
    });
}

#[test]
fn scopes_leave_their_parent_in_constant_time() {
    const MANY: usize = if cfg!(miri) { 200 } else { 100_000 };
    run_alone(async {
        let mut scopes: Vec<_> = (0..MANY).map(|_| (corio_task::Scope::new(), Box::pin(Some(forever())))).collect();
        std::future::poll_fn(|cx| {
            for (scope, body) in &mut scopes {
                assert!(scope.poll(body.as_mut(), cx).is_pending());
            }
            std::task::Poll::Ready(())
        })
        .await;
        drop(scopes); // Seconds, if each looked for its place.
    });
}

#[test]
fn a_request_that_was_delivered_can_be_armed_again() {
    run_alone(async {
        let task = create_task(async {
            let scope = corio_task::Scope::new();
            let mut body = Box::pin(Some(forever()));
            let cut = std::future::poll_fn(|cx| scope.poll(body.as_mut(), cx)).await;
            assert!(cut.is_err() && scope.rearm() && !scope.rearm());
            let again = catch_cancelled(yield_now()).await;
            assert_eq!(current_task().unwrap().cancelling(), 1);
            assert!(again.is_err() && !was_hit().await);
            let scope = corio_task::Scope::new();
            let mut body = Box::pin(Some(forever()));
            current_task().unwrap().cancel();
            let cut = std::future::poll_fn(|cx| scope.poll(body.as_mut(), cx)).await;
            assert!(cut.is_err() && scope.rearm());
            "an end without another suspension stands"
        });
        yield_now().await;
        task.cancel();
        assert!(task.await.is_ok());
    });
}

/// Polls `body` in `scope`, to its end.
async fn in_scope<F: Future>(scope: &Scope, body: F) -> Result<F::Output, Cancelled> {
    let mut body = Box::pin(Some(body));
    std::future::poll_fn(|cx| scope.poll(body.as_mut(), cx)).await
}

#[test]
fn a_scope_takes_back_its_own_requests_and_no_others() {
    run_alone(async {
        let task = create_task(async {
            let scope = Scope::new();
            let handle = scope.handle();
            let cut = in_scope(&scope, async {
                current_task().unwrap().cancel();
                handle.request(None);
                assert_eq!((corio_seam::cancelling(), handle.uncancel()), (2, 0));
                yield_now().await;
            });
            assert!(cut.await.is_err(), "the task's own request hits");
            !was_hit().await
        });
        assert!(task.await.unwrap());
    });
}

#[test]
fn a_request_for_good_hits_at_each_suspension() {
    run_alone(async {
        let scope = Scope::new();
        let handle = scope.handle();
        let ended = in_scope(&scope, async {
            assert!(!was_hit().await);
            assert!(handle.request_for_good(None) && handle.request_for_good(None));
            assert_eq!(handle.cancelling(), 1);
            for _ in 0..3 {
                assert!(was_hit().await);
            }
            forever().await;
        });
        assert!(ended.await.is_err());
        assert!(!handle.request_for_good(None));
        assert!(!was_hit().await);
    });
}

#[test]
fn a_shielding_scope_holds_requests_back_until_it_ends() {
    run_alone(async {
        let task = create_task(async {
            let inside = async {
                current_task().unwrap().cancel();
                assert_eq!(corio_seam::cancelling(), 0, "what does not reach in here does not count");
                !was_hit().await && !was_hit().await
            };
            let quiet = in_scope(&Scope::shielding(), inside).await.unwrap();
            (quiet, !was_hit().await, !was_hit().await)
        });
        assert_eq!(task.await.unwrap(), (true, false, true));

        let own = Scope::shielding();
        assert!(own.handle().request(None));
        assert!(in_scope(&own, forever()).await.is_err(), "one aimed at the scope itself hits");
    });
}

#[test]
fn a_held_request_that_nobody_suspends_for_ends_the_task_unless_it_is_deferred() {
    run_alone(async {
        for deferred in [false, true] {
            let task = create_task(async move {
                let inside = async {
                    current_task().unwrap().cancel();
                    yield_now().await;
                };
                in_scope(&Scope::shielding(), inside).await.unwrap();
                if deferred {
                    corio_task::defer_requests();
                }
            });
            assert_eq!(task.await.is_ok(), deferred);
        }
    });
}

#[test]
fn a_held_request_hits_when_the_shield_is_dropped_unfinished() {
    run_alone(async {
        let task = create_task(async {
            let scope = Scope::shielding();
            let mut shielded = Box::pin(in_scope(&scope, forever()));
            assert!(poll_fn(|cx| Poll::Ready(shielded.as_mut().poll(cx).is_pending())).await);
            yield_now().await;
            yield_now().await;
            drop(shielded);
            drop(scope);
            yield_now().await;
            unreachable!("it is hit here")
        });
        yield_now().await;
        task.cancel();
        assert!(was_cancelled::<()>(&task.await));
    });
}

#[test]
fn a_held_request_hits_a_task_that_sleeps_when_its_shield_is_dropped_elsewhere() {
    run_alone(async {
        let place = Rc::new(RefCell::new(None));
        let mine = Rc::clone(&place);
        let task = create_task(async move {
            let mut shielded = Box::pin(async { in_scope(&Scope::shielding(), forever()).await });
            assert!(poll_fn(|cx| Poll::Ready(shielded.as_mut().poll(cx).is_pending())).await);
            mine.replace(Some(shielded));
            forever().await;
        });
        yield_now().await;
        task.cancel();
        yield_now().await;
        assert!(!task.done(), "it is held back");
        let shielded = place.take();
        drop(shielded);
        yield_now().await;
        yield_now().await;
        assert!(task.cancelled());
    });
}

#[test]
fn withdrawn_while_it_is_held_a_request_hits_nobody() {
    run_alone(async {
        let task = create_task(async {
            let inside = async {
                let me = current_task().unwrap();
                me.cancel();
                yield_now().await;
                assert_eq!(me.uncancel(), 0);
            };
            in_scope(&Scope::shielding(), inside).await.unwrap();
            !was_hit().await
        });
        assert!(task.await.unwrap());
    });
}

#[test]
fn hazard_14_from_a_callback_a_destructor_and_beside_a_wake() {
    struct CancelOnDrop(corio_task::TaskRef);
    impl Drop for CancelOnDrop {
        fn drop(&mut self) {
            self.0.cancel();
        }
    }
    run_alone(async {
        let victim = create_task(forever());
        let guard = CancelOnDrop(victim.task_ref());
        let holder = create_task(async move {
            let _guard = guard;
            forever().await;
        });
        yield_now().await;
        holder.cancel();
        assert!(was_cancelled(&holder.await) && was_cancelled(&victim.await), "in the drop of another task");

        let over = create_task(async {});
        over.add_done_callback(|task| assert!(!task.cancel()));
        over.await.unwrap();

        for cancel_first in [true, false] {
            let (waker, slot) = (std::rc::Rc::new(std::cell::RefCell::new(None)), Log::new());
            let (theirs, seen) = (std::rc::Rc::clone(&waker), slot.clone());
            let task = create_task(async move {
                let mut polls = 0;
                let wait = std::future::poll_fn(|cx: &mut std::task::Context<'_>| {
                    polls += 1;
                    theirs.replace(Some(cx.waker().clone()));
                    if polls == 2 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
                });
                let ended = catch_cancelled(wait).await;
                seen.add(if ended.is_err() { "cut" } else { "woken" });
            });
            yield_now().await;
            let wake = || waker.borrow().clone().map(std::task::Waker::wake);
            if cancel_first {
                task.cancel();
                wake();
            } else {
                wake();
                task.cancel();
            }
            assert!(task.await.is_ok());
            assert_eq!(slot.take(), ["cut"], "cancel and wake in one iteration: the request wins, in either order");
        }
    });
}

#[test]
fn a_poll_that_was_cancelled_from_within_can_tell() {
    run_alone(async {
        let caught = catch_cancelled(async {
            assert!(!corio_seam::raised());
            let mut resume = pin!(Cancelled::new().resume());
            poll_fn(|cx| {
                assert!(resume.as_mut().poll(cx).is_pending() && corio_seam::raised());
                Poll::<()>::Pending
            })
            .await;
        });
        assert!(caught.await.is_err());
        assert!(!corio_seam::raised(), "it ended at the scope");
    });
}

/// A child's scope is one, however often it is asked for.
#[test]
fn a_child_of_a_branch_is_asked_by_any_of_its_handles() {
    let (branch, mut cx) = (Branch::new(1), Context::from_waker(Waker::noop()));
    let mut child = pin!(Some(pending::<()>()));
    let handles = [branch.handle(0), branch.handle(0)];
    branch.children().enter(|children| assert!(children.poll(0, child.as_mut(), &mut cx).is_pending()));
    branch.pause(cx.waker());
    assert!(handles[0].request(None));
    assert_eq!(handles[1].cancelling(), 1);
    branch.children().enter(|children| {
        assert!(matches!(children.poll(0, child.as_mut(), &mut cx), Poll::Ready(Err(_))));
    });
}

#[test]
fn the_nearest_deadline_is_looked_for_as_far_as_a_request_would_come() {
    /// What is seen inside an inner scope with a limit at 12, in an outer one with a limit at 5.
    fn seen(inner: Scope) -> Option<LoopTime> {
        let at = |nanos| Cell::new(Until::At(LoopTime::from_nanos(nanos)));
        let (far, near) = (at(12), at(5));
        let within = poll_fn(move |cx| {
            let mut body = pin!(Some(async { current_deadline() }));
            inner.poll_until(&far, body.as_mut(), cx)
        });
        let mut body = pin!(Some(within));
        let polled = Scope::new().poll_until(&near, body.as_mut(), &mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Ok(Ok(nearest))) = polled else { panic!("neither was suspended") };
        nearest
    }
    assert_eq!(seen(Scope::new()), Some(LoopTime::from_nanos(5)));
    assert_eq!(seen(Scope::shielding()), Some(LoopTime::from_nanos(12)));
}
