//! asyncio's own programs, compared with the lines that CPython prints: `tests/data`, where a table says what is left out.

use crate::ledger::Log;
use crate::toy_loop::{Toy, run, toy, yield_now};
use corio_future::{CallbackKey, Future, FutureError, InvalidState, concurrent, promise, wrap_future};
use std::fmt::Display;
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Failing = Result<u32, String>;

#[track_caller]
fn assert_same(lines: &[String], expected: &str) {
    assert_eq!(lines, expected.lines().collect::<Vec<_>>());
}

fn attempt(log: &Log, label: &str, outcome: Result<impl Display, InvalidState>) {
    match outcome {
        Ok(value) => log.say(format!("{label} -> {value}")),
        Err(InvalidState::Ended(FutureError::Cancelled(_))) => log.say(format!("{label} -> Cancelled")),
        Err(_) => log.say(format!("{label} -> InvalidState")),
    }
}

fn attempt_both(log: &Log, future: &Future<Failing>) {
    let result = future.result().map(|value| match &*value {
        Ok(n) => n.to_string(),
        Err(error) => format!("ValueError {error}"),
    });
    attempt(log, "result", result);
    let exception =
        future.exception().map(|error| error.map_or("None".into(), |error| format!("ValueError('{}')", *error)));
    attempt(log, "exception", exception);
}

fn python(yes: bool) -> &'static str {
    if yes { "True" } else { "False" }
}

#[test]
fn conformance_08_future_states() {
    let log = Log::default();
    let says = log.clone();
    run(async move {
        let state = |name: &str, f: &Future<Failing>| {
            says.say(format!("{name} {} {}", python(f.done()), python(f.cancelled())));
        };
        let (promise_f, f) = promise::<Failing>();
        state("pending", &f);
        attempt_both(&says, &f);
        promise_f.set_result(Ok(1)).unwrap();
        state("finished", &f);
        attempt_both(&says, &f);
        attempt(&says, "cancel", Ok(python(f.cancel())));
        let (promise_g, g) = promise::<Failing>();
        promise_g.set_exception("boom".into()).unwrap();
        attempt_both(&says, &g);
        let (promise_h, h) = promise::<Failing>();
        attempt(&says, "cancel", Ok(python(h.cancel())));
        attempt(&says, "cancel again", Ok(python(h.cancel())));
        state("cancelled", &h);
        attempt_both(&says, &h);
        attempt(&says, "set_result", promise_h.set_result(Ok(3)).map(|()| "None").map_err(|_| InvalidState::Taken));
    });
    assert_same(&log.lines(), include_str!("../data/08_future_states.expected"));
}

#[test]
fn conformance_09_future_callbacks() {
    let log = Log::default();
    let says = log.clone();
    run(async move {
        let (promise, future) = promise::<u32>();
        let (in_a, in_c) = (says.clone(), says.clone());
        let b = || {
            let says = says.clone();
            move |future: &Future<u32>| says.say(format!("b {}", future.result().unwrap()))
        };
        let dup = |_: &Future<u32>| panic!("dup must not run");
        future.add_done_callback(move |future| {
            in_a.say(format!("a {}", future.result().unwrap()));
            future.add_done_callback(move |future| in_c.say(format!("c late {}", future.result().unwrap())));
        });
        let mut dups = vec![future.add_done_callback(dup)];
        let mut bs = vec![future.add_done_callback(b())];
        dups.push(future.add_done_callback(dup));
        bs.push(future.add_done_callback(b()));
        // asyncio removes by equality and counts; here a key names one.
        let remove = |keys: &[CallbackKey]| keys.iter().filter(|&&key| future.remove_done_callback(key)).count();
        says.say(format!("removed {} {}", remove(&dups), remove(&dups)));
        promise.set_result(7).unwrap();
        says.say("set, nothing ran yet");
        yield_now().await;
        says.say("tick 1");
        yield_now().await;
        says.say("tick 2");
        says.say(format!("removed after done {}", remove(&bs)));
    });
    assert_same(&log.lines(), include_str!("../data/09_future_callbacks.expected"));
}

