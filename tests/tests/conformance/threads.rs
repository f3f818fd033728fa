//! Threads, and futures between them.

use crate::harness::{conforms, ms, script, until_done};
use crate::python::{self, ValueError, python};
use corio::concurrent::{self, FutureError, ReturnWhen, WaitError, as_completed};
use corio::executor::VirtualClock;
use corio::threadpool::{default_executor, shutdown_default_executor};
use corio::{
    Cancelled, ContextVar, EventLoop, Executor, ExecutorExt, LoopHandle, RemoteHandle, ThreadPoolExecutor,
    catch_cancelled, create_task, current_task, gather, run, run_in_executor, sleep, to_thread, wrap_future, yield_now,
};
use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::{Arc, Barrier, Mutex, mpsc};
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

#[test]
fn x27_concurrent_wait() {
    type Failing = Result<&'static str, ValueError>;
    fn exception(future: &concurrent::Future<Failing>, limit: Option<Duration>) -> String {
        match future.exception(limit) {
            Ok(error) => error.map_or("None".to_owned(), |error| format!("{error:?}")),
            Err(WaitError::TimedOut) => "Timeout".to_owned(),
            Err(error) if error.is_cancelled() => "Cancelled".to_owned(),
            Err(error) => panic!("{error}"),
        }
    }
    script("x27_concurrent_wait", || {
        let [(set_a, a), (set_b, b), (set_c, c), (set_d, d)] = [(); 4].map(|()| concurrent::promise::<Failing>());
        set_a.set_result(Ok("a")).unwrap();
        set_b.set_exception(ValueError("b")).unwrap();
        let futures = [a, b, c, d];
        let waited = concurrent::wait(&futures[..3], None, ReturnWhen::FirstException);
        say!("first exception {} {}", waited.done.len(), waited.not_done == [2]);
        let [a, b, c, d] = futures;
        say!("exception {} {}", exception(&a, None), exception(&b, None));
        say!("{}", exception(&c, Some(Duration::ZERO)));
        c.cancel();
        let futures = [a, c];
        let waited = concurrent::wait(&futures, Some(Duration::ZERO), ReturnWhen::AllCompleted);
        say!("cancelled, not notified {} {} {}", futures[1].cancelled(), futures[1].done(), waited.not_done == [1]);
        set_c.set_running_or_notify_cancel();
        let waited = concurrent::wait(&futures, Some(Duration::ZERO), ReturnWhen::AllCompleted);
        say!("notified {}", waited.not_done == [1]);
        let [a, c] = futures;
        say!("{}", exception(&c, None));
        say!("running {} {} {}", set_d.set_running_or_notify_cancel(), d.cancel(), d.cancelled());
        set_d.set_result(Ok("d")).unwrap();
        let last = a.share();
        let ended = as_completed([b, d, a], None).map(|future| future.unwrap().result(None).unwrap());
        let mut ended: Vec<_> = ended.map(|outcome| outcome.unwrap_or("error")).collect();
        ended.sort_unstable();
        say!("{ended:?}");
        last.add_done_callback(|future| {
            say!("late callback {}", future.with_value(|value| value.clone().unwrap()).unwrap())
        });
        say!("after it");
    });
}

