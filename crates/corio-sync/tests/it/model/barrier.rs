use super::{Line, STEPS, Woken, programs};
use crate::random::Random;
use corio_sync::{Barrier, BarrierWait, BrokenBarrier};
use std::task::Poll;

/// asyncio's states.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Filling,
    Draining,
    Resetting,
    Broken,
}

/// What a barrier should know: asyncio's algorithm, with the indices given out when all are there.
struct Model {
    parties: usize,
    state: State,
    /// Who is inside, in the order of arrival.
    inside: Vec<usize>,
    /// The indices of those that were let through.
    indices: Vec<(usize, usize)>,
    line: Line,
    queue: Line,
}

impl Model {
    /// A step of one that is not inside: what it gets, if its wait is over, and who is woken.
    fn arrive(&mut self, id: usize) -> (Poll<Result<usize, BrokenBarrier>>, Vec<usize>) {
        match self.state {
            State::Broken => (Poll::Ready(Err(BrokenBarrier)), Vec::new()),
            State::Draining | State::Resetting => {
                self.queue.enter(id);
                (Poll::Pending, Vec::new())
            }
            State::Filling if self.inside.len() + 1 == self.parties => {
                if !self.inside.is_empty() {
                    self.state = State::Draining;
                }
                self.indices = self.inside.iter().enumerate().map(|(index, &id)| (id, index)).collect();
                (Poll::Ready(Ok(self.parties - 1)), self.line.notify(usize::MAX))
            }
            State::Filling => {
                self.inside.push(id);
                self.line.enter(id);
                (Poll::Pending, Vec::new())
            }
        }
    }

    /// One that is inside goes out.
    fn leave(&mut self, id: usize) -> Vec<usize> {
        self.line.leave(id);
        self.inside.retain(|&other| other != id);
        if !self.inside.is_empty() || self.state == State::Filling {
            return Vec::new();
        }
        if self.state != State::Broken {
            self.state = State::Filling;
        }
        self.queue.notify(usize::MAX)
    }

    /// A step of a task that has begun.
    fn step(&mut self, id: usize) -> (Poll<Result<usize, BrokenBarrier>>, Vec<usize>) {
        if self.queue.is_notified(id) {
            self.queue.leave(id);
            return self.arrive(id);
        }
        if !self.line.is_notified(id) {
            return (Poll::Pending, Vec::new());
        }
        let index = self.indices.iter().find(|passed| passed.0 == id).map(|passed| passed.1);
        let ended = if self.state == State::Draining { Ok(index.unwrap()) } else { Err(BrokenBarrier) };
        (Poll::Ready(ended), self.leave(id))
    }

    fn cancel(&mut self, id: usize) -> Vec<usize> {
        if self.inside.contains(&id) {
            return self.leave(id);
        }
        self.queue.leave(id);
        Vec::new()
    }

    fn reset(&mut self) -> Vec<usize> {
        self.state = if self.inside.is_empty() { State::Filling } else { State::Resetting };
        self.line.notify(usize::MAX)
    }

    fn abort(&mut self) -> Vec<usize> {
        self.state = State::Broken;
        let mut woken = self.line.notify(usize::MAX);
        woken.extend(self.queue.notify(usize::MAX));
        woken
    }
}

struct Task<'b> {
    id: usize,
    woken: Woken,
    future: BarrierWait<'b>,
}

fn program(random: &mut Random) {
    let parties = 1 + random.below(4);
    let barrier = Barrier::new(parties);
    let (line, queue) = (Line::default(), Line::default());
    let mut model = Model { parties, state: State::Filling, inside: Vec::new(), indices: Vec::new(), line, queue };
    let mut tasks = Vec::<Task<'_>>::new();
    for id in 0..STEPS {
        let mut woken = Vec::new();
        match random.below(24) {
            0 => {
                barrier.reset();
                woken = model.reset();
            }
            1 if random.below(4) == 0 => {
                barrier.abort();
                woken = model.abort();
            }
            2..9 => {
                let mut task = Task { id, woken: Woken::new(), future: barrier.wait() };
                let (expected, now) = model.arrive(id);
                assert_eq!(task.woken.poll(&mut task.future), expected);
                if expected.is_pending() {
                    tasks.push(task);
                }
                woken = now;
            }
            9 | 10 if !tasks.is_empty() => {
                let gone = tasks.swap_remove(random.below(tasks.len()));
                woken = model.cancel(gone.id);
            }
            _ if !tasks.is_empty() => {
                let index = random.below(tasks.len());
                let task = &mut tasks[index];
                let (expected, now) = model.step(task.id);
                assert_eq!(task.woken.poll(&mut task.future), expected);
                if expected.is_ready() {
                    tasks.swap_remove(index);
                }
                woken = now;
            }
            _ => {}
        }
        for task in &mut tasks {
            task.woken.expected += usize::from(woken.contains(&task.id));
            task.woken.check();
        }
        let filling = if model.state == State::Filling { model.inside.len() } else { 0 };
        assert_eq!((barrier.n_waiting(), barrier.broken()), (filling, model.state == State::Broken));
        assert_eq!(barrier.statistics().queued, model.queue.n_waiting());
    }
}

#[test]
fn a_barrier_does_what_its_model_says() {
    programs(program);
}
