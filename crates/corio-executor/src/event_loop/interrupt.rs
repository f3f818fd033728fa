//! What Ctrl-C means to a program that says nothing about it.

use crate::sys::{Parker, is_main_thread};
use corio_signal::{Fallback, SIGINT};
use corio_task::{TaskRef, current_task};
use pin_project_lite::pin_project;
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::task::{Context, Poll};

/// How many times a run may poll before it listens, if it does not sleep earlier. One that is busy polls in every fourth
/// iteration.
const UNARMED_POLLS: u32 = 64;

/// The first Ctrl-C of a run: it cancels the main task. The second one finds the default action in place.
///
/// To listen takes longer than a short run, and where signals do not ring at the parker (`sys`) it has the loop sleep in a
/// selector. So a run listens from its first sleep on, or when it has made some iterations; until then Ctrl-C ends the
/// process, as it does before and after. One that comes in the main task's last iteration comes too late, and changes
/// nothing.
///
/// `corio_signal`'s fallback sees to it that whoever listens takes over. Other loops need not watch for it.
#[derive(Debug, Default)]
pub(super) struct Interrupt {
    stage: Cell<Stage>,
    polls: Cell<u32>,
    /// There while the stage is `Armed`.
    fallback: RefCell<Option<Fallback>>,
    /// The main task, once it has been polled.
    main: RefCell<Option<TaskRef>>,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Ctrl-C is none of its business: it is no run of a `Runner`, or not on the main thread, or somebody else's handler
    /// is in place.
    #[default]
    Off,
    /// It will listen.
    Wanted,
    /// It listens.
    Armed,
    /// It has heard, and cancelled the main task.
    Heard,
}

impl Interrupt {
    /// Begins a run that Ctrl-C may end.
    pub(super) fn watch(&self) -> Watch<'_> {
        self.stage.set(Stage::Wanted);
        self.polls.set(0);
        Watch { interrupt: self }
    }

    /// Begins to listen if it is time to; tells whether the run listens.
    #[inline]
    pub(super) fn arm(&self, sleepy: bool) -> bool {
        match self.stage.get() {
            Stage::Off | Stage::Heard => false,
            Stage::Armed => true,
            Stage::Wanted => {
                self.polls.set(self.polls.get() + 1);
                (sleepy || self.polls.get() >= UNARMED_POLLS) && self.listen()
            }
        }
    }

    /// Begins to listen, where that is proper. Without it, Ctrl-C ends the process: so it is no error if that fails.
    #[cold]
    fn listen(&self) -> bool {
        let fallback = if is_main_thread() { listen() } else { None };
        let armed = fallback.is_some();
        self.stage.set(if armed { Stage::Armed } else { Stage::Off });
        self.fallback.replace(fallback);
        armed
    }

    /// Tells whether the run listens.
    pub(super) fn is_armed(&self) -> bool {
        self.stage.get() == Stage::Armed
    }

    /// Tells whether a Ctrl-C waits to be heard: one load.
    pub(super) fn has_come(&self) -> bool {
        self.fallback.borrow().as_ref().is_some_and(Fallback::has_arrived)
    }

    /// Cancels the main task, if a Ctrl-C has come that nobody else listened to.
    #[inline]
    pub(super) fn hear(&self) {
        if self.is_armed() {
            self.take();
        }
    }

    #[cold]
    fn take(&self) {
        let taken = self.fallback.borrow().as_ref().is_some_and(Fallback::take);
        if taken {
            self.stage.set(Stage::Heard);
            drop(self.fallback.take()); // From here on the default action holds.
            let main = self.main.borrow().clone();
            if let Some(main) = main {
                main.cancel();
            }
        }
    }
}

/// Listens to Ctrl-C in default of anybody else. The place where handlers ring comes first: none rings for nobody.
fn listen() -> Option<Fallback> {
    let _ = Parker::of_signals();
    Fallback::new(SIGINT).ok().flatten()
}

/// A run that Ctrl-C may end; dropped, it listens no more.
pub(super) struct Watch<'i> {
    interrupt: &'i Interrupt,
}

impl Watch<'_> {
    /// Wraps the main future: its task is the one to cancel.
    pub(super) fn main<F: Future>(&self, future: F) -> Main<'_, F> {
        Main { future, unknown: Some(self.interrupt) }
    }

    /// Returns the main task's context, if a variable was set in it.
    pub(super) fn context(&self) -> Option<corio_seam::Context> {
        let main = self.interrupt.main.borrow().clone();
        main.map(|main| main.context()).filter(|context| !context.is_empty())
    }

    /// Tells whether Ctrl-C is why the main task ended cancelled, and nobody else's request.
    pub(super) fn was_why(&self) -> bool {
        let main = self.interrupt.main.borrow().clone();
        self.interrupt.stage.get() == Stage::Heard && main.is_some_and(|main| main.uncancel() == 0)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.interrupt.stage.set(Stage::Off);
        drop(self.interrupt.fallback.take());
        drop(self.interrupt.main.take());
    }
}

pin_project! {
    /// The main future, which says at its first poll which task it is. (An `async` block around it would double its size.)
    pub(super) struct Main<'i, F> {
        #[pin]
        future: F,
        // Where to say so, before the first poll.
        unknown: Option<&'i Interrupt>,
    }
}

impl<F: Future> Future for Main<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Some(interrupt) = this.unknown.take() {
            interrupt.main.replace(current_task());
        }
        this.future.poll(cx)
    }
}
