//! gather, wait, shield.

use crate::harness::{conforms, ms, until_done};
use crate::python::{self, ValueError, python, type_name};
use corio::{
    Failure, LoopHandle, ReturnWhen, Task, as_completed, catch_cancelled, create_task, current_task, gather,
    gather_settled, shield, sleep, timeout, wait, yield_now,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

#[test]
fn c24_gather_results() {
    conforms("24_gather_results", async {
        let runs = Rc::new(RefCell::new(Vec::new()));
        let job = |n: i32, delay| {
            let runs = Rc::clone(&runs);
            async move {
                runs.borrow_mut().push(n);
                sleep(ms(delay)).await;
                say!("done {n}");
                n
            }
        };
        let nobody: [Task<i32>; 0] = [];
        say!("{:?}", gather(nobody).await.unwrap());
        say!("{:?}", gather([job(1, 40), job(2, 20), job(3, 30)]).await.unwrap());
        // A handle is one; what is given twice is shared.
        let task = create_task(job(4, 10)).share();
        let (a, b, c) = gather((task.clone(), job(5, 20), task)).await.unwrap();
        say!("{:?}", [a, b, c]);
        say!("runs {:?}", runs.borrow());
    });
}

#[test]
fn c26_gather_return_exceptions() {
    async fn ok() -> &'static str {
        "ok"
    }
    async fn bad() -> Result<(), ValueError> {
        Err(ValueError("bad"))
    }
    /// Makes a task that is cancelled long before it is done.
    fn doomed() -> Task<()> {
        let task = create_task(sleep(ms(1000)));
        let victim = task.task_ref();
        LoopHandle::current().call_later(ms(10), move || _ = victim.cancel());
        task
    }
    fn show(failure: &Failure) {
        match failure {
            Failure::Cancelled(cancelled) => say!("{} {}", type_name(failure), cancelled.message().unwrap_or_default()),
            failure => say!("{} {failure}", type_name(failure)),
        }
    }
    conforms("26_gather_return_exceptions", async {
        let (bad, ok, cancelled) = gather_settled((bad(), ok(), doomed())).await.unwrap();
        show(&bad.unwrap_err());
        say!("str {}", ok.unwrap());
        show(&cancelled.unwrap_err());

        let sibling = create_task(async {
            sleep(ms(30)).await;
            "sibling"
        });
        let sibling = sibling.share();
        let mut both = gather((doomed(), sibling.clone()));
        if let Err(Failure::Cancelled(_)) = (&mut both).await {
            let me = current_task().unwrap();
            say!(
                "child cancel -> Cancelled | gather.cancelled() {} | sibling done {} | me cancelling {}",
                both.cancelled(),
                sibling.done(),
                me.cancelling()
            );
        }
        say!("{}", sibling.await.unwrap());
    });
}

#[test]
fn c28_wait_modes() {
    type Job = Task<Result<(), ValueError>>;
    fn ok(delay: u64, name: &str) -> Job {
        let job = async move {
            sleep(ms(delay)).await;
            Ok(())
        };
        create_task(job).named(name)
    }
    fn bad(delay: u64, name: &str) -> Job {
        let job = async move {
            sleep(ms(delay)).await;
            Err(ValueError("bad"))
        };
        create_task(job).named(name)
    }
    fn names(tasks: &[Job]) -> Vec<String> {
        let mut names: Vec<_> = tasks.iter().map(Task::name).collect();
        names.sort();
        names
    }
    async fn show<const N: usize>(label: &str, tasks: [Job; N], when: ReturnWhen, limit: Option<Duration>) {
        let mut pending = Vec::from(tasks);
        let done = wait(&mut pending, when, limit).await.unwrap();
        say!("{label} {:?} {:?}", names(&done), names(&pending));
        gather_settled(done.into_iter().chain(pending)).await.unwrap();
    }
    conforms("28_wait_modes", async {
        show("first", [ok(10, "a"), ok(30, "b")], ReturnWhen::FirstCompleted, None).await;
        let c = ok(500, "c");
        let victim = c.task_ref();
        LoopHandle::current().call_later(ms(10), move || _ = victim.cancel());
        show("exception", [ok(20, "a"), bad(40, "b"), c, ok(60, "d")], ReturnWhen::FirstException, None).await;
        show("all", [bad(10, "a"), ok(20, "b")], ReturnWhen::AllCompleted, None).await;
        show("timeout", [ok(10, "a"), ok(50, "b")], ReturnWhen::AllCompleted, Some(ms(30))).await;
        show("timeout 0", [ok(10, "a")], ReturnWhen::AllCompleted, Some(Duration::ZERO)).await;
        if let Err(error) = wait(&mut Vec::<Job>::new(), ReturnWhen::AllCompleted, None).await {
            let error = python(error);
            say!("{} {error}", error.kind);
        }
    });
}

