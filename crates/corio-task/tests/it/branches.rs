//! Danger: children that are polled in place, whose scopes nobody sees until somebody asks.

use crate::kit::{Door, Log, OnDrop, forever, is_pending, run_alone, stuck, yield_now};
use corio_seam::{Waiting, wait_on};
use corio_task::{Branch, Cancelled, Scope, TaskSet, capture_call_graph, catch_cancelled, create_task, current_task};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

pub(crate) type Body = Pin<Box<Option<Pin<Box<dyn Future<Output = u32>>>>>>;

/// A combinator that polls all its children, and gives what each came to.
pub(crate) struct Join {
    branch: Branch,
    bodies: Vec<Body>,
    ends: Vec<Option<Result<u32, Cancelled>>>,
}

pub(crate) fn child(body: impl Future<Output = u32> + 'static) -> Body {
    Box::pin(Some(Box::pin(body)))
}

pub(crate) fn join(bodies: impl Into<Vec<Body>>) -> Join {
    let bodies = bodies.into();
    Join { branch: Branch::new(bodies.len()), ends: bodies.iter().map(|_| None).collect(), bodies }
}

impl Future for Join {
    type Output = Vec<Result<u32, Cancelled>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Join { branch, bodies, ends } = &mut *self;
        branch.children().enter(|children| {
            for (index, (body, end)) in bodies.iter_mut().zip(&mut *ends).enumerate() {
                if end.is_none() {
                    if let Poll::Ready(ended) = children.poll(index, body.as_mut(), cx) {
                        assert!(body.is_none(), "a body goes before its end is told");
                        *end = Some(ended);
                    }
                }
            }
        });
        if ends.iter().all(Option::is_some) {
            return Poll::Ready(ends.drain(..).flatten().collect());
        }
        branch.pause(cx.waker());
        Poll::Pending
    }
}

async fn swallows() -> u32 {
    u32::from(catch_cancelled(forever()).await.is_err())
}

fn was_hit(end: &Result<u32, Cancelled>) -> bool {
    end.is_err()
}

#[test]
fn a_request_to_the_task_hits_each_child_that_waits() {
    let log = Log::new();
    let out = log.clone();
    run_alone(async move {
        let guard = OnDrop(out.clone(), "dropped");
        let holds = async move {
            let _guard = guard;
            forever().await;
            0
        };
        let over = async { 7 };
        let task = create_task(join([child(swallows()), child(holds), child(over), child(swallows())]));
        yield_now().await;
        assert!(task.cancel_with("why"));
        assert!(out.take().is_empty(), "it is delivered by the next poll");
        let ends = task.await.unwrap();
        assert_eq!(ends[0], Ok(1));
        assert_eq!(ends[1].as_ref().unwrap_err().message(), Some("why"));
        assert_eq!(ends[2..], [Ok(7), Ok(1)]);
        assert_eq!(out.take(), ["dropped"]);
    });
}

/// One that is over is asked nothing: a request that comes later goes to those that are left, or to the scope around.
#[test]
fn a_child_that_is_over_takes_no_request() {
    run_alone(async {
        let task = create_task(async {
            let mut both = join([
                child(async {
                    yield_now().await;
                    1
                }),
                child(swallows()),
            ]);
            poll_fn(|cx| Pin::new(&mut both).poll(cx).map(|_| ())).await;
            catch_cancelled(async {
                let mut parked = join([child(forever_u32()), child(async { 3 }), child(swallows())]);
                assert!(is_pending(&mut parked).await);
                parked.bodies.clear();
                parked.ends.clear();
                drop(parked);
                forever().await;
            })
            .await
            .is_err()
        });
        yield_now().await;
        yield_now().await;
        task.cancel();
        yield_now().await;
        yield_now().await;
        task.cancel();
        assert!(task.await.unwrap());
    });
}

async fn forever_u32() -> u32 {
    pending().await
}

