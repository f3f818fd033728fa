//! The loop-bound cell: one `Rc`, plain memory.
//!
//! ```text
//! PENDING ─▶ FINISHED     a value, which may have been moved out since
//!    ├─────▶ CANCELLED
//!    └─────▶ FAILED       a broken promise, or a panic
//! ```
//! [`Core::end`] makes the one transition there is. The state is a `Cell`, so that it can be asked at any time. What lies
//! in a `RefCell` is borrowed to be put in or taken out, never while user code runs; only the value itself stays
//! borrowed, shared, while it is lent by `Future::result` or cloned, which can meet nothing but others who look.

use crate::listeners::{Listeners, NO_KEY};
use crate::{FutureError, spare, trampoline};
use corio_seam::{Cancelled, Node, Report, Thin, Waitable, catch_and_report, local_waker, report, will_wake};
use std::cell::{Cell, OnceCell, Ref, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

/// How far the future has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// --> `Finished`, `Cancelled`, `Failed`
    ///
    /// Not 0: the zeros of a new cell would be one wide store over it and its neighbours, from which none of them can be
    /// forwarded.
    Pending = 1,
    Finished,
    Cancelled,
    Failed,
}

/// Somebody who acts for the cell while it is pending.
pub(crate) trait Helper {
    /// Acts in the place of cancelling: true if it sees to the end.
    fn cancel(&self, message: Option<Arc<str>>) -> bool;

    /// Names what the cell stands for.
    fn describe(&self) -> String {
        "future".to_string()
    }

    /// Calls `visit` with each thing that the cell waits for.
    fn waits_for(&self, _visit: &mut dyn FnMut(Rc<dyn Waitable>)) {}

    /// Asks a source that no loop drives whether it is ready, for the read end `reader`, who is awaited.
    fn drive(&self, _reader: u64, _cx: &mut Context<'_>) {}

    /// Forgets `reader`, which is dropped.
    fn leave(&self, _reader: u64) {}
}

/// Somebody who is told of the end.
enum Listener {
    /// Who awaits.
    Waker(Waker),
    /// A done callback, made into an entry of the ready queue when it was added: telling it allocates nothing.
    ///
    /// The entry keeps the cell alive, and the cell the entry, until the end, which a promise brings by being dropped.
    Call(Node),
}

/// How to clone a value.
pub(crate) type CloneFn<T> = fn(&T) -> T;

/// The cell of a promise and its futures.
pub(crate) struct Core<T> {
    state: Cell<State>,
    /// Somebody looked at how it ended: nothing is to be reported.
    looked: Cell<bool>,
    /// How many read ends exist, those aside that callbacks are lent.
    readers: Cell<usize>,
    /// The value; none while it is pending, if it ended without, and when the value was moved out.
    value: RefCell<Option<T>>,
    listeners: RefCell<Listeners<Listener>>,
    /// How to clone the value: known once there may be two read ends.
    clone: Cell<Option<CloneFn<T>>>,
    /// An `Rc` that nobody shares: its end is a function of its own, as a `Box`'s is not, so that none is dropped by a look.
    rare: OnceCell<Rc<Rare<T>>>,
}

/// What few cells need.
struct Rare<T> {
    /// Until the future is over, or the last read end is gone.
    helper: RefCell<Option<Rc<dyn Helper>>>,
    /// How to report a value that is an error, if nobody looks at it.
    report: Cell<Option<fn(T)>>,
    /// Why it ended without a value.
    error: OnceCell<FutureError>,
}

impl<T> Rare<T> {
    /// Makes it like a new one; false if there is something in it.
    fn renew(&mut self) -> bool {
        let is_empty = self.helper.get_mut().is_none() && self.error.get().is_none();
        if is_empty {
            self.report.set(None);
        }
        is_empty
    }

    #[inline(never)]
    fn drop_helper(&self) {
        let helper = self.helper.take();
        catch_and_report("panic in the destructor of a canceller", || drop(helper));
    }
}

impl<T> Core<T> {
    fn rare(&self) -> &Rare<T> {
        self.rare.get_or_init(|| {
            Rc::new(Rare { helper: RefCell::new(None), report: Cell::new(None), error: OnceCell::new() })
        })
    }

    #[inline]
    pub(crate) fn state(&self) -> State {
        self.state.get()
    }

    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.state.get() != State::Pending
    }

    /// Ends the future with a value, and tells everybody; gives the value back if the future is over.
    #[inline]
    pub(crate) fn finish(&self, value: T) -> Result<(), T> {
        if self.is_done() {
            return Err(value);
        }
        self.value.borrow_mut().get_or_insert_with(|| value); // Without a look at an old one: there is none.
        self.end(State::Finished);
        Ok(())
    }

