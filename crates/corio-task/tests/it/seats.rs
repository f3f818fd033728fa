use crate::kit::{Log, OnDrop, yield_now};
use corio_seam::{Context, ContextVar, Report};
use corio_task::{Audience, Seats, Task, TaskSet};
use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;

static USER: ContextVar<&str> = ContextVar::new("user");

/// What a test does in a call.
type Then = Box<dyn FnMut(usize)>;

/// Notes who has ended; does what a test wants then; notes its own end.
struct Crowd {
    log: Log,
    then: RefCell<Option<Then>>,
    _dropped: OnDrop,
}

impl Audience for Crowd {
    fn ended(&self, index: usize) {
        self.log.add(format!("seat {index}"));
        let then = self.then.take();
        if let Some(mut then) = then {
            then(index);
            self.then.replace(Some(then));
        }
    }
}

/// Makes seats, of which nobody else keeps the audience.
fn seats(log: &Log, count: usize) -> Seats {
    seats_with(log, count, |_| ())
}

fn seats_with(log: &Log, count: usize, then: impl FnMut(usize) + 'static) -> Seats {
    let then: Then = Box::new(then);
    let _dropped = OnDrop(log.clone(), "gone");
    Seats::new(count, Rc::new(Crowd { log: log.clone(), then: RefCell::new(Some(then)), _dropped }))
}

fn run_all(set: &TaskSet) {
    while set.has_ready() {
        set.run_batch();
    }
}

/// The queue holds one entry each, in the order of the ends, and in the next iteration.
#[test]
fn a_seat_is_called_as_a_callback_is() {
    let (set, log) = (TaskSet::new(), Log::new());
    let seats = seats(&log, 3);
    let tasks: Vec<_> = (0..3).map(|_| set.spawn(async {})).collect();
    tasks[2].take_seat(&seats, 2);
    tasks[0].take_seat(&seats, 0);
    let (between, same) = (log.clone(), log.clone());
    tasks[1].add_done_callback(move |_| between.add("callback 1"));
    set.run_batch();
    assert!(log.take().is_empty());
    set.push(corio_seam::Node::new(move || same.add("behind"))).unwrap();
    set.run_batch();
    assert_eq!(log.take(), ["seat 0", "callback 1", "seat 2", "behind"]);
    assert!(!set.has_ready());
    drop(seats);
    assert_eq!(log.take(), ["gone"]);
}

#[test]
fn the_audience_goes_with_the_last_seat() {
    let (set, log) = (TaskSet::new(), Log::new());
    let seats = seats(&log, 2);
    let tasks: Vec<Task<()>> = (0..2).map(|_| set.spawn(async {})).collect();
    tasks.iter().enumerate().for_each(|(index, task)| task.take_seat(&seats, index));
    drop(seats);
    set.run_batch();
    set.run_batch();
    assert_eq!(log.take(), ["seat 0", "seat 1", "gone"]);
    assert!(tasks.iter().all(Task::done));
}

#[test]
fn a_handle_may_go_before_the_call() {
    let (set, log) = (TaskSet::new(), Log::new());
    let seats = seats(&log, 2);
    let early = set.spawn(async {});
    let late = set.spawn(async { Box::new(1) });
    early.take_seat(&seats, 0);
    late.take_seat(&seats, 1);
    drop(early); // Before the task ends.
    set.run_batch();
    drop(late); // Between its end and the call.
    set.run_batch();
    drop(seats);
    assert_eq!(log.take(), ["seat 0", "seat 1", "gone"]);
}

#[test]
fn a_handle_may_go_in_the_call() {
    let (set, log) = (TaskSet::new(), Log::new());
    let task = Rc::new(RefCell::new(Some(set.spawn(async { Box::new(7) }))));
    let (inner, told) = (Rc::clone(&task), log.clone());
    let seats = seats_with(&log, 1, move |_| {
        let mut task = inner.take().unwrap();
        told.add(format!("{:?}", task.take_output().unwrap().unwrap()));
    });
    task.borrow().as_ref().unwrap().take_seat(&seats, 0);
    drop(seats);
    run_all(&set);
    assert_eq!(log.take(), ["seat 0", "7", "gone"]);
}

