use crate::kit::{Log, Wait, both, poll};
use corio_generator::{AsyncGenerator, AsyncYielder, async_generator};
use std::future::pending;
use std::pin::pin;
use std::task::Poll;

/// Makes a generator's first step, in which it yields a 1.
fn started<B: Future<Output = ()> + 'static>(body: impl FnOnce(AsyncYielder<u8>) -> B) -> AsyncGenerator<u8> {
    let mut numbers = async_generator(body);
    assert_eq!(poll(numbers.next()), Poll::Ready(Some(1)));
    numbers
}

#[test]
fn without_a_catch_the_body_is_dropped() {
    let log = Log::default();
    let inner = log.clone();
    let mut numbers = started(async move |y| {
        let _held = inner.on_drop("dropped");
        y.yield_(1).await;
    });
    assert_eq!(poll(numbers.close()), Poll::Ready(()));
    assert_eq!(log.take(), ["dropped"]);
    assert_eq!(poll(numbers.next()), Poll::Ready(None));
}

#[test]
fn it_stops_at_the_innermost_catch_and_goes_on_by_resume() {
    let log = Log::default();
    let inner = log.clone();
    let mut numbers = started(async move |y| {
        let outer = async {
            let closed = y.catch_closed(y.yield_(1)).await.unwrap_err();
            Wait::default().await;
            inner.say("inner cleaned");
            closed.resume().await;
        };
        let closed = y.catch_closed(outer).await.unwrap_err();
        Wait::default().await;
        inner.say("outer cleaned");
        let _held = inner.on_drop("dropped");
        closed.resume().await;
    });
    assert_eq!(poll(numbers.close()), Poll::Pending);
    assert!(numbers.is_over());
    assert_eq!(poll(numbers.next()), Poll::Ready(None));
    assert_eq!(poll(numbers.close()), Poll::Pending);
    assert_eq!(log.take(), ["inner cleaned"]);
    assert_eq!(poll(numbers.close()), Poll::Ready(()));
    assert_eq!(log.take(), ["outer cleaned", "dropped"]);
}

#[test]
fn it_is_delivered_once() {
    let log = Log::default();
    let inner = log.clone();
    let mut numbers = started(async move |y| {
        let outer = async {
            assert!(y.catch_closed(y.yield_(1)).await.is_err());
            assert!(y.catch_closed(Wait::default()).await.is_ok(), "a catch in the cleanup is not for it");
            Wait::default().await;
            inner.say("inner cleaned");
        };
        assert!(y.catch_closed(outer).await.is_ok(), "the inner one took it");
        inner.say("ends");
    });
    pollster::block_on(numbers.close());
    assert_eq!(log.take(), ["inner cleaned", "ends"]);
}

#[test]
fn it_reaches_a_body_that_does_not_stand_at_a_yield() {
    let log = Log::default();
    let inner = log.clone();
    let mut numbers = async_generator(async move |y| {
        let caught = y.catch_closed(pending::<()>()).await;
        inner.say(if caught.is_err() { "caught" } else { "went on" });
        if caught.is_ok() {
            y.yield_(1).await;
        }
    });
    assert!(poll(numbers.next()).is_pending());
    assert_eq!(poll(numbers.close()), Poll::Ready(()));
    assert_eq!(log.take(), ["caught"]);
}

#[test]
fn it_reaches_both_of_two_catches_side_by_side() {
    let log = Log::default();
    let inner = log.clone();
    let mut numbers = started(async move |y| {
        let left = async {
            assert!(y.catch_closed(y.yield_(1)).await.is_err());
            inner.say("left");
        };
        let right = async {
            assert!(y.catch_closed(pending::<()>()).await.is_err());
            inner.say("right");
        };
        both(left, right).await;
        inner.say("ends");
    });
    assert_eq!(poll(numbers.close()), Poll::Ready(()));
    assert_eq!(log.take(), ["left", "right", "ends"]);
}

#[test]
fn a_yield_beside_the_catch_hangs_nobody() {
    let mut numbers = started(async move |y| {
        let left = async {
            assert!(y.catch_closed(pending::<()>()).await.is_err());
            pending::<()>().await; // A cleanup that would never end.
        };
        both(left, y.yield_(1)).await;
    });
    assert_eq!(poll(numbers.close()), Poll::Ready(()));
}

#[test]
fn a_catch_dropped_before_it_heard_hands_it_on() {
    let log = Log::default();
    let inner = log.clone();
    let mut numbers = started(async move |y| {
        let outer = async {
            let mut catch = Some(Box::pin(y.catch_closed(y.yield_(1))));
            let mut polls = 0;
            // Drops the catch at the second poll, unpolled, and goes on waiting.
            std::future::poll_fn(|cx| {
                polls += 1;
                if polls > 1 {
                    catch = None;
                }
                catch.as_mut().map_or(Poll::Pending, |catch| catch.as_mut().poll(cx).map(drop))
            })
            .await;
        };
        let caught = y.catch_closed(outer).await;
        inner.say(if caught.is_err() { "caught" } else { "lost" });
    });
    assert_eq!(poll(numbers.close()), Poll::Ready(()));
    assert_eq!(log.take(), ["caught"]);
}

#[test]
fn a_body_whose_work_ends_does_not_hear_of_it() {
    let log = Log::default();
    let inner = log.clone();
    let mut numbers = started(async move |y| {
        let worked = y.catch_closed(async { y.yield_(1).await }).await;
        inner.say(if worked.is_ok() { "worked" } else { "closed" });
    });
    assert_eq!(poll(numbers.next()), Poll::Ready(None));
    assert_eq!(log.take(), ["worked"]);
    assert_eq!(poll(numbers.close()), Poll::Ready(()));
}

#[test]
fn what_was_in_a_catch_is_gone_when_it_has_ended() {
    let log = Log::default();
    let inner = log.clone();
    let mut numbers = started(async move |y| {
        let mut caught = pin!(y.catch_closed(async {
            let _held = inner.on_drop("dropped");
            y.yield_(1).await;
        }));
        assert!(caught.as_mut().await.is_err());
        inner.say("caught");
    });
    assert_eq!(poll(numbers.close()), Poll::Ready(()));
    assert_eq!(log.take(), ["dropped", "caught"]);
}