#[test]
fn x28_thread_pool() {
    fn inverse(n: i32) -> i32 {
        6 / n
    }
    fn pool(threads: usize) -> ThreadPoolExecutor {
        ThreadPoolExecutor::builder().max_threads(threads).build().unwrap()
    }
    fn results<T, E: Debug>(results: impl Iterator<Item = Result<T, E>>) -> Vec<T> {
        results.map(Result::unwrap).collect()
    }
    script("x28_thread_pool", || {
        let three = pool(3);
        say!("{:?}", results(three.map([3, 1, 2], |n| n * n)));
        say!("{:?}", results(three.map([1, 2, 3].into_iter().zip([10, 20]), |(a, b)| a + b)));
        for result in three.map([1, 2, 0, 3], inverse) {
            match result {
                Ok(value) => say!("map {value}"),
                Err(_) => say!("map error"),
            }
        }
        let mut future = three.submit(|| inverse(0)).unwrap();
        if let Err(WaitError::Ended(FutureError::Panicked(panic))) = future.result(None) {
            let error = python(panic.message().unwrap());
            say!("exception {} {} {}", error.kind, future.done(), future.cancelled());
        }

        let log = Arc::new(Mutex::new(Vec::new()));
        let append = |n| {
            let log = Arc::clone(&log);
            move || log.lock().unwrap().push(n)
        };
        let lines = || log.lock().unwrap().clone();
        let (one, (go, gone)) = (pool(1), mpsc::channel());
        let _detached = one.submit(move || gone.recv().unwrap()).unwrap();
        for n in 0..3 {
            let _detached = one.submit(append(n)).unwrap();
        }
        go.send(()).unwrap();
        one.shutdown(true, false);
        say!("fifo {:?}", lines());
        if let Err(error) = one.submit(|| say!("must not run")) {
            say!("{}", python(error).kind);
        }

        let (one, (go, gone), (started, has_started)) = (pool(1), mpsc::channel(), mpsc::channel());
        let mut running = one.submit(move || {
            started.send(()).unwrap();
            gone.recv().unwrap();
            "finished"
        });
        let running = running.as_mut().unwrap();
        let queued = [(); 2].map(|()| one.submit(append(99)).unwrap());
        has_started.recv().unwrap();
        one.shutdown(false, true);
        say!("cancelled {} {:?}", running.cancelled(), queued.map(|future| future.cancelled()));
        go.send(()).unwrap();
        say!("{} {:?}", running.result(None).unwrap(), lines());
        one.shutdown(true, false);
        one.shutdown(true, false);
    });
}

#[test]
fn x29_wrap_future() {
    fn in_thread(f: impl FnOnce() + Send + 'static) {
        thread::spawn(f).join().unwrap();
    }
    conforms("x29_wrap_future", async {
        let (set, future) = concurrent::promise();
        let wrapped = wrap_future(future);
        in_thread(move || set.set_result("from a thread").unwrap());
        say!("at once {}", wrapped.done());
        say!("{}", wrapped.await.unwrap());

        let (set, future) = concurrent::promise::<Result<(), ValueError>>();
        let wrapped = wrap_future(future);
        in_thread(move || set.set_exception(ValueError("thread error")).unwrap());
        if let Err(error) = wrapped.await.unwrap() {
            say!("ValueError {error}");
        }

        let (_set, future) = concurrent::promise::<()>();
        let mut wrapped = wrap_future(future.share());
        in_thread(move || _ = future.cancel());
        if (&mut wrapped).await.is_err_and(|error| error.is_cancelled()) {
            say!("Cancelled {} {}", wrapped.cancelled(), current_task().unwrap().cancelling());
        }

        let (set, future) = concurrent::promise::<()>();
        let wrapped = wrap_future(future.share());
        say!("cancel pending {}", wrapped.cancel());
        yield_now().await;
        say!("thread future {} {}", future.cancelled(), set.set_running_or_notify_cancel());

        let (set, mut future) = concurrent::promise();
        let wrapped = wrap_future(future.share());
        set.set_running_or_notify_cancel();
        say!("cancel running {} {}", wrapped.cancel(), wrapped.cancelled());
        yield_now().await;
        say!("thread future {} {}", future.cancelled(), future.running());
        set.set_result("late").unwrap();
        yield_now().await;
        say!("dropped {} {}", wrapped.cancelled(), future.result(None).unwrap());

        let (_set, future) = concurrent::promise::<()>();
        let task = create_task(wrap_future(future.share()));
        yield_now().await;
        task.cancel();
        let task = until_done(task).await;
        say!("through a task {} {}", task.cancelled(), future.cancelled());
    });
}

