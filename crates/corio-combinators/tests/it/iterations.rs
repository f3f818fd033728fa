use crate::kit::{Log, World, forever, ms, sleep, yield_now};
use corio_combinators::{
    ReturnWhen, TaskGroup, WaitSet, as_completed, fallible, gather, gather_settled, join, shield, timeout,
    timeout_scope, wait, wait_for,
};
use corio_task::create_task;
use std::rc::Rc;

/// Counts the iterations that `main` takes, from its first step to its last.
fn turns<T>(main: impl Future<Output = T>) -> usize {
    let world = World::new();
    let turns = Rc::clone(&world.turns);
    let counted = async {
        let before = turns.get();
        main.await;
        turns.get() - before
    };
    world.run(counted).unwrap()
}

async fn nothing() {}

#[test]
fn a_gather_wakes_one_iteration_after_the_last_callback() {
    assert_eq!(turns(gather_of([nothing(), nothing()])), 3);
    // The timer's entry, step, callback. The other child's value takes no turn; asyncio has a sixth iteration, for nothing.
    assert_eq!(turns(async { gather((sleep(ms(1)), nothing())).await }), 5);
    assert_eq!(turns(async { gather_settled((nothing(), nothing())).await }), 3);
}

async fn gather_of(futures: [impl Future<Output = ()> + 'static; 2]) {
    gather(futures).await.unwrap();
}

#[test]
fn a_gather_of_what_is_over_does_not_yield() {
    let over = async {
        let (task, (promise, cell)) = (create_task(nothing()), corio_future::promise());
        promise.set_result(()).unwrap();
        yield_now().await;
        gather((task, cell)).await.unwrap();
    };
    assert_eq!(turns(over), 1); // The yield's own.
    assert_eq!(turns(async { gather(Vec::<std::future::Ready<()>>::new()).await.unwrap() }), 0);
}

#[test]
fn a_nested_gather_adds_one_callback() {
    assert_eq!(turns(async { gather((gather([nothing()]), nothing())).await }), 4);
}

#[test]
fn a_callback_stands_between_task_and_waiter() {
    let all = ReturnWhen::AllCompleted;
    assert_eq!(turns(async { wait(&mut vec![create_task(nothing())], all, None).await }), 3);
    assert_eq!(turns(async { shield(nothing()).await }), 3);
    assert_eq!(turns(async { as_completed([nothing()]).next().await }), 3);
    let group = async |group: TaskGroup| {
        let _detached = group.create_task(nothing());
    };
    assert_eq!(turns(TaskGroup::run(group)), 3);
    assert_eq!(turns(TaskGroup::run(async |_| ())), 0);
}

#[test]
fn wait_always_yields() {
    let done = async {
        let mut tasks = vec![create_task(nothing())];
        yield_now().await;
        wait(&mut tasks, ReturnWhen::AllCompleted, None).await.unwrap();
    };
    assert_eq!(turns(done), 1 + 2);
    let done = async {
        let mut pending: WaitSet<_> = [create_task(nothing()), create_task(nothing())].into_iter().collect();
        yield_now().await;
        yield_now().await;
        pending.wait(ReturnWhen::AllCompleted, None).await.unwrap();
    };
    assert_eq!(turns(done), 2 + 2);
}

#[test]
fn a_timeout_of_zero_cuts_at_the_first_suspension() {
    assert_eq!(turns(timeout(ms(0), nothing())), 0);
    assert_eq!(turns(timeout(ms(0), forever())), 2);
    assert_eq!(turns(timeout(ms(0), yield_now())), 1);
    assert_eq!(turns(timeout_scope(ms(0), async |_| yield_now().await)), 1);
    assert_eq!(turns(wait_for(nothing(), ms(0))), 3);
}

#[test]
fn in_place_there_is_no_iteration_more() {
    assert_eq!(turns(join((nothing(), nothing()))), 0);
    assert_eq!(turns(join((yield_now(), yield_now()))), 1);
    assert_eq!(turns(join((0..100).map(|_| yield_now()))), 1);
}

/// A value is taken when its task ends; which must not have the gather end in an earlier child's turn, before what was
/// scheduled between the two.
#[test]
fn a_gather_ends_in_the_turn_of_the_child_that_ended_last() {
    for fails in [true, false] {
        let world = World::new();
        let log = Log::default();
        let told = log.clone();
        let main = async {
            let first = create_task(async move { if fails { Err("no") } else { Ok(()) } });
            if !fails {
                let _key = first.add_done_callback(|_| ()); // One more who is told: it takes its turn.
            }
            let between = {
                let log = log.clone();
                create_task(async move {
                    yield_now().await;
                    create_task(async move { log.add("between") }).await.unwrap();
                })
            };
            let last = create_task(async { Ok::<_, &str>(()) });
            let gathered = gather_settled((fallible(first), fallible(last)));
            gathered.add_done_callback(move || told.add("gather"));
            let _ends = gathered.await.unwrap();
            between.await.unwrap();
        };
        world.run(main).unwrap();
        assert_eq!(log.take(), ["between", "gather"]);
    }
}
