//! The model: what a program must do, told by plain data and without a loop.
//!
//! It is asyncio's rules in the fewest words: one FIFO, an inbox, timers in order, and tasks that are a flag or two each. It
//! knows nothing of cells, counts, wakers and nodes, which is the point. It writes the trace that the loop must write, and it
//! knows at each turn which values may be alive.

use crate::program::{Finale, Kind, Op, Program, Wrapper};
use crate::trace::{Actor, Answer, Complaint, Effect, Event, Outcome, Turned};
use crate::world::{MOST_TURNS, OPS_A_TURN, ROUNDS, pick};
use std::collections::VecDeque;

/// An entry of the ready queue.
enum Entry {
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
enum Sent {
    Wake(usize),
    Entry(Entry),
}

/// Who hears of a task's end.
enum Listener {
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
enum Left {
    Value(u32),
    Panic(u32),
}

#[derive(Default)]
struct Task {
    /// Its number in the trace: given when it is made, or first polled.
    row: Option<usize>,
    coroutine: Option<u32>,
    /// The coroutine holds something whose destructor does an operation.
    acts: bool,
    ended: Option<Outcome>,
    left: Option<Left>,
    handle: bool,
    /// The handle lies in the table.
    in_table: bool,
    view: bool,
    scheduled: bool,
    running: bool,
    /// A wake-up of it lies in the inbox.
    queued: bool,
    /// A request that was made of it, and neither delivered nor passed on.
    owed: bool,
    /// It is to end at its first step.
    ripe: bool,
    requests: u32,
    /// The last round of cancellations that came by.
    round: u64,
    wait: Option<Wait>,
    listeners: Vec<Listener>,
    /// For a task that another thread starts.
    spawned: Option<usize>,
}

/// An await under way.
struct Wait {
    number: u64,
    leaf: Leaf,
    wrapper: Wrapper,
    /// The awaiter is cancelled here, at its next step.
    ripe: bool,
    /// What is waited for was cancelled in the awaiter's stead.
    forwarded: bool,
    /// The timer of a timeout.
    timer: Option<usize>,
    expired: bool,
    /// How many requests there were when it began.
    before: u32,
}

enum Leaf {
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
enum Target {
    Task(usize),
    Cell(usize),
    Gather(usize),
}

impl Leaf {
    fn target(&self) -> Option<Target> {
        match *self {
            Leaf::Task(task) => Some(Target::Task(task)),
            Leaf::Cell(cell) => Some(Target::Cell(cell)),
            Leaf::Gather(gather) => Some(Target::Gather(gather)),
            _ => None,
        }
    }
}

/// A callback that the program scheduled.
struct Callback {
    number: u32,
    ops: u8,
    /// It was called or cancelled, and is dead.
    gone: bool,
    cancelled: bool,
    /// A queue or a timer has it.
    kept: bool,
    /// A handle of it is in the table.
    handle: bool,
}

struct Timer {
    when: u64,
    state: TimerState,
    what: Rings,
}

#[derive(PartialEq, Eq)]
enum TimerState {
    Armed,
    Due,
    Rung,
    Disarmed,
}

enum Rings {
    Sleeper(usize),
    Call(usize),
    Deadline(usize, u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CellState {
    Pending,
    Value(u32),
    Taken,
    Cancelled,
    Broken,
}

struct Cell {
    state: CellState,
    promise: bool,
    future: bool,
    /// The future lies in the table.
    in_table: bool,
    listeners: Vec<CellListener>,
    /// Callbacks that are on their way, and keep the cell.
    on_their_way: usize,
}

enum CellListener {
    Waiter(usize),
    Callback(usize),
}

#[derive(Default)]
struct Queue {
    items: VecDeque<u32>,
    shut: bool,
    getters: Vec<(u64, usize, bool)>,
    putters: Vec<(u64, usize, bool)>,
}

enum JobState {
    Pending,
    Value(u32),
    Panicked(u32),
    Cancelled,
    Taken,
}

struct Job {
    closure: u32,
    panics: bool,
    busy: bool,
    state: JobState,
    /// The future of its call exists.
    call: bool,
    waiter: Option<usize>,
}

enum Gathered {
    Pending,
    Values(Vec<u32>),
    Failed(Failure),
    Cancelled,
}

enum Failure {
    Cancelled,
    Panicked(u32),
}

struct Gather {
    children: Vec<(usize, Option<u32>)>,
    /// Handles that were not collected yet.
    handles: Vec<bool>,
    left: usize,
    over: bool,
    cancelled: bool,
    /// Whoever cancels what is over knows that it is.
    looked_at: bool,
    result: Gathered,
    future: bool,
    waiter: Option<usize>,
    /// Callbacks of it in children.
    callbacks: usize,
}

struct Shield {
    child: usize,
    handle: bool,
    left: bool,
    result: Option<Answer>,
    waiter: Option<usize>,
}

struct Spawned {
    make: Option<u32>,
    cancelled: bool,
    task: Option<usize>,
    listed: bool,
    future: bool,
    over: bool,
    value: Option<u32>,
}

/// The state of a loop and of its program, as far as the rules need it.
pub(crate) struct Model<'p> {
    program: &'p Program,
    next: usize,
    pub(crate) events: Vec<Event>,
    pub(crate) counts: Vec<u64>,
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
            program,
            next: 0,
            events: Vec::new(),
            counts: vec![0; Kind::ALL.len()],
            alive: Vec::new(),
            now: 0,
            closed: false,
            inside: false,
            stopping: false,
            asleep: false,
            rung: false,
            readable: false,
            batch: false,
            ready: VecDeque::new(),
            inbox: Vec::new(),
            busy: 0,
            tasks: Vec::new(),
            rows: Vec::new(),
            stash: Vec::new(),
            gates: [0; 4],
            calls: Vec::new(),
            soons: Vec::new(),
            timers: Vec::new(),
            laters: Vec::new(),
            remotes: Vec::new(),
            dones: Vec::new(),
            spawned: Vec::new(),
            cells: Vec::new(),
            queues: [Queue::default(), Queue::default()].into(),
            open_queues: [0, 1],
            jobs: Vec::new(),
            queued_jobs: Vec::new(),
            pool_calls: Vec::new(),
            gathers: Vec::new(),
            shields: Vec::new(),
            waits: 0,
            round: 0,
            forwarding: None,
            source: 0,
            main_is_over: None,
        };
        model.source = model.born();
        model.drive();
        model.finale();
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
        if effect != Effect::Nothing {
            self.counts[self.program.ops[index as usize].kind as usize] += 1;
        }
        self.note(Event::Did(index, actor, effect));
    }

    fn take(&mut self) -> Option<(u32, Op)> {
        let op = *self.program.ops.get(self.next)?;
        self.next += 1;
        Some((self.next as u32 - 1, op))
    }

    // The driver.

    fn drive(&mut self) {
        while self.next < self.program.ops.len() {
            let mut turned = false;
            for _ in 0..OPS_A_TURN {
                let Some((index, op)) = self.take() else { break };
                if self.drive_by(index, op) {
                    turned = true;
                    break;
                }
            }
            if !turned && !self.closed {
                self.turn();
            }
            self.note_alive();
        }
    }

    /// Does an operation as the driver; true if that ran the loop.
    fn drive_by(&mut self, index: u32, op: Op) -> bool {
        if self.closed || !matches!(op.kind, Kind::Turn | Kind::RunForever | Kind::RunUntil | Kind::Close) {
            self.perform(index, op, Actor::Driver);
            return false;
        }
        self.did(index, Actor::Driver, Effect::Done);
        match op.kind {
            Kind::Turn => _ = self.turn(),
            Kind::RunForever => self.run_forever(),
            Kind::RunUntil => self.run_until(op.acts()),
            _ => self.close(),
        }
        true
    }

    fn enter<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> R {
        self.inside = true;
        let result = f(self);
        self.inside = false;
        self.stopping = false;
        result
    }

    fn turn(&mut self) -> Turned {
        let went_on = self.enter(|model| model.iterate());
        let turned = if went_on { Turned::Over } else { Turned::Idle };
        self.note(Event::Turned(turned));
        turned
    }

    fn run_forever(&mut self) {
        let turned = self.enter(|model| {
            loop {
                if !model.iterate() {
                    return Turned::Idle;
                }
                if model.stopping {
                    return Turned::Over;
                }
            }
        });
        self.note(Event::Turned(turned));
    }