    /// Ends the future without a value, and tells everybody; false if the future is over.
    pub(crate) fn fail(&self, error: FutureError) -> bool {
        if self.is_done() {
            return false;
        }
        let state = if error.is_cancelled() { State::Cancelled } else { State::Failed };
        _ = self.rare().error.set(error);
        self.end(state);
        true
    }

    /// Makes the transition. Wakers are woken now, callbacks are scheduled; both in the order in which they asked.
    #[inline]
    fn end(&self, state: State) {
        self.state.set(state);
        if self.listeners.borrow().is_empty() {
            return self.drop_helper();
        }
        tell(&self.listeners);
        self.drop_helper();
        trampoline::drain();
    }

    /// Cancels the future, or asks the helper to; false if it is over.
    pub(crate) fn cancel(&self, message: Option<Arc<str>>) -> bool {
        if self.is_done() {
            self.looked.set(true);
            return false;
        }
        match self.helper() {
            Some(helper) => helper.cancel(message),
            None => self.fail(FutureError::Cancelled(Cancelled::with_message(message))),
        }
    }

    pub(crate) fn set_helper(&self, helper: Rc<dyn Helper>) {
        self.rare().helper.replace(Some(helper)); // There was none.
    }

    #[inline]
    pub(crate) fn helper(&self) -> Option<Rc<dyn Helper>> {
        self.rare.get()?.helper.borrow().clone()
    }

    /// Lets the helper go; its destructor is user code.
    #[inline]
    pub(crate) fn drop_helper(&self) {
        if let Some(rare) = self.rare.get() {
            rare.drop_helper();
        }
    }

    /// Notes that `waker` is to be woken under `key`, which is set if it is [`NO_KEY`]; false if the future is over.
    #[inline]
    pub(crate) fn listen(&self, key: &mut u64, waker: &Waker) -> bool {
        if *key != NO_KEY {
            if let Some(Listener::Waker(old)) = self.listeners.borrow_mut().find(*key) {
                if will_wake(old, waker) {
                    return true;
                }
            }
        }
        let new = local_waker(waker); // User code: no borrow is held, and it may have ended the future.
        if self.is_done() {
            return false;
        }
        if *key == NO_KEY {
            *key = self.listeners.borrow_mut().push(Listener::Waker(new));
        } else {
            let old = self.put_waker(key, new);
            drop(old); // User code too.
        }
        true
    }

    /// Puts a waker in the place of the one that `key` has, which is returned, or at the end.
    fn put_waker(&self, key: &mut u64, new: Waker) -> Option<Listener> {
        let mut listeners = self.listeners.borrow_mut();
        if let Some(listener) = listeners.find(*key) {
            return Some(std::mem::replace(listener, Listener::Waker(new)));
        }
        *key = listeners.push(Listener::Waker(new));
        None
    }

    /// Takes back the waker noted under `key`.
    pub(crate) fn unlisten(&self, key: u64) {
        if key != NO_KEY {
            let old = self.listeners.borrow_mut().remove(key);
            drop(old); // User code: the borrow has ended.
        }
    }

    /// Adds a callback and returns its key; schedules it now if the future is over, with the key that none has.
    pub(crate) fn add_callback(&self, callback: Node) -> u64 {
        if !self.is_done() {
            return self.listeners.borrow_mut().push(Listener::Call(callback));
        }
        trampoline::schedule(callback);
        trampoline::drain();
        NO_KEY
    }

    /// Takes a callback back; leaves wakers alone, for a key may be that of another cell.
    pub(crate) fn remove_callback(&self, key: u64) -> bool {
        let mut listeners = self.listeners.borrow_mut();
        if !matches!(listeners.find(key), Some(Listener::Call(_))) {
            return false;
        }
        let removed = listeners.remove(key);
        drop(listeners);
        removed.is_some() // And dropped here, under no borrow.
    }

    /// Counts one more read end, and learns how to clone for it.
    pub(crate) fn add_reader(&self, clone: CloneFn<T>) {
        self.clone.set(Some(clone));
        self.readers.set(self.readers.get() + 1);
    }

    /// Counts one read end less. With the last goes the helper: nobody is left to cancel, or to wait.
    #[inline]
    pub(crate) fn remove_reader(&self) {
        self.readers.set(self.readers.get() - 1);
        if self.readers.get() == 0 {
            self.drop_helper();
        }
    }