#[test]
fn c29_wait_cancel() {
    conforms("29_wait_cancel", async {
        let job = create_task(async {
            sleep(ms(20)).await;
            "job result"
        });
        let job = job.share();
        let mut waited = vec![job.clone()];
        let waiter = create_task(async move {
            if let Err(cancelled) = catch_cancelled(wait(&mut waited, ReturnWhen::AllCompleted, None)).await {
                say!("waiter cancelled");
                cancelled.resume().await;
            }
        });
        yield_now().await;
        waiter.cancel();
        let waiter = until_done(waiter).await;
        say!("{} {} {}", waiter.cancelled(), job.done(), job.cancelled());
        say!("{}", job.await.unwrap());
    });
}

#[test]
fn c38_shield() {
    async fn inner() -> &'static str {
        match catch_cancelled(sleep(ms(30))).await {
            Ok(()) => {
                say!("inner completed");
                "value"
            }
            Err(cancelled) => {
                say!("inner cancelled");
                match cancelled.resume().await {}
            }
        }
    }
    async fn bad() -> Result<(), ValueError> {
        Err(ValueError("bad"))
    }
    conforms("38_shield", async {
        let i = create_task(inner()).share();
        let outer = create_task(shield(i.clone()));
        sleep(ms(10)).await;
        outer.cancel();
        let outer = until_done(outer).await;
        say!("outer {} inner done {}", outer.cancelled(), i.done());
        // A shield of what is done is done, as that is: awaiting it does not yield.
        say!("{} {}", i.clone().await.unwrap(), shield(i).done());

        let i = create_task(inner());
        let victim = i.task_ref();
        let mut shielded = shield(i);
        yield_now().await;
        victim.cancel();
        if let Err(Failure::Cancelled(_)) = (&mut shielded).await {
            let me = current_task().unwrap();
            say!("shield cancelled {} me {}", shielded.cancelled(), me.cancelling());
        }
        if let Err(error) = shield(bad()).await {
            say!("error {error}");
        }
    });
}

#[test]
fn c78_shield_late_error() {
    async fn inner() -> Result<(), ValueError> {
        sleep(ms(10)).await;
        Err(ValueError("late"))
    }
    conforms("78_shield_late_error", async {
        LoopHandle::current().set_exception_handler(|report| {
            let error = report.error.as_deref().unwrap();
            say!("handler: {} {} | {error}", type_name(error), python::message(&report));
        });
        let i = create_task(inner());
        let seen = i.task_ref();
        let outer = create_task(async move { shield(corio::fallible(i)).await });
        yield_now().await;
        yield_now().await;
        outer.cancel();
        let outer = until_done(outer).await;
        sleep(ms(30)).await;
        say!("inner {} {}", seen.done(), outer.cancelled());
    });
}

#[test]
fn x12_gather_first_error() {
    async fn job(name: char, delay: u64, fail: bool) -> Result<char, ValueError> {
        if let Err(cancelled) = catch_cancelled(sleep(ms(delay))).await {
            say!("cancelled {name}");
            cancelled.resume().await;
        }
        if fail {
            return Err(ValueError(if delay == 40 {
                "d"
            } else if delay == 20 {
                "b"
            } else {
                "f"
            }));
        }
        say!("done {name}");
        Ok(name)
    }
    conforms("x12_gather_first_error", async {
        LoopHandle::current().set_exception_handler(|report| say!("handler must not hear {}", report.message));
        let mut all = gather([job('a', 30, false), job('b', 20, true), job('c', 10, false), job('d', 40, true)]);
        if let Err(error) = (&mut all).await {
            say!("error {error} {} {} cancel -> {}", all.done(), all.cancelled(), all.cancel());
        }
        sleep(ms(50)).await;
        say!("errors in one iteration");
        if let Err(error) = gather([job('e', 0, false), job('f', 0, true), job('g', 0, true)]).await {
            say!("error {error}");
        }
    });
}

#[test]
fn x13_gather_cancel() {
    async fn job(name: &'static str, cleanup: u64) -> &'static str {
        let delay = if name == "quick" { ms(0) } else { ms(1000) };
        let Err(cancelled) = catch_cancelled(sleep(delay)).await else { return name };
        sleep(ms(cleanup)).await;
        say!("  cleaned {name}");
        match cancelled.resume().await {}
    }
    fn jobs() -> [impl Future<Output = &'static str> + 'static; 3] {
        [("quick", 0), ("a", 20), ("b", 10)].map(|(name, cleanup)| job(name, cleanup))
    }
    async fn show(label: &str, all: impl Future<Output = Result<(), Failure>> + 'static) {
        let mut task = create_task(all);
        sleep(ms(1)).await;
        say!("{label} {}", task.cancel());
        match (&mut task).await {
            Ok(_) => say!("  result"),
            Err(_) => say!("  Cancelled {}", task.cancelling()),
        }
        sleep(ms(50)).await;
    }
    async fn swallow() -> &'static str {
        let _ = catch_cancelled(sleep(ms(1000))).await;
        "swallowed"
    }
    conforms("x13_gather_cancel", async {
        show("plain", async { gather(jobs()).await.map(drop) }).await;
        show("settled", async { gather_settled(jobs()).await.map(drop) }).await;
        let both = gather([swallow(), swallow()]);
        sleep(ms(1)).await;
        say!("direct {}", both.cancel());
        if let Err(Failure::Cancelled(_)) = both.await {
            say!("  Cancelled though all swallowed");
        }
    });
}

