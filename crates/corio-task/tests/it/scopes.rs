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
