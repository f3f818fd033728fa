use super::{Line, STEPS, Woken, programs};
use crate::random::Random;
use corio_sync::{Acquire, Condition, ConditionWait, LockGuard};
use std::task::Poll;

/// What a condition and its lock should know.
#[derive(Default)]
struct Model {
    locked: bool,
    lock_line: Line,
    line: Line,
}

impl Model {
    /// Releases the lock: who is woken.
    fn release(&mut self) -> Vec<usize> {
        assert!(self.locked);
        self.locked = false;
        self.pass_lock()
    }

    /// Gives the free lock to the next, unless it is on its way.
    fn pass_lock(&mut self) -> Vec<usize> {
        let on_its_way = self.lock_line.n_notified() > 0;
        self.lock_line.notify(usize::from(!on_its_way))
    }

    /// Takes the lock, or enters its line: true if taken.
    fn acquire(&mut self, id: usize) -> bool {
        let free = !self.locked && self.lock_line.is_empty();
        if free {
            self.locked = true;
        } else {
            self.lock_line.enter(id);
        }
        free
    }

    /// Takes the lock if it is on its way to this one.
    fn arrive(&mut self, id: usize) -> bool {
        let arrived = self.lock_line.is_notified(id);
        if arrived {
            self.lock_line.leave(id);
            self.locked = true;
        }
        arrived
    }
}

/// How far a task is.
enum Stage<'c> {
    Acquiring(Acquire<'c>),
    Holding(LockGuard<'c>),
    Waiting(ConditionWait<'c>),
    /// Notified, and in the lock's line.
    Again(ConditionWait<'c>),
}

struct Task<'c> {
    id: usize,
    woken: Woken,
    stage: Stage<'c>,
}

/// Goes on with a task as an executor would, or lets it do something if it holds the lock. Tells who is woken.
fn step<'c>(
    condition: &'c Condition,
    task: Task<'c>,
    model: &mut Model,
    random: &mut Random,
) -> (Task<'c>, Vec<usize>) {
    let (id, mut taken) = (task.id, false);
    let settle = |polled: Poll<LockGuard<'c>>, expected: bool, pending: Stage<'c>| {
        assert_eq!(polled.is_ready(), expected);
        match polled {
            Poll::Ready(guard) => Stage::Holding(guard),
            Poll::Pending => pending,
        }
    };
    let mut woken = Vec::new();
    let stage = match task.stage {
        Stage::Acquiring(mut acquire) => {
            taken |= model.arrive(id);
            settle(task.woken.poll(&mut acquire), taken, Stage::Acquiring(acquire))
        }
        Stage::Again(mut wait) => {
            taken |= model.arrive(id);
            settle(task.woken.poll(&mut wait), taken, Stage::Again(wait))
        }
        Stage::Waiting(mut wait) if model.line.is_notified(id) => {
            model.line.leave(id);
            taken |= model.acquire(id);
            settle(task.woken.poll(&mut wait), taken, Stage::Again(wait))
        }
        Stage::Waiting(mut wait) => settle(task.woken.poll(&mut wait), false, Stage::Waiting(wait)),
        Stage::Holding(guard) if random.below(2) == 0 => {
            let mut wait = condition.wait(guard);
            model.line.enter(id);
            woken = model.release();
            settle(task.woken.poll(&mut wait), false, Stage::Waiting(wait))
        }
        Stage::Holding(guard) => {
            let n = random.below(4);
            condition.notify(n).unwrap();
            woken = model.line.notify(n);
            Stage::Holding(guard)
        }
    };
    (Task { stage, ..task }, woken)
}

/// Cancels a task: it is dropped where it is. Tells who is woken.
fn cancel(task: Task<'_>, model: &mut Model) -> Vec<usize> {
    let id = task.id;
    let mut woken = Vec::new();
    match task.stage {
        Stage::Holding(_) => woken = model.release(),
        Stage::Waiting(_) => {
            if model.line.leave(id) {
                woken = model.line.notify(1);
            }
        }
        Stage::Acquiring(_) | Stage::Again(_) => {
            if matches!(task.stage, Stage::Again(_)) {
                woken = model.line.notify(1);
            }
            if model.lock_line.leave(id) {
                woken.extend(model.pass_lock());
            }
        }
    }
    woken
}

fn program(random: &mut Random) {
    let (condition, mut model) = (Condition::new(), Model::default());
    let mut tasks = Vec::<Task<'_>>::new();
    for id in 0..STEPS {
        let mut woken = Vec::new();
        match random.below(8) {
            0 | 1 => {
                let (mut acquire, counted) = (condition.acquire(), Woken::new());
                let polled = counted.poll(&mut acquire);
                assert_eq!(polled.is_ready(), model.acquire(id));
                let stage = match polled {
                    Poll::Ready(guard) => Stage::Holding(guard),
                    Poll::Pending => Stage::Acquiring(acquire),
                };
                tasks.push(Task { id, woken: counted, stage });
            }
            2 if !tasks.is_empty() => {
                let task = tasks.swap_remove(random.below(tasks.len()));
                woken = cancel(task, &mut model);
            }
            _ if !tasks.is_empty() => {
                let task = tasks.swap_remove(random.below(tasks.len()));
                let (task, now) = step(&condition, task, &mut model, random);
                tasks.push(task);
                woken = now;
            }
            _ => {}
        }
        for task in &mut tasks {
            task.woken.expected += woken.iter().filter(|&&id| id == task.id).count();
            task.woken.check();
        }
        let now = condition.statistics();
        assert_eq!((now.waiting, now.lock.waiting), (model.line.n_waiting(), model.lock_line.n_waiting()));
        assert_eq!((now.lock.locked, condition.notify(0).is_ok()), (model.locked, model.locked));
    }
}

#[test]
fn hazard_41_a_condition_does_what_its_model_says() {
    programs(program);
}
