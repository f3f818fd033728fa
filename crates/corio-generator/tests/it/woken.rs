use crate::kit::{Log, poll, when_woken};
use corio_generator::{async_generator, generator};
use std::task::Poll;

#[test]
fn a_yield_in_a_combinator_is_woken_by_what_is_sent() {
    let mut total = generator(async |y| {
        when_woken(async {
            let mut sum = 0;
            loop {
                sum += y.yield_(sum).await;
            }
        })
        .await
    });
    assert_eq!(total.start(), Some(0));
    assert_eq!(total.send(2), Some(2));
    assert_eq!(total.send(3), Some(5));
    let mut numbers = async_generator(async |y| {
        when_woken(async {
            y.yield_(1).await;
            y.yield_(2).await;
        })
        .await;
    });
    pollster::block_on(async {
        assert_eq!(numbers.next().await, Some(1));
        assert_eq!(numbers.next().await, Some(2));
        assert_eq!(numbers.next().await, None);
    });
}

#[test]
fn a_catch_in_a_combinator_is_woken_by_a_closing() {
    let log = Log::default();
    let inner = log.clone();
    let mut numbers = async_generator(async move |y| {
        when_woken(async {
            assert!(y.catch_closed(y.yield_(1)).await.is_err());
            inner.say("caught");
        })
        .await;
    });
    assert_eq!(poll(numbers.next()), Poll::Ready(Some(1)));
    assert_eq!(poll(numbers.close()), Poll::Ready(()));
    assert_eq!(log.take(), ["caught"]);
}
