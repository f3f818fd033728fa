//! What happens in a program, as the model foretells it and as the loop does it.

use crate::program::Op;
use std::fmt;

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// The operation of that number was done, by whom, and to what effect.
    Did(u32, Actor, Effect),
    /// A task was polled.
    Step(u32),
    /// A task's await ended.
    Got(u32, Answer),
    /// A callback was called.
    Called(u32),
    /// A done callback was called, of that task.
    Done(u32, u32, Outcome),
    /// A done callback of a future was called, of that future.
    CellDone(u32, u32, bool),
    /// The callback of the source was called.
    Readable,
    /// A waker that is not corio's was woken.
    Woken(u32),
    /// A job ran.
    Ran(u32),
    /// The exception handler was told.
    Reported(Complaint),
    /// The driver ran the loop.
    Turned(Turned),
    /// How many values live, and the sum of their numbers.
    Alive(u32, u64),
    /// The loop was closed.
    Closed,
}

/// Who has a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Actor {
    /// Between iterations.
    Driver,
    /// A callback of the loop.
    Callback,
    /// A task.
    Task(u32),
    /// What a coroutine held, when it is dropped.
    Destructor,
    /// A waker that is not corio's, when it is woken.
    Waker,
    /// Another thread, while the loop sleeps.
    Thread,
}

/// What an operation led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// There was nothing to act upon, or this actor cannot do it.
    Nothing,
    /// It was done.
    Done,
    /// It was done, and the answer was no.
    No,
    /// It was done, and the answer was yes.
    Yes,
    /// It was done, and gave this value.
    Value(u32),
}

impl From<bool> for Effect {
    fn from(yes: bool) -> Effect {
        if yes { Effect::Yes } else { Effect::No }
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Value,
    Cancelled,
    Panicked,
}

/// How an await, or a poll, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Answer {
    /// It came about.
    Ready,
    Value(u32),
    /// So many values, and the sum of their numbers.
    Values(u32, u64),
    /// Somebody else cancelled what was waited for.
    Cancelled,
    Panicked(u32),
    /// As above, with the message only.
    PanickedSomehow,
    /// A promise was broken.
    Broken,
    /// A queue was shut down.
    ShutDown,
    /// The awaiter's own cancellation was caught.
    Caught,
    TimedOut,
}

/// What the exception handler is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Complaint {
    Task,
    Callback,
    Future,
    Shielded,
    Destroyed,
    Other,
}

impl Complaint {
    pub(crate) fn of(message: &str) -> Complaint {
        match message {
            "task exception was never retrieved" => Complaint::Task,
            "exception in callback" => Complaint::Callback,
            "future exception was never retrieved" => Complaint::Future,
            "exception in shielded future" => Complaint::Shielded,
            "task was destroyed but it is pending" => Complaint::Destroyed,
            _ => Complaint::Other,
        }
    }
}

/// How a run of the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Turned {
    /// As it should.
    Over,
    /// There was nothing to do.
    Idle,
    /// The loop was stopped.
    Stopped,
    /// The main future panicked.
    Panicked,
    /// The main future was cancelled.
    Cancelled,
    /// Anything else.
    Failed,
}

/// A trace with the operations written out.
pub(crate) struct Written<'t> {
    pub(crate) ops: &'t [Op],
    pub(crate) events: &'t [Event],
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, event) in self.events.iter().enumerate() {
            match event {
                Event::Did(op, actor, effect) => match self.ops.get(*op as usize) {
                    Some(op_) => writeln!(f, "{index:5}  [{op}] {op_:?} by {actor:?}: {effect:?}")?,
                    None => writeln!(f, "{index:5}  at the end, by {actor:?}: {effect:?}")?,
                },
                other => writeln!(f, "{index:5}  {other:?}")?,
            }
        }
        Ok(())
    }
}