#[test]
fn a_request_after_the_last_child_was_hit_goes_to_the_scope_around() {
    run_alone(async {
        let task = create_task(async {
            let hits = Rc::new(Cell::new(0));
            let mine = Rc::clone(&hits);
            let ended = catch_cancelled(async move {
                let mut both = join([child(async { 1 }), child(forever_u32())]);
                poll_fn(|cx| {
                    mine.set(mine.get() + 1);
                    let _ = Pin::new(&mut both).poll(cx);
                    if both.ends.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
                })
                .await
            });
            drop(ended.await);
            hits.get()
        });
        yield_now().await;
        task.cancel();
        assert_eq!(task.await.unwrap(), 2);

        // As above, with the combinator still there while its caller waits for something else.
        let task = create_task(async {
            let branch = Branch::new(2);
            let (mut over, mut hit) = (child(async { 1 }), child(forever_u32()));
            let mut rounds = 0;
            poll_fn(|cx| {
                rounds += 1;
                branch.children().enter(|children| {
                    if rounds == 1 {
                        assert!(children.poll(0, over.as_mut(), cx).is_ready());
                    }
                    if rounds < 3 {
                        let ended = children.poll(1, hit.as_mut(), cx);
                        assert_eq!(ended.is_ready(), rounds == 2);
                    }
                });
                branch.pause(cx.waker());
                Poll::<()>::Pending
            })
            .await;
        });
        yield_now().await;
        task.cancel();
        yield_now().await;
        assert!(!task.done(), "it went to the child");
        task.cancel();
        yield_now().await;
        assert!(task.cancelled(), "no child waits any more");
    });
}

#[test]
fn a_child_passes_a_request_on_to_the_one_task_that_it_waits_for() {
    for later in [false, true] {
        run_alone(async move {
            let (first, second) = (create_task(yield_now()), create_task(swallows()));
            let waits = async move {
                if later {
                    first.await.unwrap();
                }
                second.await.unwrap()
            };
            let task = create_task(join([child(waits)]));
            (0..4).map(|_| yield_now()).collect::<Yields>().await;
            assert!(task.cancel());
            assert_eq!(task.await.unwrap(), [Ok(1)], "what it waits for decides");
        });
    }
}

/// Yields so many times.
struct Yields(usize);

impl<F> FromIterator<F> for Yields {
    fn from_iter<I: IntoIterator<Item = F>>(yields: I) -> Yields {
        Yields(yields.into_iter().count())
    }
}

impl IntoFuture for Yields {
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            for _ in 0..self.0 {
                yield_now().await;
            }
        })
    }
}

#[test]
fn a_child_that_waits_for_two_things_asks_neither() {
    run_alone(async {
        let (mut one, mut other) = (create_task(forever()), create_task(forever()));
        let asked = [one.task_ref(), other.task_ref()];
        let leaf_too = create_task(forever());
        let third = leaf_too.task_ref();
        let mut leaf_too = Some(leaf_too);
        let waits = poll_fn(move |cx| {
            assert!(Pin::new(&mut one).poll(cx).is_pending() && Pin::new(&mut other).poll(cx).is_pending());
            Poll::<u32>::Pending
        });
        let leaf_first = poll_fn(move |cx| {
            wait_on(Waiting::Leaf(&"a leaf"));
            assert!(Pin::new(leaf_too.as_mut().unwrap()).poll(cx).is_pending());
            Poll::<u32>::Pending
        });
        let task = create_task(join([child(waits), child(leaf_first)]));
        yield_now().await;
        task.cancel();
        let ends = task.await.unwrap();
        assert!(ends.iter().all(was_hit));
        assert!(asked.iter().all(|task| task.cancelling() == 0) && third.cancelling() == 0);
    });
}

