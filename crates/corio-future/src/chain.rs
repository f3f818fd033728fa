//! Between the two kinds of futures: value, error and cancellation, both ways.
//!
//! A change on another thread goes through the loop's door ([`corio_seam::Remote`]); one on the loop's own thread, while
//! it runs, is passed on at once, without an extra turn of the loop, as asyncio does since 3.14.

use crate::cell::{Core, Helper};
use crate::halves::{Address, Half, Place};
use crate::listeners::Listeners;
use crate::sync::{Mutex, lock};
use crate::{Future, FutureError, Promise, concurrent, promise};
use corio_seam::{Cancelled, IntMap, Panic, Thin, catch_and_report};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// Makes a loop-bound future of a thread-safe one; asyncio's `wrap_future`.
///
/// It ends as `source` ends. Cancelling it cancels `source`, if its work has not begun; it is cancelled itself all the
/// same, and a value that comes late is dropped. An `Err` crosses as the value that it is; of a panic, its message.
///
/// Under a loop the loop brings the ending, also when nobody awaits; a loop that closes before breaks the promise. Where
/// no loop runs, whoever awaits brings it, unless `source` ends on this very thread; when the last read end is dropped,
/// nobody can, and the promise is broken, as callbacks will see.
///
/// # Examples
///
/// ```
/// use corio_future::{concurrent, wrap_future};
///
/// let (promise, source) = concurrent::promise();
/// let future = wrap_future(source);
/// let worker = std::thread::spawn(move || promise.set_result(7).unwrap());
/// assert_eq!(pollster::block_on(future).unwrap(), 7);
/// worker.join().unwrap();
/// ```
pub fn wrap_future<T: Send + 'static>(source: concurrent::Future<T>) -> Future<T> {
    let (promise, future) = promise();
    let place = Place::take();
    let knock = Arc::new(Knock { address: place.address(), awaiters: Mutex::new(Listeners::new()) });
    let wrap = Rc::new(Wrap {
        place,
        knock,
        keys: RefCell::default(),
        promise: RefCell::new(Some(promise)),
        source: RefCell::new(Some(source)),
    });
    future.core().set_helper(Rc::clone(&wrap) as Rc<dyn Helper>);
    if wrap.place.is_looped() {
        wrap.place.keep(Rc::clone(&wrap) as Rc<dyn Half>);
    } else {
        let known = Rc::downgrade(&wrap);
        wrap.place.know(known);
    }
    wrap.settle();
    future
}

/// The loop-bound half of [`wrap_future`]. The cell keeps it as its helper, and the loop's table, if there is one, too.
struct Wrap<T> {
    place: Place,
    knock: Arc<Knock>,
    /// Where no loop runs: the key that each awaiting read end has in [`Knock`].
    keys: RefCell<IntMap<u64>>,
    /// None when the future is over.
    promise: RefCell<Option<Promise<T>>>,
    /// None when the future is over, and while it is polled.
    source: RefCell<Option<concurrent::Future<T>>>,
}

impl<T: Send + 'static> Wrap<T> {
    /// Passes the ending on if there is one; else has the source knock when there is.
    fn settle(&self) {
        let Some(mut source) = self.source.take() else { return };
        let knock = Waker::from(Arc::clone(&self.knock));
        match source.poll_quietly(&knock) {
            Poll::Ready(ending) => {
                drop(source);
                self.end(ending);
            }
            Poll::Pending => drop(self.source.replace(Some(source))),
        }
    }

    fn end(&self, ending: Result<T, concurrent::FutureError>) {
        self.place.clear();
        let Some(promise) = self.promise.take() else { return };
        match ending {
            Ok(value) => drop(promise.set_result(value)),
            Err(concurrent::FutureError::Cancelled(cancelled)) => promise.cancel(cancelled),
            Err(concurrent::FutureError::BrokenPromise) => drop(promise),
            Err(concurrent::FutureError::Panicked(panic)) => promise.set_panic(panic),
        }
    }
}

