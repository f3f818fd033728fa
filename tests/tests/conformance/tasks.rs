//! Tasks: their order, their results, misuse.

use crate::harness::{conforms, ms, panic_of, script, until_done};
use crate::python::{self, ValueError, python};
use corio::executor::VirtualClock;
use corio::{
    Event, EventLoop, Lock, LoopHandle, Queue, ReturnWhen, RunError, Task, TaskGroup, TaskRef, all_tasks, create_task,
    current_task, gather, promise, run, shield, sleep, timeout, to_thread, wait, yield_now,
};
use std::cell::Cell;
use std::fmt::Display;
use std::rc::Rc;
use std::time::Duration;

#[test]
fn c12_task_start_order() {
    async fn worker(n: u32) -> u32 {
        for i in 0..3 {
            say!("worker {n} step {i}");
            yield_now().await;
        }
        n
    }
    conforms("12_task_start_order", async {
        let tasks = [1, 2, 3].map(|n| create_task(worker(n)));
        say!("created");
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        say!("{results:?}");
    });
}

#[test]
fn c13_await_done() {
    conforms("13_await_done", async {
        let ok = create_task(async { Ok(5) });
        let bad = create_task(async { Err(ValueError("bad")) });
        let done = wait(&mut vec![ok, bad], ReturnWhen::AllCompleted, None).await.unwrap();
        // What many await, or many times, is shared.
        let [ok, bad] = <[_; 2]>::try_from(done).unwrap().map(|task| task.share());
        LoopHandle::current().call_soon(|| say!("loop ran"));
        say!("{} {}", ok.clone().await.unwrap().unwrap(), ok.await.unwrap().unwrap());
        for _ in 0..2 {
            if let Err(error) = bad.clone().await.unwrap() {
                say!("error {error}");
            }
        }
        say!("still no yield");
        yield_now().await;
        say!("yielded");
    });
}

#[test]
fn c23_sleep() {
    async fn sleeper(delay: u64) {
        sleep(ms(delay)).await;
        say!("slept {delay}");
    }
    conforms("23_sleep", async {
        LoopHandle::current().call_soon(|| say!("one iteration"));
        sleep(Duration::ZERO).await;
        sleep(ms(5).saturating_sub(ms(10))).await; // There is no negative duration.
        say!("zero negative");
        gather([40, 10, 30, 20].map(sleeper)).await.unwrap();
        let task = create_task(sleeper(20));
        yield_now().await;
        task.cancel();
        let done = wait(&mut vec![task], ReturnWhen::AllCompleted, None).await.unwrap();
        say!("cancelled {}", done[0].cancelled());
    });
}

#[test]
fn x05_current_task() {
    async fn child() {
        let me = current_task().unwrap();
        say!("child is {} {} {}", all_tasks().contains(&me), me.name(), all_tasks().len());
        yield_now().await;
        say!("still {} {}", current_task() == Some(me.clone()), me.name());
    }
    conforms("x05_current_task", async {
        LoopHandle::current().call_soon(|| say!("callback has {:?}", current_task()));
        let me = current_task().unwrap();
        let mut task = create_task(child()).named("kid");
        let kid = task.task_ref();
        say!("main is current {} all {}", current_task().is_some_and(|task| task == me), all_tasks().len());
        yield_now().await;
        kid.set_name("renamed");
        (&mut task).await.unwrap();
        say!("ended {} {} {}", kid.name(), all_tasks().contains(&kid), all_tasks().contains(&me));
        let [one, two] = [(); 2].map(|()| create_task(yield_now()));
        let number = |name: String| name.strip_prefix("Task-").unwrap().parse::<u64>().unwrap();
        say!("numbered {}", number(two.name()) - number(one.name()));
        gather([one, two]).await.unwrap();
    });
}

/// Counts iterations, from now on.
fn tick() -> Rc<Cell<u32>> {
    let ticks = Rc::new(Cell::new(0));
    let ticking = Rc::clone(&ticks);
    let _detached = create_task(async move {
        loop {
            yield_now().await;
            ticking.set(ticking.get() + 1);
        }
    });
    ticks
}

