//! Who waits for whom.

use crate::harness::conforms;
use corio::{
    CallGraph, Event, ReturnWhen, TaskGroup, capture_call_graph, create_task, current_task, gather, shield, wait,
    yield_now,
};
use std::rc::Rc;

#[test]
fn c80_call_graph() {
    fn show(graph: &CallGraph, depth: usize) {
        say!("{}{}", "  ".repeat(depth), graph.name());
        let mut waiters = graph.awaited_by();
        waiters.sort_by(|one, other| one.name().cmp(other.name()));
        for waiter in waiters {
            show(&waiter, depth + 1);
        }
    }
    async fn leaf(event: Rc<Event>) {
        event.wait().await;
    }
    conforms("80_call_graph", async {
        let event = Rc::new(Event::new());
        let task = create_task(leaf(Rc::clone(&event))).named("leaf");
        let leaf_task = task.task_ref();
        let shared = task.share();
        let [one, two, three, four] = [(); 4].map(|()| shared.share());
        let by_await = create_task(async { drop(one.await) }).named("await");
        let by_gather = create_task(async { drop(gather((two, yield_now())).await) }).named("gather");
        let by_wait = create_task(async {
            wait(&mut vec![three], ReturnWhen::AllCompleted, None).await.unwrap();
        });
        let by_wait = by_wait.named("wait");
        let by_shield = create_task(async { drop(shield(four).await) }).named("shield");
        let waiters = [by_await, by_gather, by_wait, by_shield];
        let top = create_task(async { drop(gather(waiters).await) }).named("top");
        for _ in 0..4 {
            yield_now().await;
        }
        show(&capture_call_graph(&leaf_task), 0);
        let group = TaskGroup::run(async |group| {
            let child = group.create_task(leaf(Rc::clone(&event))).named("child");
            current_task().unwrap().set_name("main");
            // Who runs waits for nobody: another task looks while the body is suspended.
            let looker = create_task(async move { show(&capture_call_graph(&child), 0) });
            looker.await.unwrap();
            event.set();
        });
        group.await.unwrap();
        top.await.unwrap();
        show(&capture_call_graph(&leaf_task), 0);
    });
}
