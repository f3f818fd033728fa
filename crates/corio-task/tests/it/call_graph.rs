//! The await graph, and what a set knows of who may wake it.

use crate::kit::{Door, run, stuck};
use corio_seam::{local_waker, will_wake};
use corio_task::{
    CallGraph, Task, TaskSet, capture_call_graph, catch_cancelled, create_task, format_all_tasks, format_call_graph,
};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

async fn turn() {
    let mut turned = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut turned, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn names(graphs: &[CallGraph]) -> Vec<&str> {
    graphs.iter().map(CallGraph::name).collect()
}

#[test]
fn a_task_knows_who_waits_for_it_and_for_what_it_waits() {
    let set = TaskSet::new();
    run(&set, async {
        let door = Rc::new(Door::default());
        let inner = create_task(async move { door.wait().await }).named("inner");
        let leaf = inner.task_ref();
        let outer = create_task(catch_cancelled(inner)).named("outer"); // Through a scope.
        let waiter = outer.task_ref();
        turn().await;
        turn().await;
        let graph = capture_call_graph(&leaf);
        assert_eq!((graph.task(), graph.name()), (Some(&leaf), "inner"));
        assert_eq!(names(&graph.waits_for()), ["Door.wait"]);
        assert_eq!(names(&graph.awaited_by()), ["outer"]);
        assert!(graph.awaited_by()[0].awaited_by().is_empty());
        assert_eq!(names(&capture_call_graph(&waiter).waits_for()), ["inner"]);

        leaf.cancel();
        outer.await.unwrap().unwrap().unwrap_err();
        let graph = capture_call_graph(&leaf);
        assert_eq!((graph.name(), graph.awaited_by().len(), graph.waits_for().len()), ("inner", 0, 0));
    })
    .unwrap();
}

#[test]
fn an_edge_is_gone_when_what_it_leads_to_is_over() {
    let set = TaskSet::new();
    run(&set, async {
        let (promise, future) = corio_future::promise::<()>();
        let other = future.share();
        let waiter = create_task(async move { drop(future.await) }).named("waiter");
        turn().await;
        assert_eq!(names(&capture_call_graph(&other).awaited_by()), ["waiter"]);
        assert_eq!(names(&capture_call_graph(&waiter).waits_for()), ["future pending"]);
        promise.set_result(()).unwrap();
        assert!(capture_call_graph(&other).awaited_by().is_empty()); // Though the waiter has not run.
        assert!(capture_call_graph(&waiter).waits_for().is_empty());
    })
    .unwrap();
}

#[test]
fn a_shared_task_is_passed_through() {
    let set = TaskSet::new();
    run(&set, async {
        let task = create_task(pending::<()>()).named("task");
        let reference = task.task_ref();
        let shared = task.share();
        let _waiters: Vec<_> = (0..2)
            .map(|n| {
                let shared = shared.clone();
                create_task(async move { drop(shared.await) }).named(format!("waiter {n}"))
            })
            .collect();
        turn().await;
        assert_eq!(names(&capture_call_graph(&reference).awaited_by()), ["waiter 0", "waiter 1"]);
        assert_eq!(names(&capture_call_graph(&shared).waits_for()), ["task"]);
        let text = format_all_tasks();
        assert_eq!(text.matches("task (task 2, made at").count(), 1, "{text}"); // Drawn once, and named again.
        assert!(text.contains("shared task pending, as above"), "{text}");
    })
    .unwrap();
}

#[test]
fn a_cycle_is_named() {
    let set = TaskSet::new();
    run(&set, async {
        let places: Vec<_> = (0..3).map(|_| Rc::new(Cell::new(None::<Task<()>>))).collect();
        for n in 0..3 {
            let next = Rc::clone(&places[(n + 1) % 3]);
            let wait = async move { drop(next.take().unwrap().await) };
            places[n].set(Some(create_task(wait).named(["a", "b", "c"][n])));
        }
        turn().await;
        let text = format_all_tasks();
        assert!(text.ends_with("cycle: a (task 2) -> b (task 3) -> c (task 4) -> a (task 2)\n"), "{text}");
        let b = corio_task::all_tasks().into_iter().find(|task| task.name() == "b").unwrap();
        let text = format_call_graph(&b);
        assert!(text.contains("cycle: b (task 3) -> c (task 4) -> a (task 2) -> b (task 3)"), "{text}");
        assert!(text.contains("cycle: b (task 3) -> a (task 2) -> c (task 4) -> b (task 3)"), "{text}");
        b.cancel();
    })
    .unwrap();
}

#[test]
fn a_long_chain_needs_no_deep_stack() {
    let length = if cfg!(miri) { 40 } else { 100_000 };
    let set = TaskSet::new();
    run(&set, async {
        let first = create_task(pending::<()>()).named("first");
        let leaf = first.task_ref();
        let mut last = first;
        for _ in 1..length {
            let awaited = last;
            last = create_task(async move { drop(awaited.await) });
        }
        turn().await;
        let (mut at, mut steps) = (capture_call_graph(&leaf), 1);
        while let Some(waiter) = at.awaited_by().pop() {
            (at, steps) = (waiter, steps + 1);
        }
        assert_eq!((steps, at.task().unwrap().id()), (length, last.id()));
        assert_eq!(format_call_graph(&leaf).lines().count(), length + 1);
        let text = format_all_tasks();
        assert_eq!(text.lines().count(), length + 1);
        assert!(text.lines().all(|line| line.len() < 200));
        leaf.cancel();
        last.await.unwrap();
    })
    .unwrap();
}

#[test]
fn a_set_is_stuck_if_only_this_thread_could_wake_it() {
    let (set, door) = (TaskSet::new(), Rc::new(Door::default()));
    let inner = Rc::clone(&door);
    let _task = set.spawn(async move { inner.wait().await });
    set.run_batch();
    assert!(stuck(&set));

    let remote = set.remote();
    assert!(!stuck(&set));
    drop(remote);
    assert!(stuck(&set));

    let plain = door.0.borrow()[0].clone(); // A clone of a kept waker is a plain one.
    assert!(!stuck(&set));
    std::thread::spawn(move || drop(plain)).join().unwrap();
    assert!(stuck(&set));

    let idle = set.spawn(pending::<()>()); // It waits for nothing that is known.
    set.run_batch();
    assert!(!stuck(&set));
    idle.cancel();
    set.run_batch();
    assert!(stuck(&set));
}

/// A kept waker that is dropped, or woken, where it cannot prove its thread is made up for in the count.
#[test]
fn kept_wakers_are_counted_wherever_they_end() {
    let (set, door) = (TaskSet::new(), Rc::new(Door::default()));
    let inner = Rc::clone(&door);
    let task = set.spawn(async move { inner.wait().await });
    set.run_batch();
    let stray = door.0.borrow()[0].clone();
    for round in 0..4 {
        let kept: Vec<Waker> = door.0.take();
        assert!(!kept.is_empty());
        match round {
            0 => drop(kept),                                             // On the thread, but outside the set's run.
            1 => set.enter(|| drop(kept)),                               // Inside.
            2 => std::thread::spawn(move || drop(kept)).join().unwrap(), // Against the rules, and still sound.
            _ => kept.into_iter().for_each(Waker::wake),
        }
        stray.wake_by_ref();
        set.drain_inbox();
        set.run_batch();
        assert!(!stuck(&set), "{round}: a plain waker exists");
    }
    drop(stray);
    assert!(stuck(&set));
    let kept = door.0.take();
    drop(set);
    drop(task);
    drop(kept); // They keep the cell's memory.
}

#[test]
fn a_kept_waker_wakes_the_task_of_its_plain_one() {
    let set = TaskSet::new();
    let (one, two) = (set.spawn(turn()), set.spawn(turn()));
    let wakers = Rc::new(RefCell::new(Vec::new()));
    for task in [one, two] {
        let wakers = Rc::clone(&wakers);
        let _noting = set.spawn(async move {
            poll_fn(|cx: &mut Context<'_>| {
                wakers.borrow_mut().push((local_waker(cx.waker()), cx.waker().clone()));
                Poll::Ready(())
            })
            .await;
            task.await.unwrap();
        });
    }
    set.run_batch();
    let wakers = wakers.take();
    set.enter(|| {
        assert!(will_wake(&wakers[0].0, &wakers[0].1) && will_wake(&wakers[0].1, &wakers[0].0));
        assert!(!will_wake(&wakers[0].0, &wakers[1].1) && !will_wake(&wakers[0].0, &wakers[1].0));
        assert!(!will_wake(&wakers[0].0, Waker::noop()));
    });
    assert!(!wakers[0].0.will_wake(&wakers[0].1));
}