/// The audience holds the handles, as a gather's does: with the last call all of it goes.
#[test]
fn a_ring_of_handles_and_seats_comes_apart() {
    let (set, log) = (TaskSet::new(), Log::new());
    let tasks: Rc<RefCell<Vec<Task<Box<u8>>>>> = Rc::default();
    let inner = Rc::clone(&tasks);
    let seats = seats_with(&log, 2, move |_| _ = inner.borrow().len());
    tasks.borrow_mut().extend((0..2).map(|n| set.spawn(async move { Box::new(n) })));
    tasks.borrow().iter().enumerate().for_each(|(index, task)| task.take_seat(&seats, index));
    drop((tasks, seats));
    run_all(&set);
    assert_eq!(log.take(), ["seat 0", "seat 1", "gone"]);
}

/// As [`a_ring_of_handles_and_seats_comes_apart`], but it is the close that breaks it.
#[test]
fn a_ring_is_broken_by_the_close() {
    for batches in 0..2 {
        let (set, log) = (TaskSet::new(), Log::new());
        let tasks: Rc<RefCell<Vec<Task<Box<u8>>>>> = Rc::default();
        let inner = Rc::clone(&tasks);
        let seats = seats_with(&log, 2, move |_| _ = inner.borrow().len());
        tasks.borrow_mut().extend((0..2).map(|n| set.spawn(async move { Box::new(n) })));
        tasks.borrow().iter().enumerate().for_each(|(index, task)| task.take_seat(&seats, index));
        drop((tasks, seats));
        (0..batches).for_each(|_| set.run_batch());
        drop(set);
        assert_eq!(log.take(), ["gone"]);
    }
}

#[test]
fn others_are_told_in_the_order_in_which_they_asked() {
    for first in [false, true] {
        let (set, log) = (TaskSet::new(), Log::new());
        let seats = seats(&log, 2);
        let task = set.spawn(async {});
        if first {
            task.take_seat(&seats, 0);
        }
        let told = log.clone();
        task.add_done_callback(move |_| told.add("callback"));
        if !first {
            task.take_seat(&seats, 0);
        }
        task.take_seat(&seats, 1);
        run_all(&set);
        let expected = if first { ["seat 0", "callback", "seat 1"] } else { ["callback", "seat 0", "seat 1"] };
        assert_eq!(log.take(), expected);
    }
}

#[test]
fn a_seat_is_left() {
    let (set, log) = (TaskSet::new(), Log::new());
    let (one, other) = (seats(&log, 3), seats(&log, 3));
    let task = set.spawn(async {});
    task.take_seat(&one, 1);
    assert!(!task.leave_seat(&one, 0) && !task.leave_seat(&other, 1)); // Not those.
    assert!(task.leave_seat(&one, 1));
    assert!(!task.leave_seat(&one, 1)); // Not twice.
    task.take_seat(&one, 2);
    task.take_seat(&other, 2); // A list, now.
    task.take_seat(&other, 0);
    assert!(task.leave_seat(&other, 2) && !task.leave_seat(&other, 2));
    set.run_batch();
    assert!(!task.leave_seat(&one, 2)); // On its way.
    set.run_batch();
    assert_eq!(log.take(), ["seat 2", "seat 0"]);
    drop((one, other));
    assert_eq!(log.take(), ["gone", "gone"]);
}

#[test]
fn a_waker_and_a_seat_have_both() {
    let (set, log) = (TaskSet::new(), Log::new());
    let seats = seats(&log, 1);
    let task = set.spawn(yield_now());
    task.take_seat(&seats, 0);
    let told = log.clone();
    let waiter = set.spawn(async move {
        task.await.unwrap();
        told.add("awaited");
    });
    run_all(&set);
    assert!(waiter.done());
    assert_eq!(log.take(), ["seat 0", "awaited"]);
}

