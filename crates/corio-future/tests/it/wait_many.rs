//! `wait` and `as_completed`.

use corio_future::concurrent::{Future, Promise, ReturnWhen, Waited, as_completed, promise, wait};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

fn pairs<T>(count: usize) -> (Vec<Option<Promise<T>>>, Vec<Future<T>>) {
    (0..count).map(|_| promise()).map(|(promise, future)| (Some(promise), future)).unzip()
}

fn waited(done: &[usize], not_done: &[usize]) -> Waited {
    Waited { done: done.to_vec(), not_done: not_done.to_vec() }
}

const NOW: Option<Duration> = Some(Duration::ZERO);

#[test]
fn nothing_is_over_at_once() {
    let none: [Future<u32>; 0] = [];
    for when in [ReturnWhen::FirstCompleted, ReturnWhen::FirstException, ReturnWhen::AllCompleted] {
        assert_eq!(wait(&none, None, when), waited(&[], &[]));
    }
    assert!(as_completed(none, None).next().is_none());
}

#[test]
fn the_first_of_many_ends_the_wait() {
    let (mut promises, futures) = pairs::<u32>(3);
    assert_eq!(wait(&futures, NOW, ReturnWhen::FirstCompleted), waited(&[], &[0, 1, 2]));
    let promise = promises[1].take().unwrap();
    let setter = thread::spawn(move || promise.set_result(7).unwrap());
    assert_eq!(wait(&futures, None, ReturnWhen::FirstCompleted), waited(&[1], &[0, 2]));
    setter.join().unwrap();
    promises[0].take().unwrap().set_result(7).unwrap();
    assert_eq!(wait(&futures, None, ReturnWhen::FirstCompleted), waited(&[0, 1], &[2]));
}

#[test]
fn all_are_waited_for() {
    let (promises, futures) = pairs::<usize>(if cfg!(miri) { 5 } else { 100 });
    let setter = thread::spawn(move || {
        for (n, promise) in promises.into_iter().enumerate() {
            promise.unwrap().set_result(n).unwrap();
        }
    });
    let all: Vec<usize> = (0..futures.len()).collect();
    assert_eq!(wait(&futures, None, ReturnWhen::AllCompleted), waited(&all, &[]));
    setter.join().unwrap();
}

#[test]
fn an_exception_ends_the_wait_for_one() {
    type Failing = Promise<Result<u32, String>>;
    let fail: [fn(Failing); 3] = [
        |promise| promise.set_exception("boom".to_owned()).unwrap(),
        |promise| promise.set_panic(corio_future::Panic::new(Box::new("boom"))),
        drop,
    ];
    for fail in fail {
        let (mut promises, futures): (Vec<Option<Failing>>, _) = pairs(4);
        promises[0].take().unwrap().set_result(Ok(7)).unwrap();
        promises[1].take().unwrap().cancel(corio_future::Cancelled::new());
        assert_eq!(wait(&futures, NOW, ReturnWhen::FirstException), waited(&[0, 1], &[2, 3]), "neither is an error");
        let promise = promises[2].take().unwrap();
        let thread = thread::spawn(move || fail(promise));
        assert_eq!(wait(&futures, None, ReturnWhen::FirstException), waited(&[0, 1, 2], &[3]));
        thread.join().unwrap();
    }
}

#[test]
fn a_cancelled_one_is_over_when_the_work_was_told() {
    let (mut promises, futures) = pairs::<u32>(2);
    futures.iter().for_each(|future| assert!(future.cancel()));
    assert_eq!(wait(&futures, NOW, ReturnWhen::AllCompleted), waited(&[], &[0, 1]));
    assert!(!promises[0].as_ref().unwrap().set_running_or_notify_cancel());
    drop(promises[1].take());
    assert_eq!(wait(&futures, NOW, ReturnWhen::AllCompleted), waited(&[0, 1], &[]));
}