    /// Has a value that nobody looks at go to `report`.
    pub(crate) fn set_report(&self, report: fn(T)) {
        self.rare().report.set(Some(report));
    }

    /// Returns the value to look at, or why there is none.
    pub(crate) fn look(&self) -> Result<Ref<'_, Option<T>>, FutureError> {
        self.looked.set(true);
        self.error().map_or_else(|| Ok(self.value.borrow()), |error| Err(error.clone()))
    }

    fn error(&self) -> Option<&FutureError> {
        self.rare.get()?.error.get()
    }

    /// Reads the ending of a future that is over: moves the value out for the last reader, clones it for another.
    ///
    /// Inlined with the usual case alone, so that the value goes through registers. In a returned `Result` it would be
    /// written word by word, and copied by wider loads, which wait until the stores have left the store buffer.
    #[inline(always)]
    pub(crate) fn read(&self) -> Result<T, FutureError> {
        if self.clone.get().is_none() {
            if let Some(value) = self.value.try_borrow_mut().ok().and_then(|mut value| value.take()) {
                self.looked.set(true);
                return Ok(value);
            }
        }
        self.read_slow()
    }

    /// As [`read`](Core::read), in any case.
    #[inline(never)]
    fn read_slow(&self) -> Result<T, FutureError> {
        self.looked.set(true);
        if self.clone.get().is_some() && self.readers.get() > 1 || self.state.get() != State::Finished {
            return self.copy();
        }
        let moved = self.value.try_borrow_mut().map(|mut value| value.take());
        match moved {
            Ok(Some(value)) => Ok(value),
            Ok(None) => panic!("a future was awaited after its value had been moved out: `share` it to await it twice"),
            Err(_) if self.clone.get().is_some() => self.copy(),
            Err(_) => panic!("a future was awaited while its value was lent: let go of what `result` returned first"),
        }
    }

    /// Copies the ending. Whoever clones a value meets only those who look at it too.
    #[cold]
    fn copy(&self) -> Result<T, FutureError> {
        if let Some(error) = self.error() {
            return Err(error.clone());
        }
        match (&*self.value.borrow(), self.clone.get()) {
            (Some(value), Some(clone)) => Ok(clone(value)),
            _ => panic!("a future was awaited after its value had been moved out: `share` it to await it twice"),
        }
    }

    /// Returns how many are to be told.
    pub(crate) fn listeners(&self) -> usize {
        self.listeners.borrow().len()
    }

    /// Names the state, for a person.
    pub(crate) fn state_name(&self) -> &'static str {
        match self.state.get() {
            State::Pending => "pending",
            State::Finished => "finished",
            State::Cancelled => "cancelled",
            State::Failed => "failed",
        }
    }
}

/// Tells everybody, and nobody twice: a waker is woken, a callback scheduled.
#[inline(never)]
fn tell(listeners: &RefCell<Listeners<Listener>>) {
    let told = listeners.borrow_mut().take();
    told.for_each(|listener| match listener {
        Listener::Waker(waker) => catch_and_report("panic in a waker", || waker.wake()),
        Listener::Call(callback) => trampoline::schedule(callback),
    });
}

impl<T: 'static> Core<T> {
    /// Makes a pending cell with one read end, or takes one that was.
    #[inline]
    pub(crate) fn new() -> Rc<Thin<Core<T>>> {
        spare::take().unwrap_or_else(Core::make)
    }

    /// Makes a cell.
    #[inline(never)]
    fn make() -> Rc<Thin<Core<T>>> {
        // Not by `Rc::new`, which puts the cell together on the stack before there is memory to copy it to.
        Rc::new_cyclic(|_| {
            Thin::new(Core {
                state: Cell::new(State::Pending),
                looked: Cell::new(false),
                readers: Cell::new(1),
                value: const { RefCell::new(None) },
                listeners: const { RefCell::new(Listeners::new()) },
                clone: Cell::new(None),
                rare: OnceCell::new(),
            })
        })
    }

    /// Keeps a cell for the next promise, if its last holder is about to let go of it, and nothing is left in it.
    #[inline]
    pub(crate) fn keep(cell: &mut Rc<Thin<Core<T>>>) {
        if const { size_of::<Core<T>>() <= spare::LARGEST } && Rc::get_mut(cell).is_some_and(|cell| cell.renew()) {
            spare::put(Rc::clone(cell));
        }
    }

    /// Makes an empty cell like a new one, but for the keys, which ascend; false if it is not empty.
    #[inline]
    fn renew(&mut self) -> bool {
        let is_empty = self.value.get_mut().is_none() && self.listeners.get_mut().is_empty();
        if is_empty && self.rare.get_mut().is_none_or(|rare| Rc::get_mut(rare).is_some_and(Rare::renew)) {
            self.state.set(State::Pending);
            self.looked.set(false);
            self.readers.set(1);
            self.clone.set(None);
            return true;
        }
        false
    }
}

