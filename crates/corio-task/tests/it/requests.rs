//! Danger: a request that is delivered twice, or to nobody.

use crate::kit::{InScope, forever, is_pending, run_alone, was_hit, yield_now};
use corio_task::{Scope, create_task, current_task};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

#[test]
fn two_that_were_hit_by_one_request_arm_it_once() {
    run_alone(async {
        let task = create_task(async {
            let (one, two) = (Scope::new(), Scope::new());
            let (mut left, mut right) = (Box::pin(Some(forever())), Box::pin(Some(forever())));
            let mut ends = [false; 2];
            poll_fn(|cx| {
                ends[0] = ends[0] || one.poll(left.as_mut(), cx).is_ready();
                ends[1] = ends[1] || two.poll(right.as_mut(), cx).is_ready();
                if ends == [true; 2] { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            let armed = (one.rearm(), two.rearm(), one.rearm());
            (armed, was_hit().await, was_hit().await)
        });
        yield_now().await;
        task.cancel();
        assert_eq!(task.await.unwrap(), ((true, false, false), true, false));
        assert!(!Scope::new().rearm(), "nobody ever asked it");
    });
}

/// What was aimed at a scope that is over is armed for nobody; and further out than it was aimed, nobody is hit.
#[test]
fn a_request_is_armed_again_as_far_as_it_was_aimed() {
    run_alone(async {
        let over = Scope::new();
        over.handle().request(None);
        let mut body = Box::pin(Some(forever()));
        assert!(poll_fn(|cx| over.poll(body.as_mut(), cx)).await.is_err());
        assert!(!over.rearm(), "it was aimed at this very scope, which has ended");
        assert!(!was_hit().await);

        let outer = InScope::new(Scope::new(), async {
            let inner = Scope::new();
            let mut body = Box::pin(Some(forever()));
            assert!(poll_fn(|cx| inner.poll(body.as_mut(), cx)).await.is_err());
            assert!(inner.rearm());
            was_hit().await
        });
        let handle = outer.handle();
        let asks = create_task(async move { handle.request(None) });
        assert_eq!(outer.await, Ok(true));
        assert!(asks.await.unwrap());
        assert!(!was_hit().await && current_task().unwrap().cancelling() == 0);
    });
}

/// The scope that would be hit first may end before it suspends; the request is for whoever suspends next, in what it was
/// aimed at.
#[test]
fn a_request_that_is_armed_again_waits_for_a_suspension() {
    run_alone(async {
        for aimed_at_the_task in [true, false] {
            let place = Rc::new(RefCell::new(None));
            let theirs = Rc::clone(&place);
            let task = create_task(async move {
                let aimed = InScope::new(Scope::new(), async {
                    let passing = InScope::new(Scope::new(), async {
                        let inner = Scope::new();
                        let mut body = Box::pin(Some(forever()));
                        assert!(poll_fn(|cx| inner.poll(body.as_mut(), cx)).await.is_err());
                        inner.rearm()
                    });
                    passing.await
                });
                theirs.replace(Some(aimed.handle()));
                (aimed.await, was_hit().await, was_hit().await)
            });
            yield_now().await;
            assert!(if aimed_at_the_task { task.cancel() } else { place.take().unwrap().request(None) });
            assert_eq!(task.await.unwrap(), (Ok(Ok(true)), aimed_at_the_task, false));
        }
    });
}

/// It was its own, and goes with it; what was the task's as well goes on to the task.
#[test]
fn a_scope_that_is_dropped_elsewhere_leaves_its_task_what_was_the_task_s() {
    run_alone(async {
        for the_task_s in [false, true] {
            let place = Rc::new(RefCell::new(None));
            let theirs = Rc::clone(&place);
            let task = create_task(async move {
                let mut scope = InScope::new(Scope::new(), forever());
                assert!(is_pending(&mut scope).await);
                theirs.replace(Some(scope));
                forever().await;
            });
            yield_now().await;
            let scope = place.take().unwrap();
            assert!(if the_task_s { task.cancel() } else { scope.handle().request(None) });
            drop(scope);
            for _ in 0..3 {
                yield_now().await;
            }
            assert_eq!(task.cancelled(), the_task_s);
            task.cancel();
        }
    });
}

#[test]
fn several_requests_are_delivered_once() {
    run_alone(async {
        let task = create_task(async {
            let me = current_task().unwrap();
            assert!(me.cancel() && me.cancel());
            let twice = (was_hit().await, was_hit().await);
            let scope = Scope::new();
            let mut body = Box::pin(Some(forever()));
            me.cancel();
            assert!(poll_fn(|cx| scope.poll(body.as_mut(), cx)).await.is_err());
            assert!(scope.rearm() && me.cancel());
            (twice, was_hit().await, was_hit().await)
        });
        assert_eq!(task.await.unwrap(), ((true, false), true, false));
    });
}

/// As one that was delivered does not count at the end, and a new one does.
#[test]
fn a_request_beside_one_that_is_armed_again_counts_at_the_end() {
    run_alone(async {
        for asked_again in [false, true] {
            let task = create_task(async move {
                let (me, scope) = (current_task().unwrap(), Scope::new());
                let mut body = Box::pin(Some(forever()));
                me.cancel();
                assert!(poll_fn(|cx| scope.poll(body.as_mut(), cx)).await.is_err());
                assert!(scope.rearm() && (!asked_again || me.cancel()));
            });
            assert_eq!(task.await.is_err(), asked_again);
        }
    });
}

/// Something to wait for that refuses the first request, and notes how often it was asked.
#[derive(Default)]
struct RefusesOnce(Cell<u32>);

impl corio_seam::Waitable for RefusesOnce {
    fn cancel(&self, _: Option<Arc<str>>) -> bool {
        self.0.set(self.0.get() + 1);
        self.0.get() > 1
    }
    fn describe(&self) -> String {
        "stubborn".to_string()
    }
}

/// Who is to be hit asks nobody any more; unless the request was taken back.
#[test]
fn what_refused_a_request_is_not_asked_again_for_the_next() {
    run_alone(async {
        for taken_back in [false, true] {
            let (target, place) = (Rc::new(RefusesOnce::default()), Rc::new(RefCell::new(None)));
            let (waits, theirs) = (Rc::clone(&target), Rc::clone(&place));
            let task = create_task(async move {
                let body = poll_fn(move |_| {
                    corio_seam::wait_on(corio_seam::Waiting::Target(Rc::clone(&waits) as Rc<dyn corio_seam::Waitable>));
                    Poll::<()>::Pending
                });
                let scope = InScope::new(Scope::new(), body);
                theirs.replace(Some(scope.handle()));
                scope.await.is_err()
            });
            yield_now().await;
            assert!(task.cancel());
            assert_eq!(target.0.get(), 1);
            if taken_back {
                assert_eq!(task.uncancel(), 0);
            }
            assert!(place.take().unwrap().request(None));
            assert_eq!(target.0.get(), if taken_back { 2 } else { 1 });
            for _ in 0..3 {
                yield_now().await;
            }
            assert_eq!(task.done(), !taken_back, "it waits for the end of what accepted");
            task.cancel();
        }
    });
}

/// A future whose cancellation is somebody's code, which asks the very task that passed the request on.
#[test]
fn a_task_is_asked_by_what_it_asks() {
    struct AsksBack(RefCell<Option<corio_task::TaskRef>>, Cell<u32>);
    impl corio_seam::Waitable for AsksBack {
        fn cancel(&self, _: Option<Arc<str>>) -> bool {
            self.1.set(self.1.get() + 1);
            let waiter = self.0.take();
            assert!(waiter.is_none_or(|waiter| waiter.cancel()), "it is not over");
            true
        }
        fn describe(&self) -> String {
            "somebody's".to_string()
        }
    }
    run_alone(async {
        let target = Rc::new(AsksBack(RefCell::default(), Cell::new(0)));
        let waits = Rc::clone(&target);
        let task = create_task(poll_fn(move |_| {
            corio_seam::wait_on(corio_seam::Waiting::Target(Rc::clone(&waits) as Rc<dyn corio_seam::Waitable>));
            Poll::<()>::Pending
        }));
        yield_now().await;
        target.0.replace(Some(task.task_ref()));
        assert!(task.cancel());
        assert_eq!((task.cancelling(), target.0.borrow().is_some()), (2, false));
        assert!(target.1.get() >= 1 && !task.done(), "it accepted");
    });
}

/// The task waited for another, was asked, and has turned to a scope inside when it is polled: that is the innermost now.
#[test]
fn a_request_that_was_not_heard_goes_to_what_is_innermost_by_then() {
    run_alone(async {
        let mut inner = create_task(forever());
        let task = create_task(async move {
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                if polls == 1 { Pin::new(&mut inner).poll(cx).map(drop) } else { Poll::Ready(()) }
            })
            .await;
            was_hit().await
        });
        yield_now().await;
        assert!(task.cancel());
        assert!(task.await.unwrap());
    });
}