#[test]
fn one_that_is_cancelled_while_it_is_watched_arrives_when_the_work_was_told() {
    let (promise, future) = promise::<u32>();
    let canceller = future.share();
    let mut completed = as_completed([future], Some(Duration::from_millis(1)));
    assert!(canceller.cancel());
    assert!(!promise.set_running_or_notify_cancel());
    assert!(completed.next().unwrap().unwrap().cancelled());
    assert!(completed.next().is_none());
}

#[test]
fn duplicates_collapse() {
    let (promise, future) = promise::<u32>();
    let (_other, pending) = corio_future::concurrent::promise::<u32>();
    let futures = [future.share(), pending, future.share(), future];
    assert_eq!(wait(&futures, NOW, ReturnWhen::AllCompleted), waited(&[], &[0, 1]));
    promise.set_result(7).unwrap();
    assert_eq!(wait(&futures, NOW, ReturnWhen::AllCompleted), waited(&[0], &[1]));
    let mut completed = as_completed(futures, NOW);
    assert_eq!(completed.next().unwrap().unwrap().result(None).unwrap(), 7);
    assert_eq!(completed.next().unwrap().unwrap_err().to_string(), "1 (of 2) futures unfinished");
    assert!(completed.next().is_none());
}

#[test]
fn hazard_46_nothing_stays_behind() {
    let (_promises, futures) = pairs::<u32>(3);
    let counts = || futures.iter().map(|future| format!("{future:?}")).collect::<Vec<_>>();
    let before = counts();
    for _ in 0..if cfg!(miri) { 3 } else { 1_000 } {
        let _ = wait(&futures, NOW, ReturnWhen::FirstCompleted);
        drop(as_completed(futures.iter().map(Future::share), None));
        let mut timed_out = as_completed(futures.iter().map(Future::share), NOW);
        assert!(timed_out.next().unwrap().is_err());
    }
    assert_eq!(counts(), before);
}

#[test]
fn they_come_in_the_order_in_which_they_end() {
    let (mut promises, futures) = pairs::<usize>(4);
    promises[2].take().unwrap().set_result(2).unwrap();
    let completed = as_completed(futures, None);
    let setter = thread::spawn(move || {
        for n in [3, 0, 1] {
            promises[n].take().unwrap().set_result(n).unwrap();
        }
    });
    let order: Vec<usize> = completed.map(|future| future.unwrap().result(None).unwrap()).collect();
    assert_eq!(order, [2, 3, 0, 1]);
    setter.join().unwrap();
}

#[test]
fn a_value_is_free_when_its_future_was_yielded() {
    let (promise, future) = promise::<Arc<()>>();
    let value = Arc::new(());
    promise.set_result(value.clone()).unwrap();
    let (_keep, pending) = corio_future::concurrent::promise();
    let mut completed = as_completed([future, pending], NOW);
    drop(completed.next());
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn many_are_waited_for_in_linear_time() {
    let count = if cfg!(miri) { 20 } else { 20_000 };
    let (promises, futures) = pairs::<usize>(count);
    for (n, promise) in promises.into_iter().enumerate() {
        promise.unwrap().set_result(n).unwrap();
        if n % (count / 10) == 0 {
            assert_eq!(wait(&futures, None, ReturnWhen::FirstCompleted).done.len(), n + 1);
        }
    }
    assert_eq!(as_completed(futures, None).count(), count);
}

/// At least one turn comes, if only the one that says that time is over.
#[test]
fn how_many_turns_are_left_is_known_in_advance() {
    let (promises, futures): (Vec<_>, Vec<_>) = (0..3).map(|_| promise::<u8>()).unzip();
    let mut completed = as_completed(futures, NOW);
    assert_eq!(completed.size_hint(), (1, Some(3)));
    drop(promises.into_iter().next());
    assert!(completed.next().unwrap().is_ok());
    assert_eq!(completed.size_hint(), (1, Some(2)));
    while completed.next().is_some() {}
    assert_eq!(completed.size_hint(), (0, Some(0)));
}
