use crate::kit::{Drops, Log, World, forever, ms, run, sleep, yield_now};
use corio_combinators::{Failure, TaskGroup, fallible, gather, join, shield, timeout, timeout_scope};
use corio_task::{Panic, create_task};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

async fn panics() {
    yield_now().await;
    panic!("a child's own affair");
}

fn message(failure: &Failure) -> Option<&str> {
    match failure {
        Failure::Panicked(panic) => Panic::message(panic),
        _ => None,
    }
}

#[test]
fn a_panic_is_a_childs_failure() {
    run(async {
        let failure = gather((forever(), panics())).await.unwrap_err();
        assert_eq!(message(&failure), Some("a child's own affair"));
        let failure = shield(create_task(panics())).await.unwrap_err();
        assert!(failure.is_panic());
        let group = TaskGroup::run(async |group| {
            let _detached = group.create_task(panics());
            forever().await;
        });
        let group = group.await.unwrap_err();
        assert_eq!(message(&group.failures()[0]), Some("a child's own affair"));
    });
}

#[test]
fn a_panic_in_place_is_the_callers_and_drops_the_others() {
    for many in [2, 50] {
        let drops = Drops::default();
        let held: Vec<_> = (0..many).map(|_| drops.counted()).collect();
        let ended = World::new().run(join(held.into_iter().enumerate().map(|(n, counted)| async move {
            let _counted = counted;
            if n == 1 {
                panics().await;
            }
            forever().await;
        })));
        assert!(ended.unwrap_err().is_panic());
        assert_eq!(drops.count(), many);
    }
}

#[test]
fn a_panic_takes_the_timer_with_it() {
    let world = World::new();
    let timer = Rc::clone(&world.timer);
    let main = async move {
        assert!(create_task(timeout(ms(1000), panics())).await.unwrap_err().is_panic());
        assert!(create_task(timeout_scope(ms(1000), async |_| panics().await)).await.unwrap_err().is_panic());
        assert_eq!(timer.armed(), 0);
    };
    world.run(main).unwrap();
}

#[test]
fn a_groups_body_that_panics_cancels_the_children() {
    run(async {
        let child = Rc::new(std::cell::OnceCell::new());
        let seen = Rc::clone(&child);
        let task = create_task(TaskGroup::run(async move |group: TaskGroup| {
            assert!(seen.set(group.create_task(forever())).is_ok());
            panics().await;
        }));
        assert!(task.await.unwrap_err().is_panic());
        yield_now().await;
        assert!(child.get().unwrap().cancelled());
    });
}

#[test]
fn a_waker_that_panics_leaves_the_join_usable() {
    let mut joined = Box::pin(join((0..40).map(|_| sleepless())));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(joined.as_mut().poll(&mut cx).is_pending());
    let polled = catch_unwind(AssertUnwindSafe(|| joined.as_mut().poll(&mut cx).is_ready()));
    assert!(matches!(polled, Ok(true)));
}

/// Wakes itself once.
async fn sleepless() {
    yield_now().await;
}

#[test]
fn a_late_failure_is_reported_once() {
    let (world, log) = (World::new(), Log::default());
    let lines = log.clone();
    world.set.set_report_handler(Some(Rc::new(move |report: corio_seam::Report| lines.add(report.message))));
    let main = async {
        drop(gather([async { Err::<(), _>("nobody looks") }]));
        let (promise, cell) = corio_future::promise::<Result<(), &str>>();
        drop(shield(fallible(cell)));
        assert!(promise.set_exception("late").is_ok());
        sleep(ms(1)).await;
    };
    world.run(main).unwrap();
    let mut lines = log.take();
    lines.sort();
    assert_eq!(lines, ["exception in shielded future", "future exception was never retrieved"]);
}
