//! Danger: a scope that is asked at an odd moment, by somebody who has no business there, or after its end.

use crate::kit::{InScope, Log, OnDrop, forever, is_pending, run_alone, yield_now};
use corio_seam::LoopTime;
use corio_task::{Branch, Cancelled, Scope, Task, TaskSet, Until, catch_cancelled, create_task, current_task};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

async fn was_hit() -> bool {
    catch_cancelled(yield_now()).await.is_err()
}

#[test]
fn an_alarm_asks_the_scope_once_and_is_known_to_have_rung() {
    run_alone(async {
        let scope = InScope::new(Scope::new(), forever());
        let handle = scope.handle();
        let alarm = handle.alarm();
        let rings = Rc::clone(&alarm);
        assert!(!handle.expired());
        let ring = create_task(async move { rings.on_alarm() });
        assert!(scope.await.is_err());
        assert!(handle.expired() && handle.cancelling() == 1);
        ring.await.unwrap();

        let over = InScope::new(Scope::new(), yield_now());
        let (handle, alarm) = (over.handle(), over.handle().alarm());
        over.await.unwrap();
        alarm.on_alarm();
        assert!(!handle.expired() && handle.cancelling() == 0);
    });
}

#[test]
fn a_scope_that_has_ended_is_asked_no_more() {
    run_alone(async {
        let ended = InScope::new(Scope::new(), yield_now());
        let handle = ended.handle();
        ended.await.unwrap();
        assert!(!handle.request(None) && !handle.request_for_good(None));
        assert_eq!((handle.cancelling(), handle.uncancel()), (0, 0));

        let mut dropped = InScope::new(Scope::new(), forever());
        let handle = dropped.handle();
        assert!(is_pending(&mut dropped).await);
        drop(dropped);
        assert!(!handle.request(None));

        let hit = InScope::new(Scope::new(), forever());
        let handle = hit.handle();
        assert!(handle.request(Some("first".into())) && handle.request(Some("second".into())));
        assert_eq!((handle.cancelling(), handle.uncancel(), handle.cancelling()), (2, 1, 1));
        assert_eq!(hit.await.unwrap_err().message(), Some("first"), "several are delivered once");
        assert!(!handle.request(None));
    });
}

#[test]
fn a_panic_in_the_body_leaves_the_scope_as_it_was() {
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    let scope = Scope::new();
    let handle = scope.handle();
    let mut polls = 0;
    let mut body = pin!(Some(poll_fn(|_| {
        polls += 1;
        assert!(polls != 2, "the body's own");
        Poll::<()>::Pending
    })));
    assert!(scope.poll(body.as_mut(), &mut cx).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| scope.poll(body.as_mut(), &mut cx))).is_err());
    assert!(handle.request(None));
    assert_eq!(count.0.load(Ordering::Relaxed), 1, "it is asked at once");
    assert!(matches!(scope.poll(body.as_mut(), &mut cx), Poll::Ready(Err(_))));
    assert_eq!(polls, 2);
}

#[test]
fn a_child_s_panic_leaves_its_scope_as_it_was() {
    let branch = Branch::new(1);
    let (handle, mut cx) = (branch.handle(0), Context::from_waker(Waker::noop()));
    let mut polls = 0;
    let mut body = pin!(Some(poll_fn(|_| {
        polls += 1;
        assert!(polls != 2, "the body's own");
        Poll::<()>::Pending
    })));
    let mut poll = || branch.children().enter(|children| children.poll(0, body.as_mut(), &mut cx));
    assert!(poll().is_pending());
    assert!(catch_unwind(AssertUnwindSafe(&mut poll)).is_err());
    assert!(handle.request(None));
    assert!(matches!(poll(), Poll::Ready(Err(_))));
    assert_eq!(polls, 2);
}

/// While it is polled a scope is not hit, whoever got its handle when; what it waits for in the end is asked in its stead.
#[test]
fn a_scope_that_asks_itself_is_hit_where_it_suspends() {
    for early in [true, false] {
        run_alone(async move {
            let inner = create_task(async { catch_cancelled(forever()).await.is_err() });
            yield_now().await;
            let scope = Rc::new(Scope::new());
            let before = early.then(|| scope.handle());
            let mine = Rc::clone(&scope);
            let body = async move {
                assert_eq!(corio_seam::cancelling(), 0);
                let handle = before.unwrap_or_else(|| mine.handle());
                assert!(handle.request(None));
                assert_eq!(corio_seam::cancelling(), 1);
                inner.await.unwrap()
            };
            let mut body = Box::pin(Some(body));
            let ended = poll_fn(|cx| scope.poll(body.as_mut(), cx)).await;
            assert_eq!(ended, Ok(true), "the task swallowed it, early: {early}");
        });
    }
}

