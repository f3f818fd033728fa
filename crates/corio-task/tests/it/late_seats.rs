//! Danger: a task that is over stands in the ready queue once more, for a seat: twice, for ever, or past its memory's end.

use crate::kit::{Log, OnDrop, forever, run};
use corio_seam::Node;
use corio_task::{Audience, Seats, Task, TaskSet, create_task};
use std::rc::Rc;
use std::task::Waker;
use std::thread;

/// Notes who is told.
struct Told(Log);

impl Audience for Told {
    fn ended(&self, index: usize) {
        self.0.add(format!("seat {index}"));
    }
}

fn seats(log: &Log, count: usize) -> Seats {
    Seats::new(count, Rc::new(Told(log.clone())))
}

/// A set, its log, and a task of it that is over and in no queue.
fn over<T: 'static>(future: impl Future<Output = T> + 'static) -> (TaskSet, Log, Task<T>) {
    let (set, log) = (TaskSet::new(), Log::new());
    let task = set.spawn(future);
    set.run_batch();
    assert!(task.done() && !set.has_ready());
    (set, log, task)
}

#[test]
fn it_is_told_in_its_turn_once() {
    let (set, log, task) = over(async { 7 });
    let (seats, before, behind) = (seats(&log, 2), log.clone(), log.clone());
    set.push(Node::new(move || before.add("before"))).unwrap();
    assert!(set.enter(|| task.take_late_seat(&seats, 1)));
    set.push(Node::new(move || behind.add("behind"))).unwrap();
    assert_eq!(format!("{seats:?}"), "Seats { length: 2, count: 2 }");
    assert!(!task.leave_seat(&seats, 1), "it is about to be told");
    set.run_batch();
    assert_eq!(log.take(), ["before", "seat 1", "behind"]);
    assert_eq!(format!("{seats:?}"), "Seats { length: 2, count: 1 }");
    assert!(!set.has_ready());
    assert!(set.enter(|| task.take_late_seat(&seats, 0)), "its entry has left the queue");
    set.run_batch();
    assert_eq!(log.take(), ["seat 0"]);
    assert_eq!(task.into_output().unwrap(), 7);
}

#[test]
fn where_it_is_refused_nobody_is_told() {
    let (set, log, task) = over(async {});
    let seats = seats(&log, 3);
    assert!(!task.take_late_seat(&seats, 0), "the set does not run here");
    let unfinished = set.spawn(forever());
    assert!(!set.enter(|| unfinished.take_late_seat(&seats, 0)), "it is not over");
    assert!(set.enter(|| task.take_late_seat(&seats, 1)));
    assert!(!set.enter(|| task.take_late_seat(&seats, 2)), "another seat is to be told");
    let other = TaskSet::new();
    assert!(!other.enter(|| task.take_late_seat(&seats, 2)), "another set runs here");
    set.run_batch();
    assert_eq!(log.take(), ["seat 1"]);
    set.close();
    assert!(!set.enter(|| task.take_late_seat(&seats, 0)), "the set is closed");
    assert_eq!(format!("{seats:?}"), "Seats { length: 3, count: 1 }");
}

/// The end of a task is still being told: what its callbacks ask for is not mixed up with that.
#[test]
fn a_callback_of_the_end_takes_no_seat_of_the_cell_meanwhile() {
    let (set, log) = (TaskSet::new(), Log::new());
    let seats = Rc::new(seats(&log, 2));
    let theirs = Rc::clone(&seats);
    let ended = run(&set, async move {
        let task = Rc::new(create_task(async {}));
        let (again, told) = (Rc::clone(&task), create_task(async {}));
        task.take_seat(&theirs, 0);
        task.add_done_callback(move |_| {
            assert!(again.take_late_seat(&theirs, 1), "the callback has its turn after the end")
        });
        told.await.unwrap();
        crate::kit::yield_now().await;
        crate::kit::yield_now().await;
    });
    ended.unwrap();
    assert_eq!(log.take(), ["seat 0", "seat 1"]);
}

/// The handle, the seats, foreign wakers: each may be the last that holds the cell, or go before the turn.
#[test]
fn holders_may_go_before_the_turn() {
    for (drop_handle, with_waker, close) in (0..8).map(|bits| (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0)) {
        let (set, log) = (TaskSet::new(), Log::new());
        let kept: Rc<std::cell::Cell<Option<Waker>>> = Rc::default();
        let theirs = Rc::clone(&kept);
        let output = OnDrop(log.clone(), "output");
        let task = set.spawn(async move {
            std::future::poll_fn(|cx| {
                theirs.set(with_waker.then(|| cx.waker().clone()));
                std::task::Poll::Ready(())
            })
            .await;
            output
        });
        set.run_batch();
        let seats = seats(&log, 1);
        assert!(set.enter(|| task.take_late_seat(&seats, 0)));
        drop(seats);
        let mut task = Some(task);
        if drop_handle {
            task = None;
        }
        if let Some(waker) = kept.take() {
            thread::spawn(move || waker.wake()).join().unwrap();
        }
        if close {
            set.close();
        } else {
            set.run_batch();
        }
        drop(task);
        let mut told = log.take();
        told.sort();
        assert_eq!(told, if close { vec!["output"] } else { vec!["output", "seat 0"] });
        drop(set);
    }
}
