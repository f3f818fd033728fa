//! Between the two kinds of futures: value, error and cancellation, both ways.
//!
//! The loop-bound half of a chain stays in a table of its thread; what crosses to other threads is the number of its
//! place there. A change on another thread goes through the loop's door ([`corio_seam::Remote`]); one on the loop's own
//! thread is passed on at once, without an extra turn of the loop, as asyncio does since 3.14.

use crate::{Future, FutureError, Promise, concurrent, promise_with_canceller};
use corio_seam::{Cancelled, Panic, Remote};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::{self, ThreadId};

/// The loop-bound half of a chain.
trait Half {
    /// The other half has changed: passes the change on.
    fn changed(self: Rc<Self>);
}

thread_local! {
    static HALVES: RefCell<HashMap<u64, Rc<dyn Half>>> = RefCell::default();
    static LAST: Cell<u64> = const { Cell::new(0) };
}

/// The number of a half in its thread's table, and the way there.
#[derive(Clone)]
struct Address {
    thread: ThreadId,
    number: u64,
    remote: Option<Arc<dyn Remote>>,
}

impl Address {
    /// Puts a half into this thread's table.
    fn of(half: Rc<dyn Half>) -> Address {
        let number = LAST.get() + 1;
        LAST.set(number);
        HALVES.with(|halves| halves.borrow_mut().insert(number, half));
        Address { thread: thread::current().id(), number, remote: corio_seam::remote() }
    }

    /// Tells the half that the other has changed: now on its own thread, through the loop from another.
    fn notify(self) {
        if self.thread == thread::current().id() {
            self.deliver();
        } else if let Some(remote) = self.remote.clone() {
            // A closed loop has dropped whoever cared: there is nobody to tell.
            drop(remote.call(Box::new(move || self.deliver())));
        }
    }

    fn deliver(&self) {
        if let Some(half) = self.remove() {
            half.changed();
        }
    }

    fn remove(&self) -> Option<Rc<dyn Half>> {
        HALVES.try_with(|halves| halves.borrow_mut().remove(&self.number)).ok().flatten()
    }
}

/// Makes a loop-bound future of a thread-safe one; asyncio's `wrap_future`.
///
/// It ends as `source` ends. Cancelling it cancels `source`, if its work has not begun; it is cancelled itself all the
/// same, and a value that comes late is dropped. Under a loop it is driven by the loop, also when nobody awaits it; where
/// no loop runs, by whoever awaits it.
///
/// # Examples
///
/// ```
/// use corio_future::{concurrent, wrap_future};
///
/// let (promise, source) = concurrent::promise();
/// let future = wrap_future(source);
/// std::thread::spawn(move || promise.set_result(7).unwrap());
/// assert_eq!(pollster::block_on(future).unwrap(), 7);
/// ```
pub fn wrap_future<T: Send + 'static>(source: concurrent::Future<T>) -> Future<T> {
    let wrap = Rc::new(Wrap { promise: RefCell::new(None), source: RefCell::new(Some(source)) });
    let asked = Rc::clone(&wrap);
    let (promise, future) = promise_with_canceller(move |message| asked.cancel(message));
    wrap.promise.replace(Some(promise));
    if corio_seam::remote().is_some() {
        wrap.listen();
    } else {
        let driven = Rc::clone(&wrap);
        future.core().set_driver(Box::new(move |cx| driven.drive(cx)));
    }
    future
}

/// The loop-bound half of [`wrap_future`].
struct Wrap<T> {
    promise: RefCell<Option<Promise<T>>>,
    source: RefCell<Option<concurrent::Future<T>>>,
}