#[test]
fn a_seat_in_a_finished_task_is_called_soon() {
    let (set, log) = (TaskSet::new(), Log::new());
    let seats = seats(&log, 1);
    let task = set.spawn(async {});
    set.run_batch();
    task.take_seat(&seats, 0);
    assert!(log.take().is_empty());
    set.run_batch();
    assert_eq!(log.take(), ["seat 0"]);
}

#[test]
fn a_set_that_closes_calls_nobody() {
    let (set, log) = (TaskSet::new(), Log::new());
    let seats = seats(&log, 4);
    let over = set.spawn(async {});
    over.take_seat(&seats, 0);
    set.run_batch(); // Its entry stands in the queue.
    let fresh = set.spawn(async {}); // So does this one's, for a step.
    fresh.take_seat(&seats, 1);
    let waiting = set.spawn(std::future::pending::<()>());
    waiting.take_seat(&seats, 2);
    drop(seats);
    set.close();
    assert_eq!(log.take(), ["gone"]);
    assert!(over.done() && fresh.cancelled() && waiting.cancelled());
}

#[test]
fn a_set_may_go_before_handles_and_seats() {
    let (set, log) = (TaskSet::new(), Log::new());
    let seats = seats(&log, 1);
    let task = set.spawn(async { Box::new(3) });
    task.take_seat(&seats, 0);
    set.run_batch();
    drop(set);
    assert!(log.take().is_empty());
    assert!(!task.leave_seat(&seats, 0));
    task.take_seat(&seats, 0); // Refused, and dropped.
    drop(seats);
    assert_eq!(log.take(), ["gone"]);
    assert!(task.done());
}

#[test]
fn a_panic_of_the_audience_is_reported() {
    let (set, log) = (TaskSet::new(), Log::new());
    let reports = log.clone();
    set.set_report_handler(Some(Rc::new(move |report: Report| reports.add(report.message))));
    let seats = seats_with(&log, 2, |index| assert!(index != 0, "the audience's own affair"));
    for index in 0..2 {
        set.spawn(async {}).take_seat(&seats, index);
    }
    drop(seats);
    run_all(&set);
    assert_eq!(log.take(), ["seat 0", "exception in callback", "seat 1", "gone"]);
}

/// The panic of a destructor in what the close drops is reported, too, and stops nothing.
#[test]
fn a_panic_of_the_audiences_destructor_is_reported() {
    struct Bad;
    impl Audience for Bad {
        fn ended(&self, _: usize) {}
    }
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("a destructor's own affair");
        }
    }
    for batches in 0..3 {
        let (set, log) = (TaskSet::new(), Log::new());
        let reports = log.clone();
        set.set_report_handler(Some(Rc::new(move |report: Report| reports.add(report.message))));
        let task = set.spawn(async {});
        task.take_seat(&Seats::new(1, Rc::new(Bad)), 0);
        (0..batches).for_each(|_| set.run_batch());
        set.close();
        let called = ["exception in callback"];
        let dropped = ["exception while a callback was discarded"];
        assert_eq!(log.take(), if batches == 2 { called } else { dropped });
    }
}

#[test]
fn each_call_has_a_copy_of_the_context_that_was() {
    let (set, log) = (TaskSet::new(), Log::new());
    let told = log.clone();
    let say = move |_| {
        told.add(format!("{:?}", USER.get()));
        USER.set("changed");
    };
    let context = Context::new();
    let seats = context.run(|| {
        USER.set("ada");
        let seats = seats_with(&log, 3, say);
        USER.set("later");
        seats
    });
    let tasks: Vec<_> = (0..3).map(|_| set.spawn(async {})).collect();
    tasks[0].take_seat(&seats, 0);
    tasks[1].take_seat(&seats, 1);
    tasks[1].take_seat(&seats, 2); // A list.
    run_all(&set);
    let each = |seat| [format!("seat {seat}"), "Some(\"ada\")".to_string()];
    assert_eq!(log.take(), [each(0), each(1), each(2)].concat());
    assert_eq!(context.get(&USER), Some("later"));
}

