//! What our handler does, how it is put in place, and how what was there before comes back.
//!
//! The handler of a signal that is listened to raises its flag, rings the bell, writes to the word on which a loop may sleep,
//! and calls the handler that was in place before, if there was one. Nothing else happens there.
//!
//! Others install handlers too. Who comes after us lies over us, and calls us or does not, as he likes. When nobody
//! listens any more, what was there before is put back if ours is the one in place; if another lies over it, ours stays
//! below, and hands on what it is called with. From there it must not be put over that other one again: each would call
//! the other, for ever. So there are several handlers that do the same, in layers, each with what lay below it, and the
//! next one is taken.
//!
//! A signal may arrive at any step of this, on this thread or another. So what lies below a layer is noted before its
//! handler is put in place, and is never forgotten; and while `listen` is not through, any of our handlers rings.

use super::action::{Action, Arrival, Kept, hang, raise, ring};
use crate::Signal;
use crate::registry::ARRIVED;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How many of our handlers can lie in one signal's chain. (Each layer has a function of its own.)
pub(super) const LAYERS: usize = 4;

/// What the handlers of one signal look up.
struct Seat {
    /// Who may ring: [`NOBODY`], [`EVERYBODY`], [`LEAVING`], or a layer alone.
    ///
    /// All accesses are SeqCst: they are few, and what they guard lies in the kernel.
    state: AtomicUsize,
    layers: [Layer; LAYERS],
}

struct Layer {
    /// What was in place before this layer's handler; nothing before it was first put in place.
    before: Kept,
    /// Whether another's handler lay over it when it was last seen. Written and read under the registry's lock alone.
    is_buried: AtomicBool,
}

/// Nobody listens: a handler that is called all the same hands on. `listen` --> EVERYBODY, `stand_back` --> LEAVING
const NOBODY: usize = 100;
/// Somebody begins to listen, and it is not settled yet with which handler. `listen` --> the layer, or NOBODY
const EVERYBODY: usize = 101;
/// A handler that nobody needs puts the default action back; excludes `listen`, which waits. `stand_back` --> NOBODY
const LEAVING: usize = 102;
// A layer's number: it was put in place last, for somebody who listens. `unlisten` --> NOBODY

static SEATS: [Seat; Signal::MAX] = [const { Seat::new() }; Signal::MAX];

/// A signal that is listened to, until [`unlisten`].
pub(crate) struct Handler(Signal);

/// Has the signal's flag raised and then `bell` rung whenever the signal arrives.
pub(crate) fn listen(signal: Signal, bell: BorrowedFd<'static>) -> io::Result<Handler> {
    hang(bell);
    let seat = &SEATS[signal.index()];
    while seat.state.compare_exchange(NOBODY, EVERYBODY, Ordering::SeqCst, Ordering::SeqCst).is_err() {
        std::hint::spin_loop(); // A handler on another thread, which waits for nothing.
    }
    let layer = seat.install(signal);
    seat.state.store(*layer.as_ref().unwrap_or(&NOBODY), Ordering::SeqCst);
    layer.map(|_| Handler(signal))
}

/// Puts back what was in place before, unless a handler of another's was put over ours meanwhile.
pub(crate) fn unlisten(Handler(signal): Handler) {
    let seat = &SEATS[signal.index()];
    // From here on what was in place before holds, or what would happen by default.
    let layer = seat.state.swap(NOBODY, Ordering::SeqCst);
    // It was listened to, so the system has this signal, and refuses nothing.
    let Ok(current) = Action::of(signal) else { return };
    match seat.before(&current) {
        Some(before) => drop(before.put(signal)),
        None => seat.layers[layer].is_buried.store(current.is_call(), Ordering::Relaxed),
    }
}

/// Tells whether nothing but the default action is in place for `signal`, our own handlers apart.
pub(crate) fn is_default(signal: Signal) -> io::Result<bool> {
    let current = Action::of(signal)?;
    Ok(SEATS[signal.index()].before(&current).unwrap_or(&current).is_default())
}