/// Says how many iterations after the future's completion the task ends that `make` makes of it.
async fn count<F: Future<Output = ()> + 'static>(
    label: &'static str,
    ticks: &Rc<Cell<u32>>,
    make: impl FnOnce(corio::Future<()>) -> F,
) {
    let (set, future) = promise();
    let task = create_task(make(future));
    for _ in 0..10 {
        yield_now().await;
    }
    let (start, ticks) = (ticks.get(), Rc::clone(ticks));
    set.set_result(()).unwrap();
    task.add_done_callback(move |_| say!("{label} {}", ticks.get() - start));
    for _ in 0..12 {
        yield_now().await;
    }
}

#[test]
fn x11_iterations() {
    async fn leaf(future: corio::Future<()>) {
        future.await.unwrap();
    }
    async fn chain(length: u32, future: corio::Future<()>) {
        let mut task = create_task(leaf(future));
        for _ in 0..length {
            task = create_task(async move { task.await.unwrap() });
        }
        task.await.unwrap();
    }
    conforms("x11_iterations", async {
        let ticks = &tick();
        count("future", ticks, leaf).await;
        count("chain of 1", ticks, |future| chain(1, future)).await;
        count("chain of 5", ticks, |future| chain(5, future)).await;
        count("gather", ticks, async |future| _ = gather([leaf(future.share()), leaf(future)]).await).await;
        let wait_for_one = async |future| {
            wait(&mut vec![create_task(leaf(future))], ReturnWhen::AllCompleted, None).await.unwrap();
        };
        count("wait", ticks, wait_for_one).await;
        count("shield", ticks, async |future| shield(leaf(future)).await.unwrap()).await;
        count("timeout", ticks, async |future| timeout(Duration::from_secs(100), leaf(future)).await.unwrap()).await;
        let group = async |future| TaskGroup::run(async |group| _ = group.create_task(leaf(future))).await.unwrap();
        count("group", ticks, group).await;
        let event = async |future| {
            let event = Rc::new(Event::new());
            let setter = Rc::clone(&event);
            let _detached = create_task(async move {
                leaf(future).await;
                setter.set();
            });
            event.wait().await;
        };
        count("event", ticks, event).await;
        let lock = async |future| {
            let lock = Rc::new(Lock::new());
            lock.acquire().await.forget();
            let releaser = Rc::clone(&lock);
            let _detached = create_task(async move {
                leaf(future).await;
                releaser.release().unwrap();
            });
            lock.acquire().await.forget();
        };
        count("lock", ticks, lock).await;
        let queue = async |future| {
            let queue = Queue::new(0);
            let putter = queue.clone();
            let _detached = create_task(async move {
                leaf(future).await;
                putter.put_nowait(1).unwrap();
            });
            queue.get().await.unwrap();
        };
        count("queue", ticks, queue).await;
    });
}

#[test]
fn x31_task_states() {
    type Outcome = Result<i32, ValueError>;
    async fn value() -> Outcome {
        Ok(1)
    }
    async fn error() -> Outcome {
        Err(ValueError("boom"))
    }
    async fn forever() -> Outcome {
        sleep(Duration::from_secs(3600)).await;
        Ok(0)
    }
    fn show(task: &mut Task<Outcome>) {
        let (result, exception) = match task.take_output() {
            None => ("InvalidState".to_owned(), "InvalidState".to_owned()),
            Some(Err(_)) => ("Cancelled".to_owned(), "Cancelled".to_owned()),
            Some(Ok(Ok(value))) => (value.to_string(), "None".to_owned()),
            Some(Ok(Err(error))) => (format!("ValueError {error}"), format!("{error:?}")),
        };
        say!("  result -> {result}");
        say!("  exception -> {exception}");
    }
    async fn run(name: &str, mut task: Task<Outcome>) {
        say!("{name} {} {}", task.done(), task.cancelled());
        show(&mut task);
        task.add_done_callback(|task| say!("  callback 1 {}", task.done()));
        let removed = task.add_done_callback(|_| say!("  removed must not run"));
        task.add_done_callback(|task| say!("  callback 2 {}", task.cancelled()));
        let remove = || usize::from(task.remove_done_callback(removed));
        say!("  remove {} {}", remove(), remove());
        yield_now().await;
        task.cancel();
        show(&mut until_done(task).await);
    }
    conforms("x31_task_states", async {
        run("value", create_task(value())).await;
        run("error", create_task(error())).await;
        run("forever", create_task(forever())).await;
    });
}

