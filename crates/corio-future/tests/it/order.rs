//! Who is told when.

use crate::ledger::{Log, poll_with};
use crate::toy_loop::{Toy, run, yield_now};
use corio_future::promise;

#[test]
fn wakers_and_callbacks_are_one_list() {
    let toy = Toy::new();
    let log = Log::default();
    toy.enter(|| {
        let (promise, future) = promise::<u32>();
        let mut ends = [future.share(), future.share(), future.share()];
        let wakers = ["waker 0", "waker 1", "waker 2"].map(|name| log.waker(name).0);
        for (n, end) in ends.iter_mut().enumerate() {
            assert!(poll_with(end, &wakers[n]).is_pending());
            let log = log.clone();
            future.add_done_callback(move |_| log.say(format!("callback {n}")));
        }
        promise.set_result(7).unwrap();
        assert_eq!(log.lines(), ["waker 0", "waker 1", "waker 2"]);
    });
    assert!(toy.run_batch());
    assert_eq!(log.lines(), ["callback 0", "callback 1", "callback 2"]);
    toy.close();
}

#[test]
fn under_a_loop_awaiters_and_callbacks_run_in_the_order_in_which_they_asked() {
    let log = Log::default();
    let said = log.clone();
    run(async move {
        let (promise, future) = promise::<u32>();
        for name in ["a", "b"] {
            let (end, says) = (future.share(), said.clone());
            crate::toy_loop::toy()
                .unwrap()
                .spawn(async move { says.say(format!("task {name} {}", end.await.unwrap())) });
            yield_now().await;
            let says = said.clone();
            future.add_done_callback(move |_| says.say(format!("callback {name}")));
        }
        promise.set_result(7).unwrap();
        said.say("set");
        yield_now().await;
        said.say("tick");
    });
    assert_eq!(log.lines(), ["set", "task a 7", "callback a", "task b 7", "callback b", "tick"]);
}

#[test]
fn each_callback_is_one_entry_and_a_late_one_waits_for_the_next_turn() {
    let toy = Toy::new();
    let log = Log::default();
    let (promise, future) = promise::<u32>();
    toy.enter(|| {
        let says = log.clone();
        future.add_done_callback(move |future| {
            says.say("early");
            future.add_done_callback(move |_| says.say("late"));
        });
        promise.set_result(7).unwrap();
    });
    assert!(log.lines().is_empty());
    toy.run_batch();
    assert_eq!(log.lines(), ["early"]);
    toy.run_batch();
    assert_eq!(log.lines(), ["late"]);
    assert!(!toy.run_batch());
    toy.close();
}

#[test]
fn without_a_loop_the_outermost_call_drains_and_nothing_nests() {
    let log = Log::default();
    let (first, one) = promise::<u32>();
    let (second, two) = promise::<u32>();
    let says = log.clone();
    two.add_done_callback(move |_| says.say("two"));
    let says = log.clone();
    one.add_done_callback(move |_| {
        says.say("one begins");
        second.set_result(2).unwrap();
        says.say("one ends");
    });
    let says = log.clone();
    one.add_done_callback(move |one| {
        says.say("one again");
        let late = says.clone();
        one.add_done_callback(move |_| late.say("late"));
        says.say("still not late");
    });
    first.set_result(1).unwrap();
    assert_eq!(log.lines(), ["one begins", "one ends", "one again", "still not late", "two", "late"]);
    assert!(two.done());
}

#[test]
fn cancel_and_a_broken_promise_drain_as_well() {
    let log = Log::default();
    let (promise, future) = promise::<u32>();
    let says = log.clone();
    future.add_done_callback(move |future| says.say(future.cancelled()));
    future.cancel();
    assert_eq!(log.lines(), ["true"]);
    drop(promise);

    let (promise, future) = corio_future::promise::<u32>();
    let says = log.clone();
    future.add_done_callback(move |future| says.say(future.cancelled()));
    drop(promise);
    assert_eq!(log.lines(), ["false"]);
}

#[test]
fn a_closing_loop_drops_callbacks_uncalled() {
    struct Noisy(Log);
    impl Drop for Noisy {
        fn drop(&mut self) {
            self.0.say("dropped");
        }
    }
    struct SetAtDrop(Option<corio_future::Promise<u32>>);
    impl Drop for SetAtDrop {
        fn drop(&mut self) {
            self.0.take().unwrap().set_result(7).unwrap();
        }
    }
    let log = Log::default();
    let toy = Toy::new();
    let (promise, future) = promise::<u32>();
    let noisy = Noisy(log.clone());
    future.add_done_callback(move |_| noisy.0.say("called"));
    let keeper = SetAtDrop(Some(promise));
    toy.spawn(async move {
        let _keeper = keeper;
        std::future::pending::<()>().await;
    });
    toy.run_batch();
    toy.close();
    assert_eq!(log.lines(), ["dropped"]);
    assert_eq!(*future.result().unwrap(), 7);
}

#[test]
fn hazard_23_a_closing_loop_drops_a_long_chain_without_depth() {
    let links = if cfg!(miri) { 50 } else { 1_000_000 };
    let toy = Toy::new();
    let (first, mut last) = promise::<u32>();
    for _ in 0..links {
        let (next, future) = promise::<u32>();
        last.add_done_callback(move |_| _ = next.set_result(7));
        last = future;
    }
    toy.spawn(async move {
        let _first = first;
        std::future::pending::<()>().await;
    });
    toy.run_batch();
    toy.close();
    assert_eq!(pollster::block_on(last), Err(corio_future::FutureError::BrokenPromise));
}

#[test]
fn without_a_loop_a_late_callback_runs_before_it_is_added() {
    let (promise, future) = promise::<u32>();
    let log = Log::default();
    promise.set_result(7).unwrap();
    let (says, inner) = (log.clone(), log.clone());
    future.add_done_callback(move |future| {
        future.add_done_callback(move |_| inner.say("added inside"));
        says.say("late");
    });
    assert_eq!(log.lines(), ["late", "added inside"]);
}
