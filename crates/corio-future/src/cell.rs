//! The loop-bound cell: one `Rc`, plain memory.
//!
//! The state is a `Cell`, so that it can be asked at any time; the value lies in a `RefCell` that is borrowed only to be
//! lent, cloned or moved, all of them after the end. Those who are told stand in one FIFO, wakers and callbacks alike.

use crate::trampoline;
use crate::{Future, FutureError};
use corio_seam::{Node, Waitable};
use std::cell::{Cell, RefCell};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

/// The name of a done callback, to take it back by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallbackKey(u64);

/// The key of a callback that was scheduled at once, for the future was over.
pub(crate) const SCHEDULED_AT_ONCE: CallbackKey = CallbackKey(0);

/// How far the future has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    /// The value is there, or was.
    Finished,
    /// There will be no value; `Core::error` says why.
    Failed,
}

/// Asks somebody else to end the future, in the place of cancelling it.
pub(crate) type Canceller = Box<dyn Fn(Option<Arc<str>>) -> bool>;
/// Asks a source that no loop drives whether it is ready.
pub(crate) type Driver = Box<dyn Fn(&mut Context<'_>)>;

enum Listener {
    /// Whoever awaits a read end; the number is that end's.
    Waker(u64, Waker),
    Call(CallbackKey, Node),
}

/// What few futures need.
pub(crate) struct Rare<T> {
    canceller: RefCell<Option<Canceller>>,
    driver: RefCell<Option<Driver>>,
    /// Reports a value that is an error, and that nobody looked at.
    report: Cell<Option<fn(T)>>,
}

impl<T> Default for Rare<T> {
    fn default() -> Rare<T> {
        Rare { canceller: RefCell::default(), driver: RefCell::default(), report: Cell::default() }
    }
}

/// The cell of a promise and its futures.
pub(crate) struct Core<T> {
    pub(crate) state: Cell<State>,
    pub(crate) value: RefCell<Option<T>>,
    error: RefCell<Option<FutureError>>,
    /// The first who asked, in place: most futures have one awaiter and no callback.
    first: RefCell<Option<Listener>>,
    more: RefCell<Vec<Listener>>,
    last_key: Cell<u64>,
    /// How many read ends exist.
    pub(crate) readers: Cell<usize>,
    /// How to clone the value: known once there may be two read ends.
    pub(crate) clone: Cell<Option<fn(&T) -> T>>,
    /// Somebody looked at how it ended.
    pub(crate) looked: Cell<bool>,
    pub(crate) rare: RefCell<Option<Box<Rare<T>>>>,
}

impl<T> Core<T> {
    pub(crate) fn new() -> Rc<Core<T>> {
        Rc::new(Core {
            state: Cell::new(State::Pending),
            value: RefCell::new(None),
            error: RefCell::new(None),
            first: RefCell::new(None),
            more: RefCell::new(Vec::new()),
            last_key: Cell::new(0),
            readers: Cell::new(1),
            clone: Cell::new(None),
            looked: Cell::new(false),
            rare: RefCell::new(None),
        })
    }

    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.state.get() != State::Pending
    }

    pub(crate) fn error(&self) -> Option<FutureError> {
        self.error.borrow().clone()
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(&*self.error.borrow(), Some(FutureError::Cancelled(_)))
    }

    pub(crate) fn next_key(&self) -> u64 {
        self.last_key.set(self.last_key.get() + 1);
        self.last_key.get()
    }

    pub(crate) fn set_canceller(&self, canceller: Canceller) {
        let mut rare = self.rare.borrow_mut();
        rare.get_or_insert_default().canceller.replace(Some(canceller));
    }

    pub(crate) fn set_driver(&self, driver: Driver) {
        let mut rare = self.rare.borrow_mut();
        rare.get_or_insert_default().driver.replace(Some(driver));
    }

    pub(crate) fn set_report(&self, report: fn(T)) {
        self.rare.borrow_mut().get_or_insert_default().report.set(Some(report));
    }

    /// Drops canceller and driver: the last read end is gone, and nobody can cancel or await any more.
    pub(crate) fn forget_helpers(&self) {
        let take = || self.rare.borrow().as_ref().map(|rare| (rare.canceller.take(), rare.driver.take()));
        let helpers = take();
        drop(helpers); // User code: under no borrow.
    }

    /// Asks the canceller, if there is one; it is user code, and out of the cell meanwhile.
    pub(crate) fn ask_canceller(&self, message: Option<Arc<str>>) -> Option<bool> {
        let take = || self.rare.borrow().as_ref()?.canceller.take();
        let canceller = take()?;
        let accepted = canceller(message);
        if !self.is_done() {
            self.set_canceller(canceller);
        }
        Some(accepted)
    }

    /// Asks the source that no loop drives, if there is one.
    pub(crate) fn ask_driver(&self, cx: &mut Context<'_>) {
        let take = || self.rare.borrow().as_ref()?.driver.take();
        if let Some(driver) = take() {
            driver(cx);
            if !self.is_done() {
                self.set_driver(driver);
            }
        }
    }

    /// Ends the future with a value, and tells everybody.
    #[inline]
    pub(crate) fn finish(&self, value: T) {
        self.value.replace(Some(value));
        self.state.set(State::Finished);
        self.tell();
    }

    /// Ends the future without a value, and tells everybody.
    pub(crate) fn fail(&self, error: FutureError) {
        self.error.replace(Some(error));
        self.state.set(State::Failed);
        self.tell();
    }

    /// Wakes and schedules, in the order in which they asked.
    #[inline]
    fn tell(&self) {
        let first = self.first.take();
        let more = mem::take(&mut *self.more.borrow_mut());
        match first {
            None => (),
            Some(Listener::Waker(_, waker)) if more.is_empty() => waker.wake(),
            Some(listener) => tell_all(std::iter::once(listener).chain(more)),
        }
        trampoline::drain();
    }

    /// Notes who awaits the read end `key`; an older waker of it is replaced.
    #[inline]
    pub(crate) fn set_waker(&self, key: u64, waker: &Waker) {
        let new = waker.clone(); // User code: no borrow is held.
        let old = self.put_waker(key, new);
        drop(old);
    }

    fn put_waker(&self, key: u64, new: Waker) -> Option<Waker> {
        let mut first = self.first.borrow_mut();
        match &mut *first {
            None if self.more.borrow().is_empty() => {
                *first = Some(Listener::Waker(key, new));
                return None;
            }
            Some(Listener::Waker(at, old)) if *at == key => return Some(mem::replace(old, new)),
            _ => (),
        }
        let mut more = self.more.borrow_mut();
        for listener in more.iter_mut() {
            if let Listener::Waker(at, old) = listener {
                if *at == key {
                    return Some(mem::replace(old, new));
                }
            }
        }
        more.push(Listener::Waker(key, new));
        None
    }

    /// Tells whether the read end `key` would be woken by `waker`.
    #[inline]
    pub(crate) fn has_waker(&self, key: u64, waker: &Waker) -> bool {
        let same =
            |listener: &Listener| matches!(listener, Listener::Waker(at, old) if *at == key && old.will_wake(waker));
        self.first.borrow().as_ref().is_some_and(same) || self.more.borrow().iter().any(same)
    }

    pub(crate) fn drop_waker(&self, key: u64) {
        let removed = self.remove(|listener| matches!(listener, Listener::Waker(at, _) if *at == key));
        drop(removed);
    }

    pub(crate) fn add_callback(&self, callback: Node) -> CallbackKey {
        let key = CallbackKey(self.next_key());
        let mut first = self.first.borrow_mut();
        if first.is_none() && self.more.borrow().is_empty() {
            *first = Some(Listener::Call(key, callback));
        } else {
            self.more.borrow_mut().push(Listener::Call(key, callback));
        }
        key
    }

    pub(crate) fn remove_callback(&self, key: CallbackKey) -> bool {
        let removed = self.remove(|listener| matches!(listener, Listener::Call(at, _) if *at == key));
        removed.is_some()
    }

    /// Takes a listener out, for the caller to drop. The order of the others stays.
    fn remove(&self, which: impl Fn(&Listener) -> bool) -> Option<Listener> {
        let mut first = self.first.borrow_mut();
        if first.as_ref().is_some_and(&which) {
            return first.take(); // A later listener may come to stand before those in `more`: `add` sees to that.
        }
        let mut more = self.more.borrow_mut();
        let index = more.iter().position(which)?;
        Some(more.remove(index))
    }
}

/// Tells many; if a waker panics, the others are told all the same, and the panic goes on.
#[cold]
fn tell_all(listeners: impl Iterator<Item = Listener>) {
    let mut panic = None;
    for listener in listeners {
        let told = catch_unwind(AssertUnwindSafe(|| match listener {
            Listener::Waker(_, waker) => waker.wake(),
            Listener::Call(_, callback) => trampoline::schedule(callback),
        }));
        if let Err(payload) = told {
            mem::forget(panic.replace(payload)); // Its destructor may panic too.
        }
    }
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
}

impl<T: 'static> Waitable for Core<T> {
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        Future::cancel_core(self, message)
    }

    fn describe(&self) -> String {
        let state = match self.state.get() {
            State::Pending => "pending",
            State::Finished => "finished",
            State::Failed if self.is_cancelled() => "cancelled",
            State::Failed => "failed",
        };
        format!("future {state}")
    }
}

impl<T> Drop for Core<T> {
    /// Reports an error that nobody looked at.
    fn drop(&mut self) {
        let Some(rare) = self.rare.get_mut().take() else { return };
        if let (Some(report), Some(value), false) = (rare.report.get(), self.value.take(), self.looked.get()) {
            report(value);
        }
    }
}
