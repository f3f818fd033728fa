//! The loop's ear to the world: which sources there are, which are ready, and where the loop sleeps.
//!
//! ```text
//! task ── io::Source ──┐                                   ┌─ nothing registered: Parker (a futex)
//!                      ├── Reactor: slots, bell ── wait ───┤
//! add_reader ──────────┘                                   └─ else: Selector (made at the first source)
//! ```
//!
//! A [`Source`](crate::io::Source) is registered once, edge-triggered, and remembers in its [`SourceState`] that it is
//! ready until an operation would block. A TCP connection whose reads promise it is level-triggered for a time: see
//! [`Watch`]. Callbacks of `add_reader` are level-triggered, as asyncio's. One descriptor is
//! one or the other.
//!
//! A turn of [`Reactor::wait`] has three steps, and user code runs in the last one alone, when nothing is borrowed: the
//! selector waits; each event is noted in its slot, which gives up its wakers and callbacks; wakers are woken and
//! callbacks queued, in the order of the events. An event whose key is old means nothing.

mod bell;
mod slots;
mod source_state;
mod watch;
mod callbacks;
#[cfg(test)]
mod tests;

pub(crate) use callbacks::Callback;
pub(crate) use source_state::{SourceState, WaiterId};
pub(crate) use watch::Watch;

use crate::reactor::bell::LoopBell;
use crate::reactor::callbacks::{Callbacks, Queued};
use crate::reactor::slots::{Slot, Slots};
use crate::selector::{Interest, Mode, PollingSelector, Ready, Selector};
use crate::sys::{AsFd, BorrowedFd, RawFd, borrow, raw};
use corio_seam::{IntMap, Node, catch_and_report};
use corio_task::Bell;
use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

/// The sources of one loop, and the places where it sleeps.
pub(crate) struct Reactor {
    /// Made at the first source, with the process that made it.
    selector: OnceCell<(Rc<dyn Selector>, Pid)>,
    /// What is registered, by the key that events bear.
    slots: RefCell<Slots>,
    /// What is registered, by descriptor.
    keys: RefCell<IntMap<usize>>,
    /// Ends a sleep, wherever it is.
    bell: Arc<LoopBell>,
    /// Set by `close`, never cleared.
    closed: Cell<bool>,
    /// What the selector reported; empty between turns, kept for its memory.
    ready: Cell<Vec<Ready>>,
    /// What a turn has to do in its last step; empty between turns, kept for its memory.
    actions: Cell<Vec<Action>>,
}

/// The process that made a selector: a forked child shares it, and must not touch it.
type Pid = u32;

/// What an event leads to.
pub(crate) enum Action {
    /// Somebody waited for it.
    Wake(Waker),
    /// Somebody wants to be called.
    Call(Rc<Callback>),
}

impl Reactor {
    /// Makes a reactor that will ask the operating system.
    pub(crate) fn new() -> Reactor {
        Reactor {
            selector: OnceCell::new(),
            slots: RefCell::default(),
            keys: RefCell::default(),
            bell: Arc::default(),
            closed: Cell::new(false),
            ready: Cell::default(),
            actions: Cell::default(),
        }
    }

    /// Makes a reactor that will ask `selector`.
    pub(crate) fn with_selector(selector: Rc<dyn Selector>) -> Reactor {
        let reactor = Reactor::new();
        reactor.bell.set_selector(selector.notifier());
        let _ = reactor.selector.set((selector, std::process::id()));
        reactor
    }

    /// Returns the one bell that ends the loop's sleep, wherever it sleeps.
    ///
    /// Whoever rings has seen, under the inbox's lock, that the loop is asleep.
    pub(crate) fn bell(&self) -> Arc<dyn Bell> {
        self.bell.clone()
    }

