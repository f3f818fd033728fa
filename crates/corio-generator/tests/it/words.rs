use crate::kit::{Wait, poll};
use corio_generator::{AsyncYielder, Yielder, async_generator, generator};
use std::cell::Cell;
use std::rc::Rc;
use std::task::Poll;

#[test]
fn a_generator_says_how_far_it_is() {
    let mut numbers = generator(async |y: Yielder<u8>| y.yield_(1).await);
    assert_eq!(format!("{numbers:?}"), "Generator { started: false, is_over: false }");
    numbers.next();
    assert_eq!(format!("{numbers:?}"), "Generator { started: true, is_over: false }");
    numbers.next();
    assert_eq!(format!("{numbers:?}"), "Generator { started: true, is_over: true }");
}

#[test]
fn an_async_one_too_and_its_step() {
    let mut numbers = async_generator(async |y: AsyncYielder<u8>| {
        y.yield_(1).await;
        Wait::default().await;
    });
    assert_eq!(format!("{numbers:?}"), "AsyncGenerator { phase: Fresh }");
    assert_eq!(poll(numbers.next()), Poll::Ready(Some(1)));
    assert_eq!(format!("{:?}", numbers.next()), "Step { generator: AsyncGenerator { phase: Started }, .. }");
    assert_eq!(poll(numbers.close()), Poll::Ready(()));
    assert_eq!(format!("{numbers:?}"), "AsyncGenerator { phase: Over }");
}

#[test]
fn what_a_body_holds_shows_nothing_of_the_values() {
    let words = Rc::new(Cell::new(String::new()));
    let inner = Rc::clone(&words);
    let mut values = generator(async move |y: Yielder<u8>| {
        inner.set(format!("{y:?} {:?}", y.yield_(1)));
    });
    values.next();
    assert_eq!(words.take(), "Yielder { .. } Yield { waits: false }");

    let inner = Rc::clone(&words);
    let mut values = async_generator(async move |y: AsyncYielder<u8>| {
        let first = y.catch_closed(async {
            inner.set(format!("{y:?}"));
            y.yield_(1).await;
        });
        assert_eq!(format!("{first:?}"), "CatchClosed { ended: false, .. }");
        let closed = first.await.unwrap_err();
        inner.set(format!("{} {closed:?}: {closed}", inner.take()));
    });
    assert_eq!(poll(values.next()), Poll::Ready(Some(1)));
    assert_eq!(poll(values.close()), Poll::Ready(()));
    assert_eq!(words.take(), "AsyncYielder { .. } Closed { .. }: the generator is being closed");
}
