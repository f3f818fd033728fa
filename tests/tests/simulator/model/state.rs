//! What the model knows of each thing.

use crate::program::Wrapper;
use crate::trace::{Answer, Outcome};
use std::collections::VecDeque;

/// An entry of the ready queue.
pub(super) enum Entry {
    Step(usize),
    Call(usize),
    Timer(usize),
    /// A timeout of no time at all, of the await of that number.
    Deadline(usize, u64),
    Done(usize, usize),
    CellDone(usize, usize),
    Gathered(usize, usize),
    Shielded(usize),
    Begin(usize),
    Finish(usize, usize),
    CancelSpawned(usize),
    Stop,
    Readable,
    MainIsOver(usize),
    Nothing,
}

/// What other threads have sent.
pub(super) enum Sent {
    Wake(usize),
    Entry(Entry),
}

/// Who hears of a task's end.
pub(super) enum Listener {
    Waiter(usize),
    /// A waker that is not corio's; whether it does an operation when it is woken.
    Outside(u32, bool),
    Callback(usize),
    Gather(usize, usize),
    Shield(usize),
    Spawned(usize),
    Main,
}

/// What a finished task has left.
pub(super) enum Left {
    Value(u32),
    Panic(u32),
}

#[derive(Default)]
pub(super) struct Task {
    /// Its number in the trace: given when it is made, or first polled.
    pub(super) row: Option<usize>,
    pub(super) coroutine: Option<u32>,
    /// The coroutine holds something whose destructor does an operation.
    pub(super) acts: bool,
    pub(super) ended: Option<Outcome>,
    /// Its end is being told: what it has left goes after that.
    pub(super) ending: bool,
    pub(super) left: Option<Left>,
    pub(super) handle: bool,
    /// The handle lies in the table.
    pub(super) in_table: bool,
    pub(super) view: bool,
    pub(super) scheduled: bool,
    pub(super) running: bool,
    /// A wake-up of it lies in the inbox.
    pub(super) queued: bool,
    /// A request that was made of it, and neither delivered nor passed on.
    pub(super) owed: bool,
    /// It is to end at its first step.
    pub(super) ripe: bool,
    pub(super) requests: u32,
    /// The last round of cancellations that came by.
    pub(super) round: u64,
    pub(super) wait: Option<Wait>,
    pub(super) listeners: Vec<Listener>,
    /// For a task that another thread starts.
    pub(super) spawned: Option<usize>,
}

/// An await under way.
pub(super) struct Wait {
    pub(super) number: u64,
    pub(super) leaf: Leaf,
    pub(super) wrapper: Wrapper,
    /// The awaiter is cancelled here, at its next step.
    pub(super) ripe: bool,
    /// What is waited for was cancelled in the awaiter's stead.
    pub(super) forwarded: bool,
    /// The timer of a timeout.
    pub(super) timer: Option<usize>,
    pub(super) expired: bool,
    /// How many requests there were when it began.
    pub(super) before: u32,
}

pub(super) enum Leaf {
    Yield(bool),
    Gate(usize),
    Task(usize),
    Cell(usize),
    Sleep(usize),
    Get(usize),
    Put(usize, Option<u32>),
    Pool(usize),
    Gather(usize),
    Shield(usize),
}

/// What can be cancelled in the stead of whoever waits for it.
pub(super) enum Target {
    Task(usize),
    Cell(usize),
    Gather(usize),
}

impl Leaf {
    pub(super) fn target(&self) -> Option<Target> {
        match *self {
            Leaf::Task(task) => Some(Target::Task(task)),
            Leaf::Cell(cell) => Some(Target::Cell(cell)),
            Leaf::Gather(gather) => Some(Target::Gather(gather)),
            _ => None,
        }
    }
}

/// A callback that the program scheduled.
pub(super) struct Callback {
    pub(super) number: u32,
    pub(super) ops: u8,
    /// It was called or cancelled, and is dead.
    pub(super) gone: bool,
    pub(super) cancelled: bool,
    /// A queue or a timer has it.
    pub(super) kept: bool,
    /// A handle of it is in the table.
    pub(super) handle: bool,
}

pub(super) struct Timer {
    pub(super) when: u64,
    pub(super) state: TimerState,
    pub(super) what: Rings,
}

#[derive(PartialEq, Eq)]
pub(super) enum TimerState {
    Armed,
    Due,
    Rung,
    Disarmed,
}

pub(super) enum Rings {
    Sleeper(usize),
    Call(usize),
    Deadline(usize, u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CellState {
    Pending,
    Value(u32),
    Taken,
    Cancelled,
    Broken,
}

pub(super) struct Cell {
    pub(super) state: CellState,
    pub(super) promise: bool,
    /// How many read ends there are; of a cell that will never have a value nobody counts.
    pub(super) ends: usize,
    /// How many of them lie in the table.
    pub(super) in_table: usize,
    pub(super) listeners: Vec<CellListener>,
    /// Callbacks that are on their way, and keep the cell.
    pub(super) on_their_way: usize,
}

pub(super) enum CellListener {
    Waiter(usize),
    Callback(usize),
}

#[derive(Default)]
pub(super) struct Queue {
    pub(super) items: VecDeque<u32>,
    pub(super) shut: bool,
    pub(super) getters: Vec<(u64, usize, bool)>,
    pub(super) putters: Vec<(u64, usize, bool)>,
}

pub(super) enum JobState {
    Pending,
    Value(u32),
    Panicked(u32),
    Cancelled,
    Taken,
}

pub(super) struct Job {
    pub(super) closure: u32,
    pub(super) panics: bool,
    pub(super) busy: bool,
    pub(super) state: JobState,
    /// The future of its call exists.
    pub(super) call: bool,
    pub(super) waiter: Option<usize>,
}

pub(super) enum Gathered {
    Pending,
    Values(Vec<u32>),
    Failed(Failure),
    Cancelled,
}

pub(super) enum Failure {
    Cancelled,
    Panicked(u32),
}

pub(super) struct Gather {
    pub(super) children: Vec<(usize, Option<u32>)>,
    /// Handles that were not collected yet.
    pub(super) handles: Vec<bool>,
    pub(super) left: usize,
    pub(super) over: bool,
    pub(super) cancelled: bool,
    /// Whoever cancels what is over knows that it is.
    pub(super) looked_at: bool,
    pub(super) result: Gathered,
    pub(super) future: bool,
    pub(super) waiter: Option<usize>,
    /// Callbacks of it in children.
    pub(super) callbacks: usize,
}

pub(super) struct Shield {
    pub(super) child: usize,
    pub(super) handle: bool,
    pub(super) left: bool,
    pub(super) result: Option<Answer>,
    pub(super) waiter: Option<usize>,
}

pub(super) struct Spawned {
    pub(super) make: Option<u32>,
    pub(super) cancelled: bool,
    pub(super) task: Option<usize>,
    pub(super) listed: bool,
    pub(super) future: bool,
    pub(super) over: bool,
    pub(super) value: Option<u32>,
}
