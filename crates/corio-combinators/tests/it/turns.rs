use crate::kit::{World, ms, run, sleep, yield_now};
use corio_combinators::{AsCompleted, Failure, NextCompleted, as_completed};
use corio_future::{Promise, promise};
use corio_task::create_task;
use futures_core::Stream;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// One who waits, and counts how often it was woken.
#[derive(Default)]
struct Waiter(AtomicUsize);

impl Wake for Waiter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Waiter {
    fn new() -> Arc<Waiter> {
        Arc::default()
    }

    fn poll<F: Future + Unpin>(self: &Arc<Self>, future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(&Waker::from(Arc::clone(self))))
    }

    fn woken(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Cells, whose callbacks are called at once, for no loop runs here.
fn cells<const N: usize>() -> ([Promise<u32>; N], AsCompleted<Result<u32, corio_future::FutureError>>) {
    let mut cells = Vec::new();
    let promises = [(); N].map(|()| {
        let (promise, cell) = promise();
        cells.push(cell);
        promise
    });
    (promises, as_completed(cells))
}

type Turn = NextCompleted<Result<u32, corio_future::FutureError>>;

fn turns<const N: usize>() -> ([Promise<u32>; N], [Turn; N]) {
    let (promises, results) = cells();
    let turns: Vec<_> = results.into_iter().collect();
    (promises, turns.try_into().unwrap())
}

fn value(polled: Poll<Result<u32, Failure>>) -> Option<u32> {
    match polled {
        Poll::Ready(result) => Some(result.unwrap()),
        Poll::Pending => None,
    }
}

#[test]
fn results_go_to_those_who_wait_in_the_order_in_which_they_came() {
    let ([one, two, three], [mut first, mut second, mut third]) = turns();
    let waiters = [Waiter::new(), Waiter::new(), Waiter::new()];
    let woken = || waiters.each_ref().map(|waiter| waiter.woken());
    assert!(waiters[0].poll(&mut first).is_pending());
    assert!(waiters[1].poll(&mut second).is_pending());
    assert!(waiters[2].poll(&mut third).is_pending());
    assert!(waiters[1].poll(&mut second).is_pending()); // It keeps its place.
    three.set_result(3).unwrap();
    assert_eq!(woken(), [1, 0, 0]);
    assert_eq!(value(waiters[0].poll(&mut first)), Some(3));
    one.set_result(1).unwrap();
    assert_eq!(woken(), [1, 1, 0]);
    two.set_result(2).unwrap();
    assert_eq!(woken(), [1, 1, 1]);
    assert_eq!(value(waiters[2].poll(&mut third)), Some(1));
    assert_eq!(value(waiters[1].poll(&mut second)), Some(2));
}

#[test]
fn one_that_is_polled_by_another_is_woken_by_that_one_alone() {
    let ([one], [mut turn]) = turns();
    let (old, new) = (Waiter::new(), Waiter::new());
    assert!(old.poll(&mut turn).is_pending());
    assert!(new.poll(&mut turn).is_pending());
    one.set_result(1).unwrap();
    assert_eq!((old.woken(), new.woken()), (0, 1));
}

#[test]
fn one_who_takes_anothers_result_leaves_no_wish_behind() {
    let ([one, two], [mut first, mut second]) = turns();
    let (patient, hasty) = (Waiter::new(), Waiter::new());
    assert!(patient.poll(&mut first).is_pending());
    assert!(hasty.poll(&mut second).is_pending());
    one.set_result(1).unwrap();
    assert_eq!((patient.woken(), hasty.woken()), (1, 0));
    assert_eq!(value(hasty.poll(&mut second)), Some(1)); // It is polled for another reason, and is first.
    assert!(patient.poll(&mut first).is_pending());
    two.set_result(2).unwrap();
    assert_eq!((patient.woken(), hasty.woken()), (2, 0));
    assert_eq!(value(patient.poll(&mut first)), Some(2));
}

#[test]
fn a_turn_that_is_dropped_while_it_waits_is_not_woken() {
    let ([one, _two], [mut first, mut second]) = turns();
    let (leaves, stays) = (Waiter::new(), Waiter::new());
    assert!(leaves.poll(&mut first).is_pending());
    assert!(stays.poll(&mut second).is_pending());
    drop(first);
    one.set_result(1).unwrap();
    assert_eq!((leaves.woken(), stays.woken()), (0, 1));
}

#[test]
fn a_stream_that_was_asked_and_is_iterated_then_wakes_whoever_waits_then() {
    let ([one, two], mut results) = cells();
    let (asked, waits) = (Waiter::new(), Waiter::new());
    assert!(asked.poll(&mut Box::pin(results.next())).is_pending());
    let mut turns = results.into_iter();
    assert_eq!(turns.len(), 2);
    let mut turn = turns.next().unwrap();
    assert_eq!((turns.len(), turns.size_hint()), (1, (1, Some(1))));
    assert!(waits.poll(&mut turn).is_pending());
    one.set_result(1).unwrap();
    assert_eq!((asked.woken(), waits.woken()), (0, 1));
    assert_eq!(value(waits.poll(&mut turn)), Some(1));
    drop(two);
    assert!(matches!(waits.poll(&mut turns.next().unwrap()), Poll::Ready(Err(Failure::Failed(_)))));
    assert!(turns.next().is_none());
}

#[test]
fn a_stream_says_how_many_are_left() {
    run(async {
        let mut results = as_completed([10, 20, 30].map(|n| create_task(sleep(ms(n)))));
        for left in (0..3).rev() {
            assert!(!results.is_empty());
            assert!(results.next().await.unwrap().is_ok());
            assert_eq!((results.len(), results.size_hint()), (left, (left, Some(left))));
        }
        assert!(results.is_empty());
        let mut numbered = as_completed([create_task(sleep(ms(1)))]).indexed();
        assert_eq!(numbered.size_hint(), (1, Some(1)));
        assert_eq!(format!("{numbered:?}"), "IndexedCompleted { results: AsCompleted { left: 1, .. } }");
        assert!(std::future::poll_fn(|cx| Pin::new(&mut numbered).poll_next(cx)).await.is_some());
        assert_eq!(numbered.size_hint(), (0, Some(0)));
    });
}

#[test]
fn a_limit_for_nothing_arms_nothing() {
    let world = World::new();
    let timer = Rc::clone(&world.timer);
    let main = async move {
        let mut none = as_completed(Vec::<std::future::Ready<u32>>::new()).within(ms(10));
        assert_eq!(timer.armed(), 0);
        assert!(none.is_empty() && none.next().await.is_none());
        let _one = as_completed([yield_now()]).within(ms(10));
        assert_eq!(timer.armed(), 1);
    };
    world.run(main).unwrap();
}