    fn run_until(&mut self, acts: bool) {
        let turned = self.enter(|model| {
            let main = model.new_task(None);
            (model.tasks[main].handle, model.tasks[main].acts) = (true, acts);
            model.number_task(main);
            model.tasks[main].scheduled = true;
            model.ready.push_back(Entry::Step(main));
            model.tasks[main].listeners.push(Listener::Main);
            let mut idle = false;
            while model.main_is_over != Some(main) && !idle {
                idle = !model.iterate();
                if model.stopping {
                    break;
                }
            }
            let turned = match model.tasks[main].ended {
                Some(Outcome::Value) => Turned::Over,
                Some(Outcome::Panicked) => Turned::Panicked,
                Some(Outcome::Cancelled) => Turned::Cancelled,
                None => Turned::Stopped,
            };
            model.take_left(main);
            model.tasks[main].handle = false;
            if model.tasks[main].ended.is_none() {
                model.end_now(main);
            }
            if idle { Turned::Idle } else { turned }
        });
        self.note(Event::Turned(turned));
    }

    fn finale(&mut self) {
        if self.closed {
            return;
        }
        match self.program.finale {
            Finale::CloseNow => {}
            Finale::Settle => self.settle(),
            Finale::CancelAll => self.cancel_all(),
        }
        self.close();
        self.note_alive();
    }

    fn cancel_all(&mut self) {
        while !self.queued_jobs.is_empty() {
            self.run_job(0);
        }
        for _ in 0..ROUNDS {
            for task in 0..self.tasks.len() {
                self.cancel(task, false);
            }
            self.settle();
        }
    }

    fn settle(&mut self) {
        for _ in 0..MOST_TURNS {
            let idle = self.turn() == Turned::Idle;
            self.note_alive();
            if idle {
                return;
            }
        }
    }

    // The loop.

    /// Runs one iteration; false if there is nothing to do.
    fn iterate(&mut self) -> bool {
        if !self.poll() {
            return false;
        }
        self.drain_inbox();
        self.expire();
        self.run_batch();
        true
    }

    fn poll(&mut self) -> bool {
        if !self.ready.is_empty() || self.stopping {
            self.look();
            return true;
        }
        let armed = self.timers.iter().filter(|timer| timer.state == TimerState::Armed);
        match armed.map(|timer| timer.when).min() {
            Some(next) if self.busy == 0 => {
                self.drain_inbox();
                self.look();
                if self.ready.is_empty() {
                    self.now = self.now.max(next);
                }
                true
            }
            _ => self.inbox.is_empty() && self.sleep() || !self.inbox.is_empty() || !self.ready.is_empty(),
        }
    }

    fn look(&mut self) {
        if std::mem::take(&mut self.readable) {
            self.ready.push_back(Entry::Readable);
        }
    }

    /// Sleeps: other threads have their turns. False if nobody has woken the loop.
    fn sleep(&mut self) -> bool {
        self.look();
        if !self.ready.is_empty() {
            return true;
        }
        (self.asleep, self.rung) = (true, false);
        while !self.rung && self.program.ops.get(self.next).is_some_and(|op| op.kind.is_foreign()) {
            let (index, op) = self.take().expect("there is one");
            self.perform(index, op, Actor::Thread);
        }
        self.asleep = false;
        self.rung
    }

    fn drain_inbox(&mut self) {
        for sent in std::mem::take(&mut self.inbox) {
            match sent {
                Sent::Wake(task) => {
                    self.tasks[task].queued = false;
                    self.schedule(task);
                }
                Sent::Entry(entry) => self.ready.push_back(entry),
            }
        }
    }

    fn expire(&mut self) {
        let due = |timer: &Timer, now| timer.state == TimerState::Armed && timer.when <= now;
        let mut keys: Vec<_> = (0..self.timers.len()).filter(|&key| due(&self.timers[key], self.now)).collect();
        keys.sort_by_key(|&key| self.timers[key].when);
        for key in keys {
            self.timers[key].state = TimerState::Due;
            self.ready.push_back(Entry::Timer(key));
        }
    }

    fn run_batch(&mut self) {
        self.batch = true;
        for _ in 0..self.ready.len() {
            let entry = self.ready.pop_front().expect("nobody else takes entries");
            self.run_entry(entry);
        }
        self.batch = false;
    }

    fn run_entry(&mut self, entry: Entry) {
        match entry {
            Entry::Step(task) => self.step(task),
            Entry::Call(call) => self.run_call(call, Event::Called),
            Entry::Timer(key) => self.ring(key),
            Entry::Deadline(task, number) => self.deadline(task, number),
            Entry::Done(call, task) => {
                let row = self.tasks[task].row.expect("only numbered tasks are called back") as u32;
                let cancelled = self.tasks[task].ended == Some(Outcome::Cancelled);
                let outcome = if cancelled { Outcome::Cancelled } else { Outcome::Value };
                self.run_call(call, |number| Event::Done(number, row, outcome));
            }
            Entry::CellDone(call, cell) => self.cell_called(call, cell),
            Entry::Gathered(gather, index) => {
                self.gather_ended(gather, index);
                self.drop_gather_callback(gather);
            }
            Entry::Shielded(shield) => self.shield_ended(shield),
            Entry::Begin(spawned) => self.begin(spawned),
            Entry::Finish(spawned, task) => self.finish_spawned(spawned, task),
            Entry::CancelSpawned(spawned) => {
                if self.spawned[spawned].listed {
                    let task = self.spawned[spawned].task.expect("it is listed");
                    self.cancel(task, false);
                }
            }
            Entry::Stop => self.stopping = true,
            Entry::Readable => self.note(Event::Readable),
            Entry::MainIsOver(main) => self.main_is_over = Some(main),
            Entry::Nothing => {}
        }
    }

    /// Runs a callback of the program's: it has a few operations.
    fn run_call(&mut self, call: usize, event: impl FnOnce(u32) -> Event) {
        self.calls[call].kept = false;
        if self.calls[call].gone {
            return;
        }
        self.calls[call].gone = true;
        let (number, ops) = (self.calls[call].number, self.calls[call].ops);
        self.note(event(number));
        for _ in 0..ops {
            let Some((index, op)) = self.take() else { break };
            match op.kind {
                Kind::Turn => {
                    self.did(index, Actor::Callback, Effect::Done);
                    break;
                }
                Kind::Panic => {
                    let payload = self.born();
                    self.did(index, Actor::Callback, Effect::Done);
                    self.note(Event::Reported(Complaint::Callback));
                    self.dies(payload);
                    break;
                }
                _ => self.perform(index, op, Actor::Callback),
            }
        }
        self.dies(number);
    }

    fn ring(&mut self, key: usize) {
        if self.timers[key].state != TimerState::Due {
            return;
        }
        self.timers[key].state = TimerState::Rung;
        match self.timers[key].what {
            Rings::Sleeper(task) => self.wake(task),
            Rings::Call(call) => self.run_call(call, Event::Called),
            Rings::Deadline(task, number) => self.deadline(task, number),
        }
    }

    // Wakes.

    fn schedule(&mut self, task: usize) {
        let it = &mut self.tasks[task];
        if it.scheduled || it.ended.is_some() {
            return;
        }
        it.scheduled = true;
        if !it.running {
            self.ready.push_back(Entry::Step(task));
        }
    }

    /// Wakes a task from where we are: on the loop, or between iterations, which is as if it were another thread.
    fn wake(&mut self, task: usize) {
        if self.inside { self.schedule(task) } else { self.wake_from_elsewhere(task) }
    }

    fn wake_from_elsewhere(&mut self, task: usize) {
        if self.tasks[task].ended.is_none() && !std::mem::replace(&mut self.tasks[task].queued, true) {
            self.send(Sent::Wake(task));
        }
    }

    /// Sends something in; false if the loop is closed.
    fn send(&mut self, sent: Sent) -> bool {
        if self.closed {
            return false;
        }
        self.inbox.push(sent);
        self.rung |= self.asleep;
        true
    }

    // Tasks.

    fn new_task(&mut self, coroutine: Option<u32>) -> usize {
        self.tasks.push(Task { coroutine, ..Task::default() });
        self.tasks.len() - 1
    }

    /// Gives a task its number in the trace, and its coroutine.
    fn number_task(&mut self, task: usize) {
        let coroutine = self.born();
        self.tasks[task].row = Some(self.rows.len());
        self.tasks[task].coroutine = Some(coroutine);
        self.rows.push(task);
    }

    fn spawn(&mut self, eager: bool, view: bool, acts: bool) {
        let task = self.new_task(None);
        self.number_task(task);
        (self.tasks[task].handle, self.tasks[task].acts) = (true, acts);
        if eager && self.batch {
            self.step_now(task);
        } else {
            self.tasks[task].scheduled = true;
            self.ready.push_back(Entry::Step(task));
        }
        self.tasks[task].in_table = true;
        self.tasks[task].view = view;
    }

