//! Orders that nobody promised, through all layers.

use corio_combinators::{ReturnWhen, TaskGroup, wait};
use corio_executor::{LoopHandle, sleep, test, yield_now};
use corio_task::{catch_cancelled, create_task};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Runs `main` under many seeds, and returns the orders that came of it; under seed 0 it is `first`.
fn orders(first: &[u32], main: impl AsyncFn() -> Vec<u32>) -> BTreeSet<Vec<u32>> {
    let orders = RefCell::new(Vec::new());
    test::run_seeds(60, async || {
        let order = main().await;
        orders.borrow_mut().push(order);
    });
    let orders = orders.into_inner();
    assert_eq!(orders[0], first);
    orders.into_iter().collect()
}

#[test]
fn a_group_cancels_its_children_in_any_order() {
    let orders = orders(&[0, 1, 2], async || {
        let order: Rc<RefCell<Vec<u32>>> = Rc::default();
        let _ = TaskGroup::run(async |group| {
            for n in 0..3 {
                let order = Rc::clone(&order);
                drop(group.create_task(async move {
                    let _ = catch_cancelled(sleep(SECOND * 60)).await;
                    order.borrow_mut().push(n);
                    Ok::<(), std::io::Error>(())
                }));
            }
            drop(group.create_task(async { Err::<(), _>(std::io::Error::other("the failure")) }));
            sleep(SECOND).await;
        })
        .await;
        order.take()
    });
    assert_eq!(orders.len(), 6, "{orders:?}");
}

#[test]
fn wait_finds_its_tasks_done_in_any_order() {
    let orders = orders(&[0, 1, 2], async || {
        let mut tasks: Vec<_> = (0..3).map(|n| create_task(async move { n })).collect();
        let mut values = Vec::new();
        for task in wait(&mut tasks, ReturnWhen::AllCompleted, None).await.unwrap() {
            values.push(task.await.unwrap());
        }
        values
    });
    assert_eq!(orders.len(), 6, "{orders:?}");
}

/// A counter whose two users take turns only by luck: each reads, lets go, and writes.
async fn add_one(counter: Rc<RefCell<Vec<u32>>>, pause: Duration) {
    let last = counter.borrow().last().copied().unwrap_or(0);
    sleep(pause).await;
    counter.borrow_mut().push(last + 1);
}

#[test]
fn a_race_that_every_day_s_order_hides_is_found() {
    let racy = async || {
        let counter: Rc<RefCell<Vec<u32>>> = Rc::default();
        let first = create_task(add_one(Rc::clone(&counter), SECOND));
        yield_now().await;
        sleep(SECOND).await; // Of the same moment as the first one's timer, and set later.
        add_one(Rc::clone(&counter), SECOND).await;
        first.await.unwrap();
        assert_eq!(*counter.borrow(), [1, 2]);
    };
    test::run(racy());
    let found = catch_unwind(AssertUnwindSafe(|| test::run_seeds(20, racy)));
    assert!(found.is_err());
}

#[corio_macros::test(seeds = 20, crate = corio_executor)]
async fn threads_that_answer_in_any_order_are_all_heard() {
    let (remote, answers) = (LoopHandle::current().remote(), Rc::new(RefCell::new(Vec::new())));
    let threads = [1, 2, 3].map(|n| {
        let (promise, answer) = corio_future::concurrent::promise();
        let log = Rc::clone(&answers);
        let task = create_task(async move {
            let answer = answer.await.unwrap();
            log.borrow_mut().push(answer);
        });
        let remote = remote.clone();
        let thread =
            thread::spawn(move || remote.call_soon_threadsafe(move || promise.set_result(n).unwrap()).map(drop));
        (task, thread)
    });
    for (task, thread) in threads {
        task.await.unwrap();
        thread.join().unwrap().unwrap();
    }
    let mut answers = answers.take();
    answers.sort_unstable();
    assert_eq!(answers, [1, 2, 3]);
}
