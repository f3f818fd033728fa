use super::{Line, STEPS, Woken, programs};
use crate::random::Random;
use corio_sync::{AcquirePermit, BoundedSemaphore, Permit, Semaphore};

/// What a semaphore should know.
struct Model {
    permits: usize,
    bound: usize,
    line: Line,
}

impl Model {
    /// Reserves permits for those in line: the names of those it wakes.
    fn serve(&mut self) -> Vec<usize> {
        let woken = self.line.notify(self.permits);
        self.permits -= woken.len();
        woken
    }

    /// Adds a permit; none if there are as many as there may be.
    fn release(&mut self) -> Option<Vec<usize>> {
        if self.permits >= self.bound {
            return None;
        }
        self.permits += 1;
        Some(self.serve())
    }

    fn locked(&self) -> bool {
        self.permits == 0 || !self.line.is_empty()
    }
}

/// A task that waits for a permit.
struct Waiter<'s> {
    id: usize,
    woken: Woken,
    future: AcquirePermit<'s>,
}

fn program(semaphore: &Semaphore, mut model: Model, random: &mut Random) {
    let (mut waiters, mut held) = (Vec::<Waiter<'_>>::new(), Vec::<Permit<'_>>::new());
    let (mut acquired, mut peak) = (0, 0);
    for id in 0..STEPS {
        let mut woken = Vec::new();
        match random.below(8) {
            0 | 1 => {
                let mut waiter = Waiter { id, woken: Woken::new(), future: semaphore.acquire() };
                let expect = !model.locked();
                let polled = waiter.woken.poll(&mut waiter.future);
                assert_eq!(polled.is_ready(), expect);
                if expect {
                    model.permits -= 1;
                    acquired += 1;
                    polled.map(|permit| held.push(permit)).is_ready();
                } else {
                    model.line.enter(id);
                    waiters.push(waiter);
                    peak = peak.max(waiters.len());
                }
            }
            2 => {
                let expect = !model.locked();
                let permit = semaphore.try_acquire();
                assert_eq!(permit.is_some(), expect);
                model.permits -= usize::from(expect);
                acquired += u64::from(expect);
                held.extend(permit);
            }
            3 => {
                let expect = model.release();
                assert_eq!(semaphore.release().is_ok(), expect.is_some());
                woken = expect.unwrap_or_default();
            }
            4 if !held.is_empty() => {
                drop(held.swap_remove(random.below(held.len())));
                woken = model.release().unwrap_or_default();
            }
            5 if !waiters.is_empty() => {
                let gone = waiters.swap_remove(random.below(waiters.len()));
                if model.line.leave(gone.id) {
                    model.permits += 1;
                    woken = model.serve();
                }
            }
            _ if !waiters.is_empty() => {
                let index = random.below(waiters.len());
                let waiter = &mut waiters[index];
                let expect = model.line.is_notified(waiter.id);
                let polled = waiter.woken.poll(&mut waiter.future);
                assert_eq!(polled.is_ready(), expect);
                if expect {
                    acquired += 1;
                    polled.map(|permit| held.push(permit)).is_ready();
                    model.line.leave(waiter.id);
                    waiters.swap_remove(index);
                    woken = model.serve();
                }
            }
            _ => {}
        }
        for waiter in &mut waiters {
            waiter.woken.expected += usize::from(woken.contains(&waiter.id));
            waiter.woken.check();
        }
        assert_eq!((semaphore.available(), semaphore.locked()), (model.permits, model.locked()));
        let now = semaphore.statistics();
        assert_eq!((now.waiting, now.reserved), (model.line.n_waiting(), model.line.n_notified()));
        assert_eq!((now.acquired, now.most_waiting), (acquired, peak));
    }
}

#[test]
fn hazard_42_a_semaphore_does_what_its_model_says() {
    programs(|random| {
        let permits = random.below(4);
        program(&Semaphore::new(permits), Model { permits, bound: usize::MAX, line: Line::default() }, random);
    });
}

#[test]
fn hazard_42_a_bounded_semaphore_too() {
    programs(|random| {
        let permits = random.below(4);
        program(&BoundedSemaphore::new(permits), Model { permits, bound: permits, line: Line::default() }, random);
    });
}
