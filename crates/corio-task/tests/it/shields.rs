//! Danger: a request that goes through a shield, or that is held for ever.

use crate::kit::{InScope, forever, is_pending, run_alone, was_hit, yield_now};
use corio_task::{Scope, ScopeHandle, Task, catch_cancelled, create_task, current_task};
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

type Shielded = InScope<Pin<Box<dyn Future<Output = ()>>>>;

/// Shields that a task has entered, and waits beside: each can be taken away, and dropped by others.
#[derive(Clone, Default)]
struct Parked(Rc<RefCell<Vec<Shielded>>>);

impl Parked {
    /// Enters so many shields, and waits for ever.
    fn task(&self, count: usize) -> Task<()> {
        let mine = self.clone();
        create_task(async move {
            mine.enter(count).await;
            forever().await;
        })
    }

    async fn enter(&self, count: usize) {
        for _ in 0..count {
            self.0.borrow_mut().push(InScope::new(Scope::shielding(), Box::pin(forever())));
        }
        self.poll_all().await;
    }

    /// Polls all of them once, inside whatever calls.
    async fn poll_all(&self) {
        poll_fn(|cx| {
            let mut shields = self.0.borrow_mut();
            shields.iter_mut().for_each(|shield| assert!(Pin::new(shield).poll(cx).is_pending()));
            Poll::Ready(())
        })
        .await;
    }

    fn drop_one(&self) {
        let one = self.0.borrow_mut().pop();
        drop(one);
    }

    fn handle(&self, index: usize) -> ScopeHandle {
        self.0.borrow()[index].handle()
    }
}

async fn turns() {
    for _ in 0..3 {
        yield_now().await;
    }
}

#[test]
fn a_request_is_held_until_the_last_shield_is_gone() {
    run_alone(async {
        let parked = Parked::default();
        let task = parked.task(3);
        yield_now().await;
        task.cancel();
        for _ in 0..3 {
            turns().await;
            assert!(!task.done());
            parked.drop_one();
        }
        turns().await;
        assert!(task.cancelled());
    });
}

#[test]
fn a_shield_that_is_lifted_holds_nobody_up_until_it_is_polled_again() {
    run_alone(async {
        for (twice, polled_again) in [(false, false), (true, false), (false, true), (true, true)] {
            let parked = Parked::default();
            let mine = parked.clone();
            let task = create_task(async move {
                mine.enter(1).await;
                yield_now().await;
                if polled_again {
                    mine.poll_all().await;
                }
                forever().await;
            });
            yield_now().await;
            parked.handle(0).lift_shield();
            if twice {
                parked.handle(0).lift_shield();
            }
            turns().await;
            task.cancel();
            turns().await;
            assert_eq!(task.cancelled(), !polled_again);
            parked.drop_one();
            turns().await;
            assert!(task.cancelled());
        }
    });
}

#[test]
fn of_two_shields_one_may_be_lifted() {
    run_alone(async {
        let parked = Parked::default();
        let task = parked.task(2);
        yield_now().await;
        parked.handle(1).lift_shield();
        task.cancel();
        turns().await;
        assert!(!task.done(), "the other holds it back");
        parked.drop_one();
        turns().await;
        assert!(!task.done());
        parked.drop_one();
        turns().await;
        assert!(task.cancelled());
    });
}

#[test]
fn an_ordinary_scope_has_no_shield_to_lift() {
    run_alone(async {
        let parked = Parked::default();
        let mine = parked.clone();
        let plain = Rc::new(RefCell::new(None));
        let place = Rc::clone(&plain);
        let task = create_task(async move {
            mine.enter(1).await;
            let mut scope = InScope::new(Scope::new(), forever());
            assert!(is_pending(&mut scope).await);
            place.replace(Some(scope.handle()));
            drop(scope);
            forever().await;
        });
        yield_now().await;
        plain.take().unwrap().lift_shield();
        let lone = InScope::new(Scope::new(), yield_now());
        lone.handle().lift_shield();
        lone.await.unwrap();
        task.cancel();
        turns().await;
        assert!(!task.done(), "the shield beside it stands");
        parked.drop_one();
        turns().await;
        assert!(task.cancelled());
    });
}

