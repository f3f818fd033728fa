//! A place where tasks wait for each other.

use crate::statistics::BarrierStatistics;
use crate::{BrokenBarrier, WaiterKey, Waiters};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A place where a number of tasks wait until all of them are there; asyncio's `Barrier`.
///
/// It can be used again at once: who comes for the next round while the last one is still leaving waits before it.
///
/// # Differences
///
/// [`reset`](Barrier::reset) and [`abort`](Barrier::abort) are no coroutines, for there is no lock to wait for. And when
/// a waiter is cancelled, those that came after it move up, so that [`wait`](Barrier::wait) gives each number from 0 to
/// `parties - 1` once; asyncio gives one number twice then, and another one not at all.
///
/// # Examples
///
/// ```
/// use corio_sync::{Barrier, BrokenBarrier};
///
/// # use futures_lite::future::zip;
/// # pollster::block_on(async {
/// let barrier = Barrier::new(2);
/// assert_eq!(zip(barrier.wait(), barrier.wait()).await, (Ok(0), Ok(1)));
/// assert_eq!(zip(barrier.wait(), barrier.wait()).await, (Ok(0), Ok(1))); // It serves again.
///
/// barrier.abort();
/// assert_eq!(barrier.wait().await, Err(BrokenBarrier));
/// # });
/// ```
///
/// # How it works
///
/// ```text
///              the last one comes: `arrive`                  the last one is gone: `depart`
///    FILLING ------------------------------> DRAINING --------------------------------------> FILLING
///       |                                        |                                               ^
///       | `reset`, somebody waits                | `reset`                                       |
///       +----------------------------------------+-----------> RESETTING ------------------------+
///                                                                 ^
///    any ------ `abort` ------> BROKEN -------- `reset` ----------+ (FILLING, if nobody is left)
/// ```
pub struct Barrier {
    parties: usize,
    state: Cell<State>,
    /// Who is inside: the number of each arrival, ascending. Those that leave while it is filling are taken out, so
    /// that the place in it is the index that `wait` gives; those that leave later stay, until all have.
    inside: RefCell<Vec<u64>>,
    /// How many of `inside` have left; 0 while it is filling.
    n_left: Cell<usize>,
    /// The number of the next arrival.
    next: Cell<u64>,
    /// How often it let everybody through.
    passed: Cell<u64>,
    /// Those inside, who wait for the others.
    waiters: Waiters,
    /// Those who came while others were leaving.
    queue: Waiters,
}

/// What a barrier is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waits for arrivals.
    Filling,
    /// All were there, and leave; who comes now waits before it.
    Draining,
    /// As `Draining`, but those inside leave with an error.
    Resetting,
    /// Aborted: whoever is inside or comes gets an error.
    Broken,
}

impl Barrier {
    /// Makes a barrier for a number of tasks; asyncio's `Barrier(parties)`.
    ///
    /// # Panics
    ///
    /// If `parties` is 0 (asyncio's `ValueError`).
    #[must_use]
    #[track_caller]
    pub const fn new(parties: usize) -> Barrier {
        assert!(parties >= 1, "a barrier is for at least one task: `parties` must not be 0");
        Barrier {
            parties,
            state: Cell::new(State::Filling),
            inside: RefCell::new(Vec::new()),
            n_left: Cell::new(0),
            next: Cell::new(0),
            passed: Cell::new(0),
            waiters: Waiters::new(),
            queue: Waiters::new(),
        }
    }

