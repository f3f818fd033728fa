//! One function over many items.

use crate::{CallError, Executor, ExecutorExt, MapError, RejectReason};
use corio_future::concurrent::{Future, WaitError};
use std::collections::VecDeque;
use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How [`map_with`](ExecutorExt::map_with) goes about it.
///
/// # Examples
///
/// ```
/// use corio_threadpool::{ExecutorExt, MapOptions, ThreadPoolExecutor};
/// use std::time::Duration;
///
/// // Items without end: five of them are under way at any time.
/// let pool = ThreadPoolExecutor::new();
/// let options = MapOptions::new().buffer_size(5).timeout(Duration::from_secs(60));
/// let mut doubled = pool.map_with(options, 0_u64.., |x| 2 * x);
/// assert_eq!(doubled.next().unwrap().unwrap(), 0);
/// assert_eq!(doubled.next().unwrap().unwrap(), 2);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct MapOptions {
    timeout: Option<Duration>,
    buffer_size: Option<usize>,
}

impl MapOptions {
    /// Submits everything at once, and waits as long as it takes.
    pub fn new() -> MapOptions {
        MapOptions::default()
    }

    /// Limits the time for all results together, counted from the call of `map_with`.
    pub fn timeout(self, timeout: Duration) -> MapOptions {
        MapOptions { timeout: Some(timeout), ..self }
    }

    /// Submits that many items at once, and one more whenever a result is asked for; Python's `buffersize`.
    ///
    /// # Panics
    ///
    /// If it is 0: nothing would ever be submitted.
    pub fn buffer_size(self, items: usize) -> MapOptions {
        assert!(items > 0, "a buffer of no items yields no results: give `buffer_size` at least 1");
        MapOptions { buffer_size: Some(items), ..self }
    }
}

/// Results in the order of the items, see [`ExecutorExt::map`].
///
/// The first error is the last thing it yields, and cancels the calls that no thread has taken; so does dropping it.
pub struct Map<'a, E: ?Sized, I, F, T> {
    executor: &'a E,
    items: I,
    f: Arc<F>,
    /// Calls whose results were not asked for yet, in the order of the items.
    window: VecDeque<Future<T>>,
    /// Why the executor took no more, until it is that item's turn.
    refusal: Option<RejectReason>,
    deadline: Option<Instant>,
    /// Whether a request for a result submits one more item.
    lazy: bool,
    /// Whether there is nothing left to submit.
    submitted: bool,
}

impl<'a, E, I, F, T> Map<'a, E, I, F, T>
where
    E: Executor + ?Sized,
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    pub(crate) fn new(executor: &'a E, options: MapOptions, items: I, f: F) -> Map<'a, E, I, F, T> {
        let mut map = Map {
            executor,
            items,
            f: Arc::new(f),
            window: VecDeque::new(),
            refusal: None,
            // A deadline too far away for the clock is none.
            deadline: options.timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
            lazy: options.buffer_size.is_some(),
            submitted: false,
        };
        let window = options.buffer_size.unwrap_or(usize::MAX);
        while map.window.len() < window && !map.submitted {
            map.submit_one();
        }
        map
    }

    fn submit_one(&mut self) {
        let Some(item) = self.items.next() else {
            self.submitted = true;
            return;
        };
        let f = self.f.clone();
        match self.executor.submit(move || f(item)) {
            Ok(future) => self.window.push_back(future),
            Err(error) => {
                self.refusal = Some(error.into_reason());
                self.submitted = true;
            }
        }
    }

    fn next_result(&mut self) -> Option<Result<T, MapError>> {
        let Some(mut future) = self.window.pop_front() else {
            let reason = self.refusal.take()?;
            return Some(Err(MapError::Failed(CallError::Rejected(reason))));
        };
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        Some(future.result(left).map_err(|error| {
            future.cancel();
            match error {
                WaitError::Ended(error) => MapError::Failed(error.into()),
                _ => MapError::TimedOut,
            }
        }))
    }
}

impl<E: ?Sized, I, F, T> Map<'_, E, I, F, T> {
    /// Cancels what no thread has taken, the last first: then no thread takes one while others are being cancelled.
    fn cancel_rest(&mut self) {
        self.submitted = true;
        self.refusal = None;
        while let Some(future) = self.window.pop_back() {
            future.cancel();
        }
    }
}

impl<E, I, F, T> Iterator for Map<'_, E, I, F, T>
where
    E: Executor + ?Sized,
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    type Item = Result<T, MapError>;

    fn next(&mut self) -> Option<Result<T, MapError>> {
        if self.lazy && !self.submitted {
            self.submit_one();
        }
        let result = self.next_result();
        if matches!(result, Some(Err(_))) {
            self.cancel_rest();
        }
        result
    }
}

impl<E, I, F, T> FusedIterator for Map<'_, E, I, F, T>
where
    E: Executor + ?Sized,
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
}

impl<E: ?Sized, I, F, T> Drop for Map<'_, E, I, F, T> {
    fn drop(&mut self) {
        self.cancel_rest();
    }
}

impl<E: ?Sized, I, F, T> fmt::Debug for Map<'_, E, I, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("pending", &self.window.len()).finish_non_exhaustive()
    }
}