/// What children wait for is what their task waits for, whether somebody has asked before or not.
#[test]
fn the_await_graph_sees_through_children() {
    fn leaves(names: &'static [&'static str]) -> Body {
        child(poll_fn(move |_| {
            names.iter().for_each(|name| wait_on(Waiting::Leaf(name)));
            Poll::<u32>::Pending
        }))
    }
    run_alone(async {
        let other = create_task(forever()).named("other");
        let other_and_leaf = {
            let mut other = other;
            child(poll_fn(move |cx| {
                assert!(Pin::new(&mut other).poll(cx).is_pending());
                wait_on(Waiting::Leaf(&"after a task"));
                Poll::<u32>::Pending
            }))
        };
        let waker = Rc::new(RefCell::new(None::<Waker>));
        let theirs = Rc::clone(&waker);
        let woken = child(poll_fn(move |cx| {
            theirs.replace(Some(cx.waker().clone()));
            wait_on(Waiting::Leaf(&"one"));
            Poll::<u32>::Pending
        }));
        let nothing = child(forever_u32());
        let once = child(async {
            poll_fn(|cx| {
                wait_on(Waiting::Leaf(&"gone"));
                cx.waker().wake_by_ref();
                Poll::Ready(())
            })
            .await;
            0
        });
        let bodies = [once, woken, leaves(&["two", "three"]), nothing, other_and_leaf, leaves(&["four"])];
        let task = create_task(join(bodies));
        yield_now().await;
        let expected = ["one", "several things", "several things", "four"];
        for _ in 0..3 {
            let graph = capture_call_graph(&task);
            let names: Vec<String> = graph.waits_for().iter().map(|leaf| leaf.name().to_string()).collect();
            assert_eq!(names, expected);
            waker.borrow().as_ref().unwrap().wake_by_ref(); // Now each child has a node.
            yield_now().await;
            yield_now().await;
        }
    });
}

