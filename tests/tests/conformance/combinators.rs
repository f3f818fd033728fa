//! gather, wait, shield.

use crate::harness::{conforms, ms, until_done};
use crate::python::{self, ValueError, python, type_name};
use corio::{
    Failure, LoopHandle, ReturnWhen, Task, catch_cancelled, create_task, current_task, gather, gather_settled, shield,
    sleep, wait, yield_now,
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
        // The waited tasks stay the waiter's, and come back when it is cancelled.
        let kept = Rc::new(RefCell::new(vec![job]));
        let waited = Rc::clone(&kept);
        let waiter = create_task(async move {
            let mut tasks = waited.take();
            if let Err(cancelled) = catch_cancelled(wait(&mut tasks, ReturnWhen::AllCompleted, None)).await {
                say!("waiter cancelled");
                waited.replace(tasks);
                cancelled.resume().await;
            }
        });
        yield_now().await;
        waiter.cancel();
        let waiter = until_done(waiter).await;
        let job = kept.take().remove(0);
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