    /// Tells whether nothing is registered.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.borrow().is_empty()
    }

    /// Returns how many sources and descriptors with callbacks are registered.
    pub(crate) fn len(&self) -> usize {
        self.slots.borrow().len()
    }

    /// Sleeps until something is ready, the bell rings or `timeout` has passed; then wakes and queues. May return early.
    ///
    /// # Errors
    ///
    /// When the selector cannot wait.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
        if self.is_empty() {
            self.bell.park(timeout);
            return Ok(());
        }
        self.turn(timeout)
    }

    /// Tells whether a signal ends a sleep although nothing is registered; to be asked on the main thread alone, by a loop
    /// that listens.
    #[inline]
    pub(crate) fn hears_signals_without_selector(&self) -> bool {
        self.is_empty() && self.bell.park_for_signals()
    }

    /// Wakes and queues what is ready now, without sleeping; without a source it does nothing.
    ///
    /// # Errors
    ///
    /// When the selector cannot tell.
    pub(crate) fn poll(&self) -> io::Result<()> {
        if self.is_empty() { Ok(()) } else { self.turn(Some(Duration::ZERO)) }
    }

    /// Waits in the selector, notes what it reports, and acts on it.
    fn turn(&self, timeout: Option<Duration>) -> io::Result<()> {
        let selector = self.selector()?;
        let mut ready = self.ready.take();
        let outcome = selector.wait(&mut ready, timeout);
        corio_seam::permute(&mut ready);
        let mut actions = self.actions.take();
        let mut out_of_place = Vec::new();
        let slots = self.slots.borrow();
        ready.drain(..).for_each(|ready| out_of_place.extend(slots.note(ready, &mut actions)));
        drop(slots);
        for source in out_of_place {
            let _ = self.return_to_edges(&source); // Refused, the next event tries again.
        }
        self.ready.set(ready);
        actions.drain(..).for_each(Action::perform);
        self.actions.set(actions);
        outcome
    }

    /// Registers the descriptor of a source, edge-triggered, for both directions.
    ///
    /// # Errors
    ///
    /// When the loop is closed, the descriptor is registered already, the selector refuses, or this is a forked child.
    pub(crate) fn register(&self, fd: BorrowedFd<'_>) -> io::Result<Rc<SourceState>> {
        self.check_open()?;
        let selector = self.selector_of_this_process()?;
        self.check_free(fd)?;
        let state = self.slots.borrow_mut().insert(|key| {
            let state = Rc::new(SourceState::new(key));
            (Slot::Source(state.clone()), state)
        })?;
        if let Err(error) = selector.register(fd, state.key(), Interest::BOTH, Mode::Edge) {
            self.slots.borrow_mut().remove(state.key());
            return Err(error);
        }
        self.keys.borrow_mut().insert(raw(fd) as u64, state.key());
        self.bell.sleep_in_selector(true);
        Ok(state)
    }

    /// Ends what [`register`](Reactor::register) began; must come before the descriptor is closed.
    pub(crate) fn deregister(&self, fd: BorrowedFd<'_>, state: &SourceState) {
        self.forget(fd, raw(fd), state.key());
        state.close();
    }

    /// Takes a key out of every table. An error of the selector is of no use to anybody: the key is dead either way.
    fn forget(&self, fd: BorrowedFd<'_>, number: RawFd, key: usize) {
        if let Ok(selector) = self.selector_of_this_process() {
            let _ = selector.deregister(fd, key);
        }
        self.keys.borrow_mut().remove(number as u64);
        let slot = self.slots.borrow_mut().remove(key);
        drop(slot); // With nothing borrowed: wakers and callbacks may be in it.
        if self.is_empty() {
            self.bell.sleep_in_selector(false);
        }
    }

    /// Hears that an operation of a source would block.
    ///
    /// # Errors
    ///
    /// When the selector refuses to ask again.
    #[inline]
    pub(crate) fn used_up(&self, state: &SourceState, interest: Interest) -> io::Result<()> {
        state.clear(interest);
        if interest.readable {
            state.watch().found_nothing();
        } else if state.watch().is_at_level() {
            self.return_to_edges(state)?; // The level is that of reading alone.
        }
        self.selector()?.used_up(state.key(), interest)
    }

    /// Hears that a read left nothing behind: its source waits for the next edge, if the selector reports each of them.
    pub(crate) fn read_short(&self, state: &SourceState) {
        if state.watch().found_something() {
            let _ = self.return_to_edges(state);
        }
        let tells = self.selector().is_ok_and(|selector| selector.tells_interruptions());
        if tells && !state.is_interrupted() {
            state.clear(Interest::READABLE);
        }
    }

    /// Hears that a read filled its buffer. The next one waits for the level, if the source is watched at that or the reads
    /// so far are worth it; else it is tried, and shows what this one left.
    pub(crate) fn read_full(&self, state: &SourceState, io: &Rc<impl AsFd + 'static>) {
        let left_something = state.watch().found_something();
        if left_something {
            let _ = self.return_to_edges(state); // Refused, the level serves as well, only slower.
        }
        let is_level = if state.watch().is_at_level() {
            !left_something && !state.is_interrupted() && state.watch().believes()
        } else {
            state.watch().is_worth_level() && self.go_to_level(state, io)
        };
        if is_level { state.clear(Interest::READABLE) } else { state.watch().doubt() }
    }

    /// Has a source watched at the level of what can be read; false if that must not be, and is put off.
    ///
    /// Whatever there is to read is reported by the next wait. Room to write is not; so it must be known to be there.
    #[cold]
    fn go_to_level(&self, state: &SourceState, io: &Rc<impl AsFd + 'static>) -> bool {
        let is_fit = !state.is_interrupted() && state.is_ready(Interest::WRITABLE) && !state.is_closed();
        let fd = borrow(&**io);
        let is_done = self.selector_of_this_process().is_ok_and(|selector| {
            let can = is_fit && selector.changes_modes();
            can && selector.modify(fd, state.key(), Interest::READABLE, Mode::Level).is_ok()
        });
        if is_done {
            state.watch().enter_level(io.clone())
        } else {
            state.watch().put_off()
        }
        is_done
    }

    /// Has a source watched at edges again, in both directions, if it is not. What is ready now is reported once more.
    ///
    /// # Errors
    ///
    /// When the selector refuses, and in a forked child: then it stays as it is.
    #[cold]
    fn return_to_edges(&self, state: &SourceState) -> io::Result<()> {
        let Some(io) = state.watch().level() else { return Ok(()) };
        let selector = self.selector_of_this_process()?;
        selector.modify(borrow(&*io), state.key(), Interest::BOTH, Mode::Edge)?;
        state.watch().leave_level();
        Ok(())
    }

    /// Calls `function` from the loop as long as `fd` is ready; replaces what was called before.
    ///
    /// The reactor watches a duplicate of the descriptor, so that nobody closes it under the selector.
    ///
    /// # Errors
    ///
    /// As [`register`](Reactor::register); a descriptor may have callbacks or a source, not both.
    #[track_caller]
    pub(crate) fn add_callback(
        &self,
        fd: BorrowedFd<'_>,
        interest: Interest,
        function: Box<dyn FnMut()>,
    ) -> io::Result<()> {
        self.check_open()?;
        let selector = self.selector_of_this_process()?;
        let callbacks = match self.callbacks(fd) {
            Some(callbacks) => callbacks,
            None => return self.add_first_callback(fd, interest, function),
        };
        let wanted = callbacks.interest().or(interest);
        if wanted != callbacks.interest() {
            selector.modify(callbacks.fd(), callbacks.key(), wanted, Mode::Level)?;
        }
        drop(callbacks.set(interest, Some(function)));
        Ok(())
    }

    /// Registers a duplicate of `fd`, level-triggered.
    #[track_caller]
    fn add_first_callback(&self, fd: BorrowedFd<'_>, interest: Interest, function: Box<dyn FnMut()>) -> io::Result<()> {
        self.check_free(fd)?;
        let twin = fd.try_clone_to_owned()?;
        let callbacks = self.slots.borrow_mut().insert(|key| {
            let callbacks = Rc::new(Callbacks::new(key, raw(fd), twin));
            (Slot::Callbacks(callbacks.clone()), callbacks)
        })?;
        if let Err(error) = self.selector()?.register(callbacks.fd(), callbacks.key(), interest, Mode::Level) {
            let slot = self.slots.borrow_mut().remove(callbacks.key());
            drop(slot);
            return Err(error);
        }
        drop(callbacks.set(interest, Some(function)));
        self.keys.borrow_mut().insert(raw(fd) as u64, callbacks.key());
        self.bell.sleep_in_selector(true);
        Ok(())
    }

    /// Stops calling; true if there was something to stop.
    pub(crate) fn remove_callback(&self, fd: BorrowedFd<'_>, interest: Interest) -> bool {
        let Some(callbacks) = self.callbacks(fd) else { return false };
        let removed = callbacks.set(interest, None);
        let wanted = callbacks.interest();
        if wanted.is_none() {
            self.forget(callbacks.fd(), raw(fd), callbacks.key());
        } else if let (true, Ok(selector)) = (removed.is_some(), self.selector_of_this_process()) {
            // Refused, it reports a direction that nobody hears: harmless.
            let _ = selector.modify(callbacks.fd(), callbacks.key(), wanted, Mode::Level);
        }
        removed.is_some() // The callback itself is dropped here, with nothing borrowed.
    }

    /// Forgets callbacks, and wakes whoever waits for a source: it finds an error. Sources deregister as they are dropped.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        let (sources, callbacks) = self.slots.borrow().all();
        let mut actions = Vec::new();
        for source in sources {
            source.close();
            source.note(Interest::BOTH, &mut actions);
        }
        actions.into_iter().for_each(Action::perform);
        for callbacks in callbacks {
            self.forget(callbacks.fd(), callbacks.number(), callbacks.key());
            catch_and_report("exception while a reader was dropped", move || drop(callbacks));
        }
    }

    /// Returns the callbacks of a descriptor, if it has any.
    fn callbacks(&self, fd: BorrowedFd<'_>) -> Option<Rc<Callbacks>> {
        let key = *self.keys.borrow().get(raw(fd) as u64)?;
        self.slots.borrow().callbacks(key)
    }

    /// Refuses a descriptor that is registered already.
    fn check_free(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        let number = raw(fd);
        let keys = self.keys.borrow();
        let Some(&key) = keys.get(number as u64) else { return Ok(()) };
        let owner = match self.slots.borrow().callbacks(key) {
            Some(_) => "callbacks: remove its reader and its writer first, and before it is closed",
            None => "a source: read and write through that",
        };
        let message = format!("descriptor {number} already has {owner}");
        Err(io::Error::new(io::ErrorKind::AlreadyExists, message))
    }

    /// Returns the selector, made if need be.
    #[inline]
    fn selector(&self) -> io::Result<&dyn Selector> {
        match self.selector.get() {
            Some((selector, _)) => Ok(&**selector),
            None => self.make_selector(),
        }
    }

    /// Makes the selector that asks the operating system.
    #[cold]
    fn make_selector(&self) -> io::Result<&dyn Selector> {
        let selector = PollingSelector::new()?;
        self.bell.set_selector(selector.notifier());
        let (selector, _) = self.selector.get_or_init(|| (Rc::new(selector), std::process::id()));
        Ok(&**selector)
    }

    /// Returns the selector, unless the loop is closed or this is a forked child, which would change its parent's.
    fn selector_of_this_process(&self) -> io::Result<&dyn Selector> {
        let selector = self.selector()?;
        let made_here = self.selector.get().is_some_and(|(_, pid)| *pid == std::process::id());
        if made_here { Ok(selector) } else { Err(io::Error::other("this loop belongs to the process that was forked")) }
    }

    /// Returns an error if the loop is closed.
    fn check_open(&self) -> io::Result<()> {
        if self.closed.get() { Err(closed()) } else { Ok(()) }
    }
}

/// The error of whoever uses a source after its loop.
pub(crate) fn closed() -> io::Error {
    io::Error::other("the event loop of this source is closed")
}

impl Action {
    /// Does it. A waker that panics is reported, and holds up nobody; a loop that is closing takes no callback.
    fn perform(self) {
        match self {
            Action::Wake(waker) => catch_and_report("exception in a waker", move || waker.wake()),
            Action::Call(callback) => drop(corio_seam::push(Node::of(Queued(callback)))),
        }
    }
}
