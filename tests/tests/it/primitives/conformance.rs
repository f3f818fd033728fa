//! asyncio's programs, ported line by line, with the lines that CPython prints (`True` is `true` here).

use corio_combinators::gather;
use corio_executor::{test, yield_now};
use corio_sync::{Barrier, Condition};
use corio_task::{Task, catch_cancelled, create_task};
use std::cell::RefCell;
use std::fmt::Display;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// What was printed.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn print(&self, line: impl Display) {
        self.0.borrow_mut().push(line.to_string());
    }
}

/// Python's waiter believes, in its `except`, that it holds the lock. Here the guard went into `wait` and is gone with
/// it, so the cleanup acquires the lock itself.
async fn waiter(log: Log, condition: Rc<Condition>, name: char) {
    let guard = condition.acquire().await;
    match catch_cancelled(condition.wait(guard)).await {
        Ok(_guard) => log.print(format!("woke {name} {}", condition.locked())),
        Err(cancelled) => {
            let _guard = condition.acquire().await;
            log.print(format!("cancelled {name} holding lock {}", condition.locked()));
            cancelled.resume().await;
        }
    }
}

/// The sentence of a panic, up to what it adds for the reader of the code.
fn sentence(misuse: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(misuse)).unwrap_err();
    let text = panic.downcast::<String>().expect("it is formatted");
    text.split(':').next().unwrap_or_default().to_string()
}

/// `46_condition.py`.
#[test]
fn c46_condition() {
    let log = Log::default();
    let lines = log.clone();
    test::run(async move {
        let condition = Rc::new(Condition::new());
        let start = |name| create_task(waiter(log.clone(), Rc::clone(&condition), name));
        let [a, b, c, d] = ['a', 'b', 'c', 'd'].map(start);
        yield_now().await;
        {
            let _guard = condition.acquire().await;
            condition.notify(2).unwrap();
            log.print("notified 2");
            yield_now().await;
            log.print("still mine");
        }
        a.await.unwrap();
        b.await.unwrap();
        c.cancel();
        assert!(c.await.is_err());
        {
            let _guard = condition.acquire().await;
            condition.notify_all().unwrap();
        }
        d.await.unwrap();

        let ready = Rc::new(RefCell::new(Vec::new()));
        let (log2, condition2, ready2) = (log.clone(), Rc::clone(&condition), Rc::clone(&ready));
        let until = create_task(async move {
            let guard = condition2.acquire().await;
            let (_guard, n) = condition2.wait_for(guard, || NonZero::new(ready2.borrow().len())).await;
            log2.print(format!("wait_for {n}"));
        });
        for x in 0..2 {
            yield_now().await;
            let _guard = condition.acquire().await;
            if x > 0 {
                ready.borrow_mut().push(x);
            }
            condition.notify(1).unwrap();
        }
        until.await.unwrap();

        for misuse in [condition.notify(1), condition.notify_all()] {
            log.print(format!("RuntimeError {}", misuse.unwrap_err()));
        }
        let stale = condition.acquire().await;
        condition.release().unwrap();
        log.print(format!("RuntimeError {}", sentence(|| drop(condition.wait(stale)))));
    });
    let expected = [
        "notified 2",
        "still mine",
        "woke a true",
        "woke b true",
        "cancelled c holding lock true",
        "woke d true",
        "wait_for 1",
        "RuntimeError cannot notify on un-acquired lock",
        "RuntimeError cannot notify on un-acquired lock",
        "RuntimeError cannot wait on un-acquired lock",
    ];
    assert_eq!(*lines.0.borrow(), expected);
}

async fn comer(log: Log, barrier: Rc<Barrier>, name: char) {
    match barrier.wait().await {
        Ok(index) => log.print(format!("through {name} {index}")),
        Err(_) => log.print(format!("broken {name}")),
    }
}

/// `48_barrier.py`.
#[test]
fn c48_barrier() {
    let log = Log::default();
    let lines = log.clone();
    test::run(async move {
        let barrier = Rc::new(Barrier::new(3));
        let start = |name| create_task(comer(log.clone(), Rc::clone(&barrier), name));
        for batch in [['a', 'b', 'c'], ['d', 'e', 'f']] {
            gather(batch.map(|name| comer(log.clone(), Rc::clone(&barrier), name))).await.unwrap();
        }
        let tasks: Vec<Task<()>> = ['g', 'h'].into_iter().map(start).collect();
        yield_now().await;
        log.print(format!("waiting {} {}", barrier.n_waiting(), barrier.broken()));
        barrier.reset();
        gather(tasks).await.unwrap();
        log.print(format!("after reset {}", barrier.broken()));
        let tasks: Vec<Task<()>> = ['i', 'j'].into_iter().map(start).collect();
        yield_now().await;
        barrier.abort();
        gather(tasks).await.unwrap();
        log.print(format!("after abort {}", barrier.broken()));
        comer(log.clone(), Rc::clone(&barrier), 'k').await;
    });
    let expected = [
        "through c 2",
        "through a 0",
        "through b 1",
        "through f 2",
        "through d 0",
        "through e 1",
        "waiting 2 false",
        "broken g",
        "broken h",
        "after reset false",
        "broken i",
        "broken j",
        "after abort true",
        "broken k",
    ];
    assert_eq!(*lines.0.borrow(), expected);
}
