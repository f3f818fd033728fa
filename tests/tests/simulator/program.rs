//! Programs: a tape of operations, made from a seed.
//!
//! A program is one list. Whoever has a turn (the driver between iterations, a callback, a step of a task, a thread while
//! the loop sleeps) takes the next operation from it, so that a list says everything, deep states come about by
//! themselves, and a shorter list is a program too. An operation names things by small numbers, which are taken modulo what
//! exists; one that finds nothing to act upon, or that its actor cannot do, does nothing.

use std::fmt;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $Kind:ident $weight:literal,)*) => {
        /// What an operation does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Kind {
            $($(#[doc = $doc])* $Kind,)*
        }

        impl Kind {
            /// All kinds, in the order of their numbers.
            pub(crate) const ALL: &'static [Kind] = &[$(Kind::$Kind),*];
            /// How often each is drawn.
            const WEIGHTS: &'static [u32] = &[$($weight),*];
        }
    };
}

kinds! {
    /// Starts a task; `b` says whether a view of it is kept.
    Spawn 60,
    /// Starts a task that makes its first step at once.
    SpawnEager 15,
    /// Asks a task to end.
    Cancel 30,
    /// Lets go of a task's handle, and of its output.
    DropHandle 14,
    /// Lets go of a task's view.
    DropView 8,
    /// Takes the output of a task that is over.
    TakeOutput 10,
    /// Polls a task's handle with a waker that is not corio's.
    PollOutside 20,
    /// Has a callback called at a task's end.
    AddDone 16,
    /// Takes such a callback back.
    RemoveDone 6,
    /// Ends the task with a value.
    Complete 22,
    /// Panics.
    Panic 8,
    /// Keeps a waker of the task.
    KeepWaker 12,
    /// Wakes by a kept waker, here.
    WakeHere 24,
    /// Wakes by a kept waker, on another thread.
    WakeForeign 30,
    /// Clones a kept waker on another thread.
    CloneForeign 6,
    /// Drops a kept waker here.
    DropWakerHere 6,
    /// Drops a kept waker on another thread.
    DropWakerForeign 8,
    /// Opens a gate, and wakes nobody.
    OpenGate 4,
    /// Schedules a callback.
    CallSoon 24,
    /// Cancels a scheduled callback.
    CancelSoon 5,
    /// Schedules a callback for later.
    CallLater 20,
    /// Cancels a timer.
    CancelTimer 8,
    /// Lets go of a timer's handle.
    DropTimer 4,
    /// Has a callback called on the loop, from this thread or from another.
    CallRemote 22,
    /// Cancels such a callback, from this thread or from another.
    CancelRemote 5,
    /// Starts a task from another thread.
    SpawnRemote 8,
    /// Cancels a task from the thread that started it.
    CancelSpawned 4,
    /// Stops the loop from another thread.
    StopRemote 3,
    /// Stops the loop.
    Stop 4,
    /// Makes a promise and its future.
    NewCell 14,
    /// Keeps a promise.
    SetCell 16,
    /// Cancels a future.
    CancelCell 5,
    /// Breaks a promise.
    DropPromise 4,
    /// Lets go of a read end of a future.
    DropFuture 4,
    /// Makes one more read end of a future.
    ShareFuture 10,
    /// Has a callback called when a future is over.
    CellDone 6,
    /// Puts an item into a queue, or does not.
    PutNow 14,
    /// Gets an item from a queue, or does not.
    GetNow 8,
    /// Shuts a queue down; it is replaced by a new one.
    CloseQueue 4,
    /// Has a call made by the pool, and keeps its future.
    Submit 6,
    /// Has a thread of the pool run a job.
    RunJob 30,
    /// Drops a job unrun.
    DropJob 3,
    /// Lets go of a call's future.
    DropCall 3,
    /// Lets time pass.
    Advance 5,
    /// Makes a source readable.
    MakeReady 6,
    /// Lets somebody else have a turn.
    Turn 40,
    /// Runs the loop until it is stopped, or has nothing to do.
    RunForever 6,
    /// Runs the loop until a main future is over.
    RunUntil 6,
    /// Closes the loop.
    Close 1,
    /// Waits for a turn.
    AwaitYield 12,
    /// Waits until a gate is open, leaving wakers about.
    AwaitGate 36,
    /// Waits for a task.
    AwaitTask 26,
    /// Waits for a future, by one of its read ends.
    AwaitCell 16,
    /// Waits for a time.
    AwaitSleep 16,
    /// Waits for an item.
    AwaitGet 16,
    /// Waits for room for an item.
    AwaitPut 16,
    /// Waits for a call in the pool.
    AwaitPool 22,
    /// Waits for several tasks.
    AwaitGather 12,
    /// Waits for a task, and keeps one's own cancellation from it.
    AwaitShield 8,
}

