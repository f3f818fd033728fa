//! Futures as they come to their end.

use super::future::deadline;
use super::watch::{Arrivals, address};
use super::{Future, TimedOut};
use crate::listeners::NO_KEY;
use crate::sync::Arc;
use std::collections::HashSet;
use std::fmt;
use std::iter::FusedIterator;
use std::mem;
use std::time::{Duration, Instant};

/// Returns the futures as they come to their end; `concurrent.futures.as_completed`.
///
/// Those that are over come first. Of several read ends of one future only the first comes. The time counts from this
/// call; when it is up, the iterator yields [`TimedOut`] once, and ends. It never polls, and costs the same for each
/// future. Dropped half-way, it leaves nothing behind.
///
/// # Examples
///
/// ```
/// use corio_future::concurrent::{as_completed, promise};
/// use std::time::Duration;
///
/// let (late, one) = promise();
/// let (early, two) = promise();
/// early.set_result("early").unwrap();
/// let mut futures = as_completed([one, two], Some(Duration::ZERO));
/// assert_eq!(futures.next().unwrap().unwrap().result(None).unwrap(), "early");
/// assert_eq!(futures.next().unwrap().unwrap_err().to_string(), "1 (of 2) futures unfinished");
/// assert!(futures.next().is_none());
/// # drop(late);
/// ```
pub fn as_completed<T>(futures: impl IntoIterator<Item = Future<T>>, timeout: Option<Duration>) -> AsCompleted<T> {
    let deadline = deadline(timeout);
    let arrivals = Arrivals::new();
    let mut seen = HashSet::new();
    let distinct: Vec<Future<T>> = futures.into_iter().filter(|future| seen.insert(address(future))).collect();
    let watch = |(index, future): (usize, Future<T>)| {
        let key = future.cell().watch(&arrivals, index);
        Some((future, key))
    };
    let futures: Vec<_> = distinct.into_iter().enumerate().map(watch).collect();
    AsCompleted { left: futures.len(), futures, arrivals, deadline }
}

/// Iterator of [`as_completed`].
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct AsCompleted<T> {
    /// Each with the key of its watch; none once it was yielded.
    futures: Vec<Option<(Future<T>, u64)>>,
    arrivals: Arc<Arrivals>,
    deadline: Option<Instant>,
    /// How many have not been yielded; 0 once the time was up.
    left: usize,
}

impl<T> AsCompleted<T> {
    /// Stops watching those that are left.
    fn unwatch(&mut self) {
        for (future, key) in self.futures.iter_mut().flatten() {
            future.cell().unlisten(mem::replace(key, NO_KEY));
        }
    }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Result<Future<T>, TimedOut>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        if let Some(index) = self.arrivals.next(self.deadline) {
            self.left -= 1;
            return self.futures[index].take().map(|(future, _)| Ok(future));
        }
        self.unwatch();
        let unfinished = mem::take(&mut self.left);
        Some(Err(TimedOut { unfinished, total: self.futures.len() }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let some = self.left.min(1);
        (some, Some(self.left))
    }
}

impl<T> FusedIterator for AsCompleted<T> {}

impl<T> Drop for AsCompleted<T> {
    fn drop(&mut self) {
        self.unwatch();
    }
}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("total", &self.futures.len())
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