    fn step(&mut self, task: usize) {
        if self.tasks[task].ended.is_none() {
            self.step_now(task);
        }
    }

    /// Makes a step, and what comes after it.
    fn step_now(&mut self, task: usize) {
        self.tasks[task].scheduled = false;
        self.tasks[task].running = true;
        self.step_inside(task);
        if self.tasks[task].ended.is_none() {
            self.tasks[task].running = false;
            if self.tasks[task].scheduled {
                self.ready.push_back(Entry::Step(task));
            }
        }
    }

    fn step_inside(&mut self, task: usize) {
        let Some(wait) = self.tasks[task].wait.take() else {
            if std::mem::take(&mut self.tasks[task].ripe) {
                return self.finish(task, Outcome::Cancelled, None);
            }
            if let Some(spawned) = self.tasks[task].spawned {
                let make = self.spawned[spawned].make.take().expect("it is made once");
                self.dies(make);
                self.number_task(task);
            }
            self.note_step(task);
            return self.body(task);
        };
        if wait.ripe {
            if wait.wrapper != Wrapper::Bare {
                self.note_step(task);
            }
            return self.deliver(task, wait);
        }
        self.note_step(task);
        self.go_on_waiting(task, wait);
    }

    fn note_step(&mut self, task: usize) {
        self.note(Event::Step(self.tasks[task].row.expect("it is numbered") as u32));
    }

    /// Polls what a task waits for; goes on with its body if that is there.
    fn go_on_waiting(&mut self, task: usize, mut wait: Wait) {
        if let Some((answer, cancelled)) = self.poll_leaf(task, &mut wait) {
            if std::mem::take(&mut wait.forwarded) && cancelled {
                return self.deliver(task, wait);
            }
            self.end_wait(&mut wait);
            self.note_got(task, answer);
            return self.body(task);
        }
        if self.pause(task, wait) {
            self.end_poll(task);
        }
    }

    /// Suspends a task.
    fn pause(&mut self, task: usize, mut wait: Wait) -> bool {
        if let (Wrapper::Timeout(delay), None, false) = (wait.wrapper, wait.timer, wait.expired) {
            let what = Rings::Deadline(task, wait.number);
            if delay == 0 {
                self.ready.push_back(Entry::Deadline(task, wait.number));
                wait.timer = Some(usize::MAX);
            } else {
                wait.timer = Some(self.arm(delay, what));
            }
        }
        self.tasks[task].wait = Some(wait);
        true
    }

    /// Looks at what was asked of a task during its step.
    fn end_poll(&mut self, task: usize) {
        if self.tasks[task].owed {
            self.hit(task, false);
        }
    }

    fn note_got(&mut self, task: usize, answer: Answer) {
        self.note(Event::Got(self.tasks[task].row.expect("it is numbered") as u32, answer));
    }

    /// Cancels a task at its await.
    fn deliver(&mut self, task: usize, mut wait: Wait) {
        let (expired, before) = (wait.expired, wait.before);
        self.end_wait(&mut wait);
        self.tasks[task].owed = false;
        if wait.wrapper == Wrapper::Bare {
            return self.unwind(task, wait);
        }
        self.release(task, wait.leaf);
        match wait.wrapper {
            Wrapper::Catch => {
                self.note_got(task, Answer::Caught);
                self.body(task);
            }
            Wrapper::CatchAndResume => {
                self.note_got(task, Answer::Caught);
                self.finish(task, Outcome::Cancelled, None);
            }
            Wrapper::Timeout(_) if expired && self.tasks[task].requests <= before => {
                self.note_got(task, Answer::TimedOut);
                self.body(task);
            }
            Wrapper::Timeout(_) | Wrapper::Bare => self.finish(task, Outcome::Cancelled, None),
        }
    }

    /// Ends a task at its await. What it waits for outside any scope is noted in the task itself, too, and goes last.
    fn unwind(&mut self, task: usize, wait: Wait) {
        if let (Leaf::Gather(_), Wrapper::Bare) = (&wait.leaf, wait.wrapper) {
            self.drop_coroutine(task);
        }
        self.release(task, wait.leaf);
        self.finish(task, Outcome::Cancelled, None);
    }

    fn end_wait(&mut self, wait: &mut Wait) {
        if let Some(timer) = wait.timer.take().filter(|timer| *timer != usize::MAX) {
            self.timers[timer].state = TimerState::Disarmed;
        }
    }

    /// Goes on with a task's body, until it waits or ends.
    fn body(&mut self, task: usize) {
        let row = self.tasks[task].row.expect("it is numbered");
        let me = Actor::Task(row as u32);
        loop {
            let Some((index, op)) = self.take() else { return self.complete(task) };
            match op.kind {
                Kind::Complete => {
                    self.did(index, me, Effect::Done);
                    return self.complete(task);
                }
                Kind::Panic => {
                    let payload = self.born();
                    self.did(index, me, Effect::Done);
                    return self.finish(task, Outcome::Panicked, Some(Left::Panic(payload)));
                }
                Kind::KeepWaker => {
                    self.stash.push(task);
                    self.did(index, me, Effect::Done);
                }
                _ => match self.leaf(task, op) {
                    Some(Some(leaf)) => {
                        self.did(index, me, Effect::Done);
                        let (number, before) = (self.waits, self.tasks[task].requests);
                        self.waits += 1;
                        let wrapper = op.wrapper();
                        let mut wait = Wait {
                            number,
                            leaf,
                            wrapper,
                            ripe: false,
                            forwarded: false,
                            timer: None,
                            expired: false,
                            before,
                        };
                        match self.poll_leaf(task, &mut wait) {
                            Some((answer, _)) => self.note_got(task, answer),
                            None => {
                                self.pause(task, wait);
                                return self.end_poll(task);
                            }
                        }
                    }
                    Some(None) => self.did(index, me, Effect::Nothing),
                    None => self.perform(index, op, me),
                },
            }
        }
    }

    fn complete(&mut self, task: usize) {
        let output = self.born();
        self.drop_coroutine(task);
        if std::mem::take(&mut self.tasks[task].owed) {
            self.dies(output);
            return self.finish(task, Outcome::Cancelled, None);
        }
        self.finish(task, Outcome::Value, Some(Left::Value(output)));
    }

    /// Ends a task that did not come to its end.
    fn end_now(&mut self, task: usize) {
        if let Some(mut wait) = self.tasks[task].wait.take() {
            self.end_wait(&mut wait);
            return self.unwind(task, wait);
        }
        self.finish(task, Outcome::Cancelled, None);
    }

    /// Does one operation, as a destructor or a waker.
    fn act_alone(&mut self, actor: Actor) {
        if let Some((index, op)) = self.take() {
            self.perform(index, op, actor);
        }
    }

    fn drop_coroutine(&mut self, task: usize) {
        let spawned = self.tasks[task].spawned;
        if let Some(make) = spawned.and_then(|spawned| self.spawned[spawned].make.take()) {
            self.dies(make);
        }
        let Some(coroutine) = self.tasks[task].coroutine.take() else { return };
        if self.tasks[task].acts && !self.closed {
            self.act_alone(Actor::Destructor);
        }
        self.dies(coroutine);
    }

    fn finish(&mut self, task: usize, outcome: Outcome, left: Option<Left>) {
        self.drop_coroutine(task);
        let it = &mut self.tasks[task];
        (it.ended, it.left) = (Some(outcome), left);
        (it.running, it.scheduled, it.owed) = (false, false, false);
        for listener in std::mem::take(&mut it.listeners) {
            match listener {
                Listener::Waiter(waiter) => self.wake(waiter),
                Listener::Outside(waker, acts) => {
                    self.note(Event::Woken(waker));
                    if acts && !self.closed {
                        self.act_alone(Actor::Waker);
                    }
                    self.dies(waker);
                }
                Listener::Callback(call) => self.push(Entry::Done(call, task)),
                Listener::Gather(gather, index) => self.push(Entry::Gathered(gather, index)),
                Listener::Shield(shield) => self.push(Entry::Shielded(shield)),
                Listener::Spawned(spawned) => self.push(Entry::Finish(spawned, task)),
                Listener::Main => self.push(Entry::MainIsOver(task)),
            }
        }
        if !self.tasks[task].handle {
            self.drop_left(task);
        }
    }