#[test]
fn a_set_is_stuck_if_some_child_s_wait_is_known_and_nobody_else_can_wake_it() {
    fn is_stuck(bodies: Vec<Body>) -> bool {
        let set = TaskSet::new();
        let _task = set.spawn(join(bodies));
        while set.has_ready() {
            set.run_batch();
        }
        stuck(&set)
    }
    let door = || {
        let door = Door::default();
        child(async move {
            door.wait().await;
            0
        })
    };
    let noted_and_over = || {
        child(poll_fn(|_| {
            wait_on(Waiting::Leaf(&"passed"));
            Poll::Ready(1)
        }))
    };
    let listens = || {
        let (promise, future) = corio_future::promise::<u32>();
        child(async move {
            let _promise = promise; // Which nobody keeps.
            future.await.unwrap()
        })
    };
    assert!(is_stuck(vec![door()]));
    assert!(is_stuck(vec![listens()]));
    assert!(is_stuck(vec![child(forever_u32()), door()]));
    assert!(is_stuck(vec![noted_and_over(), door()]));
    assert!(!is_stuck(vec![child(forever_u32())]));
    assert!(!is_stuck(vec![noted_and_over(), child(forever_u32())]));
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A waker, and how often it has woken.
fn counting() -> (Waker, impl Fn() -> usize) {
    let count = Arc::new(Count(AtomicUsize::new(0)));
    (Waker::from(Arc::clone(&count)), move || count.0.load(Ordering::Relaxed))
}

/// Outside any task, in a scope that somebody polls by hand, under one waker and then another.
#[test]
fn a_child_that_is_hit_wakes_the_combinator_by_its_last_waker() {
    let ((early, early_woken), (late, late_woken)) = (counting(), counting());
    for (wakers, expected) in [(vec![&early], (1, 0)), (vec![&early, &late], (1, 1)), (vec![&late, &late], (1, 2))] {
        let scope = Scope::new();
        let mut body = pin!(Some(join([child(forever_u32())])));
        for waker in wakers {
            assert!(scope.poll(body.as_mut(), &mut Context::from_waker(waker)).is_pending());
        }
        assert!(scope.handle().request(None));
        assert_eq!((early_woken(), late_woken()), expected);
        let ended = scope.poll(body.as_mut(), &mut Context::from_waker(&late));
        assert!(matches!(ended, Poll::Ready(Ok(ends)) if ends.iter().all(was_hit)), "it stopped at the child");
    }
}

#[test]
fn a_branch_that_is_dropped_is_asked_no_more() {
    let (waker, woken) = counting();
    let mut cx = Context::from_waker(&waker);
    for asked_before in [false, true] {
        let scope = Scope::new();
        let branch = Branch::new(2);
        let (children, mut body) = (branch.children(), child(forever_u32()));
        let handle = asked_before.then(|| branch.handle(0));
        let mut place = Some(branch);
        let mut around = pin!(Some(poll_fn(|cx| {
            if let Some(branch) = &place {
                let polled = children.enter(|children| children.poll(0, body.as_mut(), cx));
                assert!(polled.is_pending());
                branch.pause(cx.waker());
            }
            place = place.take().filter(|_| body.is_none());
            Poll::<()>::Pending
        })));
        assert!(scope.poll(around.as_mut(), &mut cx).is_pending());
        assert!(handle.is_none_or(|handle| !handle.request(None)), "its scope has ended");
        let before = woken();
        assert!(scope.handle().request(None));
        assert_eq!(woken(), before + 1);
        assert!(matches!(scope.poll(around.as_mut(), &mut cx), Poll::Ready(Err(_))), "it hits what is around");
    }
}

/// One that moves takes its children along: whoever polled it before asks them no more.
#[test]
fn a_branch_belongs_to_whoever_polled_it_last() {
    run_alone(async {
        let moved = Rc::new(RefCell::new(join([child(forever_u32())])));
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
        assert!(first.cancelled() && !second.done());
        second.cancel();
        assert!(was_hit(&second.await.unwrap()[0]), "it stopped at the child");
    });
}

/// One whose turn has not come is not asked by a request to the task, whoever holds its handle.
#[test]
fn a_child_that_has_not_begun_is_asked_by_nobody_around() {
    for before_the_pause in [false, true] {
        run_alone(async move {
            let branch = Rc::new(Branch::new(2));
            let (mine, mut rounds) = (Rc::clone(&branch), 0);
            let mut bodies = [child(swallows()), child(async { 4 })];
            let task = create_task(poll_fn(move |cx| {
                rounds += 1;
                let polled = mine.children().enter(|children| {
                    if rounds == 1 {
                        assert!(children.poll(0, bodies[0].as_mut(), cx).is_pending());
                        return Poll::Pending;
                    }
                    assert_eq!(children.poll(0, bodies[0].as_mut(), cx), Poll::Ready(Ok(1)));
                    children.poll(1, bodies[1].as_mut(), cx)
                });
                if before_the_pause {
                    drop((mine.handle(0), mine.handle(1)));
                }
                mine.pause(cx.waker());
                polled
            }));
            yield_now().await;
            let handle = branch.handle(1);
            task.cancel();
            assert_eq!((handle.cancelling(), task.await.unwrap()), (0, Ok(4)));
        });
    }
}

#[test]
fn a_child_that_ended_by_itself_is_asked_no_more() {
    let mut cx = Context::from_waker(Waker::noop());
    let branch = Branch::new(1);
    let (handle, mut body) = (branch.handle(0), child(async { 5 }));
    branch.children().enter(|children| {
        assert!(matches!(children.poll(0, body.as_mut(), &mut cx), Poll::Ready(Ok(5))));
    });
    assert!(body.is_none() && !handle.request(None));
    branch.pause(cx.waker());
    drop(branch);
    assert!(!handle.request(None) && !handle.request_for_good(None));
}

/// By its own handle, whenever that was made.
#[test]
fn a_child_that_waits_is_asked_by_its_handle() {
    run_alone(async {
        for (before, catches) in [(true, true), (true, false), (false, true), (false, false)] {
            let branch = Rc::new(Branch::new(2));
            let early = before.then(|| branch.handle(1));
            let mine = Rc::clone(&branch);
            let mut bodies = [child(forever_u32()), if catches { child(swallows()) } else { child(forever_u32()) }];
            let task = create_task(poll_fn(move |cx| {
                let polled = mine.children().enter(|children| {
                    assert!(children.poll(0, bodies[0].as_mut(), cx).is_pending());
                    children.poll(1, bodies[1].as_mut(), cx)
                });
                mine.pause(cx.waker());
                polled
            }));
            yield_now().await;
            assert!(early.unwrap_or_else(|| branch.handle(1)).request(None));
            assert_eq!(task.await.unwrap().ok(), catches.then_some(1), "the innermost scope takes it");
        }
    });
}

/// By a handle that was made after the child's poll, and before the combinator first pauses; and it is not polled again.
#[test]
fn a_child_is_asked_by_a_handle_made_before_the_first_pause() {
    for (early, catches) in [(true, true), (true, false), (false, true), (false, false)] {
        run_alone(async move {
            let (branch, handle) = (Rc::new(Branch::new(1)), Rc::new(RefCell::new(None)));
            let (mine, made) = (Rc::clone(&branch), Rc::clone(&handle));
            let mut body = if catches { child(swallows()) } else { child(forever_u32()) };
            let task = create_task(poll_fn(move |cx| {
                let polled = mine.children().enter(|children| children.poll(0, body.as_mut(), cx));
                if polled.is_pending() && made.borrow().is_none() {
                    let handle = mine.handle(0);
                    assert!(!early || handle.request(None));
                    made.replace(Some(handle));
                }
                mine.pause(cx.waker());
                polled
            }));
            yield_now().await;
            assert!(early || handle.take().unwrap().request(None));
            Yields(3).await;
            assert!(task.done(), "nobody was woken");
            assert_eq!(task.await.unwrap().ok(), catches.then_some(1));
        });
    }
}

/// Such a child belongs to the scope around, as others do.
#[test]
fn a_child_with_a_handle_made_before_the_first_pause_is_found_from_around() {
    run_alone(async {
        let branch = Branch::new(1);
        let (mut body, mut handle) = (child(forever_u32()), None);
        let task = create_task(poll_fn(move |cx| {
            let polled = branch.children().enter(|children| children.poll(0, body.as_mut(), cx));
            handle.get_or_insert_with(|| branch.handle(0));
            branch.pause(cx.waker());
            polled
        }));
        yield_now().await;
        task.cancel();
        assert!(was_hit(&task.await.unwrap()), "it stopped at the child");
    });
}

/// A handle wakes whoever polled the combinator last, though it was made before that one's pause, or before its poll.
#[test]
fn a_handle_made_before_the_pause_wakes_by_the_last_waker() {
    for made_in_round in [0, 1] {
        let ((early, early_woken), (late, late_woken)) = (counting(), counting());
        let branch = Branch::new(2);
        let (mut first, mut second) = (child(forever_u32()), child(forever_u32()));
        let mut handle = None;
        for (round, waker) in [&early, &late].into_iter().enumerate() {
            let mut cx = Context::from_waker(waker);
            branch.children().enter(|children| {
                assert!(children.poll(0, first.as_mut(), &mut cx).is_pending());
                if round == 0 {
                    assert!(children.poll(1, second.as_mut(), &mut cx).is_pending());
                }
            });
            if round == made_in_round {
                handle = Some(branch.handle(1));
            }
            branch.pause(waker);
        }
        assert!(handle.unwrap().request(None));
        assert_eq!((early_woken(), late_woken()), (0, 1), "made in round {made_in_round}");
    }
}

/// One that is not polled there, too, if somebody has its handle.
#[test]
fn a_child_with_a_handle_goes_along_with_its_branch() {
    run_alone(poll_fn(|cx| {
        let (branch, mut body) = (Branch::new(1), child(forever_u32()));
        let (first, second) = (Scope::new(), Scope::new());
        let mut poll_and_ask = pin!(Some(poll_fn(|cx| {
            assert!(branch.children().enter(|children| children.poll(0, body.as_mut(), cx)).is_pending());
            drop(branch.handle(0));
            branch.pause(cx.waker());
            Poll::<()>::Pending
        })));
        let mut merely_pause = pin!(Some(poll_fn(|cx| {
            branch.pause(cx.waker());
            Poll::<()>::Pending
        })));
        assert!(first.poll(poll_and_ask.as_mut(), cx).is_pending());
        assert!(second.poll(merely_pause.as_mut(), cx).is_pending());
        assert!(second.handle().request(None));
        poll_and_ask.set(None);
        let ended = branch.children().enter(|children| children.poll(0, body.as_mut(), cx));
        assert!(matches!(ended, Poll::Ready(Err(_))), "the request stopped at the child");
        Poll::Ready(())
    }));
}

/// One that is over does not go along: a request hits whoever is left.
#[test]
fn a_child_that_is_over_stays_behind_when_its_branch_moves() {
    let mut cx = Context::from_waker(Waker::noop());
    let branch = Branch::new(1);
    let mut body = child(async {
        yield_now().await;
        2
    });
    let (first, second) = (Scope::new(), Scope::new());
    let mut rounds = 0;
    let mut poll = |cx: &mut Context<'_>| {
        rounds += 1;
        let polled = branch.children().enter(|children| children.poll(0, body.as_mut(), cx));
        assert_eq!(polled.is_ready(), rounds == 2);
        drop(branch.handle(0));
        branch.pause(cx.waker());
    };
    let mut before = pin!(Some(poll_fn(|cx| {
        poll(cx);
        Poll::<()>::Pending
    })));
    assert!(first.poll(before.as_mut(), &mut cx).is_pending());
    before.set(None);
    let mut after = pin!(Some(poll_fn(|cx| {
        poll(cx);
        Poll::<()>::Pending
    })));
    assert!(second.poll(after.as_mut(), &mut cx).is_pending());
    assert!(second.handle().request(None));
    assert!(matches!(second.poll(after.as_mut(), &mut cx), Poll::Ready(Err(_))));
}

