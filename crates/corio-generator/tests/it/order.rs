use crate::kit::{Log, Wait, poll};
use corio_generator::{AsyncGenerator, Generator, async_generator, generator};
use futures_core::Stream;
use futures_core::stream::FusedStream;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

#[test]
fn nothing_runs_before_the_first_step_nor_between_steps() {
    let log = Log::default();
    let mut letters = generator(async |y| {
        log.say("begins");
        y.yield_('a').await;
        log.say("goes on");
        y.yield_('b').await;
        log.say("ends");
    });
    assert!(log.take().is_empty());
    assert_eq!(letters.next(), Some('a'));
    assert_eq!(log.take(), ["begins"]);
    assert_eq!(letters.next(), Some('b'));
    assert_eq!(log.take(), ["goes on"]);
    assert_eq!(letters.next(), None);
    assert_eq!(log.take(), ["ends"]);
    assert_eq!(letters.next(), None);
}

#[test]
fn generator_send() {
    // A generator that hands out a, b, c; one that adds what is sent in; a countdown in a `for`.
    let letters = generator(|y| async move {
        for letter in ["a", "b", "c"] {
            y.yield_(letter).await;
        }
    });
    assert_eq!(letters.collect::<Vec<_>>(), ["a", "b", "c"]);
    let mut total = generator(async |y| {
        let mut sum = 5;
        loop {
            sum += y.yield_(sum).await;
        }
    });
    assert_eq!((total.start(), total.send(3), total.send(7)), (Some(5), Some(8), Some(15)));
    let countdown = |n: u32| generator(async move |y| y.yield_all((1..=n).rev()).await);
    let mut seen = Vec::new();
    for n in countdown(3) {
        seen.push(n);
    }
    assert_eq!(seen, [3, 2, 1]);
}

#[test]
fn what_is_sent_comes_out_of_the_yield_that_waits() {
    let mut echo = generator(async |y| {
        let first: String = y.yield_(0).await;
        let second = y.yield_(first.len()).await;
        y.yield_(second.len()).await
    });
    assert_eq!(echo.start(), Some(0));
    assert_eq!(echo.send("four".into()), Some(4));
    assert_eq!(echo.send(String::new()), Some(0));
    assert_eq!(echo.take_result(), None);
    assert_eq!(echo.send("last".into()), None);
    assert_eq!(echo.take_result().as_deref(), Some("last"));
    assert_eq!(echo.take_result(), None);
    assert_eq!(echo.send("too late".into()), None);
}

#[test]
fn a_generator_that_yields_nothing_still_returns() {
    let mut none: Generator<'_, u8, u8, &str> = generator(async |_| "result");
    assert_eq!(none.start(), None);
    assert_eq!(none.take_result(), Some("result"));
    assert_eq!(none.start(), None);
}

/// The values of a tree, in order: a generator that delegates to two of its kind.
fn walk(from: u32, to: u32) -> Generator<'static, u32, u32, u32> {
    generator(move |y| async move {
        if from == to {
            return 0;
        }
        let middle = from + (to - from) / 2;
        let left = Box::pin(y.yield_from(walk(from, middle))).await;
        let sent = y.yield_(middle).await;
        left + sent + Box::pin(y.yield_from(walk(middle + 1, to))).await
    })
}

#[test]
fn delegation_passes_values_both_ways_at_any_depth() {
    let mut tree = walk(0, 32);
    let mut next = tree.start();
    for n in 0..32 {
        assert_eq!(next, Some(n));
        next = tree.send(n);
    }
    assert_eq!(next, None);
    assert_eq!(tree.take_result(), Some(496));
}

#[test]
fn generators_nest() {
    let pairs = generator(async |y| {
        for a in generator(async |y| y.yield_all(0..3).await) {
            for b in generator(async |y| y.yield_all(0..a).await) {
                y.yield_((a, b)).await;
            }
        }
    });
    assert_eq!(pairs.collect::<Vec<_>>(), [(1, 0), (2, 0), (2, 1)]);
}

#[test]
fn a_stream_is_pulled_and_fused() {
    let log = Log::default();
    let inner = log.clone();
    let mut numbers = async_generator(async move |y| {
        inner.say("begins");
        Wait::default().await;
        y.yield_(1).await;
        inner.say("ends");
    });
    let mut cx = Context::from_waker(Waker::noop());
    let mut next = || (Pin::new(&mut numbers).poll_next(&mut cx), numbers.is_terminated());
    assert!(log.take().is_empty());
    assert_eq!(next(), (Poll::Pending, false));
    assert_eq!(log.take(), ["begins"]);
    assert_eq!(next(), (Poll::Ready(Some(1)), false));
    assert!(log.take().is_empty());
    assert_eq!(next(), (Poll::Ready(None), true));
    assert_eq!(log.take(), ["ends"]);
    assert_eq!(next(), (Poll::Ready(None), true));
}

#[test]
fn a_step_that_is_dropped_half_way_is_gone_on_with() {
    let mut total = async_generator(async |y| {
        let mut sum = 0;
        loop {
            let sent = y.yield_(sum).await;
            Wait::default().await;
            sum += sent;
        }
    });
    assert_eq!(poll(total.start()), Poll::Ready(Some(0)));
    drop(total.send(100)); // Unpolled: nothing is sent.
    assert_eq!(poll(total.send(1)), Poll::Pending);
    assert_eq!(poll(total.start()), Poll::Ready(Some(1)));
    assert_eq!(pollster::block_on(total.send(2)), Some(3));
}

#[test]
fn an_async_generator_inside_another_may_yield_for_it() {
    let numbers: AsyncGenerator<u32> = async_generator(async |outer| {
        let outer = &std::rc::Rc::new(outer);
        let yielder = std::rc::Rc::clone(outer);
        let mut inner = async_generator(async move |y| {
            yielder.yield_(1).await;
            y.yield_(2).await;
        });
        while let Some(n) = inner.next().await {
            outer.yield_(n).await;
        }
    });
    let mut numbers = numbers;
    pollster::block_on(async {
        assert_eq!(numbers.next().await, Some(1));
        assert_eq!(numbers.next().await, Some(2));
        assert_eq!(numbers.next().await, None);
    });
}