#[test]
fn c73_eager_tasks() {
    async fn job(me: TaskRef, name: &'static str, steps: u32) -> &'static str {
        say!("start {name} {}", current_task().is_some_and(|task| task != me));
        for _ in 0..steps {
            yield_now().await;
        }
        say!("end {name}");
        name
    }
    async fn bad() -> Result<(), ValueError> {
        Err(ValueError("eager"))
    }
    conforms("73_eager_tasks", async {
        let me = current_task().unwrap();
        LoopHandle::current().set_eager_tasks(true);
        let a = create_task(job(me.clone(), "a", 0)).named("A");
        say!("created a {} {} {}", a.done(), a.output().unwrap(), current_task().unwrap() == me);
        a.add_done_callback(|_| say!("callback a"));
        let b = create_task(job(me.clone(), "b", 1)).named("B");
        let is_known = |task: &Task<_>| all_tasks().contains(&task.task_ref());
        say!("created b {} {} {}", b.done(), is_known(&b), is_known(&a));
        yield_now().await;
        say!("yielded");
        b.await.unwrap();
        let task = create_task(bad());
        say!("no raise at create {}", task.output().unwrap().as_ref().unwrap_err());
        let c = create_task(job(me, "c", 1)).named("C");
        say!("cancel {}", c.cancel());
        say!("{}", until_done(c).await.cancelled());
    });
}

#[test]
fn c58_misuse() {
    fn attempt<T>(label: &str, outcome: Result<T, impl Display>) {
        match outcome {
            Ok(_) => say!("{label} ok"),
            Err(error) => say!("{label} -> {}", python(error).kind),
        }
    }
    /// A task that awaits itself panics; nobody has its handle then but itself, and so that is reported.
    async fn await_self() {
        LoopHandle::current().set_exception_handler(|report| {
            attempt("await self", Err::<(), _>(python::exception(&report)));
        });
        let holder = Rc::new(Cell::new(None::<Task<()>>));
        let held = Rc::clone(&holder);
        let task = create_task(async move { held.take().unwrap().await.unwrap() });
        let seen = task.task_ref();
        holder.set(Some(task));
        while !seen.done() {
            yield_now().await;
        }
    }
    /// A loop that waits for another one of its thread, which cannot run meanwhile, says that it waits in vain.
    fn await_foreign() -> Result<(), String> {
        let other = EventLoop::new().unwrap();
        let foreign = other.create_task(async {});
        match run(foreign) {
            Err(RunError::Deadlock(deadlock)) => Err(deadlock.to_string().lines().next().unwrap().to_owned()),
            ended => panic!("{ended:?}"),
        }
    }
    script("58_misuse", || {
        attempt("get_running_loop outside", panic_of(LoopHandle::current));
        attempt("create_task outside", panic_of(|| create_task(async {})));
        let virtual_loop = || EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
        let (event_loop, other) = (virtual_loop(), virtual_loop());
        let main = async {
            let me = current_task().unwrap();
            await_self().await;
            attempt("await other loop's future", to_thread(await_foreign).await.unwrap());
            attempt("loop.run_until_complete inside", event_loop.run_until_complete(yield_now()));
            attempt("other loop inside", other.run_until_complete(yield_now()));
            attempt("close running loop", event_loop.close());
            say!("current {} {}", current_task().unwrap() == me, all_tasks().len());
        };
        event_loop.run_until_complete(main).unwrap();
    });
}
