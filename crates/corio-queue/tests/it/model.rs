//! Random programs of puts, gets, drops and shutdowns, polled by hand in random order, against a `VecDeque`.

use crate::counter::{Counter, poll};
use crate::random::Random;
use corio_queue::{Get, Put, Queue, ShutDown, concurrent};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::task::{Poll, Waker};

/// A task of the program: a future, and how often it was woken when it was last polled.
struct Task<F> {
    future: F,
    count: Arc<Counter>,
    waker: Waker,
    seen: usize,
    fresh: bool,
}

impl<F> Task<F> {
    fn new(future: F) -> Task<F> {
        let (count, waker) = Counter::new();
        Task { future, count, waker, seen: 0, fresh: true }
    }

    /// Tells whether an executor would poll it.
    fn is_ready(&self) -> bool {
        self.fresh || self.count.count() > self.seen
    }
}

impl<F: Future + Unpin> Task<F> {
    /// Polls it, as an executor would.
    fn step(&mut self) -> Poll<F::Output> {
        self.fresh = false;
        self.seen = self.count.count();
        poll(&mut self.future, &self.waker)
    }
}

/// What the queue should hold, and what became of every item.
#[derive(Default)]
struct Model {
    items: VecDeque<u32>,
    taken: HashSet<u32>,
    next: u32,
    maxsize: usize,
    shut_down: bool,
}

impl Model {
    /// Makes an item that there was not before.
    fn item(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn is_full(&self) -> bool {
        self.maxsize > 0 && self.items.len() >= self.maxsize
    }

    /// Notes that a put succeeded.
    fn put(&mut self, item: u32) {
        assert!(!self.shut_down && !self.is_full());
        self.items.push_back(item);
    }

    /// Notes that a get gave an item: the oldest, and never twice.
    fn get(&mut self, item: u32) {
        assert_eq!(self.items.pop_front(), Some(item));
        assert!(self.taken.insert(item));
    }

    /// Checks that nobody sleeps who could go on, once everybody who was woken has run.
    fn check_idle(&self, getters: usize, putters: usize) {
        assert!(getters == 0 || (self.items.is_empty() && !self.shut_down), "a getter sleeps");
        assert!(putters == 0 || (self.is_full() && !self.shut_down), "a putter sleeps");
    }
}

/// The program for one kind of queue; the two kinds have the same methods and no common trait.
macro_rules! program {
    ($name:ident, $queue:ty, $get:ty, $put:ty) => {
        fn $name(seed: u64) {
            /// Runs on like an executor: only who was woken is polled. Nobody may be left who could go on.
            fn settle(model: &mut Model, getters: &mut Vec<Task<$get>>, putters: &mut Vec<(u32, Task<$put>)>) {
                loop {
                    let getter = getters.iter().position(Task::is_ready);
                    let putter = putters.iter().position(|putter| putter.1.is_ready());
                    match (getter, putter) {
                        (Some(index), _) => match getters[index].step() {
                            Poll::Ready(Ok(item)) => drop((model.get(item), getters.swap_remove(index))),
                            Poll::Ready(Err(_)) => drop(getters.swap_remove(index)),
                            Poll::Pending => {}
                        },
                        (None, Some(index)) => match putters[index].1.step() {
                            Poll::Ready(Ok(())) => drop((model.put(putters[index].0), putters.swap_remove(index))),
                            Poll::Ready(Err(_)) => drop(putters.swap_remove(index)),
                            Poll::Pending => {}
                        },
                        (None, None) => break,
                    }
                }
                model.check_idle(getters.len(), putters.len());
            }

            let mut random = Random(seed);
            let maxsize = random.below(4);
            let mut model = Model { maxsize, ..Model::default() };
            let queue = <$queue>::new(maxsize);
            let (mut getters, mut putters) = (Vec::<Task<$get>>::new(), Vec::<(u32, Task<$put>)>::new());
            for _ in 0..150 {
                match random.below(20) {
                    0..4 => getters.push(Task::new(queue.get())),
                    4..8 => {
                        let item = model.item();
                        putters.push((item, Task::new(queue.put(item))));
                    }
                    8 => {
                        let item = model.item();
                        match queue.put_nowait(item) {
                            Ok(()) => model.put(item),
                            Err(error) => {
                                assert_eq!((error.into_inner(), true), (item, model.shut_down || model.is_full()))
                            }
                        }
                    }
                    9 => match queue.get_nowait() {
                        Ok(item) => model.get(item),
                        Err(_) => assert!(model.items.is_empty()),
                    },
                    10 if !getters.is_empty() => drop(getters.swap_remove(random.below(getters.len()))),
                    11 if !putters.is_empty() => drop(putters.swap_remove(random.below(putters.len()))),
                    12 if random.below(20) == 0 => {
                        queue.shutdown(false);
                        model.shut_down = true;
                    }
                    13 if random.below(40) == 0 => {
                        queue.shutdown(true);
                        model.shut_down = true;
                        model.items.clear();
                    }
                    13 => settle(&mut model, &mut getters, &mut putters),
                    14..17 if !getters.is_empty() => {
                        let index = random.below(getters.len());
                        match getters[index].step() {
                            Poll::Ready(Ok(item)) => model.get(item),
                            Poll::Ready(Err(ShutDown(()))) => assert!(model.shut_down && model.items.is_empty()),
                            Poll::Pending => continue,
                        }
                        drop(getters.swap_remove(index));
                    }
                    _ if !putters.is_empty() => {
                        let index = random.below(putters.len());
                        match putters[index].1.step() {
                            Poll::Ready(Ok(())) => model.put(putters[index].0),
                            Poll::Ready(Err(ShutDown(item))) => {
                                assert_eq!((item, true), (putters[index].0, model.shut_down))
                            }
                            Poll::Pending => continue,
                        }
                        drop(putters.swap_remove(index));
                    }
                    _ => {}
                }
                assert_eq!((queue.len(), queue.is_full()), (model.items.len(), model.is_full()));
            }
            settle(&mut model, &mut getters, &mut putters);
            while let Ok(item) = queue.get_nowait() {
                model.get(item);
            }
            assert!(model.items.is_empty());
        }
    };
}

program!(local, Queue<u32>, Get<'_, corio_queue::Fifo<u32>>, Put<'_, corio_queue::Fifo<u32>>);
program!(shared, concurrent::Queue<u32>, concurrent::Get<'_, u32>, concurrent::Put<'_, u32>);

/// How many programs are run.
const PROGRAMS: u64 = if cfg!(miri) { 10 } else { 3000 };

#[test]
fn hazard_41_nothing_is_lost_or_doubled_and_nobody_sleeps_for_nothing() {
    (0..PROGRAMS).for_each(local);
}

#[test]
fn hazard_41_nor_in_the_queue_between_threads() {
    (0..PROGRAMS).for_each(shared);
}