#[test]
fn children_cancel_themselves_and_are_alone_in_that() {
    run_alone(async {
        let raises = || async { match Cancelled::with_message(Some("raised".into())).resume().await {} };
        let raises_beside_a_value = poll_fn(|cx| {
            let mut resume = pin!(Cancelled::new().resume());
            assert!(resume.as_mut().poll(cx).is_pending());
            assert!(corio_seam::raised());
            Poll::Ready(3)
        });
        let bodies = [child(raises()), child(raises_beside_a_value), child(async { u32::from(corio_seam::raised()) })];
        let ends = join(bodies).await;
        assert_eq!(ends[0].as_ref().unwrap_err().message(), Some("raised"));
        assert!(was_hit(&ends[1]) && ends[2] == Ok(0));
        assert!(!corio_seam::raised());
    });
}

/// Where a child stands is known inside it, from its first poll on.
#[test]
fn requests_around_are_seen_inside_a_child() {
    run_alone(async {
        let task = create_task(async {
            let seen = |again: bool| async move {
                if again {
                    yield_now().await;
                }
                let before = corio_seam::cancelling();
                current_task().unwrap().cancel();
                let both = (before, corio_seam::cancelling());
                current_task().unwrap().uncancel();
                assert_eq!(both, (0, 1));
                1
            };
            catch_cancelled(join([child(seen(false)), child(seen(true))])).await.unwrap()
        });
        assert_eq!(task.await.unwrap(), [Ok(1), Ok(1)]);
    });
}