impl Kind {
    /// Tells whether it is done by another thread, also while the loop sleeps.
    pub(crate) fn is_foreign(self) -> bool {
        use Kind::*;
        let on_wakers = matches!(self, WakeForeign | CloneForeign | DropWakerForeign);
        on_wakers || matches!(self, RunJob | StopRemote | CallRemote | SpawnRemote | CancelSpawned)
    }
}

/// One operation: what, and two numbers that say upon which things.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Op {
    pub(crate) kind: Kind,
    pub(crate) a: u8,
    pub(crate) b: u8,
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({}, {})", self.kind, self.a, self.b)
    }
}

/// What is put around an await.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapper {
    Bare,
    /// `catch_cancelled`.
    Catch,
    /// `catch_cancelled`, and the cancellation is resumed.
    CatchAndResume,
    /// `timeout`, of so many milliseconds.
    Timeout(u64),
}

impl Op {
    pub(crate) fn wrapper(self) -> Wrapper {
        match self.b % 8 {
            0..=3 => Wrapper::Bare,
            4 | 5 => Wrapper::Catch,
            6 => Wrapper::CatchAndResume,
            _ => Wrapper::Timeout(u64::from(self.b / 8 % 4)),
        }
    }

    /// Whether what is spawned holds something whose destructor does an operation.
    pub(crate) fn acts(self) -> bool {
        self.b % 8 >= 6
    }

    /// Which of the two foreign threads.
    pub(crate) fn thread(self) -> usize {
        usize::from(self.b) % 2
    }
}

/// How a program goes to its end once its tape is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Finale {
    /// The loop is closed at once.
    #[default]
    CloseNow,
    /// The loop is run until it has nothing to do, then closed.
    Settle,
    /// Jobs are run, tasks cancelled, and the loop run until it has nothing to do: then all tasks are over.
    CancelAll,
}

/// A program.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) finale: Finale,
    pub(crate) ops: Vec<Op>,
}

/// The fewest operations of a program that was not shrunk.
const FEWEST: u32 = 200;

impl Program {
    /// Makes the program of a seed.
    pub(crate) fn new(seed: u64) -> Program {
        let mut random = Random(seed);
        let finale = [Finale::CloseNow, Finale::Settle, Finale::CancelAll][random.below(3) as usize];
        let length = FEWEST + random.below(60);
        // Each program has a taste: a few kinds come far more often, so that deep states are reached.
        let mut weights = Kind::WEIGHTS.to_vec();
        for _ in 0..random.below(5) {
            let favourite = random.below(weights.len() as u32) as usize;
            if !matches!(Kind::ALL[favourite], Kind::Close) {
                weights[favourite] *= 4;
            }
        }
        let total = weights.iter().sum();
        let ops = (0..length).map(|_| random.op(&weights, total)).collect();
        Program { finale, ops }
    }

    /// Makes a program of bytes: the first says how it ends, and three are an operation.
    #[allow(dead_code)] // The fuzz target's, or, for the other one, the simulator's.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Program {
        let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
        let finale = [Finale::CloseNow, Finale::Settle, Finale::CancelAll][usize::from(first % 3)];
        let kind = |byte: u8| Kind::ALL[usize::from(byte) % Kind::ALL.len()];
        let ops = rest.chunks_exact(3).map(|op| Op { kind: kind(op[0]), a: op[1], b: op[2] });
        Program { finale, ops: ops.take(LONGEST).collect() }
    }
}

/// The most operations of a program that is made of bytes.
const LONGEST: usize = 400;

/// splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }

    fn op(&mut self, weights: &[u32], total: u32) -> Op {
        let mut left = self.below(total);
        let index = weights.iter().position(|&weight| {
            let found = left < weight;
            left = left.wrapping_sub(weight);
            found
        });
        let bits = self.next();
        Op { kind: Kind::ALL[index.unwrap_or(0)], a: bits as u8, b: (bits >> 8) as u8 }
    }
}