/// Shields further in count for all that stand around them, and go with what they stand in.
#[test]
fn a_scope_takes_the_shields_inside_along() {
    run_alone(async {
        let parked = Parked::default();
        let mine = parked.clone();
        let place = Rc::new(RefCell::new(None));
        let theirs = Rc::clone(&place);
        let task = create_task(async move {
            let inside = async move {
                mine.enter(2).await;
                forever().await;
            };
            let mut scope = InScope::new(Scope::new(), inside);
            assert!(is_pending(&mut scope).await);
            theirs.replace(Some(scope));
            forever().await;
        });
        yield_now().await;
        let scope = place.take().unwrap();
        assert!(scope.handle().request(None));
        task.cancel();
        turns().await;
        assert!(!task.done());
        drop(scope);
        turns().await;
        assert!(task.cancelled(), "both went with the scope");
    });
}

#[test]
fn a_shield_in_a_shield_counts_like_two() {
    run_alone(async {
        let place = Rc::new(RefCell::new(None));
        let theirs = Rc::clone(&place);
        let task = create_task(async move {
            let inside = InScope::new(Scope::shielding(), forever());
            let mut outer = InScope::new(Scope::shielding(), inside);
            assert!(is_pending(&mut outer).await);
            theirs.replace(Some(outer));
            forever().await;
        });
        yield_now().await;
        task.cancel();
        turns().await;
        assert!(!task.done());
        place.borrow().as_ref().unwrap().handle().lift_shield();
        drop(place.take());
        turns().await;
        assert!(task.cancelled());
    });
}

/// Who drops a shield in its own poll is hit where that poll suspends: what it waits for by then is asked in its stead.
#[test]
fn a_held_request_waits_for_the_poll_to_end() {
    run_alone(async {
        let inner = create_task(async { catch_cancelled(forever()).await.is_err() });
        let (parked, asked) = (Parked::default(), inner.task_ref());
        let mine = parked.clone();
        let task = create_task(async move {
            mine.enter(1).await;
            yield_now().await;
            yield_now().await;
            mine.drop_one();
            inner.await.unwrap()
        });
        yield_now().await;
        task.cancel();
        assert!(task.await.unwrap(), "the inner task swallowed it");
        assert!(asked.done() && !asked.cancelled());
    });
}

#[test]
fn scopes_around_a_shield_hold_back_too() {
    run_alone(async {
        let parked = Parked::default();
        let mine = parked.clone();
        let task = create_task(async move {
            let caught = catch_cancelled(async move {
                mine.enter(1).await;
                forever().await;
            });
            caught.await.is_err()
        });
        yield_now().await;
        task.cancel();
        turns().await;
        assert!(!task.done());
        parked.drop_one();
        assert!(task.await.unwrap(), "the scope inside was hit, and not the task");
    });
}

#[test]
fn a_request_that_is_held_can_be_taken_back() {
    run_alone(async {
        let parked = Parked::default();
        let mine = parked.clone();
        let task = create_task(async move {
            mine.enter(1).await;
            turns().await;
            turns().await;
            was_hit().await
        });
        yield_now().await;
        task.cancel();
        task.cancel();
        assert_eq!(task.uncancel(), 1);
        yield_now().await;
        assert_eq!(task.uncancel(), 0);
        parked.drop_one();
        assert!(!task.await.unwrap());
    });
}

