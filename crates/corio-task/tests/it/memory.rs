//! Danger: memory that goes too late, or never. A cell is freed with its last holder, wherever that is, and a set's memory with
//! the last cell that needs it.

use crate::kit::{Gone, Log, OnDrop, forever, yield_now};
use corio_seam::{Report, local_waker};
use corio_task::{Audience, Seats, TaskSet};
use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::thread;

/// Closes a set and drops it; the result tells whether its memory is gone: a bell that comes after the end stays as long.
fn closed(set: TaskSet) -> impl Fn() -> bool {
    let gone = Arc::new(AtomicBool::new(false));
    set.close();
    set.set_bell(Arc::new(Gone(Arc::clone(&gone))));
    drop(set);
    move || gone.load(Ordering::SeqCst)
}

/// Closes a set, lets its holders go one after the other, and checks that its memory goes with the last.
fn assert_goes_with_the_last(set: TaskSet, held: Vec<Box<dyn FnOnce()>>, of_whom: &str) {
    let gone = closed(set);
    for holder in held {
        assert!(!gone(), "{of_whom}");
        holder();
    }
    assert!(gone(), "{of_whom}");
}

/// Drops something on another thread.
fn drop_elsewhere<T: Send>(what: T) {
    thread::scope(|scope| {
        scope.spawn(move || drop(what));
    });
}

/// How a task's cell can be held, a bit each.
const HANDLE: u32 = 1;
const VIEW: u32 = 2;
const WAKER: u32 = 4;
const WAKER_ELSEWHERE: u32 = 8;
const KEPT: u32 = 16;
const ALL: u32 = 31;
/// Each n-th combination is tried.
const EACH: usize = if cfg!(miri) { 7 } else { 1 };

/// Makes a task that is over after `steps` steps, if ever, and returns what of it is held: each is given up by a call.
///
/// Each second one has a name, and so a scope of its own.
fn holders(set: &TaskSet, which: u32, steps: usize) -> Vec<Box<dyn FnOnce()>> {
    let wakers: Rc<RefCell<Vec<Waker>>> = Rc::default();
    let (theirs, mut step) = (Rc::clone(&wakers), 0);
    let task = set.spawn(poll_fn(move |cx| {
        step += 1;
        if step == 1 {
            theirs.borrow_mut().extend([cx.waker().clone(), cx.waker().clone(), local_waker(cx.waker())]);
            cx.waker().wake_by_ref();
        }
        if step == steps { Poll::Ready(Box::new(step)) } else { Poll::Pending }
    }));
    let view = task.task_ref();
    if which.count_ones() % 2 == 0 {
        view.set_name("named");
    }
    set.run_batch();
    let mut all: Vec<Option<Box<dyn FnOnce()>>> = vec![Some(Box::new(|| drop(task))), Some(Box::new(|| drop(view)))];
    let mut wakers = wakers.take().into_iter();
    let [waker, elsewhere, kept] = [(); 3].map(|()| wakers.next().unwrap());
    all.push(Some(Box::new(|| drop(waker))));
    all.push(Some(Box::new(|| drop_elsewhere(elsewhere))));
    all.push(Some(Box::new(|| drop(kept))));
    let mut held = Vec::new();
    for (bit, holder) in all.iter_mut().enumerate() {
        let holder = holder.take().unwrap();
        if which & 1 << bit == 0 { set.enter(holder) } else { held.push(holder) }
    }
    held
}

#[test]
fn a_set_s_memory_goes_with_the_last_holder_of_a_task() {
    assert_eq!(HANDLE | VIEW | WAKER | WAKER_ELSEWHERE | KEPT, ALL);
    for steps in 0..3 {
        for which in (0..=ALL).step_by(EACH) {
            for backwards in [false, true] {
                let set = TaskSet::new();
                let mut held = holders(&set, which, steps);
                set.run_batch();
                if backwards {
                    held.reverse();
                }
                assert_goes_with_the_last(set, held, &format!("steps {steps}, which {which:05b}"));
            }
        }
    }
}

/// As above, and some go while the set is open, inside its run and outside.
#[test]
fn holders_may_go_before_the_set_does() {
    for steps in 0..3 {
        for which in (0..=ALL).step_by(EACH) {
            for (early, inside) in [(1, false), (2, false), (5, false), (1, true), (2, true), (5, true)] {
                let set = TaskSet::new();
                let mut held = holders(&set, which, steps);
                set.run_batch();
                let early = held.drain(..held.len().min(early)).collect::<Vec<_>>();
                let go = || early.into_iter().for_each(|holder| holder());
                if inside {
                    set.enter(go)
                } else {
                    go()
                }
                assert_goes_with_the_last(set, held, &format!("steps {steps}, which {which:05b}"));
            }
        }
    }
}

