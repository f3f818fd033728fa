use crate::kit::{forever, ms, run, sleep, yield_now};
use crate::spy::{listened, noted, waited_for};
use corio_combinators::{
    ReturnWhen, TaskGroup, TaskStatus, WaitSet, as_completed, fallible, gather, shield, wait, wait_for,
};
use corio_future::promise;
use corio_seam::{Waitable, Waiting};
use corio_task::{Task, TaskOptions, create_task_with, current_task};
use std::pin::{Pin, pin};
use std::rc::Rc;

/// A child that goes on for ever, by a name.
fn endless(name: &str) -> Task<()> {
    create_task_with(TaskOptions::new().name(name), forever())
}

/// One that ends at its first step.
fn short(name: &str) -> Task<()> {
    create_task_with(TaskOptions::new().name(name), async {})
}

/// Checks whom a listener shows, and that nobody can ask it, or its children by it, to end.
fn check(target: &Rc<dyn Waitable>, what: &str, children: &[&str]) {
    assert_eq!(target.describe(), what);
    let seen = waited_for(&**target);
    assert_eq!(seen.len(), children.len(), "{seen:?}");
    for (seen, name) in seen.iter().zip(children) {
        assert!(seen.contains(&format!("{name:?}")) || seen.contains(name), "{seen} is not {name}");
    }
    assert!(!target.cancel(None));
}

#[test]
fn a_shield_shows_its_child_until_that_is_over() {
    run(async {
        let mut held = shield(endless("inner"));
        check(&listened(Pin::new(&mut held)), "shield", &["inner"]);
        yield_now().await;
        assert!(!held.done());
        let mut held = shield(short("inner"));
        let target = listened(Pin::new(&mut held));
        check(&target, "shield", &["inner"]);
        yield_now().await; // The child has ended; its callback is still to come.
        check(&target, "shield", &[]);
        held.await.unwrap();
    });
}

#[test]
fn as_completed_shows_the_unfinished() {
    run(async {
        let mut results = as_completed([short("one"), endless("two"), endless("three")]);
        let target = listened(pin!(results.next()));
        check(&target, "as_completed", &["one", "two", "three"]);
        yield_now().await; // The first has ended, and nobody was told yet.
        check(&target, "as_completed", &["two", "three"]);
        assert!(results.next().await.unwrap().is_ok());
        check(&listened(pin!(results.next())), "as_completed", &["two", "three"]);
    });
}

#[test]
fn wait_shows_tasks_and_cells() {
    run(async {
        let mut tasks = vec![endless("one"), endless("two")];
        {
            let mut waits = pin!(wait(&mut tasks, ReturnWhen::AllCompleted, None));
            check(&listened(waits.as_mut()), "wait", &["one", "two"]);
        }
        let (promise, cell) = promise::<u32>();
        let mut cells = vec![cell];
        let mut waits = Box::pin(wait(&mut cells, ReturnWhen::AllCompleted, None));
        check(&listened(waits.as_mut()), "wait", &["pending"]);
        promise.set_result(1).unwrap();
        assert_eq!(waits.await.unwrap().len(), 1);
    });
}

#[test]
fn a_wait_set_shows_the_unfinished() {
    run(async {
        let mut set: WaitSet<_> = [short("one"), endless("two")].into_iter().collect();
        let target = listened(pin!(set.next()));
        check(&target, "wait", &["one", "two"]);
        yield_now().await;
        check(&target, "wait", &["two"]);
        assert!(set.next().await.is_some());
        check(&listened(pin!(set.wait(ReturnWhen::AllCompleted, None))), "wait", &["two"]);
    });
}

#[test]
fn a_group_shows_its_unfinished_children() {
    run(async {
        let mut group = Box::pin(TaskGroup::run(async |group: TaskGroup| {
            let _detached = group.create_task_with(TaskOptions::new().name("one"), yield_now());
            let _detached = group.create_task_with(TaskOptions::new().name("two"), sleep(ms(1)));
        }));
        let target = listened(group.as_mut());
        check(&target, "task group", &["one", "two"]);
        yield_now().await;
        yield_now().await; // The first has ended; its callback is still to come.
        check(&target, "task group", &["two"]);
        group.await.unwrap();
        check(&target, "task group", &[]);
    });
}

