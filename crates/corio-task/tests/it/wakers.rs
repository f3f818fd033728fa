//! Danger: a waker that is kept, and wakes another, is counted twice, or is taken for somebody else's.

use crate::kit::{forever, stuck, yield_now};
use corio_seam::{Waiting, local_waker, wait_on, will_wake};
use corio_task::{OwnWakers, Scope, TaskOptions, TaskSet, create_task, current_task, with_own_wakers};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn counting() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    (Arc::clone(&count), Waker::from(count))
}

/// A combinator's one waker, and its counterpart.
struct Pair {
    waker: Waker,
    local: Waker,
}

impl OwnWakers for Pair {
    fn local(&self, waker: &Waker) -> Option<Waker> {
        is(&self.waker, waker).then(|| self.local.clone())
    }

    fn is_local(&self, kept: &Waker, waker: &Waker) -> bool {
        is(&self.waker, waker) && is(&self.local, kept)
    }
}

fn with_local_waker<R>(waker: &Waker, local: &Waker, poll: impl FnOnce() -> R) -> R {
    with_own_wakers(&Pair { waker: waker.clone(), local: local.clone() }, poll)
}

/// Tells whether the one is a clone of the other.
fn is(one: &Waker, other: &Waker) -> bool {
    one.data() == other.data()
}

/// As [`will_wake`], where clones of the standard library's wakers have one table, which under Miri they may not.
fn wakes(kept: &Waker, waker: &Waker) -> bool {
    cfg!(miri) || will_wake(kept, waker)
}

#[test]
fn a_combinator_s_own_waker_has_a_counterpart_while_its_child_is_polled() {
    let (own, waker) = counting();
    let (counterpart, local) = counting();
    let (other, others) = counting();
    let set = TaskSet::new();
    set.enter(|| {
        with_local_waker(&waker, &local, || {
            let kept = local_waker(&waker);
            assert!(is(&kept, &local) && wakes(&kept, &waker) && wakes(&local, &waker));
            assert!(!will_wake(&others, &waker) && is(&local_waker(&others), &others));
            kept.wake();
            with_local_waker(&others, &waker, || {
                assert!(is(&local_waker(&waker), &local), "the outer one has its counterpart still");
                assert!(is(&local_waker(&others), &waker));
            });
            assert!(is(&local_waker(&others), &others), "it is gone with the poll");
            assert!(is(&local_waker(&waker), &local));
        });
        assert!(is(&local_waker(&waker), &waker));
        assert!(!will_wake(&local, &waker));
    });
    assert_eq!([own, counterpart, other].map(|count| count.0.load(Ordering::Relaxed)), [0, 1, 0]);
}

/// What a leaf keeps of a combinator's waker is a clone of the counterpart.
#[test]
fn a_counterpart_is_what_a_leaf_keeps() {
    let (set, kept) = (TaskSet::new(), Rc::new(RefCell::new(None::<Waker>)));
    let (leaf, polls) = (Rc::clone(&kept), Rc::new(Cell::new(0)));
    let counted = Rc::clone(&polls);
    let (count, own) = counting();
    let task = set.spawn(poll_fn(move |cx| {
        counted.set(counted.get() + 1);
        with_local_waker(&own, cx.waker(), || leaf.replace(Some(local_waker(&own))));
        Poll::<()>::Pending
    }));
    set.run_batch();
    kept.take().unwrap().wake();
    set.drain_inbox();
    set.run_batch();
    assert_eq!((polls.get(), count.0.load(Ordering::Relaxed), task.done()), (2, 0, false));
}

/// Kept or not, a waker wakes its task once, inside the set's run and outside.
#[test]
fn each_kind_of_waker_wakes_once() {
    for kind in 0..2 {
        for (by_ref, inside) in [(true, true), (true, false), (false, true), (false, false)] {
            let (set, polls) = (TaskSet::new(), Rc::new(Cell::new(0)));
            let (counted, place) = (Rc::clone(&polls), Rc::new(RefCell::new(None::<Waker>)));
            let mine = Rc::clone(&place);
            let task = set.spawn(poll_fn(move |cx| {
                counted.set(counted.get() + 1);
                if counted.get() == 1 {
                    mine.replace(Some(if kind == 0 { cx.waker().clone() } else { local_waker(cx.waker()) }));
                }
                wait_on(Waiting::Leaf(&"leaf"));
                if counted.get() == 3 { Poll::Ready(()) } else { Poll::Pending }
            }));
            set.run_batch();
            assert_eq!(stuck(&set), kind == 1);
            for round in 2..4 {
                let wake = || {
                    if by_ref || round == 2 {
                        place.borrow().as_ref().unwrap().wake_by_ref();
                        place.borrow().as_ref().unwrap().wake_by_ref();
                    } else {
                        place.take().unwrap().wake();
                    }
                };
                if inside {
                    set.enter(wake)
                } else {
                    wake()
                }
                set.drain_inbox();
                set.run_batch();
                assert_eq!(polls.get(), round);
                assert!(!set.has_ready());
            }
            assert!(task.done());
            place.borrow().iter().for_each(Waker::wake_by_ref);
            set.drain_inbox();
            assert!(!set.has_ready(), "a wake after the end does nothing");
        }
    }
}

