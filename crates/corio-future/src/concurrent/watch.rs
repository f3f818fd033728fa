//! Waiting for many.

use super::cell::Watch;
use super::{Future, TimedOut};
use crate::sync::{Condvar, Mutex, lock, wait as wait_for};
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// When [`wait`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnWhen {
    /// As soon as one is over.
    FirstCompleted,
    /// As soon as one ended without a value (other than by being cancelled), or all are over.
    FirstException,
    /// When all are over.
    AllCompleted,
}

/// What [`wait`] found: indices into its argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waited {
    /// Those that are over.
    pub done: Vec<usize>,
    /// The others.
    pub not_done: Vec<usize>,
}

/// The futures that are over, in order, and a bell for whoever waits.
#[derive(Default)]
struct Arrivals {
    order: Mutex<VecDeque<usize>>,
    arrived: Condvar,
}

impl Watch for Arrivals {
    fn over(&self, index: usize) {
        lock(&self.order).push_back(index);
        self.arrived.notify_all();
    }
}

impl Arrivals {
    /// Takes the next, waiting for it until the deadline.
    fn next(&self, deadline: Option<Instant>) -> Option<usize> {
        let mut order = lock(&self.order);
        loop {
            if let Some(index) = order.pop_front() {
                return Some(index);
            }
            let in_time;
            (order, in_time) = wait_for(&self.arrived, order, deadline);
            if !in_time {
                return order.pop_front();
            }
        }
    }
}

/// A watch kept on some futures, ended when this is dropped: no callback stays behind.
struct Watched<'f, T> {
    arrivals: Arc<Arrivals>,
    keys: Vec<(&'f Future<T>, u64)>,
}

impl<'f, T> Watched<'f, T> {
    fn new(futures: &[(usize, &'f Future<T>)]) -> Watched<'f, T> {
        let arrivals = Arc::new(Arrivals::default());
        let watch: Arc<dyn Watch> = Arc::clone(&arrivals) as Arc<dyn Watch>;
        let keys = futures.iter().filter_map(|&(index, future)| Some((future, future.cell().watch(&watch, index)?)));
        Watched { keys: keys.collect(), arrivals }
    }
}

impl<T> Drop for Watched<'_, T> {
    fn drop(&mut self) {
        for (future, key) in &self.keys {
            future.cell().remove(*key);
        }
    }
}

/// Returns the futures with their indices, each cell once.
fn distinct<T>(futures: &[Future<T>]) -> Vec<(usize, &Future<T>)> {
    let mut seen = HashSet::new();
    let fresh = |(_, future): &(usize, &Future<T>)| seen.insert(address(future));
    futures.iter().enumerate().filter(fresh).collect()
}

fn address<T>(future: &Future<T>) -> usize {
    std::ptr::from_ref(&**future.cell()).addr()
}

/// Blocks the thread until one, or all, of the futures are over; `concurrent.futures.wait`.
///
/// `None` waits for ever; when the time is up, what is over by then is returned. A future that is cancelled is over when
/// whoever was to do the work has been told. Of several read ends of one future, the first is listed. Never cancels
/// anything. Linear in the number of futures.
#[must_use]
pub fn wait<T>(futures: &[Future<T>], timeout: Option<Duration>, when: ReturnWhen) -> Waited {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let distinct = distinct(futures);
    let watched = Watched::new(&distinct);
    let mut over = HashSet::new();
    while over.len() < distinct.len() {
        let Some(index) = watched.arrivals.next(deadline) else { break };
        over.insert(index);
        let failed = when == ReturnWhen::FirstException && futures[index].failed();
        if failed || when == ReturnWhen::FirstCompleted {
            break;
        }
    }
    let arrived: Vec<usize> = lock(&watched.arrivals.order).drain(..).collect();
    over.extend(arrived);
    let indices = distinct.iter().map(|(index, _)| *index);
    let (done, not_done) = indices.partition(|index| over.contains(index));
    Waited { done, not_done }
}

impl<T> Future<T> {
    /// Tells whether the future ended without a value other than by being cancelled.
    pub(super) fn failed(&self) -> bool {
        use super::cell::State;
        matches!(self.cell().lock().state, State::Broken | State::Panicked(_))
    }
}

/// Returns the futures as they come to their end; `concurrent.futures.as_completed`.
///
/// Those that are over come first. Of several read ends of one future only the first comes. The time counts from this
/// call; when it is up, the iterator yields [`TimedOut`] once, and ends. Dropped half-way, it leaves nothing behind.
pub fn as_completed<T>(futures: impl IntoIterator<Item = Future<T>>, timeout: Option<Duration>) -> AsCompleted<T> {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut seen = HashSet::new();
    let distinct: Vec<Future<T>> = futures.into_iter().filter(|future| seen.insert(address(future))).collect();
    let arrivals = Arc::new(Arrivals::default());
    let watch: Arc<dyn Watch> = Arc::clone(&arrivals) as Arc<dyn Watch>;
    let keys = distinct.iter().enumerate().map(|(index, future)| future.cell().watch(&watch, index)).collect();
    let (total, left) = (distinct.len(), distinct.len());
    AsCompleted { futures: distinct.into_iter().map(Some).collect(), keys, arrivals, deadline, total, left }
}

/// Iterator of [`as_completed`].
pub struct AsCompleted<T> {
    futures: Vec<Option<Future<T>>>,
    keys: Vec<Option<u64>>,
    arrivals: Arc<Arrivals>,
    deadline: Option<Instant>,
    total: usize,
    /// How many have not been yielded; 0 once the time was up.
    left: usize,
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Result<Future<T>, TimedOut>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        match self.arrivals.next(self.deadline) {
            Some(index) => {
                self.left -= 1;
                self.keys[index] = None;
                self.futures[index].take().map(Ok)
            }
            None => {
                let unfinished = std::mem::take(&mut self.left);
                Some(Err(TimedOut { unfinished, total: self.total }))
            }
        }
    }
}

impl<T> Drop for AsCompleted<T> {
    fn drop(&mut self) {
        for (future, key) in self.futures.iter().zip(&self.keys) {
            if let (Some(future), Some(key)) = (future, key) {
                future.cell().remove(*key);
            }
        }
    }
}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("total", &self.total).field("left", &self.left).finish_non_exhaustive()
    }
}
