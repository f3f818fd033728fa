use crate::kit::{Log, panics, poll};
use corio_generator::{async_generator, generator};
use std::task::Poll;

#[test]
fn a_panic_of_the_body_goes_through_and_ends_it() {
    let log = Log::default();
    let mut numbers = generator(async |y| {
        let _held = log.on_drop("dropped");
        y.yield_(1).await;
        panic!("the body's own");
    });
    assert_eq!(numbers.next(), Some(1));
    assert_eq!(panics(|| numbers.next()), "the body's own");
    assert_eq!(log.take(), ["dropped"]);
    assert!(numbers.is_over());
    assert_eq!(numbers.next(), None);

    let inner = log.clone();
    let mut numbers = async_generator(async move |y| {
        let _held = inner.on_drop("dropped");
        y.yield_(1).await;
        panic!("the body's own");
    });
    assert_eq!(poll(numbers.next()), Poll::Ready(Some(1)));
    assert_eq!(panics(|| poll(numbers.next())), "the body's own");
    assert_eq!(log.take(), ["dropped"]);
    assert_eq!(poll(numbers.next()), Poll::Ready(None));
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a destructor's own");
    }
}

#[test]
fn a_panic_of_a_destructor_goes_through_the_close_and_ends_it() {
    let mut numbers = generator(async |y| {
        let _bomb = Bomb;
        y.yield_(1).await;
    });
    assert_eq!(numbers.next(), Some(1));
    assert_eq!(panics(|| numbers.close()), "a destructor's own");
    assert_eq!(numbers.next(), None);

    let mut numbers = async_generator(async |y| {
        let _bomb = Bomb;
        y.yield_(1).await;
    });
    assert_eq!(poll(numbers.next()), Poll::Ready(Some(1)));
    assert_eq!(panics(|| poll(numbers.close())), "a destructor's own");
    assert_eq!(poll(numbers.next()), Poll::Ready(None));
    assert_eq!(poll(numbers.close()), Poll::Ready(()));
}
