//! CPython's programs, ported; each must print what CPython prints.
//!
//! | program | line left out | why |
//! |---|---|---|
//! | 62 | `RuntimeError from thread` | the compiler refuses it: see the crate's page |
//!
//! Python's spellings: "Exception in callback" is "exception in callback" here, `True` is `true`, and an error's text is
//! our own; the few mappings stand where they are used.

use crate::transcript::Transcript;
use corio_executor::{EventLoop, LoopHandle, LoopTime, RunError, Runner, TimerHandle, run, sleep, test, yield_now};
use corio_seam::{ContextVar, copy_context};
use corio_task::{JoinError, TaskOptions, all_tasks, create_task, create_task_with, current_task};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

static NUMBER: ContextVar<u32> = ContextVar::new("v");
static TAG: ContextVar<&str> = ContextVar::new("v");

/// Spells a truth value as Python does.
fn python(truth: bool) -> &'static str {
    if truth { "True" } else { "False" }
}

/// Returns a moment that has passed: `seconds` before now.
fn past(seconds: u64) -> LoopTime {
    LoopTime::from_nanos(LoopHandle::current().time().as_nanos() - seconds * 1_000_000_000)
}

/// Calls back `n` times, once an iteration.
fn again(out: Transcript, name: char, depth: u32) {
    out.say(format!("cb {name} {depth}"));
    if depth < 2 {
        LoopHandle::current().call_soon(move || again(out, name, depth + 1));
    }
}

#[test]
fn conformance_01_call_soon_fifo() {
    let out = Transcript::default();
    test::run(async {
        for name in ['a', 'b', 'c'] {
            let out = out.clone();
            LoopHandle::current().call_soon(move || again(out, name, 0));
        }
        for i in 0..4 {
            yield_now().await;
            out.say(format!("main {i}"));
        }
    });
    out.assert_matches(include_str!("../expected/01_call_soon_fifo.expected"));
}

#[test]
fn conformance_02_iteration_batch() {
    let out = Transcript::default();
    test::run(async {
        sleep(SECOND * 10).await; // So that there is a past.
        let event_loop = LoopHandle::current();
        event_loop.call_later(Duration::ZERO, out.saying("timer 0"));
        event_loop.call_soon(out.saying("soon 1"));
        let inner = out.clone();
        event_loop.call_soon(move || {
            inner.say("soon 2");
            LoopHandle::current().call_later(Duration::ZERO, inner.saying("nested timer"));
            LoopHandle::current().call_soon(inner.saying("nested soon"));
        });
        event_loop.call_at(past(1), out.saying("timer -1"));
        for i in 0..3 {
            yield_now().await;
            out.say(format!("main {i}"));
        }
    });
    out.assert_matches(include_str!("../expected/02_iteration_batch.expected"));
}

#[test]
fn conformance_04_timer_order() {
    let out = Transcript::default();
    test::run(async {
        sleep(SECOND * 10).await; // So that there is a past.
        let event_loop = LoopHandle::current();
        let start = event_loop.time();
        for delay in [50, 10, 40, 20] {
            event_loop.call_later(MILLISECOND * delay, out.saying(format!("after {delay}")));
        }
        event_loop.call_at(start + MILLISECOND * 30, out.saying("at 30"));
        let victim: Rc<RefCell<Option<TimerHandle>>> = Rc::default();
        let (inner, culprit) = (out.clone(), Rc::clone(&victim));
        event_loop.call_at(past(2), move || {
            inner.say("late A");
            culprit.borrow().as_ref().unwrap().cancel();
        });
        *victim.borrow_mut() = Some(event_loop.call_at(past(1), out.saying("late B must not run")));
        sleep(MILLISECOND * 70).await;
        let cancelled = victim.borrow().as_ref().unwrap().cancelled();
        out.say(format!("victim cancelled {}", python(cancelled)));
    });
    out.assert_matches(include_str!("../expected/04_timer_order.expected"));
}

#[test]
fn conformance_05_callback_exception() {
    let out = Transcript::default();
    test::run(async {
        let event_loop = LoopHandle::current();
        let inner = out.clone();
        event_loop.set_exception_handler(move |report| {
            let error = report.panic.as_ref().and_then(|panic| panic.message()).unwrap_or("?").to_owned();
            let message = report.message.replacen("exception", "Exception", 1);
            inner.say(format!("handler: {message} | {error}"));
            assert_ne!(error, "second", "broken handler");
        });
        for message in ["first", "second"] {
            let inner = out.clone();
            event_loop.call_soon(move || {
                inner.say(format!("run {message}"));
                panic!("{message}");
            });
        }
        event_loop.call_soon(out.saying("third runs"));
        yield_now().await;
        out.say("main goes on");
    });
    out.assert_matches(include_str!("../expected/05_callback_exception.expected"));
}

async fn say_when_slept(out: Transcript, delay: u32) {
    sleep(MILLISECOND * delay).await;
    out.say(format!("slept {delay}"));
}

