use crate::kit::{Log, Wait, poll};
use corio_generator::{async_generator, generator};
use std::rc::Rc;
use std::task::Poll;

#[test]
fn a_dropped_generator_drops_its_body_from_the_inside_out() {
    let log = Log::default();
    let mut numbers = generator(async |y| {
        let _outer = log.on_drop("outer");
        let inner = generator(async |y| {
            let _inner = log.on_drop("inner");
            y.yield_(1).await;
        });
        y.yield_from(inner).await;
    });
    assert_eq!(numbers.next(), Some(1));
    drop(numbers);
    assert_eq!(log.take(), ["inner", "outer"]);
}

#[test]
fn one_that_never_started_drops_what_it_holds() {
    let held = Rc::new(());
    let inner = Rc::clone(&held);
    let mut numbers = generator(async move |y| y.yield_(inner).await);
    numbers.close();
    assert!(numbers.next().is_none());
    let inner = Rc::clone(&held);
    let mut numbers = async_generator(async move |y| y.yield_(inner).await);
    assert_eq!(Rc::strong_count(&held), 2);
    assert!(poll(numbers.close()).is_ready());
    assert_eq!(Rc::strong_count(&held), 1);
    assert_eq!(poll(numbers.next()), Poll::Ready(None));
}

#[test]
fn a_yield_that_is_dropped_in_its_own_step_takes_its_value_back() {
    let held = Rc::new(1);
    let inner = Rc::clone(&held);
    let mut numbers = generator(async move |y| {
        assert!(poll_here(y.yield_(Rc::clone(&inner))).await.is_pending());
        y.yield_(Rc::new(2)).await;
    });
    assert_eq!(numbers.next().as_deref(), Some(&2));
    drop(numbers);
    assert_eq!(Rc::strong_count(&held), 1);
}

/// Polls once, with the waker of whoever polls, and drops.
async fn poll_here<F: Future>(future: F) -> Poll<F::Output> {
    let mut future = Box::pin(future);
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

#[test]
fn what_is_sent_for_a_yield_that_is_dropped_is_dropped() {
    let held = Rc::new(());
    let mut numbers = async_generator(async |y| {
        // A race that the yield loses after its value is out.
        let (mut first, mut waited) = (Box::pin(y.yield_(1)), Box::pin(Wait::default()));
        std::future::poll_fn(|cx| {
            let won = waited.as_mut().poll(cx);
            if won.is_pending() {
                assert!(first.as_mut().poll(cx).is_pending());
            }
            won
        })
        .await;
        drop(first);
        let _: Rc<()> = y.yield_(2).await;
    });
    assert_eq!(poll(numbers.start()), Poll::Ready(Some(1)));
    assert_eq!(poll(numbers.send(Rc::clone(&held))), Poll::Ready(Some(2)));
    assert_eq!(Rc::strong_count(&held), 1);
    assert_eq!(poll(numbers.send(Rc::clone(&held))), Poll::Ready(None));
    assert_eq!(Rc::strong_count(&held), 1);
}
