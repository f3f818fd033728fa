//! The loop's watch over signals: on as long as somebody in the process listens to one.

use crate::reactor::{Reactor, SourceState};
use crate::selector::Interest;
use crate::sys::signal_bell;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// The longest sleep of a loop that should watch, and cannot: no descriptor is left for a selector, say.
const LONGEST_BLIND_SLEEP: Duration = Duration::from_millis(50);

/// Whether and how the loop hears of signals.
///
/// `corio_signal` has one descriptor for the process, which becomes readable when a signal has arrived. It is
/// registered as sources are, edge-triggered; but nobody waits for it, the loop itself looks at its readiness after each
/// turn of the reactor. While nobody listens that costs one relaxed load a poll, and no selector is made.
#[derive(Debug, Default)]
pub(super) struct SignalWatch {
    /// The descriptor's readiness, while it is registered. Not borrowed while wakers run.
    state: RefCell<Option<Rc<SourceState>>>,
    /// Whether `state` is there.
    watching: Cell<bool>,
    /// Whether somebody listens, but the descriptor could not be registered.
    blind: Cell<bool>,
}

impl SignalWatch {
    /// Begins to watch if somebody listens, and ceases if nobody does. To be called before a turn of the reactor.
    ///
    /// If the loop alone listens (`armed`), and signals ring where it sleeps without a selector, there is no need to watch
    /// before there are sources; what was begun then goes on.
    #[inline]
    pub(super) fn update(&self, reactor: &Reactor, armed: bool) {
        let by_itself = armed && (self.watching.get() || !reactor.hears_signals_without_selector());
        let listening = by_itself || corio_signal::is_listening();
        if listening != self.watching.get() {
            if listening { self.begin(reactor) } else { self.end(reactor) }
        } else if !listening {
            self.blind.set(false);
        }
    }

    /// Registers the descriptor. Refused, it is tried again in the next iteration.
    #[cold]
    fn begin(&self, reactor: &Reactor) {
        let state = signal_bell().and_then(|bell| reactor.register(bell)).ok();
        self.watching.set(state.is_some());
        self.blind.set(state.is_none());
        self.state.replace(state);
    }

    /// Deregisters the descriptor, which stays open: it is the process's.
    #[cold]
    pub(super) fn end(&self, reactor: &Reactor) {
        self.watching.set(false);
        let Some(state) = self.state.take() else { return };
        if let Ok(bell) = signal_bell() {
            reactor.deregister(bell, &state);
        }
    }

    /// Tells whether the descriptor is all that is registered, and the loop alone listens.
    pub(super) fn is_alone(&self, reactor: &Reactor) -> bool {
        self.is_all_there_is(reactor) && !corio_signal::is_listening()
    }

    /// Tells whether the descriptor is all that is registered.
    pub(super) fn is_all_there_is(&self, reactor: &Reactor) -> bool {
        self.watching.get() && reactor.len() == 1
    }

    /// Shortens a sleep that no signal would end.
    pub(super) fn limit(&self, timeout: Option<Duration>) -> Option<Duration> {
        if !self.blind.get() {
            return timeout;
        }
        Some(timeout.map_or(LONGEST_BLIND_SLEEP, |timeout| timeout.min(LONGEST_BLIND_SLEEP)))
    }

    /// Wakes whoever waits for a signal that has arrived. To be called after a turn of the reactor.
    #[inline]
    pub(super) fn hear(&self, reactor: &Reactor) {
        if self.watching.get() || self.blind.get() {
            self.dispatch(reactor);
        }
    }

    #[cold]
    fn dispatch(&self, reactor: &Reactor) {
        let state = self.state.borrow().clone();
        if state.as_ref().is_some_and(|state| !state.is_ready(Interest::READABLE)) {
            return;
        }
        corio_signal::dispatch();
        // Only a turn of the reactor notes readiness, so none is forgotten that came with the dispatch. Refused, the
        // readiness is forgotten all the same; a selector that cannot be asked again fails at its next wait as well.
        if let Some(state) = state {
            let _ = reactor.used_up(&state, Interest::READABLE);
        }
    }
}