    /// Puts an entry into the ready queue, or drops it if the loop is closed.
    fn push(&mut self, entry: Entry) {
        if self.closed { self.discard(entry) } else { self.ready.push_back(entry) }
    }

    /// Drops what a task has left, which nobody can have any more.
    fn drop_left(&mut self, task: usize) {
        match self.tasks[task].left.take() {
            Some(Left::Value(value)) => self.dies(value),
            Some(Left::Panic(payload)) => {
                self.note(Event::Reported(Complaint::Task));
                self.dies(payload);
            }
            None => {}
        }
    }

    /// Takes what a task has left, and drops it.
    fn take_left(&mut self, task: usize) -> Option<u32> {
        let left = self.tasks[task].left.take().map(|left| match left {
            Left::Value(number) | Left::Panic(number) => number,
        });
        if let Some(number) = left {
            self.dies(number);
        }
        left
    }

    fn drop_handle(&mut self, task: usize) {
        let it = &mut self.tasks[task];
        (it.handle, it.in_table) = (false, false);
        let listeners = &mut it.listeners;
        let place = listeners.iter().position(|l| matches!(l, Listener::Waiter(_) | Listener::Outside(..)));
        if let Some(Listener::Outside(waker, _)) = place.map(|place| listeners.remove(place)) {
            self.dies(waker);
        }
        if self.tasks[task].ended.is_some() {
            self.drop_left(task);
        }
    }

    /// Notes who waits for a task, in the place of whoever did.
    fn listen(&mut self, task: usize, listener: Listener) {
        let listeners = &mut self.tasks[task].listeners;
        let place = listeners.iter_mut().find(|l| matches!(l, Listener::Waiter(_) | Listener::Outside(..)));
        match place {
            Some(place) => {
                if let Listener::Outside(waker, _) = std::mem::replace(place, listener) {
                    self.dies(waker);
                }
            }
            None => listeners.push(listener),
        }
    }

    // Cancellation.

    /// Asks a task to end; `as_waiter`: in the stead of one that waits for it.
    fn cancel(&mut self, task: usize, as_waiter: bool) -> bool {
        if self.tasks[task].ended.is_some() {
            return false;
        }
        if as_waiter && self.forwarding.is_some() && self.tasks[task].round == self.round {
            return false;
        }
        self.tasks[task].requests += 1;
        if std::mem::replace(&mut self.tasks[task].owed, true) {
            return true; // One that was not delivered yet does for both.
        }
        let first = self.forwarding.is_none();
        if first {
            self.round += 1;
        }
        self.tasks[task].round = self.round;
        self.forwarding.get_or_insert_default().push_back(task);
        if first {
            while let Some(task) = self.forwarding.as_mut().and_then(VecDeque::pop_front) {
                if !self.tasks[task].running && self.tasks[task].ended.is_none() {
                    self.hit(task, false);
                }
            }
            self.forwarding = None;
        }
        true
    }

    /// Has a suspended task cancelled at its next step, or passes that on to what it waits for. The request is the task's,
    /// or a timeout's own.
    fn hit(&mut self, task: usize, own: bool) {
        let Some(wait) = &self.tasks[task].wait else {
            self.tasks[task].ripe = true;
            return self.schedule(task);
        };
        let (ripe, in_scope) = (wait.ripe, wait.wrapper != Wrapper::Bare);
        let target = wait.leaf.target();
        let forwarded = !ripe && target.is_some_and(|target| self.forward(target));
        let Some(wait) = &mut self.tasks[task].wait else { return };
        if forwarded {
            wait.forwarded = true;
            self.tasks[task].owed &= own;
            return;
        }
        wait.ripe = true;
        if in_scope { self.wake(task) } else { self.schedule(task) }
    }

    fn forward(&mut self, target: Target) -> bool {
        match target {
            Target::Task(task) => self.cancel(task, true),
            Target::Cell(cell) => self.end_cell(cell, CellState::Cancelled),
            Target::Gather(gather) => self.cancel_gather(gather),
        }
    }

    fn deadline(&mut self, task: usize, number: u64) {
        let Some(wait) = &mut self.tasks[task].wait else { return };
        if wait.number != number || wait.expired {
            return;
        }
        wait.expired = true;
        self.hit(task, true);
    }

    // What tasks wait for.

    /// Makes what an operation waits for: nothing if there is none; none if it is no such operation.
    fn leaf(&mut self, task: usize, op: Op) -> Option<Option<Leaf>> {
        Some(match op.kind {
            Kind::Turn | Kind::AwaitYield => Some(Leaf::Yield(false)),
            Kind::AwaitGate => Some(Leaf::Gate(usize::from(op.a) % 4)),
            Kind::AwaitTask => self.take_handle(op.a, task).map(Leaf::Task),
            Kind::AwaitCell => {
                let cell = pick(op.a, self.cells.len(), |cell| self.cells[cell].in_table);
                cell.map(|cell| {
                    self.cells[cell].in_table = false;
                    Leaf::Cell(cell)
                })
            }
            Kind::AwaitSleep if op.a % 6 == 0 => Some(Leaf::Yield(false)),
            Kind::AwaitSleep => Some(Leaf::Sleep(usize::from(op.a) % 6 + usize::MAX / 2)),
            Kind::AwaitGet => Some(Leaf::Get(self.open_queues[usize::from(op.a) % 2])),
            Kind::AwaitPut => {
                let item = self.born();
                Some(Leaf::Put(self.open_queues[usize::from(op.a) % 2], Some(item)))
            }
            Kind::AwaitPool => Some(Leaf::Pool(self.submit(op.a % 8 == 7))),
            Kind::AwaitGather => {
                let mut children = Vec::new();
                for n in 0..=op.a % 3 {
                    children.extend(self.take_handle(op.a / 3 + n, task));
                }
                (!children.is_empty()).then(|| Leaf::Gather(self.gather(children)))
            }
            Kind::AwaitShield => {
                let child = self.take_handle(op.a, task);
                child.map(|child| Leaf::Shield(self.shield(child)))
            }
            _ => return None,
        })
    }

    /// Takes a task's handle out of the table, not that of `other`.
    fn take_handle(&mut self, n: u8, other: usize) -> Option<usize> {
        let row = pick(n, self.rows.len(), |row| self.rows[row] != other && self.tasks[self.rows[row]].in_table)?;
        let task = self.rows[row];
        self.tasks[task].in_table = false;
        Some(task)
    }

    /// Polls what is waited for: the answer, and whether it came by a cancellation.
    fn poll_leaf(&mut self, task: usize, wait: &mut Wait) -> Option<(Answer, bool)> {
        let number = wait.number;
        match &mut wait.leaf {
            Leaf::Yield(yielded) => {
                if std::mem::replace(yielded, true) {
                    return Some((Answer::Ready, false));
                }
                self.wake(task);
                None
            }
            Leaf::Gate(gate) => {
                if self.gates[*gate] > 0 {
                    self.gates[*gate] -= 1;
                    return Some((Answer::Ready, false));
                }
                self.stash.push(task);
                None
            }
            Leaf::Task(child) => {
                let child = *child;
                let Some(outcome) = self.tasks[child].ended else {
                    self.listen(child, Listener::Waiter(task));
                    return None;
                };
                let left = self.take_left(child);
                self.drop_handle(child);
                Some(match (outcome, left) {
                    (Outcome::Value, Some(value)) => (Answer::Value(value), false),
                    (Outcome::Panicked, Some(payload)) => (Answer::Panicked(payload), false),
                    _ => (Answer::Cancelled, true),
                })
            }
            Leaf::Cell(cell) => self.poll_cell(task, *cell),
            Leaf::Sleep(timer) => {
                if *timer >= usize::MAX / 2 {
                    *timer = self.arm((*timer - usize::MAX / 2) as u64, Rings::Sleeper(task));
                    return None;
                }
                let rung = self.timers[*timer].state == TimerState::Rung;
                rung.then_some((Answer::Ready, false))
            }
            Leaf::Get(queue) => self.poll_get(task, *queue, number).map(|answer| (answer, false)),
            Leaf::Put(queue, item) => self.poll_put(task, *queue, item, number).map(|answer| (answer, false)),
            Leaf::Pool(job) => self.poll_job(task, *job).map(|answer| (answer, false)),
            Leaf::Gather(gather) => self.poll_gather(task, *gather),
            Leaf::Shield(shield) => self.poll_shield(task, *shield).map(|answer| (answer, false)),
        }
    }

