use crate::kit::{Log, poll};
use crate::toy_loop::Toy;
use corio_generator::{AsyncGenerator, AsyncYielder, async_generator};
use corio_seam::{OnShutdown, take_shutdown_hooks};
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// One of those who close a generator, and how often it was woken.
struct Closer<F>(Pin<Box<F>>, Arc<Count>);

impl<F: Future<Output = ()>> Closer<F> {
    fn new(close: F) -> Closer<F> {
        Closer(Box::pin(close), Arc::default())
    }

    fn poll(&mut self) -> Poll<()> {
        let waker = Waker::from(Arc::clone(&self.1));
        self.0.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn wakes(&self) -> usize {
        self.1.0.load(Ordering::Relaxed)
    }
}

/// What a body waits for in its cleaning up.
#[derive(Clone, Default)]
struct Gate(Rc<Cell<bool>>);

impl Gate {
    async fn pass(&self) {
        poll_fn(|_| if self.0.get() { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

/// Makes the first step of a generator that says "cleaned" when it is closed, once the gate is open.
fn started(log: &Log, gate: &Gate) -> AsyncGenerator<u8> {
    let (log, gate) = (log.clone(), gate.clone());
    let mut numbers = async_generator(async move |y: AsyncYielder<u8>| {
        if y.catch_closed(y.yield_(1)).await.is_err() {
            gate.pass().await;
            log.say("cleaned");
        }
    });
    assert_eq!(poll(numbers.next()), Poll::Ready(Some(1)));
    numbers
}

/// Returns what the loop has to close: one generator.
fn taken() -> Rc<dyn OnShutdown> {
    let mut hooks = take_shutdown_hooks();
    assert_eq!(hooks.len(), 1);
    hooks.remove(0)
}

#[test]
fn what_is_dropped_half_way_is_cleaned_up_by_a_task() {
    let (toy, log, gate) = (Toy::new(), Log::default(), Gate::default());
    toy.enter(|| drop(started(&log, &gate)));
    gate.0.set(true);
    assert!(log.take().is_empty());
    while toy.run_batch() {}
    assert_eq!(log.take(), ["cleaned"]);
    toy.close();
}

#[test]
fn a_body_without_a_catch_is_dropped_at_once() {
    let (toy, log) = (Toy::new(), Log::default());
    let held = log.on_drop("dropped");
    let mut numbers = async_generator(async move |y: AsyncYielder<u8>| {
        let _held = held;
        y.yield_(1).await;
    });
    toy.enter(|| {
        assert_eq!(poll(numbers.next()), Poll::Ready(Some(1)));
        drop(numbers);
    });
    assert_eq!(log.take(), ["dropped"]);
    assert!(!toy.run_batch(), "no task was needed");
}

#[test]
fn the_shutdown_closes_what_its_owner_still_has() {
    let (toy, log, gate) = (Toy::new(), Log::default(), Gate::default());
    toy.enter(|| {
        let numbers = started(&log, &gate);
        let hook = taken();
        assert_eq!(hook.describe(), "async generator of u8");
        let mut closing = Closer::new(hook.close());
        assert_eq!(closing.poll(), Poll::Pending);
        gate.0.set(true);
        assert_eq!(closing.poll(), Poll::Ready(()));
        assert!(numbers.is_over());
    });
    assert_eq!(log.take(), ["cleaned"]);
}

#[test]
fn a_panic_in_a_cleanup_by_the_loop_is_reported() {
    let toy = Toy::new();
    toy.enter(|| {
        let mut numbers = async_generator(async move |y: AsyncYielder<u8>| {
            let _ = y.catch_closed(y.yield_(1)).await;
            panic!("in the cleanup");
        });
        assert_eq!(poll(numbers.next()), Poll::Ready(Some(1)));
        assert_eq!(poll(taken().close()), Poll::Ready(()));
    });
    assert!(toy.reports.borrow()[0].starts_with("an error occurred while an async generator was closed"));
}

/// The body's own wait knows who polled last. If that one leaves, the other must go on.
#[test]
fn of_two_who_close_it_the_one_that_stays_goes_on() {
    let (toy, log, gate) = (Toy::new(), Log::default(), Gate::default());
    toy.enter(|| {
        let mut numbers = started(&log, &gate);
        let mut by_loop = Closer::new(taken().close());
        let mut by_owner = Closer::new(numbers.close());
        assert!(by_owner.poll().is_pending() && by_loop.poll().is_pending() && by_loop.poll().is_pending());
        assert_eq!((by_owner.wakes(), by_loop.wakes()), (0, 0));
        drop(by_loop);
        assert_eq!(by_owner.wakes(), 1);
        gate.0.set(true);
        assert_eq!(by_owner.poll(), Poll::Ready(()));
    });
    assert_eq!(log.take(), ["cleaned"]);
}

#[test]
fn of_two_who_close_it_both_hear_of_the_end() {
    let (toy, log, gate) = (Toy::new(), Log::default(), Gate::default());
    toy.enter(|| {
        let mut numbers = started(&log, &gate);
        let mut by_loop = Closer::new(taken().close());
        let mut by_owner = Closer::new(numbers.close());
        assert!(by_loop.poll().is_pending() && by_owner.poll().is_pending() && by_owner.poll().is_pending());
        gate.0.set(true);
        assert_eq!(by_owner.poll(), Poll::Ready(()));
        assert_eq!(by_loop.wakes(), 1);
        assert_eq!(by_loop.poll(), Poll::Ready(()));
        drop(by_loop);
        assert_eq!(by_owner.wakes(), 1, "one who is over wakes nobody");
    });
    assert_eq!(log.take(), ["cleaned"]);
}