/// The waker of a task that is over is kept as an ordinary clone.
#[test]
fn a_waker_can_be_kept_after_the_end() {
    let (set, place) = (TaskSet::new(), Rc::new(RefCell::new(None::<Waker>)));
    let mine = Rc::clone(&place);
    let task = set.spawn(poll_fn(move |cx| {
        mine.replace(Some(cx.waker().clone()));
        Poll::Ready(())
    }));
    set.run_batch();
    let waker = place.take().unwrap();
    let view = task.task_ref();
    drop(task);
    for _ in 0..3 {
        let kept = set.enter(|| local_waker(&waker));
        assert!(set.enter(|| will_wake(&kept, &waker)));
        set.enter(|| kept.wake_by_ref());
        drop(kept);
        set.enter(|| local_waker(&waker).wake());
    }
    assert!(view.done() && !set.has_ready() && view.name() == "Task-1");
    drop(set);
    let elsewhere = waker.clone();
    std::thread::spawn(move || elsewhere.wake()).join().unwrap();
    drop(view);
    waker.wake();
}

#[test]
fn wakers_of_another_set_are_foreign() {
    let (one, other) = (TaskSet::new(), TaskSet::new());
    let place = Rc::new(RefCell::new(Vec::<Waker>::new()));
    for set in [&one, &other] {
        let mine = Rc::clone(&place);
        drop(set.spawn(poll_fn(move |cx| {
            mine.borrow_mut().push(cx.waker().clone());
            wait_on(Waiting::Leaf(&"leaf"));
            Poll::<()>::Pending
        })));
        set.run_batch();
    }
    let wakers = place.take();
    let kept = one.enter(|| local_waker(&wakers[1]));
    assert!(kept.will_wake(&wakers[1]), "an ordinary clone");
    drop(wakers);
    assert!(stuck(&one) && !stuck(&other), "somebody else could wake it");
    drop(kept);
    assert!(stuck(&other));
}

/// The innermost scope is the current one only while it is polled.
#[test]
fn nobody_is_inside_a_scope_after_its_poll() {
    let set = TaskSet::new();
    let main = async {
        let (scope, mut body) = (Scope::new(), Box::pin(Some(forever())));
        assert_eq!(scope.handle().cancelling(), 0);
        poll_fn(|cx| {
            assert!(scope.poll(body.as_mut(), cx).is_pending());
            Poll::Ready(())
        })
        .await;
        assert!(scope.handle().request(None));
        assert_eq!(corio_seam::cancelling(), 0);
        let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut panics = pin!(Some(poll_fn(|_| -> Poll<()> { panic!("the body's own") })));
            let second = Scope::new();
            second.handle().uncancel();
            drop(second.poll(panics.as_mut(), &mut Context::from_waker(Waker::noop())));
        }));
        assert!(panics.is_err());
        assert_eq!(corio_seam::cancelling(), 0);
        yield_now().await;
        7
    };
    let mut main = set.spawn(main);
    while set.has_ready() {
        set.run_batch();
    }
    assert_eq!(main.take_output().unwrap().unwrap(), 7);
    set.enter(|| assert!(current_task().is_none() && corio_seam::loop_id() == Some(set.id())));
    assert!(corio_seam::loop_id().is_none());
}

#[test]
fn main_is_not_started_eagerly_even_where_it_could_be() {
    let set = Rc::new(TaskSet::new());
    let inner = Rc::clone(&set);
    let mut task = set.spawn(async move {
        let polled = Cell::new(false);
        let main = poll_fn(|_| {
            polled.set(true);
            Poll::Ready(())
        });
        let ended = inner.drive_with(TaskOptions::new().eager(true), main, |_| std::ops::ControlFlow::Break(()));
        assert!(ended.is_none());
        polled.get()
    });
    set.run_batch();
    assert!(!task.take_output().unwrap().unwrap());
    set.run_batch();
    assert!(set.is_empty());
}

/// Two who ask for one task in turn, one of them a task: the last is woken.
#[test]
fn a_task_and_a_stranger_may_await_one_after_the_other() {
    for stranger_first in [true, false] {
        let (set, (count, stranger)) = (TaskSet::new(), counting());
        let inner = Rc::new(RefCell::new(set.spawn(yield_now())));
        let ask = |waker: &Waker| {
            let polled = Pin::new(&mut *inner.borrow_mut()).poll(&mut Context::from_waker(waker));
            assert!(polled.is_pending());
        };
        if stranger_first {
            ask(&stranger);
        }
        let (theirs, polls) = (Rc::clone(&inner), Rc::new(Cell::new(0)));
        let counted = Rc::clone(&polls);
        let waits = set.enter(|| {
            create_task(poll_fn(move |cx| {
                counted.set(counted.get() + 1);
                Pin::new(&mut *theirs.borrow_mut()).poll(cx).map(|ended| ended.is_ok())
            }))
        });
        set.run_batch();
        if !stranger_first {
            ask(&stranger);
        }
        while set.has_ready() {
            set.run_batch();
        }
        assert_eq!(count.0.load(Ordering::Relaxed), usize::from(!stranger_first));
        assert_eq!((polls.get(), waits.done()), if stranger_first { (2, true) } else { (1, false) });
    }
}