/// What a call sets where no context was is gone after it.
#[test]
fn a_context_made_by_a_call_does_not_leak() {
    let (set, log) = (TaskSet::new(), Log::new());
    let told = log.clone();
    let seats = seats_with(&log, 2, move |_| {
        told.add(format!("{:?}", USER.get()));
        USER.set("leaked");
    });
    for index in 0..2 {
        set.spawn(async {}).take_seat(&seats, index);
    }
    run_all(&set);
    assert_eq!(log.take(), ["seat 0", "None", "seat 1", "None"]);
}

#[test]
fn an_observer_is_told_what_the_entry_is() {
    let (set, log) = (TaskSet::new(), Log::new());
    let seats = seats(&log, 2);
    let task = set.spawn(async {}).named("hourly");
    task.take_seat(&seats, 0);
    set.run_batch();
    let mut seen = Vec::new();
    set.run_batch_with(|entry| {
        seen.push(entry.describe().what);
        entry.run();
    });
    assert_eq!(seen, ["done callback of task \"hourly\""]);
    assert_eq!(log.take(), ["seat 0"]);
}

/// An observer that drops the entry has the callback not called, and everything else go on.
#[test]
fn an_observer_may_drop_the_entry() {
    let (set, log) = (TaskSet::new(), Log::new());
    let task = set.spawn(async {});
    task.take_seat(&seats(&log, 1), 0);
    set.run_batch();
    set.run_batch_with(drop);
    assert_eq!(log.take(), ["gone"]);
    assert!(task.done() && !set.has_ready());
}

#[test]
fn no_seats_are_seats_too() {
    let log = Log::new();
    drop(seats(&log, 0));
    assert_eq!(log.take(), ["gone"]);
}

#[test]
#[should_panic(expected = "a seat was asked for that there is not")]
fn there_are_only_so_many_seats() {
    let (set, log) = (TaskSet::new(), Log::new());
    set.spawn(async {}).take_seat(&seats(&log, 2), 2);
}

/// A waker that outlives the task on another thread, dropped before, while and after the call.
#[test]
fn a_foreign_waker_outlives_the_call() {
    for (rounds, close) in [(0, false), (1, false), (2, false), (1, true), (2, true)] {
        let (set, log) = (TaskSet::new(), Log::new());
        let (send, receive) = mpsc::channel::<Waker>();
        let (go, wait) = mpsc::channel::<()>();
        let foreign = thread::spawn(move || {
            let waker = receive.recv().unwrap();
            wait.recv().unwrap();
            waker.wake_by_ref();
            drop(waker);
        });
        let task = set.spawn(poll_fn(move |cx| {
            send.send(cx.waker().clone()).unwrap();
            Poll::Ready(Box::new(5))
        }));
        task.take_seat(&seats(&log, 1), 0);
        drop(task);
        (0..rounds).for_each(|_| set.run_batch());
        let mut set = Some(set);
        if close {
            drop(set.take());
        }
        go.send(()).unwrap();
        foreign_end(foreign, rounds == 0, set.as_ref());
        if let Some(set) = &set {
            set.drain_inbox();
            run_all(set);
            assert_eq!(log.take(), ["seat 0", "gone"]);
        } else {
            assert_eq!(log.take(), if rounds == 2 { vec!["seat 0", "gone"] } else { vec!["gone"] });
        }
    }
}

/// Waits for the thread, which may need a first step of the task to have its waker.
fn foreign_end(foreign: thread::JoinHandle<()>, unpolled: bool, set: Option<&TaskSet>) {
    if unpolled {
        set.unwrap().run_batch();
    }
    foreign.join().unwrap();
}