impl<T: 'static> Waitable for Core<T> {
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        Core::cancel(self, message)
    }

    fn describe(&self) -> String {
        let what = self.helper().map_or_else(|| "future".to_string(), |helper| helper.describe());
        format!("{what} {}", self.state_name())
    }

    fn is_over(&self) -> bool {
        self.is_done()
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        if let Some(helper) = self.helper() {
            helper.waits_for(visit);
        }
    }
}

impl<T> Drop for Core<T> {
    /// Reports an error that nobody looked at.
    #[inline]
    fn drop(&mut self) {
        if self.rare.get().is_some() && !self.looked.get() {
            self.report_unlooked();
        }
    }
}

impl<T> Core<T> {
    #[inline(never)]
    fn report_unlooked(&mut self) {
        let Some(rare) = self.rare.get_mut().and_then(Rc::get_mut) else { return };
        let (error, report_value) = (rare.error.take(), rare.report.get());
        let value = self.value.get_mut().take_if(|_| report_value.is_some());
        if value.is_none() && !error.as_ref().is_some_and(FutureError::is_panic) {
            return;
        }
        catch_and_report("panic while an error was reported", || match (value, report_value, error) {
            (Some(value), Some(report_value), _) => report_value(value),
            (_, _, Some(error)) => report(unlooked().with_error(error)),
            _ => {}
        });
    }
}

/// Starts the report of an error that nobody looked at.
pub(crate) fn unlooked() -> Report {
    Report::new("future exception was never retrieved")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Future, Promise, promise};
    use pollster::block_on;

    /// Tells whether the cell of a future that `f` sees to the end of is kept for the next.
    fn is_kept<T: 'static>(f: impl FnOnce(Promise<T>, Future<T>)) -> bool {
        let (promise, future) = promise();
        f(promise, future);
        spare::take::<Thin<Core<T>>>().is_some()
    }

    #[test]
    fn a_cell_that_was_read_is_kept() {
        assert!(is_kept(|promise, future| {
            promise.set_result(1_u8).unwrap();
            assert_eq!(block_on(future), Ok(1));
        }));
        assert!(is_kept(|promise, future| {
            let other = future.share();
            promise.set_result(1_u16).unwrap();
            assert_eq!((block_on(future), block_on(other)), (Ok(1), Ok(1)));
        }));
        assert!(is_kept(|promise, future| {
            promise.set_exception("no").unwrap();
            assert_eq!(block_on(future), Ok(Err::<u8, _>("no")));
        }));
    }

    #[test]
    fn a_cell_in_which_something_is_left_is_not_kept() {
        assert!(!is_kept(|promise, _future| promise.set_result(1_u8).unwrap()), "a value");
        assert!(!is_kept::<u8>(|_promise, future| assert!(future.cancel())), "why it has none");
        assert!(!is_kept::<u8>(|promise, future| drop((future, promise))), "the promise goes last");
        let mut other = None;
        assert!(!is_kept(|promise, future| {
            other = Some(Rc::downgrade(&future.waitable()));
            promise.set_result(1_u8).unwrap();
            block_on(future).unwrap();
        }));
        assert!(other.is_some_and(|other| other.upgrade().is_none()), "somebody who might come back");
    }

    #[test]
    fn a_large_cell_is_not_kept() {
        assert!(!is_kept(|promise, future| {
            promise.set_result([0_u8; spare::LARGEST]).unwrap();
            block_on(future).unwrap();
        }));
    }

    #[test]
    fn a_kept_cell_is_like_a_new_one() {
        for round in 0..3_i8 {
            let (promise, future) = promise();
            assert_eq!((future.core().state(), future.core().looked.get()), (State::Pending, false));
            assert_eq!((future.core().readers.get(), future.core().listeners()), (1, 0));
            let other = (round == 1).then(|| future.share());
            let key = future.add_done_callback(|_| ());
            assert_eq!(key, crate::CallbackKey(1 + round as u64), "an old key is nobody's");
            promise.set_result(round).unwrap();
            assert_eq!(block_on(future), Ok(round));
            assert!(other.is_none_or(|other| block_on(other) == Ok(round)));
        }
    }
}
