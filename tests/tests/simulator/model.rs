//! The model: what a program must do, told by plain data and without a loop.
//!
//! It is asyncio's rules in the fewest words: one FIFO, an inbox, timers in order, and tasks that are a flag or two each. It
//! knows nothing of cells, counts, wakers and nodes, which is the point. It writes the trace that the loop must write, and it
//! knows at each turn which values may be alive.

mod state;
mod driver;
mod turns;
mod tasks;
mod cancellation;
mod waits;
mod cells;
mod queues;
mod pool;
mod groups;
mod callbacks;
mod operations;
mod close;

use crate::program::{Finale, Op, Program};
use crate::trace::{Actor, Effect, Event};
use state::{Callback, Cell, Entry, Gather, Job, Queue, Sent, Shield, Spawned, Task, Timer};
use std::collections::VecDeque;

/// The state of a loop and of its program, as far as the rules need it.
#[derive(Default)]
pub(crate) struct Model<'p> {
    ops: &'p [Op],
    finale: Finale,
    next: usize,
    pub(crate) events: Vec<Event>,
    /// Whether each value that was made is alive.
    alive: Vec<bool>,
    now: u64,
    closed: bool,
    inside: bool,
    stopping: bool,
    asleep: bool,
    rung: bool,
    readable: bool,
    batch: bool,
    ready: VecDeque<Entry>,
    inbox: Vec<Sent>,
    busy: usize,
    tasks: Vec<Task>,
    /// The tasks by their numbers in the trace.
    rows: Vec<usize>,
    stash: Vec<usize>,
    gates: [u32; 4],
    calls: Vec<Callback>,
    soons: Vec<Option<usize>>,
    timers: Vec<Timer>,
    laters: Vec<Option<(usize, usize)>>,
    remotes: Vec<Option<usize>>,
    dones: Vec<Option<(usize, usize)>>,
    spawned: Vec<Spawned>,
    cells: Vec<Cell>,
    queues: Vec<Queue>,
    open_queues: [usize; 2],
    jobs: Vec<Job>,
    queued_jobs: Vec<usize>,
    pool_calls: Vec<Option<usize>>,
    gathers: Vec<Gather>,
    shields: Vec<Shield>,
    waits: u64,
    round: u64,
    forwarding: Option<VecDeque<usize>>,
    source: u32,
    main_is_over: Option<usize>,
}

impl<'p> Model<'p> {
    /// Tells what `program` must do.
    pub(crate) fn run(program: &'p Program) -> Model<'p> {
        let mut model = Model {
            ops: &program.ops,
            finale: program.finale,
            queues: [Queue::default(), Queue::default()].into(),
            open_queues: [0, 1],
            ..Model::default()
        };
        model.source = model.born();
        model.drive();
        model.end();
        model
    }

    // The books.

    fn born(&mut self) -> u32 {
        self.alive.push(true);
        self.alive.len() as u32 - 1
    }

    fn dies(&mut self, number: u32) {
        assert!(std::mem::take(&mut self.alive[number as usize]), "the model lets {number} die twice");
    }

    fn note(&mut self, event: Event) {
        self.events.push(event);
    }

    fn note_alive(&mut self) {
        (0..self.queues.len()).for_each(|queue| self.forget_queue(queue));
        let alive = self.alive.iter().enumerate().filter(|(_, alive)| **alive);
        let (count, sum) = alive.fold((0, 0), |(count, sum), (number, _)| (count + 1, sum + number as u64));
        self.note(Event::Alive(count, sum));
    }

    fn did(&mut self, index: u32, actor: Actor, effect: Effect) {
        self.note(Event::Did(index, actor, effect));
    }

    fn take(&mut self) -> Option<(u32, Op)> {
        let op = *self.ops.get(self.next)?;
        self.next += 1;
        Some((self.next as u32 - 1, op))
    }
}