/// A task that was woken elsewhere, and ended before the set heard of it: its entry in the inbox may be the last holder.
#[test]
fn an_entry_of_the_inbox_holds_a_task() {
    for drained in [true, false] {
        for held in [true, false] {
            let (set, place) = (TaskSet::new(), Rc::new(RefCell::new(None)));
            let theirs = Rc::clone(&place);
            let task = set.spawn(poll_fn(move |cx| {
                theirs.replace(Some(cx.waker().clone()));
                Poll::<()>::Pending
            }));
            set.run_batch();
            let waker: Waker = place.take().unwrap();
            let mine = held.then(|| waker.clone());
            thread::spawn(move || waker.wake()).join().unwrap();
            task.cancel();
            drop(task);
            set.run_batch();
            assert!(set.is_empty());
            if drained {
                set.drain_inbox();
                assert!(!set.has_ready(), "it is over");
            }
            let gone = closed(set);
            assert_eq!(gone(), !held);
            if let Some(waker) = mine {
                waker.wake_by_ref(); // In vain.
                drop_elsewhere(waker);
            }
            assert!(gone());
        }
    }
}

#[test]
fn a_task_that_somebody_awaits_is_held_by_nobody_else() {
    let set = TaskSet::new();
    let inner = set.spawn(async {
        yield_now().await;
        Box::new(1)
    });
    let outer = set.spawn(inner);
    while set.has_ready() {
        set.run_batch();
    }
    assert_eq!(*outer.into_output().unwrap().unwrap(), 1);
    let (waits, forever_too) = (set.spawn(set.spawn(forever())), set.spawn(forever()));
    set.run_batch();
    waits.cancel();
    drop(waits);
    let gone = closed(set);
    assert!(!gone());
    drop(forever_too);
    assert!(gone());
}

#[test]
fn a_task_whose_seat_is_to_be_called_is_held_by_the_queue() {
    struct Nobody;
    impl Audience for Nobody {
        fn ended(&self, _: usize) {}
    }
    for batches in 0..3 {
        for held in [true, false] {
            let (set, seats) = (TaskSet::new(), Seats::new(1, Rc::new(Nobody)));
            let task = set.spawn(async {});
            task.take_seat(&seats, 0);
            let view = held.then(|| task.task_ref());
            drop(task);
            (0..batches).for_each(|_| set.run_batch());
            let gone = closed(set);
            assert_eq!(gone(), !held);
            drop(view);
            assert!(gone());
        }
    }
}

/// A main future that is given up while it stands in the ready queue: its entry is a holder, too.
#[test]
fn what_ends_in_the_queue_is_held_by_its_entry() {
    let (set, log) = (TaskSet::new(), Log::new());
    let reports = log.clone();
    set.set_report_handler(Some(Rc::new(move |report: Report| reports.add(report.to_string()))));
    for steps in 0..3 {
        let line = OnDrop(log.clone(), "dropped");
        let main = async move {
            let _line = line;
            loop {
                yield_now().await;
            }
        };
        let mut turns = 0;
        let broken = set.drive(main, |set| {
            if turns == steps {
                return std::ops::ControlFlow::Break(());
            }
            turns += 1;
            set.run_batch();
            std::ops::ControlFlow::Continue(())
        });
        assert!(broken.is_none() && set.is_empty() && set.has_ready());
        assert_eq!(log.take(), ["dropped"]);
        (0..2).for_each(|_| set.run_batch());
        assert!(!set.has_ready() && log.take().is_empty(), "nothing went wrong");
    }
    assert!(closed(set)());
}

/// An output that nobody takes goes with its handle, or with its task, and takes nothing of the cell with it.
#[test]
fn outputs_go_once_and_leave_the_cell_to_its_holders() {
    for held in [true, false] {
        let (set, log) = (TaskSet::new(), Log::new());
        let line = OnDrop(log.clone(), "output");
        let task = set.spawn(async move { line });
        let view = task.task_ref();
        if !held {
            drop(task);
            set.run_batch();
            assert_eq!(log.take(), ["output"]);
        } else {
            set.run_batch();
            assert!(log.take().is_empty());
            drop(task);
            assert_eq!(log.take(), ["output"]);
        }
        let gone = closed(set);
        assert!(!gone() && view.done());
        drop(view);
        assert!(gone() && log.take().is_empty());
    }
}

/// What a leaf keeps of a task that is over is one holder more.
#[test]
fn a_waker_that_is_kept_after_the_end_holds_the_task() {
    for kept_first in [true, false] {
        let (set, place) = (TaskSet::new(), Rc::new(RefCell::new(None)));
        let theirs = Rc::clone(&place);
        drop(set.spawn(poll_fn(move |cx| {
            theirs.replace(Some(cx.waker().clone()));
            Poll::Ready(())
        })));
        set.run_batch();
        let waker: Waker = place.take().unwrap();
        let kept = set.enter(|| local_waker(&waker));
        let gone = closed(set);
        let (first, last) = if kept_first { (kept, waker) } else { (waker, kept) };
        drop(first);
        assert!(!gone());
        drop(last);
        assert!(gone());
    }
}