#[test]
fn x39_default_executor() {
    conforms("x39_default_executor", async {
        let meet = Arc::new(Barrier::new(2));
        let wait = || {
            let meet = Arc::clone(&meet);
            move || usize::from(meet.wait().is_leader())
        };
        let (one, two) = gather((to_thread(wait()), run_in_executor(&default_executor(), wait()))).await.unwrap();
        let mut both = [one, two];
        both.sort_unstable();
        say!("met {both:?}");
        if let Err(error) = to_thread(|| Err::<(), _>(ValueError("in a thread"))).await.unwrap() {
            say!("ValueError {error}");
        }
        let [(started, has_started), (go, gone), (end, has_ended)] = [(); 3].map(|()| mpsc::channel::<()>());
        let job = move || {
            started.send(()).unwrap();
            gone.recv().unwrap();
            end.send(()).unwrap();
        };
        let task = create_task(to_thread(job));
        to_thread(move || has_started.recv().unwrap()).await.unwrap();
        task.cancel();
        let task = until_done(task).await;
        say!("waiter {} job ended {}", task.cancelled(), has_ended.try_recv().is_ok());
        go.send(()).unwrap();
        say!("goes on {}", to_thread(move || has_ended.recv().is_ok()).await.unwrap());
        shutdown_default_executor().await;
        if let Err(error) = to_thread(|| say!("must not run")).await {
            say!("{}", python(error).kind);
        }
    });
}

#[test]
fn x40_threadsafe_more() {
    fn in_thread(f: impl FnOnce() + Send + 'static) {
        thread::spawn(f).join().unwrap();
    }
    script("x40_threadsafe_more", || {
        let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
        let main = async {
            LoopHandle::current().set_exception_handler(|report| {
                say!("handler: {} | {}", python::message(&report), python::exception(&report));
            });
            let remote = LoopHandle::current().remote();
            let sender = remote.clone();
            in_thread(move || {
                sender.call_soon_threadsafe(|| say!("once")).unwrap();
                sender.call_soon_threadsafe(|| say!("must not run")).unwrap().cancel();
                sender.call_soon_threadsafe(|| panic!("from a thread")).unwrap();
            });
            say!("sent");
            sleep(ms(10)).await;
            say!("ran");
            let gives_up = || async {
                yield_now().await;
                Cancelled::new().resume().await
            };
            let thread = move || match remote.run_coroutine_threadsafe(gives_up).unwrap().result(None) {
                Err(error) if error.is_cancelled() => "Cancelled in the thread",
                _ => "something else",
            };
            say!("{}", to_thread(thread).await.unwrap());
        };
        event_loop.run_until_complete(main).unwrap();
        event_loop.close().unwrap();
        if let Err(error) = event_loop.remote().call_soon_threadsafe(|| say!("must not run")) {
            let error = python(error);
            say!("{} {error}", error.kind);
        }
    });
}

#[test]
fn c49_run_in_executor() {
    static V: ContextVar<&str> = ContextVar::for_threads("v");
    fn v() -> &'static str {
        V.get().unwrap_or("unset")
    }
    conforms("49_run_in_executor", async {
        let pool = ThreadPoolExecutor::builder().max_threads(1).build().unwrap();
        let main = thread::current().id();
        let other = run_in_executor(&pool, || thread::current().id()).await.unwrap();
        say!("other thread {}", other != main);
        let bad = || Err::<(), _>(ValueError("in thread"));
        if let Err(error) = run_in_executor(&pool, bad).await.unwrap() {
            say!("error {error}");
        }
        let (started, has_started) = mpsc::channel();
        let (go, gone) = mpsc::channel();
        let log = Arc::new(Mutex::new(Vec::new()));
        let append = |line: &'static str| {
            let log = Arc::clone(&log);
            move || log.lock().unwrap().push(line)
        };
        let finish = append("running finished");
        let mut running = run_in_executor(&pool, move || {
            started.send(()).unwrap();
            gone.recv().unwrap();
            finish();
        });
        let mut queued = run_in_executor(&pool, append("queued must not run"));
        to_thread(move || has_started.recv().unwrap()).await.unwrap();
        say!("cancel {} {} {} {}", running.cancel(), queued.cancel(), running.cancelled(), queued.cancelled());
        yield_now().await;
        go.send(()).unwrap();
        pool.shutdown(true, false);
        say!("{:?}", log.lock().unwrap());
        V.set("ctx");
        let carried = to_thread(v).await.unwrap();
        say!("{carried} {}", run_in_executor(&default_executor(), v).await.unwrap());
    });
}
