//! A moment at which a scope is asked to end: what all timeouts share.

use corio_seam::{Alarm, LoopTime, Node, OnAlarm, Timer, TimerKey};
use corio_task::{ScopeHandle, Until};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

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

/// What the scope is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// To end, once: a timeout.
    Once,
    /// To end, at each suspension: a cancel scope, which may be asked before its time.
    ForGood,
    /// As that, for a scope that is a shield.
    Unshield,
}

/// A deadline, armed or not; the timer holds it while it is.
pub(crate) struct Deadline {
    manner: Manner,
    /// Never, or at a moment; a delay only before the first suspension.
    until: Cell<Until>,
    /// As that, but for a scope that was cancelled for good: a moment that has passed.
    seen_inside: Cell<Until>,
    phase: Cell<Phase>,
    expired: Cell<bool>,
    /// Why the scope was asked, if somebody said so.
    reason: RefCell<Option<Arc<str>>>,
    /// Whom it asks to end; some from the first pending poll to the end.
    scope: RefCell<Option<ScopeHandle>>,
    /// The timer that will call, if one will.
    timer: RefCell<Option<Armed>>,
}

impl Deadline {
    pub(crate) fn new(manner: Manner, when: Option<LoopTime>) -> Rc<Deadline> {
        let until = when.map_or(Until::Never, Until::At);
        Rc::new(Deadline {
            manner,
            until: Cell::new(until),
            seen_inside: Cell::new(until),
            phase: Cell::new(Phase::New),
            expired: Cell::new(false),
            reason: RefCell::default(),
            scope: RefCell::default(),
            timer: RefCell::default(),
        })
    }

    /// Makes one that is due so long after the first suspension.
    pub(crate) fn after(manner: Manner, delay: Duration) -> Rc<Deadline> {
        let deadline = Deadline::new(manner, None);
        deadline.set_until(Until::After(delay));
        deadline
    }

    pub(crate) fn when(&self) -> Option<LoopTime> {
        self.until.get().when()
    }

    /// Returns what code inside the scope is told of the deadline.
    pub(crate) fn seen_inside(&self) -> &Cell<Until> {
        &self.seen_inside
    }

    fn set_until(&self, until: Until) {
        self.until.set(until);
        if !self.expired.get() {
            self.seen_inside.set(until);
        }
    }

    pub(crate) fn reason(&self) -> Option<Arc<str>> {
        self.reason.borrow().clone()
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
        self.set_until(when.map_or(Until::Never, Until::At));
        if self.phase.get() == Phase::Armed {
            self.disarm();
            self.set_timer();
        }
    }

    /// Starts the timer: the body is pending for the first time.
    pub(crate) fn arm(self: &Rc<Deadline>, scope: ScopeHandle) {
        self.scope.replace(Some(scope));
        self.phase.set(Phase::Armed);
        if self.expired.get() {
            self.ask();
        } else {
            self.set_timer();
        }
    }

    /// Asks the scope to end, now or at its first suspension: false if it is over.
    pub(crate) fn expire(&self, reason: Option<Arc<str>>) -> bool {
        if self.phase.get() == Phase::Finished {
            return false;
        }
        if !self.expired.replace(true) {
            drop(self.reason.replace(reason));
            if self.manner == Manner::ForGood {
                self.seen_inside.set(Until::At(LoopTime::ZERO));
            }
            self.ask();
        }
        true
    }

    fn ask(&self) {
        let scope = self.scope.borrow().clone();
        let Some(scope) = scope else { return };
        self.disarm();
        self.phase.set(Phase::Expired);
        if self.manner == Manner::Unshield {
            scope.lift_shield();
        }
        match self.manner {
            Manner::Once => scope.request(self.reason()),
            Manner::ForGood | Manner::Unshield => scope.request_for_good(self.reason()),
        };
    }

    fn set_timer(self: &Rc<Deadline>) {
        if self.until.get() == Until::Never {
            return; // And needs no timer.
        }
        let timer = corio_seam::timer();
        let now = timer.now();
        let when = self.until.get().when_from(now);
        self.set_until(when.map_or(Until::Never, Until::At));
        let object = Rc::clone(self) as Rc<dyn OnAlarm>;
        self.timer.replace(when.and_then(|when| set_alarm(timer, now, when, object)));
    }

    fn disarm(&self) {
        let timer = self.timer.take();
        drop(timer);
    }

    /// Ends it, with the body.
    pub(crate) fn finish(&self) {
        self.phase.set(Phase::Finished);
        self.disarm();
        drop(self.scope.take());
    }
}

/// A timer that is armed; dropped, it is taken back.
pub(crate) struct Armed(Rc<dyn Timer>, TimerKey);

impl Drop for Armed {
    #[inline]
    fn drop(&mut self) {
        self.0.disarm(self.1);
    }
}

/// Has `object` called at `when`. One that is due already, for it is `now`, is called in the next turn.
#[inline]
pub(crate) fn set_alarm(timer: Rc<dyn Timer>, now: LoopTime, when: LoopTime, object: Rc<dyn OnAlarm>) -> Option<Armed> {
    if when > now {
        let key = timer.arm(when, Alarm::Call(object));
        return Some(Armed(timer, key));
    }
    call_soon(object);
    None
}

/// Has `object` called in the next turn. As `call_soon` in asyncio: before whatever else becomes ready now, and not after
/// the timers of that turn.
#[cold]
fn call_soon(object: Rc<dyn OnAlarm>) {
    drop(corio_seam::push(Node::new(move || object.on_alarm()))); // A closing set expires nothing any more.
}

impl OnAlarm for Deadline {
    fn on_alarm(self: Rc<Self>) {
        let is_stale = || self.when().is_none_or(|when| when > corio_seam::now());
        if self.phase.get() != Phase::Armed || is_stale() {
            return; // Rescheduled, or over, while the call was on its way.
        }
        self.expire((self.manner == Manner::ForGood).then(|| "the deadline has passed".into()));
    }
}

/// Ends a deadline when it is dropped: with the scope's body, also if that was never pending, or panicked.
pub(crate) struct Finish(pub(crate) Rc<Deadline>);

impl Drop for Finish {
    fn drop(&mut self) {
        self.0.finish();
    }
}
