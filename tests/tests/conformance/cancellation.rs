//! Requests: where they are delivered, who hears of them.

use crate::harness::{conforms, ms, until_done};
use crate::python::{ValueError, args};
use corio::{
    Cancelled, Failure, Future, FutureError, JoinError, Task, TaskRef, catch_cancelled, create_task, current_task,
    gather, promise, shield, sleep, wait_for, yield_now,
};

#[test]
fn c15_cancel_before_start() {
    struct Finally;
    impl Drop for Finally {
        fn drop(&mut self) {
            say!("finally must not run");
        }
    }
    async fn body() {
        let _finally = Finally;
        say!("body must not run");
    }
    conforms("15_cancel_before_start", async {
        let mut task = create_task(body());
        say!("cancel -> {}", task.cancel());
        say!("now {} {} {}", task.done(), task.cancelled(), task.cancelling());
        yield_now().await;
        say!("later {} {} {}", task.done(), task.cancelled(), task.cancelling());
        if (&mut task).await.is_err_and(|error| error.is_cancelled()) {
            say!("await -> Cancelled");
        }
        say!("cancel again -> {}", task.cancel());
    });
}

#[test]
fn c16_cancel_at_await() {
    conforms("16_cancel_at_await", async {
        let (_promise, future) = promise::<()>();
        let seen = future.share();
        let task = create_task(async {
            say!("waiting");
            let ended = catch_cancelled(future).await;
            if ended.is_err() {
                say!("delivered");
            }
            yield_now().await;
            say!("cleanup done");
            if let Err(cancelled) = ended {
                cancelled.resume().await;
            }
        });
        yield_now().await;
        say!("cancel -> {} | inner cancelled {} | task {}", task.cancel(), seen.cancelled(), task.cancelled());
        yield_now().await;
        say!("during cleanup {}", task.done());
        let task = until_done(task).await;
        say!("end {} {}", task.done(), task.cancelled());
    });
}

#[test]
fn c17_cancel_swallow() {
    async fn swallow(how: &str) -> Result<&str, ValueError> {
        if catch_cancelled(sleep(ms(1000))).await.is_err() {
            say!("{how} caught");
        }
        if how == "error" {
            return Err(ValueError("instead"));
        }
        yield_now().await; // A request is delivered once.
        Ok("value")
    }
    conforms("17_cancel_swallow", async {
        for how in ["value", "error"] {
            let mut task = create_task(swallow(how));
            yield_now().await;
            task.cancel();
            match (&mut task).await.unwrap() {
                Ok(value) => say!("result {value}"),
                Err(error) => say!("error {error}"),
            }
            say!("{} {}", task.cancelled(), task.cancelling());
        }
    });
}

#[test]
fn c21_cancel_chain() {
    async fn b(swallow: bool) -> &'static str {
        let Err(cancelled) = catch_cancelled(sleep(ms(1000))).await else { return "slept" };
        say!("  b cancelled");
        if swallow {
            return "b value";
        }
        match cancelled.resume().await {}
    }
    async fn a(b: Task<&'static str>) -> &'static str {
        let ended = catch_cancelled(async {
            match b.await {
                Ok(value) => value,
                Err(error) => match error.resume().await {},
            }
        });
        match ended.await {
            Ok(value) => {
                say!("  a got {value}");
                value
            }
            Err(cancelled) => {
                say!("  a cancelled");
                match cancelled.resume().await {}
            }
        }
    }
    conforms("21_cancel_chain", async {
        for (who, swallow) in [("a", false), ("a", true), ("b", false)] {
            say!("cancel {who} swallow {swallow}");
            let b = create_task(b(swallow));
            let inner = b.task_ref();
            let outer = create_task(a(b));
            yield_now().await;
            yield_now().await;
            if who == "a" {
                outer.cancel()
            } else {
                inner.cancel()
            };
            let outer = until_done(outer).await;
            say!("  a {} {} | b {} {}", outer.cancelled(), outer.cancelling(), inner.cancelled(), inner.cancelling());
        }
    });
}