    /// Drops what a task waited for, before its end.
    fn release(&mut self, task: usize, leaf: Leaf) {
        match leaf {
            Leaf::Yield(_) | Leaf::Gate(_) => {}
            Leaf::Task(child) => {
                if self.tasks[child].handle {
                    self.drop_handle(child);
                }
            }
            Leaf::Cell(cell) => self.drop_future(cell),
            Leaf::Sleep(timer) => {
                if let Some(timer) = self.timers.get_mut(timer) {
                    timer.state = TimerState::Disarmed;
                }
            }
            Leaf::Get(queue) => self.leave_get(queue, task),
            Leaf::Put(queue, item) => {
                self.leave_put(queue, task);
                if let Some(item) = item {
                    self.dies(item);
                }
            }
            Leaf::Pool(job) => self.drop_call(job),
            Leaf::Gather(gather) => self.drop_gather(gather),
            Leaf::Shield(shield) => self.drop_shield(shield),
        }
    }

    fn arm(&mut self, delay: u64, what: Rings) -> usize {
        self.timers.push(Timer { when: self.now + delay, state: TimerState::Armed, what });
        self.timers.len() - 1
    }

    // Cells.

    fn poll_cell(&mut self, task: usize, cell: usize) -> Option<(Answer, bool)> {
        let it = &mut self.cells[cell];
        let answer = match it.state {
            CellState::Pending => {
                if !it.listeners.iter().any(|listener| matches!(listener, CellListener::Waiter(_))) {
                    it.listeners.push(CellListener::Waiter(task));
                }
                return None;
            }
            CellState::Value(value) => {
                it.state = CellState::Taken;
                self.dies(value);
                (Answer::Value(value), false)
            }
            CellState::Cancelled => (Answer::Cancelled, true),
            CellState::Broken | CellState::Taken => (Answer::Broken, false),
        };
        self.cells[cell].future = false;
        Some(answer)
    }

    /// Ends a cell; false if it is over.
    fn end_cell(&mut self, cell: usize, state: CellState) -> bool {
        let it = &mut self.cells[cell];
        if it.state != CellState::Pending {
            return false;
        }
        it.state = state;
        for listener in std::mem::take(&mut it.listeners) {
            match listener {
                CellListener::Waiter(task) => self.wake(task),
                CellListener::Callback(call) => self.call_back(call, cell),
            }
        }
        self.forget_cell(cell);
        true
    }

    /// Has a callback of a cell called: through the loop, or at once where none runs.
    fn call_back(&mut self, call: usize, cell: usize) {
        self.cells[cell].on_their_way += 1;
        if self.inside {
            self.push(Entry::CellDone(call, cell));
        } else {
            self.cell_called(call, cell);
        }
    }

    fn cell_called(&mut self, call: usize, cell: usize) {
        let cancelled = self.cells[cell].state == CellState::Cancelled;
        let number = self.calls[call].number;
        self.note(Event::CellDone(number, cell as u32, cancelled));
        self.calls[call].gone = true;
        self.dies(number);
        self.cells[cell].on_their_way -= 1;
        self.forget_cell(cell);
    }

    /// Drops a cell's value once nobody has the cell.
    fn forget_cell(&mut self, cell: usize) {
        let it = &mut self.cells[cell];
        if let (CellState::Value(value), false, 0) = (it.state, it.future, it.on_their_way) {
            it.state = CellState::Taken;
            self.dies(value);
        }
    }

    fn drop_future(&mut self, cell: usize) {
        let it = &mut self.cells[cell];
        (it.future, it.in_table) = (false, false);
        it.listeners.retain(|listener| matches!(listener, CellListener::Callback(_)));
        self.forget_cell(cell);
    }

    // Queues.

    const ROOM: usize = 2;

    fn notify(line: &mut [(u64, usize, bool)]) -> Option<usize> {
        let (_, task, notified) = line.iter_mut().find(|(_, _, notified)| !*notified)?;
        *notified = true;
        Some(*task)
    }

    fn notify_getter(&mut self, queue: usize) {
        if let Some(task) = Self::notify(&mut self.queues[queue].getters) {
            self.wake(task);
        }
    }

    fn notify_putter(&mut self, queue: usize) {
        if let Some(task) = Self::notify(&mut self.queues[queue].putters) {
            self.wake(task);
        }
    }

    fn get_now(&mut self, queue: usize) -> Option<u32> {
        let item = self.queues[queue].items.pop_front()?;
        self.notify_putter(queue);
        Some(item)
    }

    /// Puts an item in; false if the queue is full.
    fn put_now(&mut self, queue: usize, item: u32) -> bool {
        if self.queues[queue].items.len() >= Self::ROOM {
            return false;
        }
        self.queues[queue].items.push_back(item);
        self.notify_getter(queue);
        true
    }

    /// Leaves a line in which one was notified, or was never; `None` if it must stay there.
    fn come_up(line: &mut Vec<(u64, usize, bool)>, number: u64) -> Option<()> {
        let Some(place) = line.iter().position(|(wait, ..)| *wait == number) else { return Some(()) };
        if !line[place].2 {
            return None;
        }
        line.remove(place);
        Some(())
    }

    fn poll_get(&mut self, task: usize, queue: usize, number: u64) -> Option<Answer> {
        Self::come_up(&mut self.queues[queue].getters, number)?;
        if let Some(item) = self.get_now(queue) {
            self.dies(item);
            return Some(Answer::Value(item));
        }
        if self.queues[queue].shut {
            return Some(Answer::ShutDown);
        }
        self.queues[queue].getters.push((number, task, false));
        None
    }

    fn poll_put(&mut self, task: usize, queue: usize, item: &mut Option<u32>, number: u64) -> Option<Answer> {
        Self::come_up(&mut self.queues[queue].putters, number)?;
        let value = item.take().expect("it is put once");
        if self.queues[queue].shut {
            self.dies(value);
            return Some(Answer::ShutDown);
        }
        if self.put_now(queue, value) {
            return Some(Answer::Ready);
        }
        *item = Some(value);
        self.queues[queue].putters.push((number, task, false));
        None
    }

    fn leave_get(&mut self, queue: usize, task: usize) {
        let line = &mut self.queues[queue].getters;
        let place = line.iter().position(|(_, waiter, _)| *waiter == task);
        let notified = place.is_some_and(|place| line.remove(place).2);
        if notified && !self.queues[queue].items.is_empty() {
            self.notify_getter(queue);
        }
    }

    fn leave_put(&mut self, queue: usize, task: usize) {
        let line = &mut self.queues[queue].putters;
        let place = line.iter().position(|(_, waiter, _)| *waiter == task);
        let notified = place.is_some_and(|place| line.remove(place).2);
        if notified && self.queues[queue].items.len() < Self::ROOM {
            self.notify_putter(queue);
        }
    }

    /// Shuts a queue down, and opens another in its place.
    fn close_queue(&mut self, place: usize, immediate: bool) {
        let queue = self.open_queues[place];
        self.queues[queue].shut = true;
        let thrown = if immediate { std::mem::take(&mut self.queues[queue].items) } else { VecDeque::new() };
        while let Some(task) = Self::notify(&mut self.queues[queue].getters) {
            self.wake(task);
        }
        while let Some(task) = Self::notify(&mut self.queues[queue].putters) {
            self.wake(task);
        }
        thrown.into_iter().for_each(|item| self.dies(item));
        self.queues.push(Queue::default());
        self.open_queues[place] = self.queues.len() - 1;
    }

    /// Drops the items of a queue that nobody has any more.
    fn forget_queue(&mut self, queue: usize) {
        let waits = |task: &Task| match &task.wait {
            Some(wait) => matches!(wait.leaf, Leaf::Get(at) | Leaf::Put(at, _) if at == queue),
            None => false,
        };
        if !self.open_queues.contains(&queue) && !self.tasks.iter().any(waits) {
            let items = std::mem::take(&mut self.queues[queue].items);
            items.into_iter().for_each(|item| self.dies(item));
        }
    }

    // The pool.

    fn submit(&mut self, panics: bool) -> usize {
        let closure = self.born();
        let busy = self.inside;
        self.busy += usize::from(busy);
        self.jobs.push(Job { closure, panics, busy, state: JobState::Pending, call: true, waiter: None });
        self.queued_jobs.push(self.jobs.len() - 1);
        self.jobs.len() - 1
    }

    fn poll_job(&mut self, task: usize, job: usize) -> Option<Answer> {
        let it = &mut self.jobs[job];
        let answer = match std::mem::replace(&mut it.state, JobState::Taken) {
            JobState::Pending => {
                (it.state, it.waiter) = (JobState::Pending, Some(task));
                return None;
            }
            JobState::Value(value) => {
                self.dies(value);
                Answer::Value(value)
            }
            JobState::Panicked(payload) => {
                self.dies(payload);
                Answer::Panicked(payload)
            }
            JobState::Cancelled | JobState::Taken => Answer::Cancelled,
        };
        self.jobs[job].call = false;
        Some(answer)
    }