#[test]
fn conformance_23_sleep() {
    let out = Transcript::default();
    test::run(async {
        LoopHandle::current().call_soon(out.saying("one iteration"));
        sleep(Duration::ZERO).await;
        sleep(Duration::ZERO.saturating_sub(SECOND * 5)).await;
        out.say("zero negative");
        let sleepers: Vec<_> =
            [40, 10, 30, 20].map(|delay| create_task(say_when_slept(out.clone(), delay))).into_iter().collect();
        for sleeper in sleepers {
            sleeper.await.unwrap();
        }
        let task = create_task(say_when_slept(out.clone(), 20));
        yield_now().await;
        task.cancel();
        let outcome = task.await;
        out.say(format!("cancelled {}", python(matches!(outcome, Err(JoinError::Cancelled(_))))));
    });
    out.assert_matches(include_str!("../expected/23_sleep.expected"));
}

/// CPython's lock lets the thread finish before the loop has its turn; here the first callback waits for that.
#[test]
fn conformance_50_call_soon_threadsafe() {
    let out = Transcript::default();
    test::run(async {
        let (me, remote) = (thread::current().id(), LoopHandle::current().remote());
        let (promise, future) = corio_future::concurrent::promise();
        let (go, wait) = mpsc::channel();
        let inner = out.clone();
        let thread = thread::spawn(move || {
            wait.recv().unwrap();
            let (finished, finish) = mpsc::channel();
            let mut finish = Some(finish);
            for i in 0..3 {
                let (inner, finish) = (inner.clone(), finish.take());
                let say = move || {
                    finish.into_iter().for_each(|finish| finish.recv().unwrap());
                    inner.say(format!("cb {i} {}", python(thread::current().id() == me)));
                };
                remote.call_soon_threadsafe(say).unwrap();
            }
            let handle = remote.call_soon_threadsafe(inner.saying("must not run")).unwrap();
            handle.cancel();
            remote.call_soon_threadsafe(move || _ = promise.set_result("from thread")).unwrap();
            finished.send(()).unwrap();
        });
        LoopHandle::current().call_later(MILLISECOND * 10, move || go.send(()).unwrap());
        out.say(future.await.unwrap());
        thread.join().unwrap();
    });
    out.assert_matches(include_str!("../expected/50_call_soon_threadsafe.expected"));
}

/// Notes that it was dropped: what Python's `except CancelledError: ...; raise` does.
struct NoteDrop(Rc<RefCell<Vec<&'static str>>>, &'static str);

impl Drop for NoteDrop {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

thread_local! {
    /// Which of program 51's tasks were cancelled.
    static CANCELLED: Rc<RefCell<Vec<&'static str>>> = Rc::default();
}

/// The thread of program 51; returns the lines it observed.
fn start_and_cancel(remote: &corio_executor::RemoteHandle) -> Vec<String> {
    let value = remote.run_coroutine_threadsafe(|| async {
        sleep(MILLISECOND * 10).await;
        "value"
    });
    let mut lines = vec![value.unwrap().result(None).unwrap().to_owned()];
    let bad = remote.run_coroutine_threadsafe(|| async { Err::<(), _>("bad") });
    if let Err(error) = bad.unwrap().result(None).unwrap() {
        lines.push(format!("error {error}"));
    }
    let mut slow = remote
        .run_coroutine_threadsafe(|| async {
            let _note = NoteDrop(CANCELLED.with(Rc::clone), "s");
            sleep(SECOND * 30).await;
        })
        .unwrap();
    if slow.result(Some(MILLISECOND * 20)).is_err() {
        lines.push(format!("timeout, done {}", python(slow.done())));
    }
    lines.push(format!("cancel {} {}", python(slow.cancel()), python(slow.cancelled())));
    lines
}

#[test]
fn conformance_51_run_coroutine_threadsafe() {
    let out = Transcript::default();
    run(async {
        let remote = LoopHandle::current().remote();
        let (promise, lines) = corio_future::concurrent::promise();
        let thread = thread::spawn(move || drop(promise.set_result(start_and_cancel(&remote))));
        for line in lines.await.unwrap() {
            out.say(line);
        }
        thread.join().unwrap();
        sleep(MILLISECOND * 10).await;
        let cancelled = CANCELLED.with(|cancelled| cancelled.take());
        out.say(format!("task cancelled {cancelled:?}").replace('"', "'"));
    })
    .unwrap();
    out.assert_matches(include_str!("../expected/51_run_coroutine_threadsafe.expected"));
}

async fn background(out: Transcript) {
    for i in 0..3 {
        out.say(format!("bg {i}"));
        yield_now().await;
    }
}

fn tag() -> &'static str {
    TAG.get().unwrap_or("default")
}

async fn tagged(out: Transcript, name: &'static str) {
    out.say(format!("{name} sees {}", tag()));
    TAG.set(name);
    yield_now().await;
    out.say(format!("{name} keeps {}", tag()));
}

