//! The callbacks of `add_reader` and `add_writer`.

use crate::handle::call_in;
use crate::reactor::Action;
use crate::selector::Interest;
use crate::sys::{BorrowedFd, OwnedFd, RawFd, borrow};
use corio_seam::{Context, Description, Entry, copy_context};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::rc::Rc;

/// The callbacks of one descriptor: at most one a direction.
pub(crate) struct Callbacks {
    key: usize,
    /// The number of the descriptor that they were added for.
    number: RawFd,
    /// The duplicate of it that is registered.
    twin: OwnedFd,
    reader: RefCell<Option<Rc<Callback>>>,
    writer: RefCell<Option<Rc<Callback>>>,
}

impl Callbacks {
    /// Makes a descriptor's callbacks: none as yet.
    pub(crate) fn new(key: usize, number: RawFd, twin: OwnedFd) -> Callbacks {
        Callbacks { key, number, twin, reader: RefCell::default(), writer: RefCell::default() }
    }

    /// Returns the key that its events bear.
    pub(crate) fn key(&self) -> usize {
        self.key
    }

    /// Returns the number of the descriptor that they were added for.
    pub(crate) fn number(&self) -> RawFd {
        self.number
    }

    /// Lends the descriptor that is registered.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        borrow(&self.twin)
    }

    /// Returns the directions that have a callback.
    pub(crate) fn interest(&self) -> Interest {
        Interest { readable: self.reader.borrow().is_some(), writable: self.writer.borrow().is_some() }
    }

    /// Sets or removes the callback of a direction. The former one is returned, and will not be called any more.
    #[track_caller]
    pub(crate) fn set(&self, interest: Interest, function: Option<Box<dyn FnMut()>>) -> Option<Box<dyn FnMut()>> {
        let location = Location::caller();
        let callback = function.map(|function| Rc::new(Callback::new(function, location)));
        let place = if interest.readable { &self.reader } else { &self.writer };
        let former = place.replace(callback);
        former.map(|former| former.cancel())
    }

    /// Notes an event: whoever is to be called for it, and is not queued already, is called.
    pub(crate) fn note(&self, interest: Interest, actions: &mut Vec<Action>) {
        for (is_meant, callback) in [(interest.readable, &self.reader), (interest.writable, &self.writer)] {
            if let (true, Some(callback)) = (is_meant, &*callback.borrow()) {
                if !callback.queued.replace(true) {
                    actions.push(Action::Call(callback.clone()));
                }
            }
        }
    }
}

/// A function that is called again and again, until it is cancelled.
pub(crate) struct Callback {
    /// None while it runs, and once it is cancelled.
    function: Cell<Option<Box<dyn FnMut()>>>,
    /// Whether an entry of the ready queue is going to call it.
    queued: Cell<bool>,
    /// Set by `cancel`, never cleared.
    cancelled: Cell<bool>,
    /// What it sets, its next call sees.
    context: Context,
    /// Where it was added.
    location: &'static Location<'static>,
}

impl Callback {
    pub(crate) fn new(function: Box<dyn FnMut()>, location: &'static Location<'static>) -> Callback {
        let (function, context) = (Cell::new(Some(function)), copy_context());
        Callback { function, queued: Cell::new(false), cancelled: Cell::new(false), context, location }
    }

    /// Calls the function in its context, unless it was cancelled since it was queued.
    pub(crate) fn call(&self) {
        call_in(self.context.clone(), self.location, || self.call_inside());
    }

    /// It may cancel itself meanwhile, or panic: then it will be called again, as asyncio does.
    fn call_inside(&self) {
        self.queued.set(false);
        let Some(mut function) = self.function.take() else { return };
        let outcome = catch_unwind(AssertUnwindSafe(&mut function));
        if !self.cancelled.get() {
            self.function.set(Some(function));
        }
        if let Err(payload) = outcome {
            resume_unwind(payload); // It is reported in its context.
        }
    }

    /// Returns where it was added.
    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// Tells whether it was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.get()
    }

    /// Prevents further calls; gives the function back, or a stand-in while it runs.
    pub(crate) fn cancel(&self) -> Box<dyn FnMut()> {
        self.cancelled.set(true);
        self.function.take().unwrap_or_else(|| Box::new(|| ()))
    }
}

/// A callback in the ready queue.
pub(crate) struct Queued(pub(crate) Rc<Callback>);

impl Entry for Queued {
    fn run(self) {
        self.0.call();
    }

    fn location(&self) -> Option<&'static Location<'static>> {
        Some(self.0.location)
    }

    fn describe(&self) -> Description {
        Description { what: String::from("callback of a descriptor"), location: self.location() }
    }
}