#[test]
fn a_group_whose_body_is_suspended_shows_its_children_to_who_looks() {
    run(async {
        let waiter = create_task_with(TaskOptions::new().name("waiter"), async {
            TaskGroup::run(async |group: TaskGroup| {
                let child = group.create_task_with(TaskOptions::new().name("child"), forever());
                let child_ref = child.task_ref();
                yield_now().await;
                child_ref.cancel();
            })
            .await
            .unwrap();
        });
        yield_now().await;
        let graph = corio_task::capture_call_graph(&waiter);
        let names: Vec<_> = graph.waits_for().iter().map(|child| child.name().to_owned()).collect();
        assert_eq!((graph.name(), names), ("waiter", vec!["child".to_owned()]));
        waiter.await.unwrap();
    });
}

#[test]
fn a_start_shows_the_child_that_is_not_ready() {
    run(async {
        let ended = TaskGroup::run_to_cancel(async |group: TaskGroup| {
            let child = async |_status: TaskStatus<()>| {
                current_task().unwrap().set_name("not ready");
                forever().await;
            };
            let mut starting = Box::pin(group.start(child));
            let target = listened(starting.as_mut());
            yield_now().await;
            assert!(target.describe().contains("not ready"), "{}", target.describe());
            group.cancel();
            starting.await.unwrap_err();
        });
        assert_eq!(ended.await.unwrap(), None);
    });
}

#[test]
fn a_gather_is_one_target_that_shows_its_unfinished_children() {
    run(async {
        let mut both = gather((short("one"), endless("two"), async {}));
        let Some(Waiting::Target(target)) = noted(Pin::new(&mut both)) else { panic!("it can be asked to end") };
        assert_eq!((target.describe(), Waitable::describe(&both)), ("gather pending".into(), "gather pending".into()));
        assert_eq!(target.target_id(), Waitable::target_id(&both));
        assert!(!Waitable::is_over(&both));
        assert_eq!((waited_for(&*target).len(), waited_for(&both).len()), (3, 3));
        yield_now().await; // Those that have ended are not waited for, though not all of them have had their turn.
        let left = waited_for(&both);
        assert!(left.len() == 1 && left[0].contains("two"), "{left:?}");
        assert!(Waitable::cancel(&both, Some("enough".into())));
        let ended = (&mut both).await;
        assert_eq!(ended.unwrap_err().to_string(), "cancelled: enough");
        assert!(Waitable::is_over(&both) && !Waitable::cancel(&both, None));
        assert!(target.is_over() && waited_for(&*target).is_empty());
    });
}

#[test]
fn each_kind_of_child_is_shown_as_what_it_is() {
    run(async {
        let (_promises, cells): (Vec<_>, Vec<_>) = (0..2).map(|_| promise::<Result<u32, &str>>()).unzip();
        let mut cells = cells.into_iter();
        let inner = gather([cells.next().unwrap()]);
        let task = create_task_with(TaskOptions::new().name("results"), std::future::pending::<Result<u32, &str>>());
        let all = gather((inner, cells.next().unwrap(), fallible(task), forever()));
        let words = waited_for(&all);
        assert_eq!(words[..2], ["gather pending", "future pending"]);
        assert!(words.len() == 4 && words[2].contains("\"results\"") && words[3].starts_with("task "), "{words:?}");
    });
}

#[test]
fn wait_for_without_time_shows_what_is_being_ended() {
    run(async {
        let stubborn = create_task_with(TaskOptions::new().name("stubborn"), async {
            drop(corio_task::catch_cancelled(forever()).await);
        });
        yield_now().await;
        let mut waits = Box::pin(wait_for(stubborn, ms(0)));
        assert!(listened(waits.as_mut()).describe().contains("stubborn"));
        waits.await.unwrap().unwrap();
    });
}
