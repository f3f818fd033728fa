//! The loop: callbacks, timers, their errors.

use crate::harness::{conforms, ms};
use crate::python;
use corio::{LoopHandle, LoopTime, TimerHandle, sleep, yield_now};
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