#[test]
fn a_branch_stands_where_it_came_first() {
    run_alone(async {
        let waits_at = |name: &'static &'static str| {
            child(poll_fn(move |_| {
                wait_on(Waiting::Leaf(name));
                Poll::<u32>::Pending
            }))
        };
        let (mut first, mut second) = (join([waits_at(&"first")]), join([waits_at(&"second")]));
        let waker = Rc::new(RefCell::new(None::<Waker>));
        let (theirs, mut polls) = (Rc::clone(&waker), 0);
        let task = create_task(poll_fn(move |cx| {
            theirs.replace(Some(cx.waker().clone()));
            polls += 1;
            assert!(Pin::new(&mut first).poll(cx).is_pending());
            if polls != 2 {
                assert!(Pin::new(&mut second).poll(cx).is_pending());
            }
            Poll::<()>::Pending
        }));
        yield_now().await;
        waker.borrow().as_ref().unwrap().wake_by_ref();
        yield_now().await;
        let graph = capture_call_graph(&task).waits_for();
        assert_eq!(graph.iter().map(|leaf| leaf.name()).collect::<Vec<_>>(), ["first", "second"]);
    });
}

#[test]
#[should_panic(expected = "a child was polled after it had ended")]
fn a_child_is_over_once() {
    let (branch, mut cx) = (Branch::new(1), Context::from_waker(Waker::noop()));
    let mut body = child(async { 1 });
    branch.children().enter(|children| {
        for _ in 0..2 {
            drop(children.poll(0, body.as_mut(), &mut cx));
        }
    });
}

#[test]
fn a_branch_without_children_is_entered_all_the_same() {
    let branch = Branch::new(0);
    assert_eq!(branch.children().enter(|children| format!("{children:?}")), "Entered { count: 0 }");
    branch.pause(Waker::noop());
}

#[test]
fn they_say_how_many_children_there_are() {
    let branch = Branch::new(3);
    assert_eq!(format!("{branch:?}"), "Branch { count: 3, .. }");
    assert_eq!(format!("{:?}", branch.children()), "BranchChildren { count: 3 }");
    assert_eq!(branch.children().enter(|children| format!("{children:?}")), "Entered { count: 3 }");
}
