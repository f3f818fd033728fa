//! What a generator and its body share: the value on its way out, and the one on its way in.
//!
//! ```text
//!            put                 take                 send               taken by the yield
//! running ─────────▶ yielded ───────────▶ waiting ───────────▶ sent ──────────────────────▶ running
//! ```
//! There is one yield at a time. All is plain cells: nothing of the user's is touched while anything is borrowed.

use crate::scopes::Scopes;
use std::cell::Cell;
use std::rc::Rc;
use std::task::Waker;

/// The cells between a generator and its yielder.
pub(crate) struct Channel<Y, S> {
    /// What was yielded; from the yield to the end of that poll of the body.
    yielded: Cell<Option<Y>>,
    /// What was sent; from the beginning of a poll of the body until the yield takes it.
    sent: Cell<Option<S>>,
    waiting: Cell<Waiting>,
    /// Who polls the body.
    polled_by: Cell<WakerId>,
    /// The waker of the waiting yield; while `waiting` says so.
    waker: Cell<Option<Waker>>,
    /// The places in the body of an async generator where its closing stops.
    pub(crate) scopes: Scopes,
}

/// Whether a yield has put its value in, and has not taken what is sent for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    No,
    /// It is polled when the body is.
    Yes,
    /// Something inside the body polls it with a waker of its own, and must be woken by that.
    ByWaker,
}

/// What tells one waker from another, without keeping either: the addresses of its data and of its table.
#[derive(Clone, Copy, PartialEq, Eq)]
struct WakerId(usize, usize);

impl WakerId {
    /// Nobody's: no table lies at 0.
    const NONE: WakerId = WakerId(0, 0);

    #[inline]
    fn of(waker: &Waker) -> WakerId {
        WakerId(waker.data().addr(), std::ptr::from_ref(waker.vtable()).addr())
    }
}

impl<Y, S> Channel<Y, S> {
    pub(crate) fn new() -> Rc<Channel<Y, S>> {
        Rc::new(Channel {
            yielded: Cell::new(None),
            sent: Cell::new(None),
            waiting: Cell::new(Waiting::No),
            polled_by: Cell::new(WakerId::NONE),
            waker: Cell::new(None),
            scopes: Scopes::default(),
        })
    }

    // The generator's side.

    /// Says that the body is being polled with `waker`, until what is returned is dropped.
    #[inline]
    pub(crate) fn enter(&self, waker: &Waker) -> Running<'_> {
        self.polled_by.set(WakerId::of(waker));
        Running(&self.polled_by)
    }

    /// Takes what the body has yielded.
    #[inline]
    pub(crate) fn take(&self) -> Option<Y> {
        self.yielded.take()
    }

    /// Tells whether the body stands at a yield.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.get() != Waiting::No
    }

    /// Hands `value` to the yield that waits.
    #[inline]
    pub(crate) fn send(&self, value: S) {
        self.sent.set(Some(value));
        if self.waiting.get() == Waiting::ByWaker {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        self.waiting.set(Waiting::Yes);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    // The yielder's side.

    /// Tells whether `waker` is not the one the body is polled with: whoever polls with it must be woken to poll on.
    ///
    /// # Panics
    ///
    /// Unless the body of this generator is being polled.
    #[inline]
    pub(crate) fn is_foreign(&self, waker: &Waker) -> bool {
        let foreign = self.polled_by.get() != WakerId::of(waker);
        if foreign {
            self.assert_running();
        }
        foreign
    }

    /// Panics unless the body of this generator is being polled.
    #[cold]
    pub(crate) fn assert_running(&self) {
        assert!(
            self.polled_by.get() != WakerId::NONE,
            "a yielder was used outside the body of its generator: it works nowhere else, so do not take it out, or into a task"
        );
    }

    /// Puts a value in the way out.
    #[inline]
    pub(crate) fn put(&self, value: Y, waker: &Waker) {
        let foreign = self.is_foreign(waker);
        assert!(!self.scopes.is_closing(), "a generator yielded while it is being closed: clean up, and return");
        assert!(!self.is_waiting(), "a generator yielded while another yield of its body waits: await one at a time");
        self.waiting.set(Waiting::Yes);
        self.yielded.set(Some(value));
        if foreign {
            self.keep_waker(waker);
        }
    }

    /// Takes what was sent for the yield that waits.
    #[inline]
    pub(crate) fn receive(&self, waker: &Waker) -> Option<S> {
        let foreign = self.is_foreign(waker);
        let sent = self.sent.take();
        if sent.is_some() {
            self.waiting.set(Waiting::No);
        } else {
            self.wait_on(waker, foreign);
        }
        sent
    }

    /// Goes on waiting, after a poll that was for something else; or leaves with a closing that found no scope around.
    #[cold]
    fn wait_on(&self, waker: &Waker, foreign: bool) {
        if self.scopes.is_closing() {
            self.scopes.raise();
        } else if foreign {
            self.keep_waker(waker);
        }
    }

    #[cold]
    fn keep_waker(&self, waker: &Waker) {
        let waker = waker.clone();
        self.waiting.set(Waiting::ByWaker);
        self.waker.set(Some(waker));
    }

    /// Takes back a yield that is dropped before it has received anything.
    pub(crate) fn withdraw(&self) {
        self.waiting.set(Waiting::No);
        drop((self.yielded.take(), self.sent.take(), self.waker.take()));
    }
}

/// A poll of a body under way.
pub(crate) struct Running<'c>(&'c Cell<WakerId>);

impl Drop for Running<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.set(WakerId::NONE);
    }
}