/// A cell's memory is used again while a waker of an earlier task, of another cell, is still about.
#[test]
fn memory_is_used_again_beside_old_wakers() {
    let set = TaskSet::new();
    let mut kept = Vec::new();
    for round in 0..40_u32 {
        let (send, receive) = mpsc::channel::<Waker>();
        let tasks: Vec<_> = (0..3)
            .map(|n| {
                let send = send.clone();
                set.spawn(poll_fn(move |cx| {
                    if n == 1 {
                        send.send(cx.waker().clone()).unwrap();
                    }
                    Poll::Ready(round + n)
                }))
            })
            .collect();
        run_all(&set);
        let outputs: Vec<_> = tasks.into_iter().map(|mut task| task.take_output().unwrap().unwrap()).collect();
        assert_eq!(outputs, [round, round + 1, round + 2]);
        kept.extend(receive.try_iter());
        if round % 4 == 3 {
            kept.drain(..2).for_each(|waker| waker.wake());
        }
    }
    thread::spawn(move || kept.into_iter().for_each(Waker::wake)).join().unwrap();
    set.drain_inbox();
    assert!(!set.has_ready() && set.is_empty());
}

/// Takes what its tasks return as they end, as long as there are two.
#[derive(Default)]
struct Purse {
    tasks: RefCell<Vec<Option<Task<OnDrop>>>>,
    values: RefCell<Vec<OnDrop>>,
    turns: RefCell<Vec<usize>>,
}

impl Audience for Purse {
    fn ended(&self, index: usize) {
        self.turns.borrow_mut().push(index);
    }

    fn ending(&self, index: usize, _: usize) -> bool {
        if index == 1 {
            panic!("an audience that panics has its turn");
        }
        let task = self.tasks.borrow_mut()[index].take().unwrap();
        let Ok(value) = task.into_output() else { return false };
        self.values.borrow_mut().push(value);
        true
    }
}

#[test]
fn an_audience_may_take_a_value_in_the_step_that_ends_the_task() {
    let (set, log, purse) = (TaskSet::new(), Log::new(), Rc::new(Purse::default()));
    set.set_report_handler(Some(Rc::new(|_| ())));
    let seats = Seats::announcing(4, Rc::clone(&purse) as Rc<dyn Audience>);
    let spawn = |name| {
        let value = OnDrop(log.clone(), name);
        set.spawn(async move { value })
    };
    let tasks = ["first", "second", "third"].map(spawn).into_iter().chain([set.spawn(async { panic!("no value") })]);
    let tasks: Vec<_> = tasks.map(Some).collect();
    tasks.iter().flatten().enumerate().for_each(|(index, task)| task.take_seat(&seats, index));
    purse.tasks.replace(tasks);
    set.run_batch();
    assert_eq!((purse.values.borrow().len(), purse.turns.borrow().len()), (2, 0));
    set.run_batch();
    assert_eq!(*purse.turns.borrow(), [1, 3]);
    assert!(log.take().is_empty());
    drop((seats, set));
    purse.values.borrow_mut().clear();
    assert_eq!(log.take(), ["first", "third"]);
    drop(purse.tasks.take());
    assert_eq!(log.take(), ["second"]);
}

#[test]
fn a_key_is_good_once_whatever_came_and_went_meanwhile() {
    let (set, log) = (TaskSet::new(), Log::new());
    let seats = seats(&log, 1);
    let task = set.spawn(async {});
    let called = log.clone();
    let old = task.add_done_callback(|_| unreachable!("it was taken back"));
    assert!(task.remove_done_callback(old));
    task.take_seat(&seats, 0);
    assert!(task.leave_seat(&seats, 0));
    let new = task.add_done_callback(move |_| called.add("called"));
    assert_ne!(old, new);
    assert!(!task.remove_done_callback(old));
    run_all(&set);
    assert_eq!(log.take(), ["called"]);
}