    fn drop_call(&mut self, job: usize) {
        let it = &mut self.jobs[job];
        it.call = false;
        match std::mem::replace(&mut it.state, JobState::Taken) {
            JobState::Pending => {
                it.state = JobState::Cancelled;
                if let Some(task) = it.waiter.take() {
                    self.wake(task);
                }
            }
            JobState::Value(number) | JobState::Panicked(number) => self.dies(number),
            other => it.state = other,
        }
    }

    fn run_job(&mut self, place: usize) {
        let job = self.queued_jobs.remove(place);
        let (closure, panics) = (self.jobs[job].closure, self.jobs[job].panics);
        if matches!(self.jobs[job].state, JobState::Pending) {
            self.note(Event::Ran(closure));
            let value = self.born();
            if self.jobs[job].call {
                self.jobs[job].state = if panics { JobState::Panicked(value) } else { JobState::Value(value) };
            } else {
                self.dies(value);
            }
            if let Some(task) = self.jobs[job].waiter.take() {
                self.wake_from_elsewhere(task);
            }
        }
        self.dies(closure);
        self.end_busy(job);
    }

    fn drop_job(&mut self, place: usize) {
        let job = self.queued_jobs.remove(place);
        if matches!(self.jobs[job].state, JobState::Pending) {
            self.jobs[job].state = JobState::Cancelled;
            if let Some(task) = self.jobs[job].waiter.take() {
                self.wake(task);
            }
        }
        self.dies(self.jobs[job].closure);
        self.end_busy(job);
    }

    /// Lets time go on, if nothing else holds it; the loop is told.
    fn end_busy(&mut self, job: usize) {
        if self.jobs[job].busy {
            self.busy -= 1;
            if self.busy == 0 {
                self.send(Sent::Entry(Entry::Nothing));
            }
        }
    }

    // Gathers and shields.

    fn gather(&mut self, children: Vec<usize>) -> usize {
        let (gather, count) = (self.gathers.len(), children.len());
        self.gathers.push(Gather {
            children: children.iter().map(|child| (*child, None)).collect(),
            handles: vec![true; count],
            left: count,
            over: false,
            cancelled: false,
            looked_at: false,
            result: Gathered::Pending,
            future: true,
            waiter: None,
            callbacks: 0,
        });
        let mut over = Vec::new();
        for (index, child) in children.into_iter().enumerate() {
            if self.tasks[child].ended.is_some() {
                over.push(index);
                continue;
            }
            self.gathers[gather].callbacks += 1;
            self.tasks[child].listeners.push(Listener::Gather(gather, index));
        }
        for index in over {
            self.gather_ended(gather, index);
        }
        self.forget_gather(gather);
        gather
    }

    fn gather_ended(&mut self, gather: usize, index: usize) {
        let child = self.gathers[gather].children[index].0;
        let (outcome, left) = (self.tasks[child].ended, self.tasks[child].left.take());
        self.gathers[gather].handles[index] = false;
        self.drop_handle(child);
        self.gathers[gather].left -= 1;
        let failure = match (outcome, left) {
            (_, Some(Left::Value(value))) => {
                self.gathers[gather].children[index].1 = Some(value);
                None
            }
            (_, Some(Left::Panic(payload))) => Some(Failure::Panicked(payload)),
            _ => Some(Failure::Cancelled),
        };
        if let Some(failure) = failure {
            return self.fail_gather(gather, failure);
        }
        let it = &mut self.gathers[gather];
        if it.left == 0 && !it.over {
            it.over = true;
            let values: Vec<_> = it.children.iter_mut().filter_map(|(_, value)| value.take()).collect();
            if it.cancelled {
                // The values stay with the children, which go now.
                it.result = Gathered::Cancelled;
                values.into_iter().for_each(|value| self.dies(value));
            } else {
                it.result = Gathered::Values(values);
            }
            self.tell_gather(gather);
        }
    }

    fn fail_gather(&mut self, gather: usize, failure: Failure) {
        let it = &mut self.gathers[gather];
        if std::mem::replace(&mut it.over, true) {
            if let Failure::Panicked(payload) = failure {
                self.dies(payload);
            }
            return;
        }
        it.result = match failure {
            Failure::Cancelled if it.cancelled => Gathered::Cancelled,
            failure => Gathered::Failed(failure),
        };
        self.tell_gather(gather);
    }

    fn tell_gather(&mut self, gather: usize) {
        if let Some(task) = self.gathers[gather].waiter.take() {
            self.wake(task);
        }
        if !self.gathers[gather].future {
            self.drop_gather_result(gather);
        }
    }

    fn poll_gather(&mut self, task: usize, gather: usize) -> Option<(Answer, bool)> {
        let it = &mut self.gathers[gather];
        let answer = match std::mem::replace(&mut it.result, Gathered::Pending) {
            Gathered::Pending => {
                it.waiter = Some(task);
                return None;
            }
            Gathered::Values(values) => {
                let sum = values.iter().map(|value| u64::from(*value)).sum();
                let answer = Answer::Values(values.len() as u32, sum);
                values.into_iter().for_each(|value| self.dies(value));
                (answer, false)
            }
            Gathered::Failed(Failure::Panicked(payload)) => {
                self.dies(payload);
                (Answer::Panicked(payload), false)
            }
            Gathered::Failed(Failure::Cancelled) => (Answer::Cancelled, false),
            Gathered::Cancelled => (Answer::Cancelled, true),
        };
        self.gathers[gather].future = false;
        Some(answer)
    }

    fn cancel_gather(&mut self, gather: usize) -> bool {
        if self.gathers[gather].over {
            self.gathers[gather].looked_at = true;
            return false;
        }
        let mut accepted = false;
        for index in 0..self.gathers[gather].children.len() {
            if self.gathers[gather].handles[index] && self.cancel(self.gathers[gather].children[index].0, true) {
                accepted = true;
                self.gathers[gather].cancelled = true;
            }
        }
        accepted
    }

    fn drop_gather(&mut self, gather: usize) {
        (self.gathers[gather].future, self.gathers[gather].waiter) = (false, None);
        self.drop_gather_result(gather);
    }

    fn drop_gather_result(&mut self, gather: usize) {
        match std::mem::replace(&mut self.gathers[gather].result, Gathered::Pending) {
            Gathered::Pending | Gathered::Cancelled => {}
            Gathered::Values(values) => values.into_iter().for_each(|value| self.dies(value)),
            Gathered::Failed(failure) => {
                if !self.gathers[gather].looked_at {
                    self.note(Event::Reported(Complaint::Future));
                }
                if let Failure::Panicked(payload) = failure {
                    self.dies(payload);
                }
            }
        }
    }

    fn drop_gather_callback(&mut self, gather: usize) {
        self.gathers[gather].callbacks -= 1;
        self.forget_gather(gather);
    }

    /// Drops the values and handles of a gather's children once no callback has them any more.
    fn forget_gather(&mut self, gather: usize) {
        if self.gathers[gather].callbacks > 0 {
            return;
        }
        for index in 0..self.gathers[gather].children.len() {
            if let Some(value) = self.gathers[gather].children[index].1.take() {
                self.dies(value);
            }
            if std::mem::take(&mut self.gathers[gather].handles[index]) {
                self.drop_handle(self.gathers[gather].children[index].0);
            }
        }
    }

    fn shield(&mut self, child: usize) -> usize {
        let shield = self.shields.len();
        self.shields.push(Shield { child, handle: true, left: false, result: None, waiter: None });
        if self.tasks[child].ended.is_some() {
            self.take_shielded(shield);
        } else {
            self.tasks[child].listeners.push(Listener::Shield(shield));
        }
        shield
    }

    /// Moves the child's result into the shield.
    fn take_shielded(&mut self, shield: usize) {
        let child = self.shields[shield].child;
        let left = self.tasks[child].left.take();
        self.shields[shield].handle = false;
        self.drop_handle(child);
        self.shields[shield].result = Some(match left {
            Some(Left::Value(value)) => Answer::Value(value),
            Some(Left::Panic(payload)) => Answer::Panicked(payload),
            None => Answer::Cancelled,
        });
    }