#[test]
fn c22_uncancel() {
    async fn body() {
        let me = current_task().unwrap();
        say!("start {}", me.cancelling());
        if catch_cancelled(sleep(ms(1000))).await.is_err() {
            say!("count {} uncancel -> {} {} {}", me.cancelling(), me.uncancel(), me.uncancel(), me.uncancel());
        }
        sleep(ms(10)).await;
        let ended = catch_cancelled(sleep(ms(1000))).await;
        say!("final {}", me.cancelling());
        if let Err(cancelled) = ended {
            cancelled.resume().await;
        }
    }
    conforms("22_uncancel", async {
        let task = create_task(body());
        yield_now().await;
        task.cancel();
        task.cancel();
        sleep(ms(30)).await;
        task.cancel();
        let task = until_done(task).await;
        say!("{} {}", task.cancelled(), task.cancelling());
    });
}

#[test]
fn x06_self_cancel() {
    fn cancel_me() {
        assert!(current_task().unwrap().cancel());
    }
    async fn at_next_await() -> &'static str {
        let done = create_task(async { 1 }).share();
        let _ = done.clone().await;
        cancel_me();
        say!("  done still gives {}", done.await.unwrap());
        if let Err(cancelled) = catch_cancelled(yield_now()).await {
            say!("  hit at the sleep");
            cancelled.resume().await;
        }
        say!("  unreachable");
        "unreachable"
    }
    async fn nested() -> &'static str {
        let inner = create_task(sleep(ms(3_600_000)));
        let seen = inner.task_ref();
        cancel_me();
        if let Err(cancelled) = catch_cancelled(inner).await {
            say!("  inner cancelled too {}", seen.cancelled());
            cancelled.resume().await;
        }
        "unreachable"
    }
    async fn at_return() -> &'static str {
        cancel_me();
        "value is lost"
    }
    async fn at_error() -> &'static str {
        cancel_me();
        panic!("wins"); // An exception that does not look at the task's type: an `Err` is a value, and would be lost.
    }
    async fn show(name: &str, task: Task<&'static str>) {
        let mut task = until_done(task).await;
        let ended = task.take_output().unwrap().unwrap_err();
        let error = ended.into_panic().map_or("no error".to_owned(), |panic| panic.message().unwrap().to_owned());
        say!("{name} {} {} {error}", task.cancelled(), task.cancelling());
    }
    conforms("x06_self_cancel", async {
        show("at_next_await", create_task(at_next_await())).await;
        show("nested", create_task(nested())).await;
        show("at_return", create_task(at_return())).await;
        show("at_error", create_task(at_error())).await;
    });
}

#[test]
fn x07_cancel_meets_result() {
    async fn body(future: Future<&'static str>) {
        let seen = future.share();
        match catch_cancelled(future).await {
            Ok(value) => say!("got {}", value.unwrap()),
            Err(cancelled) => {
                say!("cancelled | future {}", seen.cancelled());
                cancelled.resume().await;
            }
        }
    }
    conforms("x07_cancel_meets_result", async {
        for order in ["result first", "cancel first"] {
            let (set, future) = promise();
            let seen = future.share();
            let task = create_task(body(future));
            yield_now().await;
            if order == "result first" {
                set.set_result("value").unwrap();
                say!("{order} {}", task.cancel());
            } else {
                say!("{order} {} {}", task.cancel(), seen.cancelled());
            }
            let task = until_done(task).await;
            say!("{} {} {}", task.cancelled(), task.cancelling(), task.cancel());
        }
        let (set, future) = promise();
        let task = create_task(body(future));
        yield_now().await;
        set.set_result("in time").unwrap();
        yield_now().await;
        say!("too late {} {} {}", task.cancel(), task.done(), task.cancelled());
    });
}

#[test]
fn x08_cancel_message() {
    async fn say_and_resume<T>(who: &str, ended: Result<T, Cancelled>) -> T {
        match ended {
            Ok(value) => value,
            Err(cancelled) => {
                say!("  {who} {}", args(&cancelled));
                match cancelled.resume().await {}
            }
        }
    }
    async fn leaf() {
        say_and_resume("leaf", catch_cancelled(sleep(ms(3_600_000))).await).await;
    }
    async fn outer(inner: Task<()>) {
        say_and_resume("outer", catch_cancelled(inner).await).await.unwrap();
    }
    conforms("x08_cancel_message", async {
        for reason in [None, Some("enough")] {
            let task = create_task(outer(create_task(leaf())));
            yield_now().await;
            yield_now().await;
            match reason {
                None => task.cancel(),
                Some(reason) => task.cancel_with(reason),
            };
            if let Err(JoinError::Cancelled(cancelled)) = task.await {
                say!("main {}", args(&cancelled));
            }
        }
        let (_promise, future) = promise::<()>();
        future.cancel_with("no more");
        if let Err(FutureError::Cancelled(cancelled)) = future.await {
            say!("future {}", args(&cancelled));
        }
    });
}

