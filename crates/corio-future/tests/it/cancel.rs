//! Cancelling: from the read end, by a canceller, from the write end, through the seam.

use crate::ledger::{Log, Wakes, poll, poll_with};
use crate::toy_loop::Toy;
use corio_future::{Cancelled, FutureError, InvalidState, promise, promise_for, promise_with_canceller};
use corio_seam::{TargetId, Waitable};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

fn cancelled_with(message: &str) -> FutureError {
    FutureError::Cancelled(Cancelled::with_message(Some(message.into())))
}

#[test]
fn hazard_02_a_value_that_comes_after_a_cancel_comes_back() {
    let (promise, future) = promise();
    assert!(future.cancel_with("enough"));
    assert!(!future.cancel_with("more"));
    assert!(promise.is_cancelled());
    assert_eq!(promise.set_result(7), Err(7));
    assert_eq!(future.result().unwrap_err(), InvalidState::Ended(cancelled_with("enough")));
    assert_eq!(pollster::block_on(future), Err(cancelled_with("enough")));
}

#[test]
fn a_finished_future_is_not_cancelled() {
    let (promise, future) = promise();
    promise.set_result(7).unwrap();
    assert!(!future.cancel());
    assert!(!future.cancelled());
    assert_eq!(pollster::block_on(future), Ok(7));
}

#[test]
fn a_canceller_is_asked_in_the_place_of_the_cell() {
    let asked: Rc<RefCell<Vec<Option<Arc<str>>>>> = Rc::default();
    let (log, accepts) = (asked.clone(), Rc::new(Cell::new(true)));
    let accept = accepts.clone();
    let (promise, future) = promise_with_canceller::<u32>(move |message| {
        log.borrow_mut().push(message);
        accept.get()
    });
    assert!(future.cancel_with("one"));
    accepts.set(false);
    assert!(!future.cancel());
    assert!(!future.done());
    assert_eq!(*asked.borrow(), [Some("one".into()), None]);
    promise.cancel(Cancelled::with_message(Some("kept".into())));
    assert!(future.cancelled());
    assert!(!future.cancel());
    assert_eq!(Rc::strong_count(&asked), 1, "the canceller is dropped at the end");
    assert_eq!(pollster::block_on(future), Err(cancelled_with("kept")));
}

#[test]
fn a_canceller_can_keep_the_promise_and_cancel_again() {
    let place: Rc<RefCell<Option<corio_future::Promise<u32>>>> = Rc::default();
    let own: Rc<RefCell<Option<corio_future::Future<u32>>>> = Rc::default();
    let (promise_place, own_place, depth) = (place.clone(), own.clone(), Cell::new(0));
    let (promise, future) = promise_with_canceller::<u32>(move |message| {
        depth.set(depth.get() + 1);
        if depth.get() < 3 {
            let own = own_place.borrow().as_ref().map(corio_future::Future::share);
            assert!(own.unwrap().cancel());
        } else {
            promise_place.take().unwrap().cancel(Cancelled::with_message(message));
        }
        true
    });
    place.replace(Some(promise));
    own.replace(Some(future.share()));
    assert!(future.cancel());
    assert!(future.cancelled());
    drop(own.take());
}

#[test]
fn a_canceller_goes_with_the_last_read_end() {
    let alive = Rc::new(());
    let held = alive.clone();
    let (promise, future) = promise_with_canceller::<u32>(move |_| Rc::strong_count(&held) > 0);
    let other = future.share();
    drop(future);
    assert_eq!(Rc::strong_count(&alive), 2);
    drop(other);
    assert_eq!(Rc::strong_count(&alive), 1);
    assert!(promise.set_result(7).is_ok());
}

#[test]
fn an_awaiter_enters_the_cell_as_what_it_waits_for() {
    let toy = Toy::new();
    toy.enter(|| {
        let (promise, mut future) = promise::<u32>();
        assert!(poll(&mut future).is_pending());
        assert_eq!(toy.waits_for(), "future pending");
        let target = toy.target();
        assert!(target.cancel(Some("from the scope".into())));
        assert!(!target.cancel(None));
        assert_eq!(toy.waits_for(), "future cancelled");
        assert!(promise.is_cancelled());

        toy.hears.set(true);
        assert!(poll(&mut future).is_pending(), "the scope around it ends instead");
        toy.hears.set(false);
        assert_eq!(poll(&mut future), Poll::Ready(Err(cancelled_with("from the scope"))));
        let id = TargetId::of(Rc::as_ptr(&target));
        assert_eq!(*toy.heard.borrow(), [(id, true), (id, true)]);
    });
    toy.close();
}

