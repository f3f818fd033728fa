//! Danger: an end that is announced to an audience, and then told again, or to nobody.

use crate::kit::{Log, forever, yield_now};
use corio_seam::Report;
use corio_task::{Audience, Seats, TaskSet};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Notes what it hears, and says whether an announcement is enough.
struct Hears {
    log: Log,
    enough: Cell<bool>,
}

impl Audience for Hears {
    fn ended(&self, index: usize) {
        self.log.add(format!("ended {index}"));
    }

    fn ending(&self, index: usize, _: usize) -> bool {
        self.log.add(format!("ending {index}"));
        assert!(index != 9, "the audience's own affair");
        self.enough.get()
    }
}

/// A set that reports to the log, and seats of an audience.
fn seats(count: usize) -> (TaskSet, Log, Rc<Hears>, Seats) {
    let (set, log) = (TaskSet::new(), Log::new());
    let reports = log.clone();
    set.set_report_handler(Some(Rc::new(move |report: Report| reports.add(report.message))));
    let hears = Rc::new(Hears { log: log.clone(), enough: Cell::new(false) });
    let seats = Seats::announcing(count, Rc::clone(&hears) as Rc<dyn Audience>);
    (set, log, hears, seats)
}

#[test]
fn a_value_is_announced_in_the_very_step_and_told_in_its_turn() {
    for enough in [false, true] {
        let (set, log, hears, seats) = seats(2);
        hears.enough.set(enough);
        let task = set.spawn(async { 7 });
        task.take_seat(&seats, 1);
        set.run_batch();
        assert_eq!((log.take(), set.has_ready()), (vec!["ending 1".to_string()], !enough));
        set.run_batch();
        assert_eq!(log.take(), if enough { vec![] } else { vec!["ended 1".to_string()] });
        assert_eq!(task.into_output().unwrap(), 7);
        assert_eq!(format!("{seats:?}"), "Seats { length: 2, count: 1 }", "the seat was given up");
        drop(seats);
        assert_eq!(Rc::strong_count(&hears), 1);
    }
}

#[test]
fn an_end_without_a_value_is_not_announced() {
    let (set, log, hears, seats) = seats(3);
    hears.enough.set(true);
    let (cancelled, panics) = (set.spawn(forever()), set.spawn(async { panic!("as it should") }));
    cancelled.take_seat(&seats, 0);
    panics.take_seat(&seats, 2);
    cancelled.cancel();
    set.run_batch();
    assert!(log.take().is_empty());
    set.run_batch();
    assert_eq!(log.take(), ["ended 0", "ended 2"]);
    set.enter(|| drop((cancelled, panics)));
    assert_eq!(log.take(), ["task exception was never retrieved"]);
}

/// One who is told beside others, or asked too late, hears of the end in its turn.
#[test]
fn whoever_is_not_alone_is_told_in_its_turn() {
    let (set, log, hears, seats) = seats(4);
    hears.enough.set(true);
    let (both, over, once) = (set.spawn(async {}), set.spawn(async {}), set.spawn(yield_now()));
    let said = log.clone();
    both.add_done_callback(move |_| said.add("callback"));
    both.take_seat(&seats, 0);
    let taken_back = once.add_done_callback(|_| unreachable!("it was taken back"));
    once.take_seat(&seats, 3);
    assert!(once.remove_done_callback(taken_back));
    set.run_batch();
    over.take_seat(&seats, 1);
    assert!(log.take().is_empty());
    let mut seen = Vec::new();
    set.run_batch_with(|entry| {
        seen.push(entry.describe().what);
        entry.run();
    });
    assert_eq!(seen.last().map(String::as_str), Some("done callback"));
    while set.has_ready() {
        set.run_batch();
    }
    assert_eq!(log.take(), ["callback", "ended 0", "ending 3", "ended 1"], "the last to be alone is");
    drop(seats);
    assert_eq!(Rc::strong_count(&hears), 1);
}

#[test]
fn a_panic_of_an_announcement_is_reported_and_the_end_told() {
    let (set, log, hears, seats) = seats(10);
    hears.enough.set(true);
    let task = set.spawn(async {});
    task.take_seat(&seats, 9);
    set.run_batch();
    assert_eq!(log.take(), ["ending 9", "exception in a done callback"]);
    set.run_batch();
    assert_eq!(log.take(), ["ended 9"]);
}

/// Seats that do not announce keep quiet, whatever the audience would say.
#[test]
fn nothing_is_announced_from_plain_seats() {
    let (set, log, hears, _) = seats(1);
    hears.enough.set(true);
    let plain = Seats::new(1, Rc::clone(&hears) as Rc<dyn Audience>);
    set.spawn(async {}).take_seat(&plain, 0);
    set.run_batch();
    assert_eq!(log.take(), [""; 0]);
    set.run_batch();
    assert_eq!(log.take(), ["ended 0"]);
}

#[test]
fn nothing_is_announced_to_those_who_do_not_ask_for_it() {
    struct Plain(Cell<usize>);
    impl Audience for Plain {
        fn ended(&self, index: usize) {
            self.0.set(self.0.get() + index);
        }
    }
    let (set, plain) = (TaskSet::new(), Rc::new(Plain(Cell::new(0))));
    assert!(!plain.ending(0, 1));
    let seats = Seats::announcing(8, Rc::clone(&plain) as Rc<dyn Audience>);
    let tasks = [set.spawn(async {}), set.spawn(async {})];
    tasks[0].take_seat(&seats, 7);
    tasks[1].take_seat(&seats, 0);
    assert_eq!(format!("{seats:?}"), "Seats { length: 8, count: 3 }");
    set.run_batch();
    assert_eq!(plain.0.get(), 0);
    set.run_batch();
    assert_eq!(plain.0.get(), 7);
}

/// Neither those that ended without an announcement, nor those that were over, nor a seat that was left.
#[test]
fn an_announcement_says_how_many_others_have_not_ended() {
    #[derive(Default)]
    struct Counts(RefCell<Vec<(usize, usize)>>);
    impl Audience for Counts {
        fn ended(&self, _: usize) {}

        fn ending(&self, index: usize, unfinished: usize) -> bool {
            self.0.borrow_mut().push((index, unfinished));
            true
        }
    }
    let (set, counts) = (TaskSet::new(), Rc::new(Counts::default()));
    let seats = Seats::announcing(6, Rc::clone(&counts) as Rc<dyn Audience>);
    let over = set.spawn(async {});
    set.run_batch();
    let tasks =
        [set.spawn(async {}), set.spawn(forever()), set.spawn(async {}), set.spawn(async {}), set.spawn(forever())];
    tasks[2].add_done_callback(|_| ());
    tasks.iter().zip(0..).for_each(|(task, index)| task.take_seat(&seats, index));
    over.take_seat(&seats, 5);
    tasks[1].cancel();
    assert!(tasks[4].leave_seat(&seats, 4));
    while set.has_ready() {
        set.run_batch();
    }
    assert_eq!(*counts.0.borrow(), [(0, 3), (3, 0)]);
    set.enter(|| drop((over, tasks)));
}