    /// Waits until all are there, and tells the caller's place in the order in which they came: from 0 to
    /// `parties - 1`; asyncio's `Barrier.wait`.
    ///
    /// The last one does not yield. One of them can so be chosen for a task that only one should do.
    ///
    /// # Errors
    ///
    /// [`BrokenBarrier`] if the barrier was aborted, or is aborted or reset meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves: the others wait for one more. Dropped after all were there, it changes nothing for
    /// the others.
    pub fn wait(&self) -> BarrierWait<'_> {
        BarrierWait { barrier: self, stage: Stage::Arriving }
    }

    /// Sends those who wait away with an error, and begins anew, also after an [`abort`](Barrier::abort); asyncio's
    /// `Barrier.reset`.
    ///
    /// As in asyncio, those who have been let through and have not run yet count as waiting.
    ///
    /// # Panics
    ///
    /// With the panic of a waker, after all the others have been woken.
    pub fn reset(&self) {
        self.state.set(if self.n_inside() > 0 { State::Resetting } else { State::Filling });
        self.waiters.notify_all();
    }

    /// Sends everybody away with an error, those who come later too, until [`reset`](Barrier::reset); asyncio's
    /// `Barrier.abort`.
    ///
    /// For the case that one of the parties cannot come: the others need not wait for ever.
    ///
    /// # Panics
    ///
    /// With the panic of a waker, after all the others have been woken.
    pub fn abort(&self) {
        self.state.set(State::Broken);
        let mut wakers = self.waiters.take_all();
        wakers.append(self.queue.take_all());
        wakers.wake();
    }

    /// Returns how many must be there; asyncio's `Barrier.parties`.
    #[inline]
    #[must_use]
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// Returns how many wait for the others; 0 while they leave; asyncio's `Barrier.n_waiting`.
    #[must_use]
    pub fn n_waiting(&self) -> usize {
        if self.state.get() == State::Filling { self.n_inside() } else { 0 }
    }

    /// Tells whether the barrier was aborted; asyncio's `Barrier.broken`.
    #[inline]
    #[must_use]
    pub fn broken(&self) -> bool {
        self.state.get() == State::Broken
    }

    /// Tells who waits, and how often all were there; trio has such a method on every primitive.
    #[must_use]
    pub fn statistics(&self) -> BarrierStatistics {
        BarrierStatistics {
            parties: self.parties,
            waiting: self.n_waiting(),
            queued: self.queue.n_waiting(),
            passed: self.passed.get(),
            broken: self.broken(),
        }
    }

    /// Returns how many came in and have not left.
    fn n_inside(&self) -> usize {
        self.inside.borrow().len() - self.n_left.get()
    }

    /// Comes in while it is filling: gives the number of the arrival, or the index of the last one, who needs not wait.
    fn arrive(&self) -> Arrival {
        let mut inside = self.inside.borrow_mut();
        if inside.len() + 1 == self.parties {
            drop(inside);
            self.let_through();
            return Arrival::Last(self.parties - 1);
        }
        let number = self.next.get();
        self.next.set(number + 1);
        inside.push(number);
        Arrival::Waits(number)
    }

    /// Lets those inside go on: all are there.
    fn let_through(&self) {
        self.passed.set(self.passed.get() + 1);
        if self.n_inside() > 0 {
            self.state.set(State::Draining);
            self.waiters.notify_all();
        }
    }

    /// Goes out, and tells how it ended.
    fn depart(&self, number: u64) -> Result<usize, BrokenBarrier> {
        let index = self.inside.borrow().binary_search(&number);
        let draining = self.state.get() == State::Draining;
        self.leave(number);
        index.ok().filter(|_| draining).ok_or(BrokenBarrier)
    }

    /// Goes out. Behind the last of those who were let through or sent away, the next round begins.
    fn leave(&self, number: u64) {
        let mut inside = self.inside.borrow_mut();
        if self.state.get() == State::Filling {
            // The others move up.
            if let Ok(index) = inside.binary_search(&number) {
                inside.remove(index);
            }
            return;
        }
        self.n_left.set(self.n_left.get() + 1);
        if self.n_left.get() < inside.len() {
            return;
        }
        self.n_left.set(0);
        inside.clear();
        drop(inside);
        if !self.broken() {
            self.state.set(State::Filling);
        }
        self.queue.notify_all();
    }
}

/// What came of an arrival.
enum Arrival {
    /// All are there: the index of this one.
    Last(usize),
    /// It waits, under this number.
    Waits(u64),
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut barrier = f.debug_struct("Barrier");
        barrier.field("parties", &self.parties).field("state", &self.state.get());
        barrier.field("inside", &self.n_inside()).field("queue", &self.queue.n_waiting()).finish()
    }
}

/// Future of [`Barrier::wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct BarrierWait<'b> {
    barrier: &'b Barrier,
    stage: Stage,
}

/// How far a wait has come.
#[derive(Debug)]
enum Stage {
    /// Asks whether it may come in. `--> Queueing`, `--> Inside`, `--> Done`
    Arriving,
    /// Waits before the barrier, until those inside are gone. `--> Arriving`
    Queueing(Option<WaiterKey>),
    /// Waits inside, under the number of its arrival. `--> Done`
    Inside(Option<WaiterKey>, u64),
    /// It has been told how it ended.
    Done,
}

impl BarrierWait<'_> {
    /// Asks whether it may come in: some if that ends the wait.
    fn arrive(&mut self) -> Option<Result<usize, BrokenBarrier>> {
        let (stage, ended) = match self.barrier.state.get() {
            State::Broken => (Stage::Done, Some(Err(BrokenBarrier))),
            State::Draining | State::Resetting => (Stage::Queueing(None), None),
            State::Filling => match self.barrier.arrive() {
                Arrival::Last(index) => (Stage::Done, Some(Ok(index))),
                Arrival::Waits(number) => (Stage::Inside(None, number), None),
            },
        };
        self.stage = stage;
        ended
    }
}

impl Future for BarrierWait<'_> {
    type Output = Result<usize, BrokenBarrier>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<usize, BrokenBarrier>> {
        let this = &mut *self;
        let barrier = this.barrier;
        loop {
            match &mut this.stage {
                Stage::Arriving => {
                    if let Some(ended) = this.arrive() {
                        return Poll::Ready(ended);
                    }
                }
                Stage::Queueing(key) => {
                    let must_wait = || matches!(barrier.state.get(), State::Draining | State::Resetting);
                    ready!(barrier.queue.poll_wait_while(key, cx, &"Barrier.wait", must_wait));
                    this.stage = Stage::Arriving;
                }
                Stage::Inside(key, number) => {
                    let must_wait = || barrier.state.get() == State::Filling;
                    ready!(barrier.waiters.poll_wait_while(key, cx, &"Barrier.wait", must_wait));
                    let ended = barrier.depart(*number);
                    this.stage = Stage::Done;
                    return Poll::Ready(ended);
                }
                Stage::Done => panic!("`Barrier.wait` was polled after it had completed"),
            }
        }
    }
}

impl Drop for BarrierWait<'_> {
    fn drop(&mut self) {
        // Everybody in a line is notified at once: there is nobody to pass a notification on to.
        match &mut self.stage {
            Stage::Queueing(key) => {
                let _ = self.barrier.queue.leave(key);
            }
            Stage::Inside(key, number) => {
                self.barrier.leave(*number);
                let _ = self.barrier.waiters.leave(key);
            }
            Stage::Arriving | Stage::Done => {}
        }
    }
}