/// Nobody is asked in its stead as long as it may yet come to wait for something else.
#[test]
fn a_scope_that_asks_itself_and_then_waits_for_two_things_is_hit_itself() {
    run_alone(async {
        let tasks = [(); 2].map(|()| create_task(forever()));
        let asked = tasks.each_ref().map(Task::task_ref);
        yield_now().await;
        let scope = Rc::new(Scope::new());
        let (mine, mut tasks) = (Rc::clone(&scope), tasks);
        let mut body = Box::pin(Some(poll_fn(move |cx| {
            assert_eq!(corio_seam::cancelling(), 0); // It has a place in the tree from now on.
            assert!(Pin::new(&mut tasks[0]).poll(cx).is_pending());
            assert!(mine.handle().request(None));
            assert!(Pin::new(&mut tasks[1]).poll(cx).is_pending());
            Poll::<()>::Pending
        })));
        assert!(poll_fn(|cx| scope.poll(body.as_mut(), cx)).await.is_err());
        assert_eq!(asked.map(|task| task.cancelling()), [0, 0]);
    });
}

/// As above, and nothing was asked before that would have made its place in the tree.
#[test]
fn a_scope_whose_handle_is_made_inside_is_asked_all_the_same() {
    async fn inner() -> Task<bool> {
        let inner = create_task(async { catch_cancelled(forever()).await.is_err() });
        yield_now().await;
        inner
    }
    run_alone(async move {
        let (inner, scope) = (inner().await, Rc::new(Scope::new()));
        let mine = Rc::clone(&scope);
        let mut body = Box::pin(Some(async move {
            assert!(mine.handle().request(None));
            inner.await.unwrap()
        }));
        assert_eq!(poll_fn(|cx| scope.poll(body.as_mut(), cx)).await, Ok(true));

        let scope = Rc::new(Scope::new());
        let mine = Rc::clone(&scope);
        let mut body = Box::pin(Some(async move {
            assert!(mine.handle().request(None));
            forever().await;
        }));
        assert!(poll_fn(|cx| scope.poll(body.as_mut(), cx)).await.is_err());
    });
    run_alone(async move {
        let (inner, branch) = (inner().await, Rc::new(Branch::new(1)));
        let mine = Rc::clone(&branch);
        let mut body = Box::pin(Some(async move {
            assert!(mine.handle(0).request(None));
            inner.await.unwrap()
        }));
        let ended = poll_fn(|cx| {
            let polled = branch.children().enter(|children| children.poll(0, body.as_mut(), cx));
            branch.pause(cx.waker());
            polled
        });
        assert_eq!(ended.await, Ok(true));
    });
}

#[test]
fn a_request_to_the_task_is_not_a_scope_s_to_take_back() {
    run_alone(async {
        let place = Rc::new(RefCell::new(None));
        let theirs = Rc::clone(&place);
        let task = create_task(async move {
            let scope = InScope::new(Scope::new(), forever());
            theirs.replace(Some(scope.handle()));
            scope.await.is_err()
        });
        yield_now().await;
        let handle = place.take().unwrap();
        handle.request(None);
        assert_eq!(handle.uncancel(), 0);
        task.cancel();
        assert_eq!((handle.cancelling(), handle.uncancel()), (0, 0));
        assert!(task.await.unwrap(), "it is delivered");

        let theirs = Rc::clone(&place);
        let quiet = create_task(async move {
            let scope = InScope::new(Scope::new(), async {
                yield_now().await;
                yield_now().await;
            });
            theirs.replace(Some(scope.handle()));
            scope.await.is_ok()
        });
        yield_now().await;
        let handle = place.take().unwrap();
        assert!(handle.request(None));
        assert_eq!(handle.uncancel(), 0);
        assert!(quiet.await.unwrap(), "its own it may take back");
    });
}

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

#[test]
fn a_scope_belongs_to_whoever_polled_it_last() {
    run_alone(async {
        let moved = Rc::new(RefCell::new(InScope::new(Scope::new(), forever())));
        let passing = Rc::clone(&moved);
        let first = create_task(async move {
            assert!(is_pending(&mut poll_fn(|cx| Pin::new(&mut *passing.borrow_mut()).poll(cx))).await);
            forever().await;
        });
        yield_now().await;
        let second = create_task(poll_fn(move |cx| Pin::new(&mut *moved.borrow_mut()).poll(cx)));
        yield_now().await;
        first.cancel();
        yield_now().await;
        assert!(first.cancelled() && !second.done(), "it waits elsewhere now");
        second.cancel();
        assert!(second.await.unwrap().is_err(), "it stopped at the scope");
    });
}

#[test]
fn a_scope_moves_from_one_scope_to_another() {
    run_alone(async {
        let moved = Rc::new(RefCell::new(InScope::new(Scope::new(), forever())));
        let polls_it = |moved: &Rc<RefCell<InScope<_>>>| {
            let moved = Rc::clone(moved);
            poll_fn(move |cx| Pin::new(&mut *moved.borrow_mut()).poll(cx))
        };
        let mut left = InScope::new(Scope::new(), polls_it(&moved));
        let mut right = InScope::new(Scope::new(), polls_it(&moved));
        let handles = [left.handle(), right.handle()];
        assert!(is_pending(&mut left).await && is_pending(&mut right).await);
        assert!(handles[0].request(None));
        assert!(!is_pending(&mut left).await, "it is innermost itself now");
        assert!(is_pending(&mut right).await);
        assert!(handles[1].request(None));
        let ended = right.await;
        assert!(matches!(ended, Ok(Err(_))), "it stopped at the scope inside");
    });
}