impl<T: Send + 'static> Helper for Wrap<T> {
    /// Cancels both.
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        let (promise, source) = (self.promise.take(), self.source.take());
        self.place.clear();
        let cancelled = Cancelled::with_message(message);
        if let Some(source) = source {
            source.cancel_as(cancelled.clone());
        }
        if let Some(promise) = promise {
            promise.cancel(cancelled);
        }
        true
    }

    fn drive(&self, reader: u64, cx: &mut Context<'_>) {
        if !self.place.is_looped() {
            let key = self.keys.borrow().get(reader).copied();
            let key = self.knock.set_awaiter(key, cx.waker().clone());
            self.keys.borrow_mut().insert(reader, key);
            self.settle();
        }
    }

    fn leave(&self, reader: u64) {
        let key = self.keys.borrow_mut().remove(reader);
        if let Some(key) = key {
            self.knock.remove_awaiter(key);
        }
    }
}

impl<T: Send + 'static> Half for Wrap<T> {
    fn changed(self: Rc<Self>) {
        self.settle();
    }

    fn closed(self: Rc<Self>) {
        let (promise, source) = (self.promise.take(), self.source.take());
        drop((promise, source));
    }
}

/// The waker that a wrapped source has: it knocks where the loop-bound half lives.
struct Knock {
    address: Address,
    /// Where no loop runs: those who await, for no other thread can reach them through the cell.
    awaiters: Mutex<Listeners<Waker>>,
}

impl Knock {
    /// Notes a waker in the place of the one that `key` has, and returns its key.
    fn set_awaiter(&self, key: Option<u64>, waker: Waker) -> u64 {
        let mut awaiters = lock(&self.awaiters);
        let (key, old) = match key.and_then(|key| Some((key, awaiters.find(key)?))) {
            Some((key, place)) => (key, Some(std::mem::replace(place, waker))),
            None => (awaiters.push(waker), None),
        };
        drop(awaiters);
        drop(old); // User code: not under the lock.
        key
    }

    fn remove_awaiter(&self, key: u64) {
        let old = lock(&self.awaiters).remove(key);
        drop(old); // User code: the lock is released.
    }
}

impl Wake for Knock {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.address.notify() {
            let awaiters = lock(&self.awaiters).take();
            awaiters.for_each(|waker| catch_and_report("panic in a waker", || waker.wake()));
        }
    }
}

/// Makes a thread-safe future of a loop-bound one, to hand to another thread.
///
/// It ends as `source` ends. Cancelling it, from any thread, cancels `source`, through the loop, without the reason, as in
/// asyncio. Where no loop runs, only a cancellation on this thread crosses over. What the loop had no turn to pass on
/// when it closed is a broken promise.
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
    let half = Rc::new(Unwrap { place: Place::take(), core: Rc::clone(source.core()) });
    let known = Rc::downgrade(&half);
    half.place.know(known);
    let address = half.place.address();
    let view = Future::view(Rc::clone(source.core()));
    let mut source = source;
    view.add_done_callback(move |_| {
        drop(half);
        pass_on(source.take(), promise);
    });
    future.add_done_callback(move |future| {
        if future.cancelled() {
            address.notify();
        }
    });
}

/// Ends a thread-safe future as a loop-bound one ended.
fn pass_on<T>(ending: Option<Result<T, FutureError>>, promise: concurrent::Promise<T>) {
    match ending {
        Some(Ok(value)) => drop(promise.set_result(value)),
        Some(Err(FutureError::Cancelled(cancelled))) => promise.cancel(cancelled),
        Some(Err(FutureError::Panicked(message))) => promise.set_panic(Panic::new(Box::new(message.to_string()))),
        Some(Err(FutureError::BrokenPromise)) | None => drop(promise),
    }
}

/// The loop-bound half of [`chain`], kept by the done callback that passes the ending on.
struct Unwrap<T> {
    place: Place,
    core: Rc<Thin<Core<T>>>,
}

impl<T: 'static> Half for Unwrap<T> {
    fn changed(self: Rc<Self>) {
        self.core.cancel(None);
    }

    fn closed(self: Rc<Self>) {}
}