#[test]
fn x14_as_completed() {
    async fn job(name: &'static str, delay: u64) -> Result<&'static str, ValueError> {
        sleep(ms(delay)).await;
        if name == "c" { Err(ValueError("c")) } else { Ok(name) }
    }
    conforms("x14_as_completed", async {
        for turn in as_completed([job("a", 30), job("b", 10), job("c", 20), job("d", 15)]) {
            match turn.await {
                Ok(name) => say!("result {name}"),
                Err(error) => say!("error {error}"),
            }
        }
        let [slow, quick] = [job("slow", 50), job("quick", 10)].map(|job| create_task(job).share());
        for turn in as_completed([slow.clone(), quick]).within(ms(30)) {
            match turn.await {
                Ok(name) => say!("result {}", name.unwrap()),
                Err(Failure::TimedOut(_)) => say!("Timeout {}", slow.done()),
                Err(failure) => panic!("{failure}"),
            }
        }
        say!("still running {}", slow.await.unwrap().unwrap());
        let mut nobody = as_completed(Vec::<Task<()>>::new());
        say!("empty {:?}", Vec::from_iter(nobody.next().await));
    });
}

#[test]
fn x15_wait_details() {
    async fn job(delay: u64) -> u64 {
        sleep(ms(delay)).await;
        delay
    }
    conforms("x15_wait_details", async {
        let mut task = create_task(job(0));
        while !task.done() {
            yield_now().await;
        }
        LoopHandle::current().call_soon(|| say!("the loop ran"));
        let mut pending = vec![task];
        let done = wait(&mut pending, ReturnWhen::AllCompleted, None).await.unwrap();
        say!("all done {} {}", done.len(), pending.len());

        let mut pending = Vec::from([0, 0, 20].map(|delay| create_task(job(delay))));
        let c = pending[2].id();
        let done = wait(&mut pending, ReturnWhen::FirstCompleted, None).await.unwrap();
        say!("two at once {} {} {}", done.len(), pending.len(), pending[0].id() == c);
        let done = wait(&mut pending, ReturnWhen::AllCompleted, ms(5)).await.unwrap();
        say!("timeout {} {} {}", done.len(), pending.len(), pending[0].done());
        let done = wait(&mut pending, ReturnWhen::AllCompleted, ms(500)).await.unwrap();
        say!("in time {} {} {}", done.len(), pending.len(), done[0].output().unwrap());

        let mut left = vec![create_task(job(50))];
        if timeout(ms(10), wait(&mut left, ReturnWhen::AllCompleted, None)).await.is_err() {
            task = left.remove(0);
            say!("waiter timed out {} {}", task.done(), task.cancelling());
            say!("{}", task.await.unwrap());
        }
    });
}

#[test]
fn x21_shield_more() {
    async fn inner(n: u32) -> u32 {
        if let Err(cancelled) = catch_cancelled(sleep(ms(30))).await {
            say!("inner cancelled {n}");
            cancelled.resume().await;
        }
        say!("inner done {n}");
        n
    }
    conforms("x21_shield_more", async {
        let i = create_task(inner(1)).share();
        if timeout(ms(10), shield(i.clone())).await.is_err() {
            say!("timeout {}", i.done());
        }
        say!("value {}", i.await.unwrap());

        let (a, b) = (create_task(inner(2)).share(), create_task(inner(3)));
        let seen = b.task_ref();
        let both = gather((shield(a.clone()), b));
        sleep(ms(10)).await;
        say!("cancel gather {}", both.cancel());
        if let Err(Failure::Cancelled(_)) = both.await {
            say!("gather Cancelled {} {}", a.done(), seen.done());
        }
        say!("value {}", a.await.unwrap());

        let i = create_task(inner(4)).share();
        let shielded = shield(i.clone());
        sleep(ms(10)).await;
        say!("cancel shield {} {} {} {}", shielded.cancel(), shielded.cancelled(), i.done(), shielded.cancel());
        say!("value {}", i.await.unwrap());
    });
}
