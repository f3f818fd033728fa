//! What tests count: wakes, drops, lines.

use std::cell::RefCell;
use std::fmt::Display;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Lines in the order in which they were said.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn say(&self, line: impl Display) {
        self.0.borrow_mut().push(line.to_string());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.take()
    }

    /// A waker that says `name`. Its log is this thread's.
    pub(crate) fn waker(&self, name: &'static str) -> (Waker, Arc<Wakes>) {
        let wakes = Arc::new(Wakes::default());
        NAMED.with(|named| named.borrow_mut().push((Arc::as_ptr(&wakes) as usize, name, self.clone())));
        (wakes.clone().into(), wakes)
    }
}

thread_local! {
    static NAMED: RefCell<Vec<(usize, &'static str, Log)>> = const { RefCell::new(Vec::new()) };
}

/// A waker that counts.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    pub(crate) fn new() -> (Waker, Arc<Wakes>) {
        let wakes = Arc::new(Wakes::default());
        (wakes.clone().into(), wakes)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        let me = Arc::as_ptr(&self) as usize;
        let found = NAMED.with(|named| named.borrow().iter().rev().find(|(at, ..)| *at == me).cloned());
        if let Some((_, name, log)) = found {
            log.say(name);
        }
    }
}

/// Polls once with a waker.
pub(crate) fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

/// Polls once with a waker that does nothing.
pub(crate) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_with(future, Waker::noop())
}

/// A value that counts its drops and its clones.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) drops: Arc<AtomicUsize>,
    pub(crate) clones: Arc<AtomicUsize>,
}

impl Counted {
    pub(crate) fn new() -> Counted {
        Counted { drops: Arc::default(), clones: Arc::default() }
    }

    /// The counters, to look at when the value is gone: drops, clones.
    pub(crate) fn counters(&self) -> impl Fn() -> (usize, usize) + use<> {
        let (drops, clones) = (self.drops.clone(), self.clones.clone());
        move || (drops.load(Ordering::SeqCst), clones.load(Ordering::SeqCst))
    }
}

impl Clone for Counted {
    fn clone(&self) -> Counted {
        self.clones.fetch_add(1, Ordering::SeqCst);
        Counted { drops: self.drops.clone(), clones: self.clones.clone() }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::SeqCst);
    }
}

/// A waker made of closures, for what std's `Wake` cannot do. Cloning, waking and dropping call `on`.
pub(crate) fn odd_waker(on: impl Fn(&'static str) + Send + Sync + 'static) -> Waker {
    odd::waker(Arc::new(on))
}

mod odd {
    use std::sync::Arc;
    use std::task::{RawWaker, RawWakerVTable, Waker};

    type On = Arc<dyn Fn(&'static str) + Send + Sync>;

    static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

    pub(crate) fn waker(on: On) -> Waker {
        // SAFETY:
        // * the table's functions treat the pointer as what `raw` makes of it: a leaked box of an `On`, owned.
        unsafe { Waker::from_raw(raw(on)) }
    }

    fn raw(on: On) -> RawWaker {
        RawWaker::new(Box::into_raw(Box::new(on)).cast::<()>().cast_const(), &VTABLE)
    }

    fn get(data: *const ()) -> On {
        // SAFETY:
        // * a waker's data points to a live box of an `On`.
        unsafe { &*data.cast::<On>() }.clone()
    }

    fn free(data: *const ()) -> On {
        // SAFETY:
        // * `wake` and `drop` own the waker, and are the last to use its box.
        *unsafe { Box::from_raw(data.cast::<On>().cast_mut()) }
    }

    fn clone(data: *const ()) -> RawWaker {
        let on = get(data);
        on("clone");
        raw(on)
    }

    fn wake(data: *const ()) {
        free(data)("wake");
    }

    fn wake_by_ref(data: *const ()) {
        get(data)("wake");
    }

    fn drop_waker(data: *const ()) {
        free(data)("drop");
    }
}