#[test]
fn conformance_07_task_context() {
    let out = Transcript::default();
    test::run(async {
        let event_loop = LoopHandle::current();
        TAG.set("one");
        let inner = out.clone();
        event_loop.call_soon(move || inner.say(format!("callback sees {}", tag())));
        let first = create_task(tagged(out.clone(), "t1"));
        TAG.set("two");
        let second = create_task(tagged(out.clone(), "t2"));
        let (promise, future) = corio_future::promise();
        let inner = out.clone();
        future.add_done_callback(move |_| inner.say(format!("done cb sees {}", tag())));
        TAG.set("three");
        promise.set_result(()).unwrap();
        first.await.unwrap();
        second.await.unwrap();
        out.say(format!("main sees {}", tag()));
        let context = copy_context();
        create_task_with(TaskOptions::new().context(&context), tagged(out.clone(), "t3")).await.unwrap();
        out.say(format!("main sees {} | ctx holds {}", tag(), context.get(&TAG).unwrap()));
    });
    out.assert_matches(include_str!("../expected/07_task_context.expected"));
}

#[test]
fn conformance_73_eager_tasks() {
    let out = Transcript::default();
    test::run(async {
        let me = current_task();
        LoopHandle::current().set_eager_tasks(true);
        let job = |name: &'static str, steps: u32| {
            let (out, me) = (out.clone(), me.clone());
            async move {
                out.say(format!("start {name} {}", python(current_task() != me)));
                for _ in 0..steps {
                    yield_now().await;
                }
                out.say(format!("end {name}"));
                name
            }
        };
        let a = create_task_with(TaskOptions::new().name("A"), job("a", 0));
        let same = current_task() == me;
        out.say(format!("created a {} {} {}", python(a.done()), a.output().unwrap(), python(same)));
        let inner = out.clone();
        a.add_done_callback(move |_| inner.say("callback a"));
        let b = create_task_with(TaskOptions::new().name("B"), job("b", 1));
        let [a_is_there, b_is_there] = [&a, &b].map(|task| python(all_tasks().contains(&task.task_ref())));
        out.say(format!("created b {} {b_is_there} {a_is_there}", python(b.done())));
        yield_now().await;
        out.say("yielded");
        b.await.unwrap();
        let bad = create_task(async { Err::<(), _>("eager") });
        out.say(format!("no raise at create {}", bad.await.unwrap().unwrap_err()));
        let c = create_task_with(TaskOptions::new().name("C"), job("c", 1));
        let view = c.task_ref();
        out.say(format!("cancel {}", python(c.cancel())));
        assert!(matches!(c.await, Err(JoinError::Cancelled(_))));
        out.say(python(view.cancelled()));
    });
    out.assert_matches(include_str!("../expected/73_eager_tasks.expected"));
}

#[test]
fn conformance_57_runner() {
    let out = Transcript::default();
    let runner = Runner::new();
    let bump = || async { NUMBER.set(NUMBER.get().unwrap_or(0) + 1).old_value().unwrap_or(0) + 1 };
    let (first, second) = (runner.run(bump()).unwrap(), runner.run(bump()).unwrap());
    out.say(format!("{first} {second} {}", NUMBER.get().unwrap_or(0)));
    let mut task = None;
    runner.run(async { task = Some(create_task(background(out.clone()))) }).unwrap();
    out.say("between runs");
    runner.run(task.unwrap()).unwrap().unwrap();
    let event_loop = runner.event_loop().unwrap().handle().clone();
    runner
        .run(async {
            if let Err(RunError::Nested) = runner.run(async {}) {
                out.say("RuntimeError Runner.run() cannot be called from a running event loop");
            }
            if let Err(RunError::Nested) = run(async {}) {
                out.say("RuntimeError asyncio.run() cannot be called from a running event loop");
            }
        })
        .unwrap();
    runner.close().unwrap();
    runner.close().unwrap();
    out.say(python(event_loop.is_closed()));
    if let Err(RunError::Closed) = runner.run(async {}) {
        out.say("RuntimeError Runner is closed");
    }
    out.assert_matches(include_str!("../expected/57_runner.expected"));
}

fn slow_cb() {
    thread::sleep(MILLISECOND * 10);
}

async fn slow_task() {
    thread::sleep(MILLISECOND * 10);
}

#[test]
fn conformance_62_debug_slow_callback() {
    let out = Transcript::default();
    let runner = Runner::with_loop_factory(|| EventLoop::builder().debug(true).build());
    let main = async {
        let (event_loop, inner) = (LoopHandle::current(), out.clone());
        event_loop.set_exception_handler(move |report| {
            for name in ["slow_cb", "slow_task"] {
                if report.message.contains("took") && report.message.contains(name) {
                    inner.say(format!("slow: {name}"));
                }
            }
        });
        event_loop.set_slow_callback_duration(MILLISECOND * 8);
        event_loop.call_soon(slow_cb);
        yield_now().await;
        create_task(slow_task()).named("slow_task").await.unwrap();
        out.say(format!("debug {}", python(event_loop.debug())));
    };
    runner.run(main).unwrap();
    let expected = include_str!("../expected/62_debug_slow_callback.expected");
    out.assert_matches(&expected.replace("RuntimeError from thread\n", ""));
}