#[test]
fn conformance_10_never_retrieved() {
    let (loop_, log) = (Toy::new(), Log::default());
    let says = log.clone();
    loop_.run(async move {
        let failed = |text: &str| {
            let (promise, future) = promise::<Failing>();
            promise.set_exception(text.into()).unwrap();
            future
        };
        let handle = |says: &Log| {
            for report in toy().unwrap().reports.take() {
                let (message, error) = report.split_once(": ").unwrap();
                says.say(format!("handler: {}{} | {error}", message[..1].to_uppercase(), &message[1..]));
            }
        };
        drop(failed("f unread"));
        assert!(failed("f read").exception().unwrap().is_some());
        handle(&says);
        says.say(format!("cancel -> {}", python(failed("f cancelled after").cancel())));
        handle(&says);
        says.say("end");
    });
    loop_.close();
    assert_same(&log.lines(), include_str!("../data/10_never_retrieved.expected"));
}

#[test]
fn conformance_53_concurrent_future() {
    use concurrent::{FutureError, ReturnWhen, WaitError, as_completed, wait};
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let say = |line: String| lines.lock().unwrap().push(line);
    let state = |f: &concurrent::Future<u32>| {
        format!("({}, {}, {})", python(f.running()), python(f.done()), python(f.cancelled()))
    };
    let saying = |line: &'static str| {
        let lines = lines.clone();
        move |_: &concurrent::Future<u32>| lines.lock().unwrap().push(line.to_owned())
    };
    let (promise, mut f) = concurrent::promise::<u32>();
    say(format!("pending {}", state(&f)));
    f.add_done_callback(saying("cb 1"));
    f.add_done_callback(|_| panic!("logged"));
    f.add_done_callback(saying("cb 3"));
    let run = promise.set_running_or_notify_cancel();
    say(format!("run -> {} {} cancel -> {}", python(run), state(&f), python(f.cancel())));
    let f_again = f.share();
    promise.set_result(5).unwrap();
    say(format!("after set {} {}", f.result(None).unwrap(), state(&f)));
    f.add_done_callback(saying("cb immediately"));
    let (g_promise, mut g) = concurrent::promise::<u32>();
    let cancelled = lines.clone();
    g.add_done_callback(move |g| cancelled.lock().unwrap().push(format!("cb cancelled {}", python(g.cancelled()))));
    let (one, two) = (g.cancel(), g.cancel());
    say(format!(
        "cancel -> {} {} run -> {}",
        python(one),
        python(two),
        python(g_promise.set_running_or_notify_cancel())
    ));
    if let Err(WaitError::Ended(FutureError::Cancelled(_))) = g.result(None) {
        say("Cancelled".into());
    }
    let (_h_promise, mut h) = concurrent::promise::<u32>();
    if let Err(WaitError::TimedOut) = h.result(Some(Duration::ZERO)) {
        say("Timeout".into());
    }
    let futures = [f, g, h];
    let waited = wait(&futures, Some(Duration::ZERO), ReturnWhen::AllCompleted);
    say(format!("{} {}", waited.done.len(), waited.not_done.len()));
    let [f, _g, h] = futures;
    let futures = [f, h];
    let waited = wait(&futures, None, ReturnWhen::FirstCompleted);
    say(format!("{} {}", python(waited.done == [0]), python(waited.not_done == [1])));
    let [f, h] = futures;
    for future in as_completed([f_again, f, h], Some(Duration::ZERO)) {
        match future {
            Ok(mut future) => say(format!("completed {}", python(future.result(None).unwrap() == 5))),
            Err(error) => say(format!("Timeout {error}")),
        }
    }
    assert_same(&lines.lock().unwrap(), include_str!("../data/53_concurrent_future.expected"));
}

#[test]
fn conformance_81_thread_future_in_loop() {
    let log = Log::default();
    let says = log.clone();
    run(async move {
        let (promise, c) = concurrent::promise();
        let w = wrap_future(c);
        promise.set_running_or_notify_cancel();
        promise.set_result("value").unwrap();
        says.say(format!("{} {}", python(w.done()), w.await.unwrap()));
    });
    assert_same(&log.lines(), include_str!("../data/81_thread_future_in_loop.expected"));
}
