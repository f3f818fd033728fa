//! Threads, and futures between them.

use crate::harness::{conforms, ms, script};
use crate::python::ValueError;
use corio::concurrent::{self, FutureError, ReturnWhen, WaitError, as_completed};
use corio::{LoopHandle, RemoteHandle, catch_cancelled, run, sleep, to_thread, wrap_future};
use std::cell::RefCell;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

#[test]
fn c50_call_soon_threadsafe() {
    conforms("50_call_soon_threadsafe", async {
        let me = thread::current().id();
        let remote = LoopHandle::current().remote();
        let (promise, future) = concurrent::promise();
        let (go, gone) = mpsc::channel();
        let thread = thread::spawn(move || {
            gone.recv().unwrap();
            // CPython's lock lets a thread send all this before the loop wakes; here the first call waits for the last.
            let (sent, all_sent) = mpsc::channel();
            remote.call_soon_threadsafe(move || all_sent.recv().unwrap()).unwrap();
            for i in 0..3 {
                remote.call_soon_threadsafe(move || say!("cb {i} {}", thread::current().id() == me)).unwrap();
            }
            let handle = remote.call_soon_threadsafe(|| say!("must not run")).unwrap();
            handle.cancel();
            remote.call_soon_threadsafe(move || promise.set_result("from thread").unwrap()).unwrap();
            sent.send(()).unwrap();
        });
        LoopHandle::current().call_later(ms(10), move || go.send(()).unwrap());
        say!("{}", future.await.unwrap());
        thread.join().unwrap();
    });
}

thread_local! {
    /// Which tasks of program 51 were cancelled.
    static CANCELLED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Runs in a thread of its own, and returns what it saw.
fn start_and_cancel(remote: &RemoteHandle) -> Vec<String> {
    async fn value() -> &'static str {
        sleep(ms(10)).await;
        "value"
    }
    async fn bad() -> Result<(), ValueError> {
        Err(ValueError("bad"))
    }
    async fn slow(tag: &'static str) {
        if let Err(cancelled) = catch_cancelled(sleep(Duration::from_secs(60))).await {
            CANCELLED.with_borrow_mut(|tags| tags.push(tag));
            cancelled.resume().await;
        }
    }
    let mut value = remote.run_coroutine_threadsafe(value).unwrap();
    let mut seen = vec![value.result(None).unwrap().to_owned()];
    let mut bad = remote.run_coroutine_threadsafe(bad).unwrap();
    if let Err(error) = bad.result(None).unwrap() {
        seen.push(format!("error {error}"));
    }
    let mut slow = remote.run_coroutine_threadsafe(|| slow("s")).unwrap();
    if let Err(WaitError::TimedOut) = slow.result(Some(ms(20))) {
        seen.push(format!("timeout, done {}", slow.done()));
    }
    seen.push(format!("cancel {} {}", slow.cancel(), slow.cancelled()));
    seen
}

#[test]
fn c51_run_coroutine_threadsafe() {
    // On real time: a thread waits for twenty milliseconds, and on virtual time the loop would sleep past that.
    script("51_run_coroutine_threadsafe", || {
        run(async {
            let remote = LoopHandle::current().remote();
            for line in to_thread(move || start_and_cancel(&remote)).await.unwrap() {
                say!("{line}");
            }
            sleep(ms(10)).await;
            say!("task cancelled {:?}", CANCELLED.take());
        })
        .unwrap();
    });
}

#[test]
fn c53_concurrent_future() {
    fn state<T>(future: &concurrent::Future<T>) -> (bool, bool, bool) {
        (future.running(), future.done(), future.cancelled())
    }
    script("53_concurrent_future", || {
        let (promise, mut f) = concurrent::promise();
        say!("pending {:?}", state(&f));
        f.add_done_callback(|_| say!("cb 1"));
        f.add_done_callback(|_| panic!("reported, and stops nobody"));
        f.add_done_callback(|_| say!("cb 3"));
        let run = promise.set_running_or_notify_cancel();
        say!("run -> {run} {:?} cancel -> {}", state(&f), f.cancel());
        let again = f.share();
        promise.set_result(5).unwrap();
        say!("after set {} {:?}", f.result(None).unwrap(), state(&f));
        f.add_done_callback(|_| say!("cb immediately"));

        let (promise, mut g) = concurrent::promise::<i32>();
        g.add_done_callback(|g| say!("cb cancelled {}", g.cancelled()));
        say!("cancel -> {} {} run -> {}", g.cancel(), g.cancel(), promise.set_running_or_notify_cancel());
        if let Err(WaitError::Ended(FutureError::Cancelled(_))) = g.result(None) {
            say!("Cancelled");
        }
        let (_promise, mut h) = concurrent::promise::<i32>();
        if let Err(WaitError::TimedOut) = h.result(Some(Duration::ZERO)) {
            say!("Timeout");
        }

        let futures = [f, g, h];
        let waited = concurrent::wait(&futures, Some(Duration::ZERO), ReturnWhen::AllCompleted);
        say!("{} {}", waited.done.len(), waited.not_done.len());
        let [f, _, h] = futures;
        let futures = [f, h];
        let waited = concurrent::wait(&futures, None, ReturnWhen::FirstCompleted);
        say!("{} {}", waited.done == [0], waited.not_done == [1]);
        let [f, h] = futures;
        for turn in as_completed([f, again, h], Some(Duration::ZERO)) {
            match turn {
                Ok(mut future) => say!("completed {}", future.result(None).unwrap() == 5),
                Err(error) => say!("Timeout {error}"),
            }
        }
    });
}

#[test]
fn c81_thread_future_in_loop() {
    conforms("81_thread_future_in_loop", async {
        let (promise, future) = concurrent::promise();
        let wrapped = wrap_future(future);
        promise.set_running_or_notify_cancel();
        promise.set_result("value").unwrap();
        say!("{} {}", wrapped.done(), wrapped.await.unwrap());
    });
}
