//! The loop: callbacks, timers, their errors.

use crate::harness::{conforms, ms};
use crate::python::{self, KeyError};
use corio::seam::Report;
use corio::{Handle, LoopHandle, LoopTime, TimerHandle, create_task, promise, sleep, yield_now};
use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

#[test]
fn c01_call_soon_fifo() {
    fn call(name: char, depth: u32) {
        say!("cb {name} {depth}");
        if depth < 2 {
            LoopHandle::current().call_soon(move || call(name, depth + 1));
        }
    }
    conforms("01_call_soon_fifo", async {
        for name in ['a', 'b', 'c'] {
            LoopHandle::current().call_soon(move || call(name, 0));
        }
        for i in 0..4 {
            yield_now().await;
            say!("main {i}");
        }
    });
}

/// A delay is never negative here: what Python has due already is a moment that has passed.
async fn past(seconds: u64) -> LoopTime {
    sleep(Duration::from_secs(seconds)).await; // Virtual time begins at zero.
    LoopTime::ZERO
}

#[test]
fn c02_iteration_batch() {
    conforms("02_iteration_batch", async {
        let past = past(1).await;
        let event_loop = LoopHandle::current();
        event_loop.call_later(Duration::ZERO, || say!("timer 0"));
        event_loop.call_soon(|| say!("soon 1"));
        event_loop.call_soon(|| {
            say!("soon 2");
            LoopHandle::current().call_later(Duration::ZERO, || say!("nested timer"));
            LoopHandle::current().call_soon(|| say!("nested soon"));
        });
        event_loop.call_at(past, || say!("timer -1"));
        for i in 0..3 {
            yield_now().await;
            say!("main {i}");
        }
    });
}

#[test]
fn c04_timer_order() {
    conforms("04_timer_order", async {
        let past = past(2).await;
        let event_loop = LoopHandle::current();
        let start = event_loop.time();
        for delay in [50, 10, 40, 20] {
            event_loop.call_later(ms(delay), move || say!("after {delay}"));
        }
        event_loop.call_at(start + ms(30), || say!("at 30"));
        let victim = Rc::new(OnceCell::<TimerHandle>::new());
        let culprit = Rc::clone(&victim);
        event_loop.call_at(past, move || {
            say!("late A");
            culprit.get().unwrap().cancel();
        });
        let late = event_loop.call_at(past + Duration::from_secs(1), || say!("late B must not run"));
        victim.set(late).unwrap();
        sleep(ms(70)).await;
        say!("victim cancelled {}", victim.get().unwrap().cancelled());
    });
}

#[test]
fn c05_callback_exception() {
    fn bad(text: &str) {
        say!("run {text}");
        panic!("{text}");
    }
    conforms("05_callback_exception", async {
        let event_loop = LoopHandle::current();
        event_loop.set_exception_handler(|report| {
            let error = python::exception(&report);
            say!("handler: {} | {error}", python::message(&report));
            assert_ne!(error, "second", "broken handler");
        });
        event_loop.call_soon(|| bad("first"));
        event_loop.call_soon(|| bad("second"));
        event_loop.call_soon(|| say!("third runs"));
        yield_now().await;
        say!("main goes on");
    });
}

#[test]
fn x01_handle_cancel() {
    conforms("x01_handle_cancel", async {
        let event_loop = LoopHandle::current();
        let second = Rc::new(OnceCell::<Handle>::new());
        let victim = Rc::clone(&second);
        event_loop.call_soon(move || {
            say!("first");
            victim.get().unwrap().cancel();
            victim.get().unwrap().cancel();
        });
        second.set(event_loop.call_soon(|| say!("second must not run"))).unwrap();
        event_loop.call_soon(|| say!("third"));
        yield_now().await;
        say!("cancelled {}", second.get().unwrap().cancelled());

        let start = event_loop.time();
        let timer = event_loop.call_at(start + Duration::from_secs(5), || say!("timer must not run"));
        say!("when {} {}", (timer.when() - start).as_secs(), timer.cancelled());
        let victim = timer.clone();
        event_loop.call_later(ms(10), move || _ = victim.cancel());
        sleep(ms(20)).await;
        say!("cancelled {}", timer.cancelled());
        let late = event_loop.call_later(ms(10), || say!("late"));
        event_loop.call_later(ms(20), || say!("later"));
        sleep(ms(30)).await;
        say!("ran {}", late.cancelled());
    });
}

#[test]
fn x30_exception_handler() {
    fn bad() {
        panic!("bad");
    }
    async fn fails() -> Result<(), KeyError> {
        Err(KeyError("kept"))
    }
    conforms("x30_exception_handler", async {
        let event_loop = LoopHandle::current();
        let handler = || event_loop.exception_handler();
        say!("none {}", python::none_or(handler().map(|_| "a handler")));
        event_loop.set_exception_handler(|report| {
            say!("handler: {} | {}", python::message(&report), python::exception(&report));
        });
        say!("set {}", handler().is_some());
        event_loop.call_exception_handler(Report::new("called by hand"));
        event_loop.call_later(ms(10), bad);
        let (set, future) = promise();
        future.add_done_callback(|_| bad());
        future.add_done_callback(|future| say!("next callback {}", future.result().unwrap()));
        set.set_result(1).unwrap();
        sleep(ms(20)).await;

        let task = create_task(fails()).reported();
        yield_now().await;
        if task.await.unwrap().is_err() {
            say!("awaited");
        }
        event_loop.clear_exception_handler();
        event_loop.call_soon(bad);
        yield_now().await;
        say!("silenced {}", python::none_or(handler().map(|_| "a handler")));
    });
}