impl<T: Send + 'static> Wrap<T> {
    fn listen(self: Rc<Self>) {
        let half: Rc<dyn Half> = Rc::clone(&self) as Rc<dyn Half>;
        let address = Address::of(half);
        let source = self.source.take();
        if let Some(source) = source {
            let telling = source.add_done_callback(move |_| address.notify());
            let _ = telling;
            if self.promise.borrow().is_some() {
                self.source.replace(Some(source));
                self.settle_if_over();
            }
        }
    }

    /// Passes an ending on that came while the source was in nobody's hands.
    fn settle_if_over(&self) {
        let over = self.source.borrow().as_ref().is_some_and(concurrent::Future::done);
        if over {
            self.settle();
        }
    }

    /// Cancels both, from the loop's side.
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        let promise = self.promise.take();
        let source = self.source.take();
        let cancelled = Cancelled::with_message(message);
        if let Some(promise) = promise {
            promise.cancel(cancelled.clone());
        }
        if let Some(source) = source {
            source.cancel_as(cancelled);
        }
        true
    }

    /// Asks the source, for whoever awaits where no loop runs.
    fn drive(&self, cx: &mut Context<'_>) {
        let Some(mut source) = self.source.take() else { return };
        match std::future::Future::poll(std::pin::Pin::new(&mut source), cx) {
            Poll::Ready(ended) => self.end(ended),
            Poll::Pending => drop(self.source.replace(Some(source))),
        }
    }

    fn settle(&self) {
        let Some(mut source) = self.source.take() else { return };
        match source.take() {
            Some(ended) => self.end(ended),
            None => drop(self.source.replace(Some(source))),
        }
    }

    fn end(&self, ended: Result<T, concurrent::FutureError>) {
        let Some(promise) = self.promise.take() else { return };
        match ended {
            Ok(value) => drop(promise.set_result(value)),
            Err(concurrent::FutureError::Cancelled(cancelled)) => promise.cancel(cancelled),
            Err(concurrent::FutureError::BrokenPromise) => promise.set_error(FutureError::BrokenPromise),
            Err(concurrent::FutureError::Panicked(panic)) => promise.set_panic(panic),
        }
    }
}

impl<T: Send + 'static> Half for Wrap<T> {
    fn changed(self: Rc<Self>) {
        self.settle();
    }
}

/// Makes a thread-safe future of a loop-bound one, to hand to another thread.
///
/// It ends as `source` ends. Cancelling it, from any thread, cancels `source`, through the loop. Where no loop runs, only
/// a cancellation on this thread crosses over.
///
/// # Examples
///
/// ```
/// use corio_future::{promise, to_concurrent};
///
/// let (promise, source) = promise();
/// let mut future = to_concurrent(source);
/// promise.set_result(7).unwrap();
/// assert_eq!(future.result(None).unwrap(), 7);
/// ```
pub fn to_concurrent<T: Send + 'static>(source: Future<T>) -> concurrent::Future<T> {
    let (promise, future) = concurrent::promise();
    chain(source, promise, &future);
    future
}

/// Has `promise`, whose future is `future`, end as `source` ends, and `source` be cancelled as `future` is.
///
/// It is what `run_coroutine_threadsafe` is made of: the thread-safe pair is made on the one thread, and chained here, on
/// the loop's.
pub fn chain<T: Send + 'static>(source: Future<T>, promise: concurrent::Promise<T>, future: &concurrent::Future<T>) {
    let half = Rc::new(Unwrap { source: RefCell::new(None) });
    let address = Address::of(Rc::clone(&half) as Rc<dyn Half>);
    let forget = address.clone();
    let mut reader = Future::new(Rc::clone(source.core()));
    source.core().readers.set(source.core().readers.get() + 1);
    source.add_done_callback(move |_| {
        drop(forget.remove());
        pass_on(reader.take(), promise);
    });
    half.source.replace(Some(source.downgrade()));
    future.add_done_callback(move |future| {
        if future.cancelled() {
            address.notify();
        }
    });
}

/// Ends a thread-safe future as a loop-bound one ended.
fn pass_on<T>(ended: Option<Result<T, FutureError>>, promise: concurrent::Promise<T>) {
    match ended {
        Some(Ok(value)) => drop(promise.set_result(value)),
        Some(Err(FutureError::Cancelled(cancelled))) => promise.cancel(cancelled),
        Some(Err(FutureError::Panicked(message))) => promise.set_panic(Panic::new(Box::new(message.to_string()))),
        Some(Err(FutureError::BrokenPromise)) | None => drop(promise),
    }
}

/// The loop-bound half of [`chain`].
struct Unwrap {
    source: RefCell<Option<Box<dyn Fn()>>>,
}

impl<T: 'static> Future<T> {
    /// Gives this read end up for a way to cancel the future, which is not counted as a reader.
    fn downgrade(self) -> Box<dyn Fn()> {
        let core = Rc::clone(self.core());
        Box::new(move || {
            Future::cancel_core(&core, None);
        })
    }
}

impl Half for Unwrap {
    fn changed(self: Rc<Self>) {
        let cancel = self.source.take();
        if let Some(cancel) = cancel {
            cancel();
        }
    }
}