    fn shield_ended(&mut self, shield: usize) {
        self.take_shielded(shield);
        if self.shields[shield].left {
            self.drop_shielded(shield);
        } else if let Some(task) = self.shields[shield].waiter.take() {
            self.wake(task);
        }
    }

    /// Drops a result that nobody has heard of.
    fn drop_shielded(&mut self, shield: usize) {
        match self.shields[shield].result.take() {
            Some(Answer::Value(value)) => self.dies(value),
            Some(Answer::Panicked(payload)) => {
                self.note(Event::Reported(Complaint::Shielded));
                self.dies(payload);
            }
            _ => {}
        }
    }

    fn poll_shield(&mut self, task: usize, shield: usize) -> Option<Answer> {
        let Some(answer) = self.shields[shield].result.take() else {
            self.shields[shield].waiter = Some(task);
            return None;
        };
        if let Answer::Value(number) | Answer::Panicked(number) = answer {
            self.dies(number);
        }
        Some(answer)
    }

    fn drop_shield(&mut self, shield: usize) {
        (self.shields[shield].left, self.shields[shield].waiter) = (true, None);
        self.drop_shielded(shield);
    }

    // Tasks that another thread starts.

    fn begin(&mut self, spawned: usize) {
        if self.spawned[spawned].cancelled {
            let make = self.spawned[spawned].make.take().expect("it was not made");
            return self.dies(make);
        }
        let task = self.new_task(None);
        let it = &mut self.tasks[task];
        (it.spawned, it.handle, it.scheduled) = (Some(spawned), true, true);
        it.listeners.push(Listener::Spawned(spawned));
        self.ready.push_back(Entry::Step(task));
        let it = &mut self.spawned[spawned];
        (it.task, it.listed) = (Some(task), true);
    }

    fn finish_spawned(&mut self, spawned: usize, task: usize) {
        self.spawned[spawned].listed = false;
        let left = self.tasks[task].left.take();
        self.drop_handle(task);
        if self.tasks[task].ended == Some(Outcome::Cancelled) && !self.spawned[spawned].cancelled {
            self.ready.push_back(Entry::CancelSpawned(spawned)); // Its future is cancelled, and says so.
        }
        let it = &mut self.spawned[spawned];
        it.over = true;
        if let Some(Left::Value(number) | Left::Panic(number)) = left {
            if it.future {
                it.value = Some(number);
            } else {
                self.dies(number);
            }
        }
    }

    /// Cancels what another thread started, and drops the future of it.
    fn cancel_spawned(&mut self, spawned: usize) -> bool {
        let it = &mut self.spawned[spawned];
        it.future = false;
        if let Some(value) = it.value.take() {
            self.dies(value);
        }
        let it = &mut self.spawned[spawned];
        if it.over {
            return false;
        }
        it.cancelled = true;
        self.send(Sent::Entry(Entry::CancelSpawned(spawned)));
        true
    }

    // Callbacks.

    fn new_call(&mut self, ops: u8) -> usize {
        let number = self.born();
        self.calls.push(Callback { number, ops, gone: false, cancelled: false, kept: true, handle: true });
        self.calls.len() - 1
    }

    fn cancel_call(&mut self, call: usize) -> bool {
        if std::mem::replace(&mut self.calls[call].gone, true) {
            return false;
        }
        self.calls[call].cancelled = true;
        self.dies(self.calls[call].number);
        true
    }

    /// Drops a callback that neither a queue nor a handle has.
    fn forget_call(&mut self, call: usize) {
        let it = &mut self.calls[call];
        if !it.kept && !it.handle && !std::mem::replace(&mut it.gone, true) {
            let number = it.number;
            self.dies(number);
        }
    }

    fn drop_call_handle(&mut self, call: usize) {
        self.calls[call].handle = false;
        self.forget_call(call);
    }

    fn unkeep_call(&mut self, call: usize) {
        self.calls[call].kept = false;
        self.forget_call(call);
    }

    // The end.

    fn close(&mut self) {
        let start = self.events.len();
        for task in 0..self.tasks.len() {
            if self.tasks[task].ended.is_none() {
                self.note(Event::Reported(Complaint::Destroyed));
            }
        }
        (self.closed, self.inside) = (true, true);
        for key in 0..self.timers.len() {
            if let (Rings::Call(call), TimerState::Armed | TimerState::Due) =
                (&self.timers[key].what, &self.timers[key].state)
            {
                let call = *call;
                self.unkeep_call(call);
            }
        }
        self.dies(self.source);
        while let Some(entry) = self.ready.pop_front() {
            self.discard(entry);
        }
        for task in 0..self.tasks.len() {
            if self.tasks[task].ended.is_none() {
                self.end_now(task);
            }
        }
        for sent in std::mem::take(&mut self.inbox) {
            if let Sent::Entry(entry) = sent {
                self.discard(entry);
            }
        }
        self.inside = false;
        self.events[start..].sort_unstable();
        self.note(Event::Closed);
    }

    /// Drops an entry that is never run.
    fn discard(&mut self, entry: Entry) {
        match entry {
            Entry::Call(call) | Entry::Done(call, _) => self.unkeep_call(call),
            Entry::CellDone(call, cell) => {
                self.unkeep_call(call);
                self.cells[cell].on_their_way -= 1;
                self.forget_cell(cell);
            }
            Entry::Gathered(gather, _) => self.drop_gather_callback(gather),
            Entry::Shielded(shield) if std::mem::take(&mut self.shields[shield].handle) => {
                self.drop_handle(self.shields[shield].child);
            }
            Entry::Begin(spawned) => {
                if let Some(make) = self.spawned[spawned].make.take() {
                    self.dies(make);
                }
                self.spawned[spawned].over = true;
            }
            Entry::Finish(spawned, task) => {
                self.spawned[spawned].over = true;
                self.drop_handle(task);
            }
            _ => {}
        }
    }

    // Operations that anybody can do.

    fn perform(&mut self, index: u32, op: Op, actor: Actor) {
        let effect = self.effect(op, actor);
        self.did(index, actor, effect.unwrap_or(Effect::Nothing));
    }

    fn effect(&mut self, op: Op, actor: Actor) -> Option<Effect> {
        let foreign = actor == Actor::Thread;
        match op.kind {
            Kind::Spawn | Kind::SpawnEager if !self.closed => {
                self.spawn(op.kind == Kind::SpawnEager, op.b % 2 == 0, op.acts());
                Some(Effect::Done)
            }
            Kind::Cancel => {
                let row = self.pick_row(op.a, |task| task.in_table || task.view)?;
                Some(self.cancel(row, false).into())
            }
            Kind::DropHandle => {
                let task = self.pick_row(op.a, |task| task.in_table)?;
                if actor == Actor::Driver {
                    self.take_left(task);
                }
                self.drop_handle(task);
                Some(Effect::Done)
            }
            Kind::DropView => {
                let task = self.pick_row(op.a, |task| task.view)?;
                self.tasks[task].view = false;
                Some(Effect::Done)
            }
            Kind::TakeOutput => {
                let task = self.pick_row(op.a, |task| task.in_table && task.ended.is_some())?;
                let effect = self.take_left(task).map_or(Effect::Done, Effect::Value);
                self.drop_handle(task);
                Some(effect)
            }
            Kind::PollOutside => self.poll_outside(op, actor),
            Kind::AddDone => {
                let task = self.pick_row(op.a, |task| task.in_table || task.view)?;
                let call = self.new_call(op.b / 4 % 3);
                self.calls[call].handle = false;
                if self.tasks[task].ended.is_some() {
                    self.push(Entry::Done(call, task));
                } else {
                    self.tasks[task].listeners.push(Listener::Callback(call));
                }
                self.dones.push(Some((task, call)));
                Some(Effect::Done)
            }
            Kind::RemoveDone => self.remove_done(op),
            Kind::WakeHere | Kind::WakeForeign => {
                let place = pick(op.a, self.stash.len(), |_| true)?;
                self.gates[usize::from(op.b / 4) % 4] += u32::from(op.b % 4 < 3);
                let task = if op.b & 128 == 0 { self.stash.swap_remove(place) } else { self.stash[place] };
                if op.kind == Kind::WakeHere {
                    self.wake(task)
                } else {
                    self.wake_from_elsewhere(task)
                }
                Some(Effect::Done)
            }
            Kind::CloneForeign => {
                let place = pick(op.a, self.stash.len(), |_| true)?;
                self.stash.push(self.stash[place]);
                Some(Effect::Done)
            }
            Kind::DropWakerHere | Kind::DropWakerForeign => {
                let place = pick(op.a, self.stash.len(), |_| true)?;
                self.stash.swap_remove(place);
                Some(Effect::Done)
            }
            Kind::OpenGate => {
                self.gates[usize::from(op.a) % 4] += 1;
                Some(Effect::Done)
            }
            Kind::RunJob => {
                let place = pick(op.a, self.queued_jobs.len(), |_| true)?;
                self.run_job(place);
                Some(Effect::Done)
            }
            Kind::StopRemote => Some(if self.send(Sent::Entry(Entry::Stop)) { Effect::Done } else { Effect::No }),
            _ if foreign => None,
            _ => self.effect_here(op, actor),
        }
    }

