//! Requests: where they are delivered, who hears of them.

use crate::harness::{conforms, ms, until_done};
use crate::python::ValueError;
use corio::{Task, catch_cancelled, create_task, current_task, promise, sleep, yield_now};

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