#[test]
fn a_shield_that_moves_protects_whom_it_comes_to() {
    run_alone(async {
        let parked = Parked::default();
        let mine = parked.clone();
        let left = parked.task(1);
        yield_now().await;
        let keeper = create_task(async move {
            mine.poll_all().await;
            forever().await;
        });
        yield_now().await;
        assert!(left.cancel() && keeper.cancel());
        turns().await;
        assert!(left.cancelled() && !keeper.done());
        parked.drop_one();
        turns().await;
        assert!(keeper.cancelled());
    });
}

#[test]
fn what_is_cancelled_for_good_is_kept_out_of_a_shield() {
    run_alone(async {
        let scope = Rc::new(Scope::new());
        let handle = scope.handle();
        let mut body = Box::pin(Some(async move {
            handle.request_for_good(Some("for good".into()));
            let shielded = InScope::new(Scope::shielding(), async { (was_hit().await, was_hit().await) });
            assert_eq!(shielded.await, Ok((false, false)));
            for _ in 0..2 {
                let hit = catch_cancelled(forever()).await;
                assert_eq!(hit.unwrap_err().message(), Some("for good"));
            }
            forever().await;
        }));
        let ended = poll_fn(|cx| scope.poll(body.as_mut(), cx)).await;
        assert_eq!(ended.unwrap_err().message(), Some("for good"));
        assert_eq!(scope.handle().cancelling(), 1);
    });
}

/// What a scope inside waits for is asked once a suspension, and not at every poll.
#[test]
fn what_is_cancelled_for_good_asks_what_it_waits_for_once_a_suspension() {
    run_alone(async {
        let (promise, future) = corio_future::promise::<u32>();
        let stubborn = create_task(async move {
            let first = catch_cancelled(forever()).await;
            assert!(first.is_err());
            yield_now().await;
            yield_now().await;
            promise.set_result(3).unwrap();
            (first.is_err(), current_task().unwrap().cancelling())
        });
        let scope = Rc::new(Scope::new());
        let handle = scope.handle();
        let mut body = Box::pin(Some(async move {
            let waits = stubborn.await.unwrap();
            (waits, future.await.unwrap())
        }));
        let asks = create_task(async move { handle.request_for_good(None) });
        let busy = poll_fn(|cx| {
            cx.waker().wake_by_ref(); // It is polled all the time.
            scope.poll(body.as_mut(), cx)
        });
        assert_eq!(busy.await, Ok(((true, 1), 3)));
        assert!(asks.await.unwrap());
    });
}

/// Beside one who suspends again and again, one who waits for the same all the time has it asked once.
#[test]
fn what_is_cancelled_for_good_asks_once_however_often_others_suspend() {
    run_alone(async {
        let stubborn = create_task(async {
            drop(catch_cancelled(forever()).await);
            turns().await;
            turns().await;
            current_task().unwrap().cancelling()
        });
        yield_now().await;
        let scope = Rc::new(Scope::new());
        let handle = scope.handle();
        let (mut waits, mut hits) = (Box::pin(catch_cancelled(stubborn)), 0);
        let mut suspends = Box::pin(async {
            for _ in 0..4 {
                hits += u32::from(was_hit().await);
            }
        });
        let mut over = false;
        let mut body = Box::pin(Some(poll_fn(|cx| {
            over = over || suspends.as_mut().poll(cx).is_ready();
            waits.as_mut().poll(cx)
        })));
        let asks = create_task(async move { handle.request_for_good(None) });
        let ended = poll_fn(|cx| scope.poll(body.as_mut(), cx)).await;
        assert_eq!(ended.unwrap().unwrap().unwrap(), 1);
        drop(body);
        drop(suspends);
        assert!(asks.await.unwrap() && over && hits >= 3);
    });
}

#[test]
fn a_shield_can_be_asked_itself() {
    run_alone(async {
        let shield = InScope::new(Scope::shielding(), forever());
        let handle = shield.handle();
        let asks = create_task(async move { handle.request(Some("itself".into())) });
        assert_eq!(shield.await.unwrap_err().message(), Some("itself"));
        assert!(asks.await.unwrap());
    });
}
