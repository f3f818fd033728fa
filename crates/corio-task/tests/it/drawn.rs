//! Danger: a drawing of the await graph that leaves something out, or says it of another.

use crate::kit::{Door, forever, run, run_alone, yield_now};
use corio_seam::{Waitable, Waiting, wait_on};
use corio_task::{
    CallGraph, Task, TaskSet, all_tasks, capture_call_graph, catch_cancelled, create_task, format_all_tasks,
    format_call_graph,
};
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

/// A drawing without the places in the sources.
fn without_places(text: &str) -> String {
    let mut plain = String::new();
    for line in text.lines() {
        let (before, behind) = line.split_once(", made at ").unwrap_or((line, ""));
        let behind = behind.split_once(')').map_or("", |(place, behind)| {
            assert!(place.contains(".rs:"), "{line}");
            behind
        });
        plain.extend([before, if line.len() > before.len() { ")" } else { "" }, behind, "\n"]);
    }
    plain
}

fn names(graphs: &[CallGraph]) -> Vec<&str> {
    graphs.iter().map(CallGraph::name).collect()
}

/// Something that waits for others, and only stands in between.
struct Between(&'static str, Vec<Rc<dyn Waitable>>);

impl Waitable for Between {
    fn cancel(&self, _: Option<Arc<str>>) -> bool {
        false
    }

    fn describe(&self) -> String {
        self.0.to_string()
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        self.1.iter().for_each(|member| visit(Rc::clone(member)));
    }
}

async fn listen_to(what: &Rc<dyn Waitable>) {
    poll_fn(|_| {
        wait_on(Waiting::Listened(Rc::clone(what)));
        Poll::<()>::Pending
    })
    .await;
}

#[test]
fn each_task_says_what_it_waits_for_and_who_awaits_it() {
    run_alone(async {
        let door = Door::default();
        let inner = create_task(async move { door.wait().await }).named("inner");
        let view = inner.task_ref();
        let outer = create_task(catch_cancelled(inner)).named("outer");
        let idle = create_task(forever()).named("idle");
        yield_now().await;
        yield_now().await;
        let all = without_places(&format_all_tasks());
        let expected = "Task-1 (task 1) runs\n\
            outer (task 3)\n  inner (task 2) waits for Door.wait\n\
            idle (task 4) waits for nothing that is known\n";
        assert_eq!(all, expected);
        let of_inner = without_places(&format_call_graph(&view));
        assert_eq!(of_inner, "inner (task 2) waits for Door.wait\nawaited by\n  outer (task 3)\n");
        let of_outer = without_places(&format_call_graph(&outer));
        assert_eq!(of_outer, "outer (task 3)\n  inner (task 2) waits for Door.wait\nawaited by nobody\n");
        idle.cancel();
        yield_now().await;
        assert_eq!(without_places(&format_call_graph(&idle)), "idle (task 4) is over\nawaited by nobody\n");
        let graph = capture_call_graph(&view);
        assert_eq!(format!("{graph:?}"), "CallGraph { name: \"inner\", waits_for: 1, awaited_by: 1, .. }");
        assert!(graph.waits_for()[0].task().is_none() && graph.waits_for()[0].waits_for().is_empty());
        assert_eq!(graph.waits_for()[0].awaited_by()[0].task(), Some(&view));
    });
}

#[test]
fn a_future_is_drawn_as_a_task_is() {
    run_alone(async {
        let (promise, future) = corio_future::promise::<()>();
        let shared = future.share();
        let other = shared.clone();
        let _waiter = create_task(async move { drop(other.await) }).named("waiter");
        yield_now().await;
        assert_eq!(without_places(&format_call_graph(&shared)), "future pending\nawaited by\n  waiter (task 2)\n");
        let all = without_places(&format_all_tasks());
        assert_eq!(all, "Task-1 (task 1) runs\nwaiter (task 2)\n  future pending\n");
        assert!(capture_call_graph(&shared).task().is_none());
        promise.set_result(()).unwrap();
        assert!(format_call_graph(&shared).ends_with("awaited by nobody\n"));
    });
}

#[test]
fn what_nobody_awaits_is_found_with_what_it_waits_for() {
    run_alone(async {
        let task = create_task(forever()).named("it");
        let view = task.task_ref();
        let shared = task.share();
        assert_eq!(names(&capture_call_graph(&shared).waits_for()), ["it"]);
        view.cancel();
        yield_now().await;
        yield_now().await;
        assert!(capture_call_graph(&shared).waits_for().is_empty());
    });
}

#[test]
fn a_task_that_waits_for_several_things_names_each() {
    run_alone(async {
        let a = create_task(forever()).named("a");
        let door = Door::default();
        let both = create_task(poll_fn(move |cx| {
            let mut waiting = [Box::pin(catch_cancelled(forever()))];
            waiting.iter_mut().for_each(|scope| assert!(scope.as_mut().poll(cx).is_pending()));
            wait_on(Waiting::Leaf(&"one thing"));
            wait_on(Waiting::Leaf(&"another"));
            Poll::<()>::Pending
        }))
        .named("both");
        let two = {
            let (mut left, mut right) = (
                Box::pin(catch_cancelled(a)),
                Box::pin(async move { catch_cancelled(async move { door.wait().await }).await }),
            );
            create_task(poll_fn(move |cx| {
                assert!(left.as_mut().poll(cx).is_pending() && right.as_mut().poll(cx).is_pending());
                Poll::<()>::Pending
            }))
            .named("two")
        };
        yield_now().await;
        assert_eq!(
            without_places(&format_call_graph(&both)).lines().next(),
            Some("both (task 3) waits for several things")
        );
        let drawn = "two (task 4)\n  a (task 2) waits for nothing that is known\n  Door.wait\nawaited by nobody\n";
        assert_eq!(without_places(&format_call_graph(&two)), drawn);
        assert_eq!(names(&capture_call_graph(&two).waits_for()), ["a", "Door.wait"]);
    });
}

#[test]
fn what_only_stands_in_between_is_passed_through_and_drawn() {
    run_alone(async {
        let tasks = ["x", "y"].map(|name| create_task(forever()).named(name));
        let members = tasks.iter().map(|task| -> Rc<dyn Waitable> { Rc::new(task.task_ref()) }).collect();
        let inner: Rc<dyn Waitable> = Rc::new(Between("inner gather", members));
        let over: Rc<dyn Waitable> = Rc::new(Between("nothing in it", Vec::new()));
        let outer: Rc<dyn Waitable> = Rc::new(Between("outer gather", vec![Rc::clone(&inner), over, inner]));
        let (first, second) = (Rc::clone(&outer), outer);
        let waiters = [
            create_task(async move { listen_to(&first).await }).named("first"),
            create_task(async move { listen_to(&second).await }).named("second"),
        ];
        yield_now().await;
        assert_eq!(names(&capture_call_graph(&waiters[0]).waits_for()), ["x", "y", "nothing in it"]);
        assert_eq!(names(&capture_call_graph(&tasks[1]).awaited_by()), ["first", "second"]);
        let drawn = "first (task 4)\n  outer gather\n    inner gather\n\
            \x20     x (task 2) waits for nothing that is known\n\
            \x20     y (task 3) waits for nothing that is known\n    nothing in it\n\
            second (task 5)\n  outer gather, as above\n";
        let all = without_places(&format_all_tasks());
        assert_eq!(all, format!("Task-1 (task 1) runs\n{drawn}"));
        let of_y = "y (task 3) waits for nothing that is known\nawaited by\n  inner gather\n    outer gather\n\
            \x20     first (task 4)\n      second (task 5)\n";
        assert_eq!(without_places(&format_call_graph(&tasks[1])), of_y);
    });
}

#[test]
fn a_task_that_two_await_is_drawn_once() {
    run_alone(async {
        let shared = create_task(forever()).named("x").task_ref();
        let deeper = create_task({
            let shared: Rc<dyn Waitable> = Rc::new(shared.clone());
            async move { listen_to(&shared).await }
        })
        .named("deeper");
        let deeper: Rc<dyn Waitable> = Rc::new(deeper.task_ref());
        let _waiters = ["one", "two"].map(|name| {
            let deeper = Rc::clone(&deeper);
            create_task(async move { listen_to(&deeper).await }).named(name)
        });
        yield_now().await;
        let drawn = "one (task 4)\n  deeper (task 3)\n    x (task 2) waits for nothing that is known\n\
            two (task 5)\n  deeper (task 3), as above\n";
        assert_eq!(without_places(&format_all_tasks()), format!("Task-1 (task 1) runs\n{drawn}"));
        let of_x = "x (task 2) waits for nothing that is known\nawaited by\n  deeper (task 3)\n\
            \x20   one (task 4)\n    two (task 5)\n";
        assert_eq!(without_places(&format_call_graph(&shared)), of_x);
    });
}

/// A ring of tasks, each of which waits for the next, named by their numbers.
async fn ring(length: usize) -> Vec<corio_task::TaskRef> {
    let places: Vec<_> = (0..length).map(|_| Rc::new(Cell::new(None::<Task<()>>))).collect();
    for n in 0..length {
        let next = Rc::clone(&places[(n + 1) % length]);
        let wait = async move { drop(next.take().unwrap().await) };
        places[n].set(Some(create_task(wait).named(format!("n{n}"))));
    }
    yield_now().await;
    let mut tasks = all_tasks();
    tasks.retain(|task| task.name().starts_with('n'));
    tasks.sort_by_key(|task| task.id());
    tasks
}

#[test]
fn of_a_long_cycle_those_in_the_middle_are_counted() {
    for (length, rest) in [(2, ""), (15, ""), (16, ""), (17, "1 more -> "), (20, "4 more -> ")] {
        let set = TaskSet::new();
        run(&set, async {
            let (tasks, first) = (ring(length).await, "n0 (task 2)");
            let text = format_all_tasks();
            let cycle = text.lines().last().unwrap().trim_start();
            let named: Vec<String> = (0..length.min(16)).map(|n| format!("n{n} (task {})", n + 2)).collect();
            assert_eq!(cycle, format!("cycle: {} -> {rest}{first}", named.join(" -> ")));
            tasks[0].cancel();
        })
        .unwrap();
    }
}

#[test]
fn a_chain_goes_further_in_and_then_straight_down() {
    run_alone(async {
        let mut last = create_task(forever()).named("t0");
        for n in 1..40 {
            let awaited = last;
            last = create_task(async move { drop(awaited.await) }).named(format!("t{n}"));
        }
        yield_now().await;
        yield_now().await;
        let text = format_call_graph(&last);
        for (depth, line) in text.lines().take(40).enumerate() {
            let indent = line.len() - line.trim_start().len();
            assert_eq!(
                (indent, line.trim_start().starts_with(&format!("t{} (", 39 - depth))),
                (2 * depth.min(24), true)
            );
        }
        assert_eq!(text.lines().count(), 41);
        last.cancel();
    });
}

#[test]
fn outside_any_set_there_is_what_one_asks_about() {
    let set = TaskSet::new();
    let task = set.spawn(forever()).named("it");
    assert_eq!(format_all_tasks(), "");
    let drawn = without_places(&format_call_graph(&task));
    assert_eq!(drawn, "it (task 1) waits for nothing that is known\nawaited by nobody\n");
    assert_eq!(without_places(&set.enter(format_all_tasks)), "it (task 1) waits for nothing that is known\n");
}
