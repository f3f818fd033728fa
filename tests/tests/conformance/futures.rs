//! Cells: states, done callbacks, errors nobody reads.

use crate::harness::conforms;
use crate::python::{self, ValueError};
use corio::{
    Future, FutureError, InvalidState, LoopHandle, ReturnWhen, catch_cancelled, create_task, current_task, promise,
    wait, yield_now,
};
use std::fmt::Display;

type Failing = Result<i32, ValueError>;

#[test]
fn c08_future_states() {
    fn attempt(label: &str, outcome: Result<impl Display, InvalidState>) {
        match outcome {
            Ok(value) => say!("{label} -> {value}"),
            Err(InvalidState::Ended(FutureError::Cancelled(_))) => say!("{label} -> Cancelled"),
            Err(_) => say!("{label} -> InvalidState"),
        }
    }
    fn result(future: &Future<Failing>) -> Result<String, InvalidState> {
        Ok(match &*future.result()? {
            Ok(value) => value.to_string(),
            Err(error) => format!("ValueError {error}"),
        })
    }
    fn exception(future: &Future<Failing>) -> Result<String, InvalidState> {
        Ok(future.exception()?.map_or("None".to_owned(), |error| format!("{error:?}")))
    }
    conforms("08_future_states", async {
        let (set_f, f) = promise::<Failing>();
        say!("pending {} {}", f.done(), f.cancelled());
        attempt("result", result(&f));
        attempt("exception", exception(&f));
        set_f.set_result(Ok(1)).unwrap();
        say!("finished {} {}", f.done(), f.cancelled());
        attempt("result", result(&f));
        attempt("exception", exception(&f));
        attempt("cancel", Ok(f.cancel()));

        let (set_g, g) = promise::<Failing>();
        set_g.set_exception(ValueError("boom")).unwrap();
        attempt("result", result(&g));
        say!("exception -> {:?}", *g.exception().unwrap().unwrap());

        let (set_h, h) = promise::<Failing>();
        attempt("cancel", Ok(h.cancel()));
        attempt("cancel again", Ok(h.cancel()));
        say!("cancelled {} {}", h.done(), h.cancelled());
        attempt("result", result(&h));
        attempt("exception", exception(&h));
        if set_h.set_result(Ok(3)).is_err() {
            say!("set_result -> InvalidState"); // And the value is given back.
        }
    });
}

#[test]
fn c09_future_callbacks() {
    conforms("09_future_callbacks", async {
        let (set, future) = promise();
        let b = |future: &Future<i32>| say!("b {}", future.result().unwrap());
        let dup = |_: &Future<i32>| say!("dup must not run");
        future.add_done_callback(|future| {
            say!("a {}", future.result().unwrap());
            future.add_done_callback(|future| say!("c late {}", future.result().unwrap()));
        });
        let dup_1 = future.add_done_callback(dup);
        let b_1 = future.add_done_callback(b);
        let dup_2 = future.add_done_callback(dup);
        let b_2 = future.add_done_callback(b);
        // Python removes every copy of a function, and counts them; a key names one.
        let remove = |keys: [_; 2]| keys.into_iter().filter(|&key| future.remove_done_callback(key)).count();
        say!("removed {} {}", remove([dup_1, dup_2]), remove([dup_1, dup_2]));
        set.set_result(7).unwrap();
        say!("set, nothing ran yet");
        yield_now().await;
        say!("tick 1");
        yield_now().await;
        say!("tick 2");
        say!("removed after done {}", remove([b_1, b_2]));
    });
}

#[test]
fn c10_never_retrieved() {
    fn failed(text: &'static str) -> Future<Failing> {
        let (set, future) = promise();
        set.set_exception(ValueError(text)).unwrap();
        future
    }
    async fn boom(text: &'static str) -> Failing {
        Err(ValueError(text))
    }
    conforms("10_never_retrieved", async {
        LoopHandle::current().set_exception_handler(|report| {
            say!("handler: {} | {}", python::message(&report), python::exception(&report));
        });
        drop(failed("f unread"));
        let f = failed("f read");
        assert!(f.exception().unwrap().is_some());
        drop(f);
        // An `Err` is a value here; that it must not get lost is said.
        let t = create_task(boom("t unread")).reported();
        yield_now().await;
        drop(t);
        let t = create_task(boom("t awaited")).reported();
        if let Err(error) = t.await.unwrap() {
            say!("caught {error}");
        }
        let f = failed("f cancelled after");
        say!("cancel -> {}", f.cancel());
        drop(f);
        say!("end");
    });
}

#[test]
fn x10_shared_future() {
    async fn waiter(name: char, future: Future<&'static str>) {
        match catch_cancelled(future).await {
            Ok(Ok(value)) => say!("waiter {name} got {value}"),
            // The other awaiter's request: a value to this one, whose own count is none.
            Err(_) | Ok(Err(FutureError::Cancelled(_))) => {
                say!("waiter {name} cancelled {}", current_task().unwrap().cancelling());
            }
            Ok(Err(error)) => panic!("{error}"),
        }
    }
    conforms("x10_shared_future", async {
        let (set, future) = promise();
        let a = create_task(waiter('a', future.share()));
        yield_now().await;
        future.add_done_callback(|future| say!("callback 1 {}", future.cancelled()));
        let b = create_task(waiter('b', future.share()));
        yield_now().await;
        future.add_done_callback(|future| say!("callback 2 {}", future.cancelled()));
        set.set_result("value").unwrap();
        wait(&mut vec![a, b], ReturnWhen::AllCompleted, None).await.unwrap();

        let (_set, future) = promise();
        let [a, b] = ['a', 'b'].map(|name| create_task(waiter(name, future.share())));
        future.add_done_callback(|future| say!("callback 3 {}", future.cancelled()));
        yield_now().await;
        a.cancel();
        say!("future {}", future.cancelled());
        let done = wait(&mut vec![a, b], ReturnWhen::AllCompleted, None).await.unwrap();
        let [a, b] = &done[..] else { panic!("two are done") };
        say!("{} {} | requests {} {}", a.cancelled(), b.cancelled(), a.cancelling(), b.cancelling());
    });
}