#[test]
fn a_finished_future_tells_the_scope_that_it_was_not_cancelled() {
    let toy = Toy::new();
    toy.enter(|| {
        let (promise, mut future) = promise::<u32>();
        assert!(poll(&mut future).is_pending());
        promise.set_result(7).unwrap();
        assert_eq!(poll(&mut future), Poll::Ready(Ok(7)));
        assert!(!toy.heard.borrow()[0].1);
    });
    toy.close();
}

#[test]
fn the_write_end_can_wait_for_it() {
    let (mut promise, future) = promise::<u32>();
    let (waker, wakes) = Wakes::new();
    assert!(poll_with(&mut promise.cancelled(), &waker).is_pending());
    assert_eq!(Arc::strong_count(&wakes), 2, "a dropped wait leaves no waker behind");
    let mut wait = promise.cancelled();
    assert!(poll_with(&mut wait, &waker).is_pending());
    future.cancel();
    assert_eq!(wakes.count(), 1);
    assert!(poll_with(&mut wait, &waker).is_ready());
}

#[test]
fn callbacks_see_a_cancelled_future() {
    let (_promise, future) = promise::<u32>();
    let log = Log::default();
    let says = log.clone();
    future.add_done_callback(move |future| says.say(future.result().unwrap_err()));
    future.cancel_with("enough");
    assert_eq!(log.lines(), ["future was cancelled: enough"]);
}

/// A thing that counts its requests to end, and accepts the first.
struct Job {
    requests: Rc<Cell<u32>>,
    below: Rc<dyn Waitable>,
}

impl Waitable for Job {
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        assert_eq!(message.as_deref(), Some("enough"));
        self.requests.set(self.requests.get() + 1);
        self.requests.get() == 1
    }

    fn describe(&self) -> String {
        "a job".into()
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        visit(Rc::clone(&self.below));
    }
}

#[test]
fn a_promise_for_a_thing_is_cancelled_shown_and_followed_as_that_thing() {
    let (_below, below) = promise::<u8>();
    let requests = Rc::default();
    let (promise, future) = promise_for::<u8>(Job { requests: Rc::clone(&requests), below: below.waitable() });
    let target = future.waitable();
    assert_eq!(target.describe(), "a job pending");
    let mut seen = Vec::new();
    target.waits_for(&mut |next| seen.push(next.target_id()));
    assert_eq!(seen, [below.waitable().target_id()]);
    seen.clear();
    future.waits_for(&mut |next| seen.push(next.target_id()));
    assert_eq!(seen, [below.waitable().target_id()], "the handle says the same");
    assert!(future.cancel_with("enough") && !future.cancel_with("enough"));
    assert_eq!((requests.get(), future.done(), target.is_over()), (2, false, false));
    promise.set_result(1).unwrap();
    assert!(target.is_over() && !target.cancel(Some("enough".into())));
}

#[test]
fn one_with_a_canceller_is_a_future_as_any_other_and_waits_for_nothing() {
    let (_promise, future) = corio_future::promise_with_canceller::<u8>(|_| false);
    assert_eq!(future.waitable().describe(), "future pending");
    future.waits_for(&mut |next| panic!("it waits for {}", next.describe()));
}

/// As a task's or a gather's seam sees it.
#[test]
fn a_future_is_cancelled_as_what_is_waited_for() {
    let (promise, future) = promise::<u8>();
    let target: Rc<dyn Waitable> = Rc::new(future.share());
    assert_eq!((target.is_over(), target.target_id()), (false, future.waitable().target_id()));
    assert!(target.cancel(Some("enough".into())));
    assert!(target.is_over() && promise.is_cancelled());
    assert_eq!((target.cancel(None), target.describe()), (false, "future cancelled".to_owned()));
    assert_eq!(future.result().unwrap_err(), InvalidState::Ended(cancelled_with("enough")));
}