#[test]
fn x09_raise_cancelled() {
    async fn by_itself() {
        yield_now().await;
        Cancelled::new().resume().await;
    }
    async fn replaced() -> Result<(), ValueError> {
        catch_cancelled(sleep(ms(3_600_000))).await.map_err(|_| ValueError("instead"))
    }
    conforms("x09_raise_cancelled", async {
        let me = current_task().unwrap();
        let mut task = create_task(by_itself());
        task.add_done_callback(|task| say!("callback {}", task.cancelled()));
        if let Err(JoinError::Cancelled(_)) = (&mut task).await {
            say!("by itself {} {} | me {}", task.cancelled(), task.cancelling(), me.cancelling());
        }
        yield_now().await;

        let task = create_task(replaced());
        let asked = task.task_ref();
        let task = task.share();
        task.add_done_callback(|task| say!("callback {} {}", task.cancelled(), *task.exception().unwrap().unwrap()));
        yield_now().await;
        task.cancel();
        let _ = task.clone().await;
        yield_now().await;
        let error = task.exception().unwrap().unwrap();
        say!("replaced {} {} {:?}", task.cancelled(), asked.cancelling(), *error);
    });
}

#[test]
fn x38_await_cancelled() {
    /// Ends as the future ended, which is what asyncio does.
    async fn plain(future: Future<()>) -> &'static str {
        match future.await {
            Ok(()) => "value",
            Err(error) => panic!("{}", error.resume().await),
        }
    }
    async fn settle<T>(ended: Result<T, Failure>) -> &'static str {
        match ended {
            Ok(_) => "value",
            Err(failure) => panic!("{}", failure.resume().await),
        }
    }
    async fn gathered(future: Future<()>) -> &'static str {
        settle(gather((future, yield_now())).await).await
    }
    async fn shielded(future: Future<()>) -> &'static str {
        settle(shield(future).await).await
    }
    async fn limited(future: Future<()>) -> &'static str {
        settle(wait_for(future, ms(10_000)).await.unwrap().map_err(Failure::from)).await
    }
    async fn catches(future: Future<()>) -> &'static str {
        if future.await.is_err() { "caught" } else { "value" } // A value already.
    }
    async fn link(task: Task<&'static str>) -> &'static str {
        match task.await {
            Ok(value) => value,
            Err(error) => match error.resume().await {},
        }
    }
    async fn show<F>(name: &str, f: impl FnOnce(Future<()>) -> F)
    where
        F: std::future::Future<Output = &'static str> + 'static,
    {
        let (_promise, future) = promise();
        let task = create_task(f(future.share()));
        yield_now().await;
        yield_now().await;
        future.cancel();
        let mut task = until_done(task).await;
        let (cancelled, cancelling) = (task.cancelled(), task.cancelling());
        say!("{name} {cancelled} {cancelling} {}", task.take_output().unwrap().unwrap_or(""));
    }
    conforms("x38_await_cancelled", async {
        show("plain", plain).await;
        show("gathered", gathered).await;
        show("shielded", shielded).await;
        show("limited", limited).await;
        show("catches", catches).await;
        let (_promise, future) = promise();
        let mut last = create_task(plain(future.share()));
        let mut chain = vec![last.task_ref()];
        for _ in 0..3 {
            last = create_task(link(last));
            chain.push(last.task_ref());
        }
        yield_now().await;
        yield_now().await;
        chain[1].cancel();
        let _last = until_done(last).await;
        let cancelled = Vec::from_iter(chain.iter().map(TaskRef::cancelled));
        let requests = Vec::from_iter(chain.iter().map(TaskRef::cancelling));
        say!("{cancelled:?} {requests:?} {}", future.cancelled());
    });
}
