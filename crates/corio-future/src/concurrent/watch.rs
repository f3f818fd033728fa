//! Waiting for many: each future tells one list of its end, and whoever waits sleeps until the list has an entry.

use super::Future;
use super::future::deadline;
use crate::sync::{Arc, Condvar, Mutex, lock, wait as sleep};
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

/// When [`wait`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnWhen {
    /// As soon as one is over.
    FirstCompleted,
    /// As soon as one ended with an error other than by being cancelled, or all are over.
    ///
    /// An error is a panic, a broken promise, or what [`set_exception`](super::Promise::set_exception) was given. An `Err`
    /// that was set as a result is a value, like any other.
    FirstException,
    /// When all are over.
    AllCompleted,
}

/// What [`wait`] found: ascending indices into its argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waited {
    /// Those that are over.
    pub done: Vec<usize>,
    /// The others.
    pub not_done: Vec<usize>,
}

/// The futures that are over, in the order in which they ended, and a bell for whoever waits.
pub(super) struct Arrivals {
    order: Mutex<VecDeque<usize>>,
    arrived: Condvar,
}

impl Arrivals {
    pub(super) fn new() -> Arc<Arrivals> {
        Arc::new(Arrivals { order: Mutex::new(VecDeque::new()), arrived: Condvar::new() })
    }

    /// Notes that a future is over.
    pub(super) fn add(&self, index: usize) {
        lock(&self.order).push_back(index);
        self.arrived.notify_one(); // Only one thread ever waits.
    }

    /// Takes the next, sleeping until there is one or the deadline has passed.
    pub(super) fn next(&self, deadline: Option<Instant>) -> Option<usize> {
        let mut order = lock(&self.order);
        let mut in_time = true;
        while in_time && order.is_empty() {
            (order, in_time) = sleep(&self.arrived, order, deadline);
        }
        order.pop_front()
    }

    /// Takes all that came until now.
    fn rest(&self) -> VecDeque<usize> {
        std::mem::take(&mut *lock(&self.order))
    }
}

/// Watches some futures until it is dropped: nothing of it stays behind then.
struct Watched<'f, T> {
    arrivals: Arc<Arrivals>,
    keys: Vec<(&'f Future<T>, u64)>,
}

impl<'f, T> Watched<'f, T> {
    fn new(futures: &[(usize, &'f Future<T>)]) -> Watched<'f, T> {
        let arrivals = Arrivals::new();
        let keys = futures.iter().map(|&(index, future)| (future, future.cell().watch(&arrivals, index))).collect();
        Watched { arrivals, keys }
    }
}

impl<T> Drop for Watched<'_, T> {
    fn drop(&mut self) {
        self.keys.iter().for_each(|(future, key)| future.cell().unlisten(*key));
    }
}

/// The identity of the cell behind a read end.
pub(super) fn address<T>(future: &Future<T>) -> usize {
    std::ptr::from_ref(&**future.cell()).addr()
}

/// Blocks the thread until one, or all, of the futures are over; `concurrent.futures.wait`.
///
/// `None` waits for ever; when the time is up, what is over by then is returned. A future that is cancelled is over when
/// whoever was to do the work has been told. Of several read ends of one future, the first is listed. Never cancels
/// anything, never polls, and leaves nothing behind. Linear in the number of futures.
///
/// # Examples
///
/// ```
/// use corio_future::concurrent::{ReturnWhen, promise, wait};
///
/// let (promise, one) = promise();
/// let (_keep, two) = corio_future::concurrent::promise();
/// let futures = [one, two];
/// let worker = std::thread::spawn(move || promise.set_result(7));
/// let waited = wait(&futures, None, ReturnWhen::FirstCompleted);
/// assert_eq!((waited.done, waited.not_done), (vec![0], vec![1]));
/// worker.join().unwrap().unwrap();
/// ```
#[must_use]
pub fn wait<T>(futures: &[Future<T>], timeout: Option<Duration>, when: ReturnWhen) -> Waited {
    let deadline = deadline(timeout);
    let mut seen = HashSet::new();
    let distinct = |(_, future): &(usize, &Future<T>)| seen.insert(address(future));
    let futures: Vec<(usize, &Future<T>)> = futures.iter().enumerate().filter(distinct).collect();
    let watched = Watched::new(&futures);
    let by_index = |index: usize| futures.binary_search_by_key(&index, |(index, _)| *index).map(|at| futures[at].1);
    let mut over = HashSet::new();
    while over.len() < futures.len() {
        let Some(index) = watched.arrivals.next(deadline) else { break };
        over.insert(index);
        let failed = || by_index(index).is_ok_and(|future| future.cell().lock().failed);
        if when == ReturnWhen::FirstCompleted || when == ReturnWhen::FirstException && failed() {
            break;
        }
    }
    over.extend(watched.arrivals.rest());
    let (done, not_done) = futures.iter().map(|(index, _)| *index).partition(|index| over.contains(index));
    Waited { done, not_done }
}
