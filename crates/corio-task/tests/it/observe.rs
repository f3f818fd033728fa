//! Danger: a look at the batch that changes what the batch does.

use corio_seam::Node;
use corio_task::TaskSet;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

#[test]
fn each_entry_says_what_it_is() {
    let set = TaskSet::new();
    let _named = set.spawn(async {}).named("first");
    let _unnamed = set.spawn(async {});
    set.push(Node::new(|| ())).unwrap();
    let mut seen = Vec::new();
    set.run_batch_with(|entry| {
        seen.push(entry.describe());
        entry.run();
    });
    assert_eq!(seen[0].what, "task \"first\"");
    assert!(seen[0].location.is_some_and(|location| location.file() == file!()), "{}", seen[0]);
    assert_eq!(seen[1].what, "task \"Task-2\"");
    assert!(seen[2].what.starts_with("callback it::observe::each_entry_says_what_it_is::"), "{}", seen[2]);
}

#[test]
fn an_observed_batch_ends_where_it_began() {
    let (set, calls) = (TaskSet::new(), Rc::new(Cell::new(0)));
    let inner = Rc::clone(&calls);
    set.push(Node::new(move || {
        inner.set(inner.get() + 1);
        let inner = Rc::clone(&inner);
        corio_seam::call_soon(move || inner.set(inner.get() + 1)).unwrap();
    }))
    .unwrap();
    set.run_batch_with(Node::run);
    assert_eq!(calls.get(), 1);
    set.run_batch_with(Node::run);
    assert_eq!(calls.get(), 2);
}

#[test]
fn an_entry_that_ended_meanwhile_still_has_its_name() {
    let set = TaskSet::new();
    let task = set.spawn(async {}).named("cancelled");
    set.push(Node::new(|| ())).unwrap();
    let names = RefCell::new(Vec::new());
    task.cancel();
    drop(task);
    for _ in 0..2 {
        set.run_batch_with(|entry| {
            names.borrow_mut().push(entry.describe().what);
            entry.run();
        });
    }
    assert_eq!(names.borrow()[0], "task \"cancelled\"");
    assert!(set.is_empty());
}

#[test]
fn a_panic_of_the_observer_leaves_the_rest_ready() {
    let (set, calls) = (TaskSet::new(), Rc::new(Cell::new(0)));
    for _ in 0..3 {
        let inner = Rc::clone(&calls);
        set.push(Node::new(move || inner.set(inner.get() + 1))).unwrap();
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| set.run_batch_with(|_| panic!("the observer's own"))));
    assert!(outcome.is_err());
    set.run_batch();
    assert_eq!(calls.get(), 2, "the first was dropped, the others run");
}
