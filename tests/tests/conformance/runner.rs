//! Loops and runs, several on one loop.

use crate::harness::{ms, panic_of, script};
use crate::python::{self, KeyError, ValueError, python};
use corio::executor::VirtualClock;
use corio::{
    ContextVar, EventLoop, LoopHandle, RunError, Runner, TaskRef, catch_cancelled, create_task, current_task, run,
    sleep, yield_now,
};
use std::fmt::Display;
use std::time::Duration;

fn virtual_loop() -> EventLoop {
    EventLoop::builder().clock(VirtualClock::new()).build().unwrap()
}

#[test]
fn x02_stop() {
    script("x02_stop", || {
        let event_loop = virtual_loop();
        event_loop.call_soon(|| {
            say!("first");
            LoopHandle::current().call_soon(|| say!("scheduled while stopping"));
            LoopHandle::current().stop();
        });
        event_loop.call_soon(|| say!("second, same batch"));
        event_loop.run_forever().unwrap();
        say!("stopped {} {}", event_loop.is_running(), event_loop.is_closed());
        event_loop.run_until_complete(yield_now()).unwrap();
        event_loop.call_soon(|| {
            say!("one iteration");
            LoopHandle::current().call_soon(|| say!("the next one"));
        });
        event_loop.stop();
        event_loop.run_forever().unwrap();
        say!("stopped again");
        let forever = async {
            let event_loop = LoopHandle::current();
            event_loop.clone().call_soon(move || event_loop.stop());
            sleep(Duration::from_secs(3600)).await;
        };
        if let Err(error) = event_loop.run_until_complete(forever) {
            let error = python(error);
            say!("{} {error}", error.kind);
        }
        event_loop.close().unwrap();
        say!("closed {}", event_loop.is_closed());
    });
}

#[test]
fn x03_close() {
    fn attempt<T>(label: &str, outcome: Result<T, impl Display>) {
        match outcome {
            Ok(_) => say!("{label} ok"),
            Err(error) => say!("{label} -> {}", python(error)),
        }
    }
    script("x03_close", || {
        let event_loop = virtual_loop();
        event_loop.call_soon(|| say!("must not run"));
        event_loop.call_later(Duration::ZERO, || say!("must not run either"));
        say!("{} {}", event_loop.is_running(), event_loop.is_closed());
        event_loop.close().unwrap();
        event_loop.close().unwrap();
        say!("{} {}", event_loop.is_running(), event_loop.is_closed());
        attempt("call_soon", panic_of(|| event_loop.call_soon(|| ())));
        attempt("call_later", panic_of(|| event_loop.call_later(Duration::from_secs(1), || ())));
        attempt("call_soon_threadsafe", event_loop.remote().call_soon_threadsafe(|| ()));
        attempt("run_forever", event_loop.run_forever());
    });
}

#[test]
fn x04_run_shutdown() {
    async fn left(n: &'static str, delay: u64, how: &str) -> Result<(), ValueError> {
        let Err(cancelled) = catch_cancelled(sleep(Duration::from_secs(3600))).await else { return Ok(()) };
        sleep(ms(delay)).await;
        say!("  cleaned {n}");
        match how {
            "fail" => Err(ValueError(n)),
            "swallow" => Ok(()),
            _ => match cancelled.resume().await {},
        }
    }
    async fn main<'h>(how: &'h str, kept: &mut Vec<TaskRef>) -> Result<&'h str, KeyError> {
        LoopHandle::current().set_exception_handler(|report| {
            say!("  handler: {} | {}", python::message(&report), python::exception(&report));
        });
        for (n, delay, how) in [("0", 10, "raise"), ("1", 20, "fail"), ("2", 30, "swallow")] {
            kept.push(create_task(left(n, delay, how)).reported().task_ref());
        }
        yield_now().await;
        match how {
            "error" => return Err(KeyError("main")),
            "cancel" => {
                current_task().unwrap().cancel();
                yield_now().await;
            }
            _ => say!("main ends"),
        }
        Ok(how)
    }
    script("x04_run_shutdown", || {
        for how in ["value", "error", "cancel"] {
            let mut kept = Vec::new();
            let runner = Runner::with_loop_factory(|| Ok(virtual_loop()));
            let ended = runner.run(main(how, &mut kept));
            runner.close().unwrap();
            match ended {
                Ok(Ok(value)) => say!("run -> {value}"),
                Ok(Err(_)) => say!("run -> KeyError"),
                Err(RunError::Cancelled(_)) => say!("run -> Cancelled"),
                Err(error) => panic!("{error}"),
            }
            say!("{:?}", Vec::from_iter(kept.iter().map(TaskRef::cancelled)));
        }
    });
}

#[test]
fn c57_runner() {
    static V: ContextVar<u32> = ContextVar::new("v");
    async fn bump() -> u32 {
        let next = V.get().unwrap_or(0) + 1;
        V.set(next);
        next
    }
    async fn background() {
        for i in 0..3 {
            say!("bg {i}");
            yield_now().await;
        }
    }
    script("57_runner", || {
        let runner = Runner::with_loop_factory(|| Ok(virtual_loop()));
        let (one, two) = (runner.run(bump()).unwrap(), runner.run(bump()).unwrap());
        say!("{one} {two} {}", V.get().unwrap_or(0));
        let mut task = None;
        runner.run(async { task = Some(create_task(background())) }).unwrap();
        say!("between runs");
        runner.run(task.unwrap()).unwrap().unwrap();
        let event_loop = runner.event_loop().unwrap().handle().clone();
        let nested = async {
            if let Err(error) = runner.run(bump()) {
                let error = python(format!("Runner::run: {error}"));
                say!("{} {error}", error.kind);
            }
            if let Err(error) = run(bump()) {
                let error = python(format!("run: {error}"));
                say!("{} {error}", error.kind);
            }
        };
        runner.run(nested).unwrap();
        runner.close().unwrap();
        runner.close().unwrap();
        say!("{}", event_loop.is_closed());
        if let Err(error) = runner.run(bump()) {
            let error = python(format!("Runner::run: {error}"));
            say!("{} {error}", error.kind);
        }
    });
}
