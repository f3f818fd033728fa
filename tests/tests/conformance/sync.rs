//! Events and their kin.

use crate::harness::conforms;
use crate::python::python;
use corio::{Event, Lock, LoopHandle, ReturnWhen, Semaphore, create_task, gather, gather_settled, wait, yield_now};
use std::cell::Cell;
use std::rc::Rc;

#[test]
fn c45_event() {
    async fn waiter(event: Rc<Event>, name: char) {
        event.wait().await;
        say!("woke {name} {}", event.is_set());
    }
    conforms("45_event", async {
        let event = Rc::new(Event::new());
        let mut tasks = Vec::from(['a', 'b', 'c'].map(|name| create_task(waiter(Rc::clone(&event), name))));
        yield_now().await;
        tasks[1].cancel();
        event.set();
        event.set();
        say!("set");
        wait(&mut tasks, ReturnWhen::AllCompleted, None).await.unwrap();
        LoopHandle::current().call_soon(|| say!("loop ran"));
        event.wait().await;
        say!("no yield");
        yield_now().await;
        event.clear();
        let task = create_task(waiter(Rc::clone(&event), 'd'));
        yield_now().await;
        event.set();
        event.clear();
        task.await.unwrap();
    });
}

#[test]
fn x22_lock() {
    async fn holder(lock: Rc<Lock>, name: &str) {
        let _guard = lock.acquire().await;
        say!("holds {name}");
        yield_now().await;
    }
    conforms("x22_lock", async {
        let lock = Rc::new(Lock::new());
        let start = |name| create_task(holder(Rc::clone(&lock), name));
        let guard = lock.acquire().await;
        let [a, b, c] = ["a", "b", "c"].map(start);
        yield_now().await;
        b.cancel();
        yield_now().await;
        drop(guard);
        let late = start("late");
        let guard = lock.acquire().await;
        say!("main had to queue {} {}", a.done(), c.done());
        drop(guard);
        let b_ref = b.task_ref();
        gather_settled([a, b, c, late]).await.unwrap();
        say!("b {} {}", b_ref.cancelled(), lock.locked());

        let guard = lock.acquire().await;
        let mut tasks = vec![start("x must not"), start("y")];
        yield_now().await;
        drop(guard); // x is woken, and cancelled before it runs.
        tasks[0].cancel();
        let done = wait(&mut tasks, ReturnWhen::AllCompleted, None).await.unwrap();
        say!("{} {}", done[0].cancelled(), done[1].cancelled());

        lock.acquire().await.forget();
        let held = Rc::clone(&lock);
        create_task(async move { held.release().unwrap() }).await.unwrap();
        say!("released by another {}", lock.locked());
        if let Err(error) = lock.release() {
            let error = python(error);
            say!("{} {error}", error.kind);
        }
    });
}

#[test]
fn x23_semaphore() {
    async fn worker(semaphore: Rc<Semaphore>, running: Rc<Cell<(u32, u32)>>, name: &str) {
        let _permit = semaphore.acquire().await;
        let (now, most) = running.get();
        running.set((now + 1, most.max(now + 1)));
        say!("in {name}");
        yield_now().await;
        let (now, most) = running.get();
        running.set((now - 1, most));
    }
    conforms("x23_semaphore", async {
        let semaphore = Rc::new(Semaphore::new(2));
        let running = Rc::new(Cell::new((0, 0)));
        let start = |name| create_task(worker(Rc::clone(&semaphore), Rc::clone(&running), name));
        let tasks = ["a", "b", "c", "d", "e"].map(start);
        yield_now().await;
        say!("locked {}", semaphore.locked());
        gather(tasks).await.unwrap();
        say!("at most {} locked {}", running.get().1, semaphore.locked());

        let permits = (semaphore.acquire().await, semaphore.acquire().await);
        let mut tasks = vec![start("x must not"), start("y")];
        yield_now().await;
        drop(permits.0); // It is for x.
        say!("reserved {}", semaphore.locked());
        tasks[0].cancel();
        let done = wait(&mut tasks, ReturnWhen::AllCompleted, None).await.unwrap();
        say!("{} {}", done[0].cancelled(), done[1].cancelled());
        drop(permits.1);
        semaphore.release().unwrap(); // One more than there were.
        for _ in 0..3 {
            semaphore.acquire().await.forget();
        }
        say!("three permits now {}", semaphore.locked());
        say!("zero {}", Semaphore::new(0).locked());
    });
}
