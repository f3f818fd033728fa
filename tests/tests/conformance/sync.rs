//! Events and their kin.

use crate::harness::{conforms, panic_of, until_done};
use crate::python::python;
use corio::sync::BrokenBarrier;
use corio::{
    Barrier, BoundedSemaphore, Condition, Event, Lock, LoopHandle, ReturnWhen, Semaphore, catch_cancelled, create_task,
    gather, gather_settled, wait, yield_now,
};
use std::cell::{Cell, RefCell};
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

#[test]
fn c46_condition() {
    async fn waiter(condition: Rc<Condition>, name: char) {
        let guard = condition.acquire().await;
        match catch_cancelled(condition.wait(guard)).await {
            Ok(_guard) => say!("woke {name} {}", condition.locked()),
            Err(cancelled) => {
                // A cancelled wait does not give the guard back: whoever needs the lock for his cleanup takes it.
                let guard = condition.acquire().await;
                say!("cancelled {name} holding lock {}", condition.locked());
                drop(guard);
                cancelled.resume().await;
            }
        }
    }
    conforms("46_condition", async {
        let condition = Rc::new(Condition::new());
        let [a, b, c, d] = ['a', 'b', 'c', 'd'].map(|name| create_task(waiter(Rc::clone(&condition), name)));
        yield_now().await;
        let guard = condition.acquire().await;
        condition.notify(2).unwrap();
        say!("notified 2");
        yield_now().await;
        say!("still mine");
        drop(guard);
        wait(&mut vec![a, b], ReturnWhen::AllCompleted, None).await.unwrap();
        c.cancel();
        let _c = until_done(c).await;
        let guard = condition.acquire().await;
        condition.notify_all().unwrap();
        drop(guard);
        d.await.unwrap();

        let ready = Rc::new(RefCell::new(Vec::new()));
        let (seen, changed) = (Rc::clone(&ready), Rc::clone(&condition));
        let until = create_task(async move {
            let guard = changed.acquire().await;
            let count = || Some(seen.borrow().len()).filter(|count| *count > 0);
            let (_guard, count) = changed.wait_for(guard, count).await;
            say!("wait_for {count}");
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
        for outcome in [condition.notify(1), condition.notify_all()] {
            let error = python(outcome.unwrap_err());
            say!("{} {error}", error.kind);
        }
        // To wait takes a guard; what is left to do wrong is to release the lock in its back.
        let guard = condition.acquire().await;
        condition.release().unwrap();
        if let Err(panic) = panic_of(|| condition.wait(guard)) {
            let error = python(panic);
            say!("{} {error}", error.kind);
        }
    });
}

#[test]
fn c48_barrier() {
    async fn walker(barrier: Rc<Barrier>, name: char) {
        match barrier.wait().await {
            Ok(index) => say!("through {name} {index}"),
            Err(BrokenBarrier) => say!("broken {name}"),
        }
    }
    conforms("48_barrier", async {
        let barrier = Rc::new(Barrier::new(3));
        let walk = |name| walker(Rc::clone(&barrier), name);
        for batch in ["abc", "def"] {
            gather(batch.chars().map(walk)).await.unwrap();
        }
        let tasks = ['g', 'h'].map(|name| create_task(walk(name)));
        yield_now().await;
        say!("waiting {} {}", barrier.n_waiting(), barrier.broken());
        barrier.reset();
        gather(tasks).await.unwrap();
        say!("after reset {}", barrier.broken());
        let tasks = ['i', 'j'].map(|name| create_task(walk(name)));
        yield_now().await;
        barrier.abort();
        gather(tasks).await.unwrap();
        say!("after abort {}", barrier.broken());
        walk('k').await;
    });
}

#[test]
fn x32_condition() {
    struct Shop {
        not_empty: Condition,
        not_full: Condition,
        items: RefCell<Vec<i32>>,
    }
    impl Shop {
        async fn consume(self: Rc<Shop>, name: char) {
            let guard = self.not_empty.acquire().await;
            let (_guard, item) = self.not_empty.wait_for(guard, || self.items.borrow_mut().pop()).await;
            say!("consumer {name} takes {item}");
            self.not_full.notify(1).unwrap();
        }
        async fn produce(self: Rc<Shop>, n: i32) {
            let guard = self.not_full.acquire().await;
            let (_guard, ()) = self.not_full.wait_for(guard, || self.items.borrow().is_empty().then_some(())).await;
            self.items.borrow_mut().push(n);
            say!("made {n}");
            self.not_empty.notify(1).unwrap();
        }
    }
    async fn waiter(condition: Rc<Condition>, woken: Rc<Cell<u32>>, name: char) {
        let guard = condition.acquire().await;
        let _guard = condition.wait(guard).await;
        woken.set(woken.get() + 1);
        say!("woke {name} as number {}", woken.get());
        yield_now().await;
    }
    conforms("x32_condition", async {
        let lock = Rc::new(Lock::new());
        let shop = Rc::new(Shop {
            not_empty: Condition::with_lock(Rc::clone(&lock)),
            not_full: Condition::with_lock(lock),
            items: RefCell::default(),
        });
        let guard = shop.not_empty.acquire().await;
        shop.not_empty.notify(1).unwrap(); // Nobody is there.
        drop(guard);
        let consumers = ['a', 'b'].map(|name| create_task(Rc::clone(&shop).consume(name)));
        let producers = [1, 2].map(|n| create_task(Rc::clone(&shop).produce(n)));
        gather(consumers.into_iter().chain(producers)).await.unwrap();

        let (condition, woken) = (Rc::new(Condition::new()), Rc::new(Cell::new(0)));
        let start = |name| create_task(waiter(Rc::clone(&condition), Rc::clone(&woken), name));
        let [a, b, c, d] = ['a', 'b', 'c', 'd'].map(start);
        yield_now().await;
        a.cancel();
        let a = until_done(a).await;
        let guard = condition.acquire().await;
        condition.notify(1).unwrap();
        drop(guard);
        b.await.unwrap();
        let guard = condition.acquire().await;
        condition.notify_all().unwrap();
        say!("notified {} {}", woken.get(), condition.locked());
        drop(guard);
        gather([c, d]).await.unwrap();
        say!("cancelled {} {}", a.cancelled(), condition.locked());
    });
}

#[test]
fn x33_barrier() {
    type Rounds = Rc<RefCell<Vec<(u32, char)>>>;
    async fn walker(barrier: Rc<Barrier>, rounds: Rounds, name: char) {
        for i in 0..3 {
            barrier.wait().await.unwrap();
            rounds.borrow_mut().push((i, name));
        }
    }
    async fn one(barrier: Rc<Barrier>, name: &str) {
        match barrier.wait().await {
            Ok(_) => say!("through {name}"),
            Err(BrokenBarrier) => say!("broken {name}"),
        }
    }
    conforms("x33_barrier", async {
        let (barrier, rounds) = (Rc::new(Barrier::new(2)), Rounds::default());
        gather(['a', 'b'].map(|name| walker(Rc::clone(&barrier), Rc::clone(&rounds), name))).await.unwrap();
        let order = Vec::from_iter(rounds.borrow().iter().map(|round| round.0));
        say!("{order:?} {:?}", rounds.borrow().iter().max().unwrap());
        let wait = |name| one(Rc::clone(&barrier), name);
        let task = create_task(wait("x must not"));
        yield_now().await;
        say!("waiting {} of {}", barrier.n_waiting(), barrier.parties());
        task.cancel();
        let _task = until_done(task).await;
        say!("waiting {} {}", barrier.n_waiting(), barrier.broken());
        barrier.reset();
        say!("reset {}", barrier.broken());
        let task = create_task(wait("y"));
        yield_now().await;
        wait("z").await;
        task.await.unwrap();
        barrier.abort();
        say!("aborted {}", barrier.broken());
        wait("k").await;
        barrier.reset();
        say!("repaired {}", barrier.broken());
        gather([wait("l"), wait("m")]).await.unwrap();
        if let Err(panic) = panic_of(|| Barrier::new(0)) {
            say!("{}", python(panic).kind);
        }
    });
}

#[test]
fn x34_bounded_semaphore() {
    conforms("x34_bounded_semaphore", async {
        let semaphore = Rc::new(BoundedSemaphore::new(2));
        LoopHandle::current().call_soon(|| say!("the loop ran"));
        let permits = (semaphore.acquire().await, semaphore.acquire().await);
        say!("two without a yield {}", semaphore.locked());
        drop(permits);
        if let Err(error) = semaphore.release() {
            let error = python(error);
            say!("{} {error}", error.kind);
        }
        say!("still two {}", semaphore.locked());
        let permits = (semaphore.acquire().await, semaphore.acquire().await);
        let third = Rc::clone(&semaphore);
        let waiter = create_task(async move { third.acquire().await.forget() });
        yield_now().await;
        say!("third waits {}", !waiter.done());
        drop(permits.0);
        waiter.await.unwrap();
        say!("third has it {}", semaphore.locked());
        let plain = Semaphore::new(0);
        plain.release().unwrap();
        say!("plain {}", plain.locked());
    });
}
