//! The places in a body where its closing stops, and how it gets there.
//!
//! Each `catch_closed` that is alive is a scope, inside the one in which it was first polled. A closing makes the innermost
//! ones *ripe*: at their next poll they drop what they hold, and return `Err(Closed)` to the code around them.
//! `Closed::resume` *raises* it there again: the scope around drops what it holds when that poll ends. Around all of them is
//! the body, which is dropped then.

use std::cell::{Cell, RefCell};
use std::task::Waker;

/// The scopes of one body.
#[derive(Default)]
pub(crate) struct Scopes {
    /// Those alive, in no order. Nothing of the user's is touched under the borrow.
    live: RefCell<Vec<Scope>>,
    /// The innermost one being polled.
    current: Cell<Option<u64>>,
    /// The identity of the next one.
    next: Cell<u64>,
    closing: Cell<bool>,
    /// The closing was raised where no scope is: the body is to be dropped.
    raised: Cell<bool>,
}

struct Scope {
    id: u64,
    outer: Option<u64>,
    /// The closing stops here, and the scope does not know yet.
    ripe: bool,
    /// The closing was raised right inside.
    raised: bool,
    /// What wakes whoever polls it, if that is something inside the body.
    waker: Option<Waker>,
}

impl Scopes {
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.get()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.live.borrow().is_empty()
    }

    /// Tells whether the body is to be dropped.
    pub(crate) fn is_raised(&self) -> bool {
        self.raised.get()
    }

    /// Begins to close: makes the innermost scopes ripe. False if there is no scope at all.
    pub(crate) fn close(&self) -> bool {
        self.closing.set(true);
        let wakers = self.ripen();
        for waker in wakers {
            waker.wake();
        }
        !self.is_empty()
    }

    fn ripen(&self) -> Vec<Waker> {
        let mut live = self.live.borrow_mut();
        let outer: Vec<_> = live.iter().filter_map(|scope| scope.outer).collect();
        let innermost = live.iter_mut().filter(|scope| !outer.contains(&scope.id));
        innermost
            .filter_map(|scope| {
                scope.ripe = true;
                scope.waker.take()
            })
            .collect()
    }

    /// Makes a scope inside the one that is being polled.
    pub(crate) fn open(&self) -> u64 {
        let id = self.next.get();
        self.next.set(id + 1);
        let scope = Scope { id, outer: self.current.get(), ripe: false, raised: false, waker: None };
        self.live.borrow_mut().push(scope);
        id
    }

    /// Ends a scope. If it was ripe and does not know, the closing stops at the one around it.
    pub(crate) fn leave(&self, id: u64) {
        let mut live = self.live.borrow_mut();
        let Some(at) = live.iter().position(|scope| scope.id == id) else { return };
        let scope = live.swap_remove(at);
        if scope.ripe {
            match live.iter_mut().find(|outer| Some(outer.id) == scope.outer) {
                Some(outer) => outer.raised = true,
                None => self.raised.set(true),
            }
        }
        drop(live);
        drop(scope); // A waker: not under the borrow.
    }

    /// Tells a scope once that the closing stops there.
    pub(crate) fn take_ripe(&self, id: u64) -> bool {
        self.change(id, |scope| std::mem::take(&mut scope.ripe))
    }

    /// Tells a scope once that the closing was raised right inside it.
    pub(crate) fn take_raised(&self, id: u64) -> bool {
        self.change(id, |scope| std::mem::take(&mut scope.raised))
    }

    /// Keeps what wakes whoever polls the scope.
    pub(crate) fn set_waker(&self, id: u64, waker: Option<Waker>) {
        let mut waker = waker;
        self.change(id, |scope| {
            std::mem::swap(&mut scope.waker, &mut waker);
            true
        });
        drop(waker); // The old one.
    }

    fn change(&self, id: u64, f: impl FnOnce(&mut Scope) -> bool) -> bool {
        self.live.borrow_mut().iter_mut().find(|scope| scope.id == id).is_some_and(f)
    }

    /// Raises the closing where the caller is.
    pub(crate) fn raise(&self) {
        match self.current.get() {
            Some(id) => _ = self.change(id, |scope| std::mem::replace(&mut scope.raised, true)),
            None => self.raised.set(true),
        }
    }

    /// Calls `f` with the scope as the innermost one being polled.
    pub(crate) fn within<R>(&self, id: u64, f: impl FnOnce() -> R) -> R {
        let _within = Within { current: &self.current, outer: self.current.replace(Some(id)) };
        f()
    }
}

/// A poll of a scope under way; when it ends, also by a panic, the one around it is the innermost again.
struct Within<'s> {
    current: &'s Cell<Option<u64>>,
    outer: Option<u64>,
}

impl Drop for Within<'_> {
    fn drop(&mut self) {
        self.current.set(self.outer);
    }
}