    fn pick_row(&self, n: u8, f: impl Fn(&Task) -> bool) -> Option<usize> {
        pick(n, self.rows.len(), |row| f(&self.tasks[self.rows[row]])).map(|row| self.rows[row])
    }

    fn poll_outside(&mut self, op: Op, actor: Actor) -> Option<Effect> {
        if !matches!(actor, Actor::Driver | Actor::Callback) {
            return None; // The task would be taken to wait for it.
        }
        let task = self.pick_row(op.a, |task| task.in_table)?;
        let waker = self.born();
        if self.tasks[task].ended.is_none() {
            self.listen(task, Listener::Outside(waker, op.acts()));
            return Some(Effect::No);
        }
        self.take_left(task);
        self.drop_handle(task);
        self.dies(waker);
        Some(Effect::Yes)
    }

    fn remove_done(&mut self, op: Op) -> Option<Effect> {
        let reachable = |task: &Task| task.in_table || task.view;
        let place = pick(op.a, self.dones.len(), |place| {
            self.dones[place].as_ref().is_some_and(|(task, _)| reachable(&self.tasks[*task]))
        })?;
        let (task, call) = self.dones[place].take()?;
        let listeners = &mut self.tasks[task].listeners;
        let place = listeners.iter().position(|listener| matches!(listener, Listener::Callback(at) if *at == call));
        if let Some(place) = place {
            listeners.remove(place);
            self.unkeep_call(call);
        }
        Some(place.is_some().into())
    }

    fn effect_here(&mut self, op: Op, actor: Actor) -> Option<Effect> {
        match op.kind {
            Kind::CallSoon if !self.closed => {
                let call = self.new_call(op.b / 4 % 3);
                self.ready.push_back(Entry::Call(call));
                self.soons.push(Some(call));
                if op.b % 2 == 0 {
                    self.soons.pop();
                    self.drop_call_handle(call);
                }
                Some(Effect::Done)
            }
            Kind::CancelSoon => {
                let place = pick(op.a, self.soons.len(), |place| self.soons[place].is_some())?;
                let call = self.soons[place].take()?;
                let cancelled = self.cancel_call(call);
                self.drop_call_handle(call);
                Some(cancelled.into())
            }
            Kind::CallLater if !self.closed => {
                let call = self.new_call(op.b / 4 % 3);
                let timer = self.arm(u64::from(op.a) % 6, Rings::Call(call));
                self.laters.push(Some((timer, call)));
                Some(Effect::Done)
            }
            Kind::CancelTimer | Kind::DropTimer => {
                let place = pick(op.a, self.laters.len(), |place| self.laters[place].is_some())?;
                let (timer, call) = self.laters[place].take()?;
                let mut effect = Effect::Done;
                if op.kind == Kind::CancelTimer {
                    if self.timers[timer].state != TimerState::Rung {
                        self.timers[timer].state = TimerState::Disarmed;
                    }
                    effect = self.cancel_call(call).into();
                }
                self.drop_call_handle(call);
                Some(effect)
            }
            Kind::CallRemote => self.call_remote(op),
            Kind::CancelRemote => {
                let place = pick(op.a, self.remotes.len(), |place| self.remotes[place].is_some())?;
                let call = self.remotes[place].take()?;
                let cancelled = self.cancel_call(call);
                self.drop_call_handle(call);
                Some(cancelled.into())
            }
            Kind::SpawnRemote => {
                let make = self.born();
                let spawned = self.spawned.len();
                let sent = self.send(Sent::Entry(Entry::Begin(spawned)));
                if !sent {
                    self.dies(make);
                    return Some(Effect::No);
                }
                self.spawned.push(Spawned {
                    make: Some(make),
                    cancelled: false,
                    task: None,
                    listed: false,
                    future: true,
                    over: false,
                    value: None,
                });
                Some(Effect::Done)
            }
            Kind::CancelSpawned => {
                let spawned = pick(op.a, self.spawned.len(), |spawned| self.spawned[spawned].future)?;
                Some(self.cancel_spawned(spawned).into())
            }
            Kind::Stop if !self.closed => {
                self.stopping = true;
                Some(Effect::Done)
            }
            Kind::Advance => {
                self.now += u64::from(op.a) % 3 + 1;
                Some(Effect::Done)
            }
            Kind::MakeReady if !self.closed && !self.readable => {
                self.readable = true;
                Some(Effect::Done)
            }
            _ => self.effect_on_cells(op).or_else(|| self.effect_on_queues(op, actor)),
        }
    }

    fn call_remote(&mut self, op: Op) -> Option<Effect> {
        let call = self.new_call(op.b / 8 % 3);
        let here = op.a % 3 == 2;
        let accepted = if here && self.inside {
            self.ready.push_back(Entry::Call(call));
            true
        } else {
            self.send(Sent::Entry(Entry::Call(call)))
        };
        if !accepted {
            self.calls[call].kept = false;
            self.drop_call_handle(call);
            return Some(Effect::No);
        }
        if op.b / 2 % 2 == 0 {
            self.remotes.push(Some(call));
        } else {
            self.drop_call_handle(call);
        }
        Some(Effect::Done)
    }

    fn effect_on_cells(&mut self, op: Op) -> Option<Effect> {
        let n = self.cells.len();
        match op.kind {
            Kind::NewCell => {
                let state = CellState::Pending;
                let listeners = Vec::new();
                self.cells.push(Cell {
                    state,
                    promise: true,
                    future: true,
                    in_table: true,
                    listeners,
                    on_their_way: 0,
                });
                Some(Effect::Done)
            }
            Kind::SetCell | Kind::DropPromise => {
                let cell = pick(op.a, n, |cell| self.cells[cell].promise)?;
                self.cells[cell].promise = false;
                if op.kind == Kind::DropPromise {
                    self.end_cell(cell, CellState::Broken);
                    return Some(Effect::Done);
                }
                let value = self.born();
                let set = self.end_cell(cell, CellState::Value(value));
                if !set {
                    self.dies(value);
                }
                Some(set.into())
            }
            Kind::CancelCell | Kind::DropFuture | Kind::CellDone => {
                let cell = pick(op.a, n, |cell| self.cells[cell].in_table)?;
                match op.kind {
                    Kind::CancelCell => return Some(self.end_cell(cell, CellState::Cancelled).into()),
                    Kind::DropFuture => self.drop_future(cell),
                    _ => {
                        let call = self.new_call(0);
                        self.calls[call].handle = false;
                        if self.cells[cell].state == CellState::Pending {
                            self.cells[cell].listeners.push(CellListener::Callback(call));
                        } else {
                            self.call_back(call, cell);
                        }
                    }
                }
                Some(Effect::Done)
            }
            _ => None,
        }
    }

    fn effect_on_queues(&mut self, op: Op, _: Actor) -> Option<Effect> {
        let place = usize::from(op.a) % 2;
        let queue = self.open_queues[place];
        match op.kind {
            Kind::PutNow => {
                let item = self.born();
                let put = self.put_now(queue, item);
                if !put {
                    self.dies(item);
                }
                Some(put.into())
            }
            Kind::GetNow => {
                let item = self.get_now(queue);
                if let Some(item) = item {
                    self.dies(item);
                }
                Some(item.map_or(Effect::No, Effect::Value))
            }
            Kind::CloseQueue => {
                self.close_queue(place, op.b % 2 == 0);
                Some(Effect::Done)
            }
            Kind::Submit => {
                let job = self.submit(op.b % 8 == 7);
                self.pool_calls.push(Some(job));
                Some(Effect::Done)
            }
            Kind::DropJob => {
                let place = pick(op.a, self.queued_jobs.len(), |_| true)?;
                self.drop_job(place);
                Some(Effect::Done)
            }
            Kind::DropCall => {
                let place = pick(op.a, self.pool_calls.len(), |place| self.pool_calls[place].is_some())?;
                let job = self.pool_calls[place].take()?;
                self.drop_call(job);
                Some(Effect::Done)
            }
            _ => None,
        }
    }
}
