use crate::{LONG, door, pool};
use corio_seam::ContextVar;
use corio_threadpool::{CallError, Executor, RejectReason, run_in_executor, to_thread};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::thread;

static V: ContextVar<&str> = ContextVar::for_threads("v");

/// A call in a thread neither sees nor leaves what others set there, and takes no value along that may not travel.
#[test]
fn contexts_of_calls_are_kept_apart() {
    static LOCAL: ContextVar<Rc<str>> = ContextVar::new("local");
    pollster::block_on(async {
        let pool = pool(1);
        V.set("caller");
        LOCAL.set("stays".into());
        let sets = || (V.set("job").old_value(), V.get());
        assert_eq!(run_in_executor(&pool, sets).await.unwrap(), (None, Some("job")));
        assert_eq!(run_in_executor(&pool, || V.get()).await.unwrap(), None);
        let call = to_thread(|| (V.set("there").old_value(), LOCAL.with(|local| local.is_some())));
        V.set("when first polled");
        assert_eq!(call.await.unwrap(), (Some("when first polled"), false));
        assert_eq!(V.get(), Some("when first polled"));
    });
}

#[test]
fn the_call_is_submitted_before_it_is_awaited() {
    let pool = pool(1);
    let (made, is_made) = channel();
    let call = run_in_executor(&pool, move || made.send(()).unwrap());
    is_made.recv_timeout(LONG).unwrap();
    pollster::block_on(call).unwrap();
}

#[test]
fn a_refusal_comes_with_the_await() {
    let pool = pool(1);
    pool.shutdown(false, false);
    let call = run_in_executor(&pool, || ());
    assert!(call.done() && !call.cancelled());
    assert!(matches!(pollster::block_on(call), Err(CallError::Rejected(RejectReason::ShutDown))));
}

#[test]
fn a_queued_call_hears_that_the_shutdown_cancelled_it() {
    let pool = pool(1);
    let (key, gate) = door();
    let (started, has_started) = channel();
    let running = run_in_executor(&pool, move || (started.send(()).unwrap(), gate.pass()));
    has_started.recv_timeout(LONG).unwrap();
    let queued = run_in_executor(&pool, || ());
    thread::scope(|scope| {
        let waits = scope.spawn(|| pollster::block_on(queued));
        pool.shutdown(false, true);
        assert!(waits.join().unwrap().unwrap_err().is_cancelled());
    });
    key.open();
    let _ = pollster::block_on(running);
}

#[test]
fn many_calls_from_many_threads() {
    let (threads, calls) = if cfg!(miri) { (2, 3) } else { (4, 1000) };
    let pool = pool(3);
    thread::scope(|scope| {
        for number in 0..threads {
            let pool = &pool;
            scope.spawn(move || {
                pollster::block_on(async {
                    for call in 0..calls {
                        assert_eq!(run_in_executor(pool, move || number + call).await.unwrap(), number + call);
                    }
                });
            });
        }
    });
    assert!(pool.threads() <= 3);
}
