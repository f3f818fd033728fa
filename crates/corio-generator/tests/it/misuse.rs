use crate::kit::{Wait, both, panics, poll};
use corio_generator::{AsyncGenerator, async_generator, generator};
use std::cell::RefCell;
use std::rc::Rc;
use std::task::Poll;

#[test]
fn a_value_for_a_generator_that_has_not_started() {
    let mut total = generator(async |y| while y.yield_(0).await != 0 {});
    assert!(panics(|| total.send(1)).contains("call `start` first"));
    assert_eq!(total.start(), Some(0)); // No harm is done.
    assert!(panics(|| total.start()).contains("started twice"));
    assert_eq!(total.send(0), None);

    let mut total = async_generator(async |y| while y.yield_(0).await != 0 {});
    assert!(panics(|| drop(total.send(1))).contains("await `start` first"));
    assert_eq!(poll(total.start()), Poll::Ready(Some(0)));
    assert!(panics(|| drop(total.start())).contains("started twice"));
    assert_eq!(poll(total.send(0)), Poll::Ready(None));
}

#[test]
fn a_value_for_a_step_that_has_not_ended() {
    let mut total = async_generator(async |y| {
        let _: u8 = y.yield_(0).await;
        Wait::default().await;
    });
    assert_eq!(poll(total.start()), Poll::Ready(Some(0)));
    assert!(poll(total.send(1)).is_pending());
    assert!(panics(|| drop(total.send(2))).contains("has not ended its last step"));
    assert_eq!(poll(total.start()), Poll::Ready(None));
}

#[test]
fn a_foreign_future_in_a_generator() {
    let mut numbers = generator(async |y| {
        Wait::default().await;
        y.yield_(1).await;
    });
    assert!(panics(|| numbers.next()).contains("take `async_generator`"));
    assert_eq!(numbers.next(), None);
    // Of another generator, too.
    let mut outer = generator(async |outer| {
        let mut inner = generator(async |y| {
            outer.yield_(1).await;
            y.yield_(2).await;
        });
        inner.next()
    });
    assert!(panics(|| outer.next()).contains("take `async_generator`"));
}

#[test]
fn a_yielder_outside_its_body() {
    let mut leaking = generator(async |y| y);
    assert_eq!(leaking.next(), None);
    let y = leaking.take_result().unwrap();
    assert!(panics(|| poll(y.yield_(1))).contains("outside the body"));
    // Of a generator that is not over, in the body of another.
    let leaked = RefCell::new(None);
    let mut leaking = generator(async |y| {
        let y = Rc::new(y);
        leaked.replace(Some(Rc::clone(&y)));
        y.yield_(1).await;
    });
    assert_eq!(leaking.next(), Some(1));
    let y = leaked.take().unwrap();
    let mut other = generator(async |_| y.yield_(2).await);
    let _: &mut dyn Iterator<Item = u8> = &mut other;
    assert!(panics(|| other.next()).contains("outside the body"));
    // And of an async one.
    let leaked = Rc::new(RefCell::new(None));
    let keep = Rc::clone(&leaked);
    let mut leaking: AsyncGenerator<u8> = async_generator(async move |y| _ = keep.replace(Some(y)));
    assert_eq!(poll(leaking.next()), Poll::Ready(None));
    let y = leaked.take().unwrap();
    assert!(panics(|| poll(y.yield_(1))).contains("outside the body"));
    assert!(panics(|| poll(y.catch_closed(async {}))).contains("outside the body"));
}

#[test]
fn two_yields_at_once() {
    let mut numbers = generator(async |y| both(y.yield_(1), y.yield_(2)).await);
    assert!(panics(|| numbers.next()).contains("one at a time"));
    assert!(numbers.is_over());
}

#[test]
fn a_yield_after_the_closing_was_caught() {
    let mut numbers = async_generator(async |y| {
        let _closed = y.catch_closed(y.yield_(1)).await;
        y.yield_(2).await;
    });
    assert_eq!(poll(numbers.next()), Poll::Ready(Some(1)));
    assert!(panics(|| poll(numbers.close())).contains("while it is being closed"));
    assert!(numbers.is_over());
    assert_eq!(poll(numbers.close()), Poll::Ready(()));
}
