//! Callbacks on signals: asyncio's `add_signal_handler`.
//!
//! Each is a listener of `corio_signal`, whose waker has the loop look whether its signal has come. So it does not matter
//! who hands the signals out: this loop, another one, or a thread.

use crate::reactor::Callback;
use crate::{LoopHandle, RemoteHandle, debug};
use corio_seam::catch_and_report_from;
use corio_signal::{Signal, Signals};
use std::cell::{Cell, RefCell};
use std::io;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

impl LoopHandle {
    /// Calls `callback` from the loop when `signal` has arrived; asyncio's `add_signal_handler`.
    ///
    /// It is an ordinary callback of the loop: it may do anything, and runs once for each arrival that the loop notices; a
    /// signal says *that* it came, not how often. A callback that is there already is replaced. Until it is removed, or the
    /// loop is closed, the signal's default action is off; for `SIGINT` that means that Ctrl-C does not cancel the main
    /// future. Unlike asyncio's it works on any thread: of several loops, each that asks is told.
    ///
    /// # Errors
    ///
    /// When the loop is closed; and those of [`Signals::new`]: a signal that cannot be caught, say.
    ///
    /// # Panics
    ///
    /// A panic of the callback is reported to the exception handler, and the callback stays.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// use corio_executor::{LoopHandle, run, sleep};
    /// use corio_signal::SIGUSR2;
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    /// use std::time::Duration;
    ///
    /// run(async {
    ///     let (event_loop, calls) = (LoopHandle::current(), Rc::new(Cell::new(0)));
    ///     let inner = Rc::clone(&calls);
    ///     event_loop.add_signal_handler(SIGUSR2, move || inner.set(inner.get() + 1)).unwrap();
    ///     signal_hook::low_level::raise(SIGUSR2.as_raw()).unwrap();
    ///     while calls.get() == 0 {
    ///         sleep(Duration::from_millis(1)).await;
    ///     }
    ///     assert!(event_loop.remove_signal_handler(SIGUSR2));
    /// })
    /// .unwrap();
    /// # }
    /// ```
    #[track_caller]
    pub fn add_signal_handler(&self, signal: Signal, callback: impl FnMut() + 'static) -> io::Result<()> {
        self.reactor()?; // It is an error if the loop is closed.
        let listener = Signals::new([signal])?;
        let handlers = &self.core().signal_handlers;
        let number = handlers.next_number();
        let waker = Waker::from(Arc::new(Rouse { remote: self.remote(), number }));
        let callback = Callback::new(Box::new(callback), Location::caller());
        let handler = Rc::new(Handler { number, listener: Cell::new(Some(listener)), callback, waker });
        let former = handlers.replace(signal, Some(Rc::clone(&handler)));
        handler.waker.wake_by_ref(); // To listen, when the loop runs; no task is said to wait for it.
        drop(former.map(|former| former.callback.cancel()));
        Ok(())
    }

    /// Removes the callback of `signal`, whose default action is on again if nobody else listens; true if there was one.
    /// asyncio's `remove_signal_handler`.
    pub fn remove_signal_handler(&self, signal: Signal) -> bool {
        let former = self.core().signal_handlers.replace(signal, None);
        former.is_some_and(|former| {
            drop(former.listener.take());
            drop(former.callback.cancel());
            true
        })
    }
}

/// The callbacks on signals of one loop.
#[derive(Default)]
pub(crate) struct SignalHandlers {
    /// Not borrowed while a callback runs or is dropped.
    handlers: RefCell<Vec<(Signal, Rc<Handler>)>>,
    last_number: Cell<u64>,
}

impl SignalHandlers {
    fn next_number(&self) -> u64 {
        self.last_number.set(self.last_number.get() + 1);
        self.last_number.get()
    }

    /// Puts `handler`, or nothing, in the place of the signal's, which is returned.
    fn replace(&self, signal: Signal, handler: Option<Rc<Handler>>) -> Option<Rc<Handler>> {
        let mut handlers = self.handlers.borrow_mut();
        let index = handlers.iter().position(|(at, _)| *at == signal);
        let former = index.map(|index| handlers.swap_remove(index).1);
        handlers.extend(handler.map(|handler| (signal, handler)));
        former
    }

    fn find(&self, number: u64) -> Option<Rc<Handler>> {
        self.handlers
            .borrow()
            .iter()
            .find(|(_, handler)| handler.number == number)
            .map(|(_, handler)| Rc::clone(handler))
    }

    /// Removes them all: their loop closes.
    pub(crate) fn close(&self) {
        for (_, handler) in self.handlers.take() {
            let location = handler.callback.location();
            catch_and_report_from("exception while a signal handler was dropped", Some(location), move || {
                drop(handler)
            });
        }
    }
}

/// One callback and its listener.
struct Handler {
    number: u64,
    /// Out of its place while it is asked, for that may wake others.
    listener: Cell<Option<Signals>>,
    callback: Callback,
    waker: Waker,
}

impl Handler {
    /// Calls the callback if the signal has come, and waits for the next.
    fn look(&self) {
        let arrived = self.take();
        if arrived && self.take() {
            self.waker.wake_by_ref(); // It has come again: that is for the next iteration.
        }
        if arrived {
            debug::note_from_outside::<Signals>(self.callback.location());
            catch_and_report_from("exception in callback", Some(self.callback.location()), || self.callback.call());
        }
    }

    /// Takes an arrival of the signal, or waits for it.
    fn take(&self) -> bool {
        let Some(mut listener) = self.listener.take() else { return false };
        let polled = listener.poll_recv(&mut Context::from_waker(&self.waker));
        if !self.callback.is_cancelled() {
            self.listener.set(Some(listener));
        }
        matches!(polled, Poll::Ready(_))
    }
}

/// Has the loop look for a signal, from whatever thread hands it out.
struct Rouse {
    remote: RemoteHandle,
    number: u64,
}

impl Wake for Rouse {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let number = self.number;
        // A closed loop has no handlers.
        let _ = self.remote.send(move || {
            let handler = LoopHandle::try_current().and_then(|here| here.core().signal_handlers.find(number));
            if let Some(handler) = handler {
                handler.look();
            }
        });
    }
}
