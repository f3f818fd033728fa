//! Attempts at one thing, each begun when the one before it is slow, or has failed.

use crate::timeout::raise;
use corio_seam::{Resume, Sleep};
use corio_task::{Cancelled, CatchCancelled, catch_cancelled};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Runs attempts until one succeeds, each begun `delay` after the one before it, or when that fails; asyncio's
/// `staggered_race`, of which "happy eyeballs" is made.
///
/// In place: the futures are polled in the caller's own task, may borrow, and are taken from the iterator when their turn
/// comes. The first value wins; what still runs is dropped, and the rest never begins. With no `delay`, an attempt begins
/// only when the one before it has failed.
///
/// # Errors
///
/// [`AllFailed`] with each error, if no attempt succeeded: none, if there was no attempt.
///
/// # Panics
///
/// Where there is no timer, once an attempt is suspended, if there is a `delay`.
///
/// # Cancel safety
///
/// Dropping it drops the attempts. A request aimed at the caller reaches each that runs; no other begins after that, and
/// if none succeeds the caller unwinds.
///
/// # Examples
///
/// ```
/// use corio_combinators::staggered_race;
///
/// let addresses = ["down", "up", "never tried"];
/// let attempts = addresses.iter().map(|address| async move {
///     if *address == "down" { Err("refused") } else { Ok(address.len()) }
/// });
/// let won = pollster::block_on(staggered_race(attempts, None)).unwrap();
/// assert_eq!((won.value, won.index), (2, 1));
/// assert_eq!(won.errors, [(0, "refused")]);
/// ```
pub async fn staggered_race<I, F, T, E>(
    attempts: I,
    delay: impl Into<Option<Duration>>,
) -> Result<Won<T, E>, AllFailed<E>>
where
    I: IntoIterator<Item = F>,
    F: Future<Output = Result<T, E>>,
{
    let mut course = Course {
        attempts: attempts.into_iter(),
        running: Vec::new(),
        begun: 0,
        delay: delay.into(),
        stagger: None,
        errors: Vec::new(),
        before: corio_seam::cancelling(),
        cut: None,
        raising: None,
    };
    poll_fn(|cx| course.poll(cx)).await
}

/// How a [`staggered_race`] was won.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Won<T, E> {
    /// What the winner returned.
    pub value: T,
    /// The number of the winner, counted from 0.
    pub index: usize,
    /// The errors of those that failed before, with their numbers, in the order of their failures.
    pub errors: Vec<(usize, E)>,
}

/// The error of a [`staggered_race`] that nobody won: the error of each attempt, with its number, in the order of their
/// failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllFailed<E> {
    /// The errors; none, if there was no attempt.
    pub errors: Vec<(usize, E)>,
}

impl<E: fmt::Display> fmt::Display for AllFailed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no attempt succeeded, of {}", self.errors.len())?;
        for (_, error) in &self.errors {
            write!(f, "; {error}")?;
        }
        Ok(())
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for AllFailed<E> {}

/// An attempt that runs, with its number.
type Running<F> = (usize, Pin<Box<CatchCancelled<F>>>);

/// The course of a race.
struct Course<I: Iterator, E>
where
    I::Item: Future,
{
    attempts: I,
    running: Vec<Running<I::Item>>,
    /// How many attempts have begun.
    begun: usize,
    delay: Option<Duration>,
    /// Until the next attempt begins, while the latest one runs.
    stagger: Option<Pin<Box<Sleep>>>,
    errors: Vec<(usize, E)>,
    /// How many requests there were around at the first poll.
    before: usize,
    /// The first cancellation that ended an attempt because of a request from outside.
    cut: Option<Cancelled>,
    /// A cancellation that goes on from here.
    raising: Option<Resume>,
}

impl<I, F, T, E> Course<I, E>
where
    I: Iterator<Item = F>,
    F: Future<Output = Result<T, E>>,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Won<T, E>, AllFailed<E>>> {
        if let Some(resume) = &mut self.raising {
            return Pin::new(resume).poll(cx).map(|never| match never {});
        }
        let mut next = 0;
        loop {
            while next < self.running.len() {
                let index = self.running[next].0;
                let Poll::Ready(ended) = self.running[next].1.as_mut().poll(cx) else {
                    next += 1;
                    continue;
                };
                drop(self.running.remove(next));
                match ended {
                    Ok(Ok(value)) => {
                        let errors = std::mem::take(&mut self.errors);
                        return Poll::Ready(Ok(Won { value, index, errors }));
                    }
                    Ok(Err(error)) => self.errors.push((index, error)),
                    Err(cancelled) if corio_seam::cancelling() > self.before => {
                        self.cut.get_or_insert(cancelled); // The others have got the same request, and may clean up.
                    }
                    Err(cancelled) => return raise(&mut self.raising, cancelled, cx),
                }
            }
            if !self.is_time(cx) || !self.begin() {
                return self.rest(cx);
            }
        }
    }

    /// Tells whether the next attempt is to begin: after the delay, or at once where the latest does not run any more.
    fn is_time(&mut self, cx: &mut Context<'_>) -> bool {
        let latest_runs = self.running.last().is_some_and(|(index, _)| index + 1 == self.begun);
        let (true, Some(delay)) = (latest_runs, self.delay) else { return !latest_runs };
        let stagger = self.stagger.get_or_insert_with(|| Box::pin(corio_seam::sleep_until(corio_seam::now() + delay)));
        stagger.as_mut().poll(cx).is_ready()
    }

    /// Begins the next attempt; false if there is none, or those that run were asked to end.
    fn begin(&mut self) -> bool {
        self.stagger = None;
        if corio_seam::cancelling() > self.before {
            self.delay = None;
            return false;
        }
        let Some(attempt) = self.attempts.next() else {
            self.delay = None;
            return false;
        };
        self.running.push((self.begun, Box::pin(catch_cancelled(attempt))));
        self.begun += 1;
        true
    }

    /// Ends a poll in which nobody won.
    fn rest(&mut self, cx: &mut Context<'_>) -> Poll<Result<Won<T, E>, AllFailed<E>>> {
        if !self.running.is_empty() {
            return Poll::Pending;
        }
        match self.cut.take() {
            Some(cancelled) => raise(&mut self.raising, cancelled, cx),
            None => Poll::Ready(Err(AllFailed { errors: std::mem::take(&mut self.errors) })),
        }
    }
}