#[test]
fn requests_on_all_scopes_around_are_summed() {
    run_alone(async {
        let task = create_task(async {
            current_task().unwrap().cancel();
            let outer = Rc::new(Scope::new());
            let handle = outer.handle();
            let mut body = Box::pin(Some(catch_cancelled(async {
                assert!(handle.request(None) && handle.request(None));
                let seen = corio_seam::cancelling();
                let shield = Scope::shielding();
                let shielding = shield.handle();
                let inside = async { (shielding.request(None), corio_seam::cancelling()).1 };
                let shielded = InScope::new(shield, inside);
                (seen, shielded.await, corio_seam::cancelling())
            })));
            let seen = poll_fn(|cx| outer.poll(body.as_mut(), cx)).await;
            assert_eq!(seen.unwrap().unwrap(), (3, Ok(1), 3));
            assert_eq!(corio_seam::cancelling(), 1);
            current_task().unwrap().uncancel();
        });
        task.await.unwrap();
    });
}

#[test]
fn destructors_see_the_scope_that_was_hit() {
    struct Sees(Rc<Cell<usize>>);
    impl Drop for Sees {
        fn drop(&mut self) {
            self.0.set(corio_seam::cancelling());
        }
    }
    run_alone(async {
        let seen = Rc::new(Cell::new(0));
        for values in [false, true] {
            let sees = Sees(Rc::clone(&seen));
            let scope = InScope::new(Scope::new(), async move {
                let _sees = sees;
                if values { yield_now().await } else { forever().await }
            });
            let handle = scope.handle();
            let asks = create_task(async move { handle.request(None) && handle.request(None) });
            assert!(scope.await.is_err());
            asks.await.unwrap();
            assert_eq!((seen.take(), corio_seam::cancelling()), (2, 0));
        }
    });
}

#[test]
fn what_is_raised_beside_a_value_counts() {
    run_alone(async {
        let log = Log::new();
        let line = OnDrop(log.clone(), "dropped");
        let caught = catch_cancelled(poll_fn(move |cx| {
            let _ = &line;
            let mut resume = pin!(Cancelled::with_message(Some("raised".into())).resume());
            assert!(resume.as_mut().poll(cx).is_pending());
            Poll::Ready(5)
        }));
        assert_eq!(caught.await.unwrap_err().message(), Some("raised"));
        assert_eq!(log.take(), ["dropped"]);
        let task = create_task(poll_fn(|cx| {
            let mut resume = pin!(Cancelled::new().resume());
            assert!(resume.as_mut().poll(cx).is_pending());
            Poll::Ready(5)
        }));
        assert!(task.await.unwrap_err().is_cancelled(), "the task's own scope is one, too");
    });
}

#[test]
#[should_panic(expected = "a scope was polled after it had ended")]
fn a_scope_ends_once() {
    let (scope, mut cx) = (Scope::new(), Context::from_waker(Waker::noop()));
    let mut body = pin!(Some(async { 1 }));
    assert_eq!(scope.poll(body.as_mut(), &mut cx), Poll::Ready(Ok(1)));
    drop(scope.poll(body, &mut cx));
}

/// In a scope that nobody's task polls, leaves and requests work all the same.
#[test]
fn a_scope_outside_any_task_is_hit_and_wakes() {
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    let (outer, inner) = (Scope::new(), Rc::new(Scope::new()));
    let within = Rc::clone(&inner);
    let mut inner_body = Box::pin(Some(pending::<()>()));
    let mut body = pin!(Some(poll_fn(move |cx| within.poll(inner_body.as_mut(), cx))));
    for _ in 0..2 {
        assert!(outer.poll(body.as_mut(), &mut cx).is_pending());
    }
    assert!(outer.handle().request(None));
    assert_eq!((count.0.load(Ordering::Relaxed), outer.handle().cancelling(), inner.handle().cancelling()), (1, 1, 0));
    let ended = outer.poll(body.as_mut(), &mut cx);
    assert!(matches!(ended, Poll::Ready(Ok(Err(_)))), "the inner one took it");
}

#[test]
fn when_a_scope_will_be_asked_to_end() {
    let noon = LoopTime::from_nanos(12);
    assert_eq!((Until::Never.when(), Until::At(noon).when()), (None, Some(noon)));
    let after = Until::After(Duration::from_nanos(30));
    assert_eq!(after.when_from(noon), Some(LoopTime::from_nanos(42)));
    assert_eq!((Until::Never.when_from(noon), Until::default()), (None, Until::Never));
    assert_eq!(corio_task::current_deadline(), None);
}

#[test]
fn whatever_is_asked_of_a_main_future_that_ended_is_refused() {
    let set = TaskSet::new();
    let main = crate::kit::run(&set, async { current_task().unwrap() }).unwrap();
    assert!(main.done() && !main.cancel() && main.cancelling() == 0);
}