/// Does what is to be done when a signal arrives; in a signal handler.
pub(super) fn arrived(layer: usize, signal: Signal, arrival: &Arrival) {
    let seat = &SEATS[signal.index()];
    let is_heard = seat.is_heard(layer, signal);
    if is_heard {
        // In this order: nothing may ring before the flag is up.
        ARRIVED[signal.index()].store(true, Ordering::SeqCst);
        ring();
        #[cfg(target_os = "linux")]
        super::word::ring();
    }
    match seat.layers[layer].before.action() {
        Some(before) if before.is_default() && !is_heard => seat.stand_back(layer, signal, before),
        Some(before) => before.call(arrival),
        None => {}
    }
}

impl Layer {
    const fn new() -> Layer {
        Layer { before: Kept::nothing(), is_buried: AtomicBool::new(false) }
    }
}

impl Seat {
    const fn new() -> Seat {
        Seat { state: AtomicUsize::new(NOBODY), layers: [const { Layer::new() }; LAYERS] }
    }

    /// Puts our handler over what is in place; which of them it is.
    fn install(&self, signal: Signal) -> io::Result<usize> {
        let current = Action::of(signal)?;
        let Some(place) = self.place_over(&current) else {
            return Err(io::Error::other(format!("too many handlers of others lie over ours for {signal}")));
        };
        let layer = &self.layers[place];
        layer.is_buried.store(false, Ordering::Relaxed);
        if current.is_ours(place) {
            return Ok(place);
        }
        // First, for the signal that arrives in the same instant.
        layer.before.keep(current);
        let current = Action::ours(place, &current).put(signal)?;
        if !current.is_ours(place) {
            layer.before.keep(current); // Another thread has been quicker, perhaps.
        }
        Ok(place)
    }

    /// Chooses the layer that can lie over what is in place: the one that is; the one that lay over just that before; a
    /// new one; or one over which nobody lies.
    fn place_over(&self, current: &Action) -> Option<usize> {
        let was_over = |layer: &Layer| layer.before.action().is_some_and(|before| before.is_same(current));
        let is_new = |layer: &Layer| layer.before.action().is_none();
        let is_free = |layer: &Layer| !layer.is_buried.load(Ordering::Relaxed);
        let find = |wanted: &dyn Fn(&Layer) -> bool| self.layers.iter().position(wanted);
        let in_place = (0..LAYERS).find(|place| current.is_ours(*place));
        in_place.or_else(|| find(&was_over)).or_else(|| find(&is_new)).or_else(|| find(&is_free))
    }

    /// Returns what lies below the handler that is in place, if that is one of ours.
    fn before(&self, current: &Action) -> Option<&'static Action> {
        let place = (0..LAYERS).find(|place| current.is_ours(*place))?;
        self.layers[place].before.action()
    }

    /// Tells whether the handler of that layer is the one to ring: the one that was put in place last, or, if another has
    /// put an older one back over that, the older one.
    fn is_heard(&self, layer: usize, signal: Signal) -> bool {
        match self.state.load(Ordering::SeqCst) {
            NOBODY | LEAVING => false,
            EVERYBODY => true,
            only => only == layer || Action::of(signal).is_ok_and(|current| current.is_ours(layer)),
        }
    }

    /// Lets the default action happen, if it is nobody's to prevent it: nobody listens, and no handler of another's lies
    /// over this one. So it is when the last listener has left in the same instant, or when the one that lay over it went
    /// later, and put this one back.
    fn stand_back(&self, layer: usize, signal: Signal, default: &Action) {
        if self.state.compare_exchange(NOBODY, LEAVING, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return;
        }
        let mut current = Action::of(signal);
        if current.as_ref().is_ok_and(|current| current.is_ours(layer)) {
            current = default.put(signal).map(|_| *default);
        }
        self.state.store(NOBODY, Ordering::SeqCst);
        if current.is_ok_and(|current| current.is_default()) {
            raise(signal); // Held back until the handler returns.
        }
    }
}
