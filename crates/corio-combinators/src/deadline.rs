//! A moment at which a scope is asked to end: what all timeouts share.

use corio_seam::{Alarm, LoopTime, Node, OnAlarm, Timer, TimerKey};
use corio_task::ScopeHandle;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// How far a timeout has come; asyncio's `_State`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The body has never been pending: nothing can be cut yet, and no timer is armed.
    // --> Armed, Finished
    New,
    /// The timer runs, unless `when` is never.
    // --> Expired, Finished
    Armed,
    /// The scope was asked to end.
    // --> Finished
    Expired,
    /// The body is gone.
    Finished,
}

/// A deadline, armed or not; the timer holds it while it is.
pub(crate) struct Deadline {
    when: Cell<Option<LoopTime>>,
    phase: Cell<Phase>,
    expired: Cell<bool>,
    /// Whom it asks to end; some from the first pending poll to the end.
    scope: RefCell<Option<ScopeHandle>>,
    /// The timer that will call, if one will.
    timer: RefCell<Option<(Rc<dyn Timer>, TimerKey)>>,
}

impl Deadline {
    pub(crate) fn new(when: Option<LoopTime>) -> Rc<Deadline> {
        Rc::new(Deadline {
            when: Cell::new(when),
            phase: Cell::new(Phase::New),
            expired: Cell::new(false),
            scope: RefCell::default(),
            timer: RefCell::default(),
        })
    }

    pub(crate) fn when(&self) -> Option<LoopTime> {
        self.when.get()
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Tells whether it cut the scope, or tried to: also when all is over.
    pub(crate) fn expired(&self) -> bool {
        self.expired.get()
    }

    /// Moves the deadline.
    pub(crate) fn reschedule(self: &Rc<Deadline>, when: Option<LoopTime>) {
        self.when.set(when);
        if self.phase.get() == Phase::Armed {
            self.disarm();
            self.set_timer();
        }
    }

    /// Starts the timer: the body is pending for the first time.
    pub(crate) fn arm(self: &Rc<Deadline>, scope: ScopeHandle) {
        self.scope.replace(Some(scope));
        self.phase.set(Phase::Armed);
        self.set_timer();
    }

    fn set_timer(self: &Rc<Deadline>) {
        let Some(when) = self.when.get() else { return };
        let timer = corio_seam::timer();
        if when > timer.now() {
            let key = timer.arm(when, Alarm::Call(Rc::clone(self) as Rc<dyn OnAlarm>));
            self.timer.replace(Some((timer, key)));
            return;
        }
        // As `call_soon` in asyncio: before whatever else becomes ready now, and not after the timers of the next turn.
        let this = Rc::clone(self);
        drop(corio_seam::push(Node::new(move || this.on_alarm()))); // A closing set expires nothing any more.
    }

    fn disarm(&self) {
        let timer = self.timer.take();
        if let Some((timer, key)) = timer {
            timer.disarm(key);
        }
    }

    /// Ends it, with the body.
    pub(crate) fn finish(&self) {
        self.phase.set(Phase::Finished);
        self.disarm();
        drop(self.scope.take());
    }
}

impl OnAlarm for Deadline {
    fn on_alarm(self: Rc<Self>) {
        let is_stale = || self.when.get().is_none_or(|when| when > corio_seam::now());
        if self.phase.get() != Phase::Armed || is_stale() {
            return; // Rescheduled, or over, while the call was on its way.
        }
        self.disarm();
        self.phase.set(Phase::Expired);
        self.expired.set(true);
        let scope = self.scope.borrow().clone();
        if let Some(scope) = scope {
            scope.request(None);
        }
    }
}
