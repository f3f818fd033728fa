//! The results of several tasks, in order, as one future.

use crate::Failure;
use crate::ears::Ears;
use crate::slots::{Collected, IntoSlots, Slots};
use corio_future::{CallbackKey, FutureError, Promise, promise_for};
use corio_seam::{TargetId, Waitable};
use corio_task::{Audience, Awaitable, Cancelled};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll};

/// Runs children side by side, and collects their values in order; asyncio's `gather`.
///
/// Children are tasks, cells, gathers, and `'static` futures, of which it makes tasks at once; they come as an iterator of
/// one type, or as a tuple of up to twelve. It only listens to them, by callback: they go on by themselves, and dropping
/// the gather stops none. A child is a failure if it returned an `Err` (see [`Outcome`](crate::Outcome)), panicked, or
/// was cancelled by somebody else. One shared future ([`corio_future::Future::share`]) may be given many times.
///
/// The awaiter is woken one iteration after the last child's callback, as in asyncio. A gather whose children are all
/// over, or that has none, is over at once.
///
/// # Errors
///
/// The first [`Failure`] in time. The other children go on, and their failures are dropped in silence; a failed gather
/// cannot be cancelled any more. An error that nobody awaits is reported.
///
/// # Panics
///
/// Where a plain future is given, and no loop runs to make a task of it.
///
/// # Cancellation
///
/// Cancelling the gather, or the task that awaits it and nothing else, cancels every unfinished child. The gather ends
/// cancelled with the first child that does, or else when all have ended; an error of a child comes first.
///
/// # Examples
///
/// ```
/// use corio_combinators::gather;
/// use corio_task::{TaskSet, create_task};
///
/// async fn double(n: u32) -> u32 { n * 2 }
/// async fn length(text: &'static str) -> Result<usize, std::io::Error> { Ok(text.len()) }
///
/// let set = TaskSet::new();
/// pollster::block_on(set.run_until(async {
///     let task = create_task(double(21));
///     assert_eq!(gather((task, length("three"))).await.unwrap(), (42, 5));
///     assert_eq!(gather((1..=3).map(double)).await.unwrap(), [2, 4, 6]);
///
///     let failed = gather((double(1), async { Err::<(), _>("no") })).await.unwrap_err();
///     assert_eq!(failed.to_string(), "no");
/// })).unwrap();
/// ```
#[track_caller]
pub fn gather<Shape, L>(children: L) -> Gather<<L::Slots as Slots>::Values>
where
    L: IntoSlots<Shape>,
{
    start(children.into_slots(), Mode { stop_at_failure: true, collect: <L::Slots as Slots>::values })
}

/// Runs children side by side, and collects how each ended, in order; asyncio's `gather(..., return_exceptions=True)`.
///
/// As [`gather`]; but failures, cancelled children among them, are results like others.
///
/// # Errors
///
/// [`Failure::Cancelled`] if the gather itself was cancelled: once all children have ended.
///
/// # Panics
///
/// Where a plain future is given, and no loop runs to make a task of it.
///
/// # Examples
///
/// ```
/// use corio_combinators::gather_settled;
/// use corio_task::TaskSet;
///
/// let set = TaskSet::new();
/// pollster::block_on(set.run_until(async {
///     let (good, bad) = gather_settled((async { 1 }, async { Err::<(), _>("no") })).await.unwrap();
///     assert_eq!(good.unwrap(), 1);
///     assert_eq!(bad.unwrap_err().to_string(), "no");
/// })).unwrap();
/// ```
#[track_caller]
pub fn gather_settled<Shape, L>(children: L) -> Gather<<L::Slots as Slots>::Settled>
where
    L: IntoSlots<Shape>,
{
    start(children.into_slots(), Mode { stop_at_failure: false, collect: <L::Slots as Slots>::settled })
}

/// What distinguishes the two gathers.
struct Mode<S, V> {
    stop_at_failure: bool,
    collect: fn(&S) -> V,
}

/// What the callbacks of the children share; it lives as long as one of them.
struct Gathering<S, V> {
    slots: S,
    mode: Mode<S, V>,
    /// How many have not left a result.
    left: Cell<usize>,
    /// No child behind this one is pending. The last usually ends last.
    pending: Cell<usize>,
    /// None once the gather is over.
    promise: RefCell<Option<Promise<Result<V, Failure>>>>,
    /// The gather was asked to end, and a child was asked in its stead.
    cancelled: RefCell<Option<Cancelled>>,
}

fn start<S: Slots, V: 'static>(slots: S, mode: Mode<S, V>) -> Gather<V> {
    let mut cell = None;
    let gathering = Rc::new_cyclic(|weak: &Weak<Gathering<S, V>>| {
        let (promise, future) = promise_for(Children(Weak::clone(weak)));
        cell = Some(future);
        let (left, pending) = (Cell::new(slots.count()), Cell::new(slots.count().saturating_sub(1)));
        Gathering { slots, mode, left, pending, promise: RefCell::new(Some(promise)), cancelled: RefCell::default() }
    });
    gathering.listen();
    Gather { cell: cell.expect("the closure has run") }
}

/// What the gather's future stands for.
struct Children<S, V>(Weak<Gathering<S, V>>);

impl<S: Slots, V: 'static> Waitable for Children<S, V> {
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        self.0.upgrade().is_some_and(|gathering| gathering.cancel(message))
    }

    fn describe(&self) -> String {
        "gather".to_string()
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        let Some(gathering) = self.0.upgrade() else { return };
        let slots = &gathering.slots;
        (0..slots.count()).filter_map(|index| slots.at(index).waitable()).for_each(visit);
    }
}

impl<S: Slots, V: 'static> Gathering<S, V> {
    /// Listens to those that are not over, and then counts those that are: they may be all.
    fn listen(self: &Rc<Self>) {
        let count = self.slots.count();
        let over = self.slots.listen(&Ears::announcing(count, self));
        if count == 0 {
            self.finish();
        }
        for index in over {
            self.ended(index);
        }
    }

    /// Looks at a failure that a child has left: true if it is not kept, for it has ended the gather, or came too late.
    #[cold]
    fn fails(&self, index: usize) -> bool {
        let keep = !self.mode.stop_at_failure && self.promise.borrow().is_some();
        let failure = if keep { None } else { self.slots.at(index).take_failure() };
        failure.map(|failure| self.fail(failure)).is_some()
    }

    /// Ends the gather with the first failure; a later one is dropped.
    fn fail(&self, failure: Failure) {
        let Some(promise) = self.promise.take() else { return };
        match failure {
            Failure::Cancelled(cancelled) if self.cancelled.borrow().is_some() => promise.cancel(cancelled),
            failure => drop(promise.set_exception(failure)),
        }
    }

    /// Ends the gather with the last child.
    fn finish(&self) {
        let Some(promise) = self.promise.take() else { return };
        match self.cancelled.take() {
            Some(cancelled) => promise.cancel(cancelled),
            None => drop(promise.set_result(Ok((self.mode.collect)(&self.slots)))),
        }
    }

    /// Tells whether a child is still to end, but for the one that is ending; by a look, for what is no task announces nothing.
    #[inline(never)]
    fn is_any_pending(&self) -> bool {
        if self.left.get() == 1 {
            return false; // Without a look at all, when the last one ends last.
        }
        while !self.slots.at(self.pending.get()).is_pending() {
            if self.pending.get() == 0 {
                return false;
            }
            self.pending.set(self.pending.get() - 1);
        }
        true
    }

    /// Asks every unfinished child to end: true if one accepted.
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        if self.promise.borrow().is_none() {
            return false;
        }
        let mut accepted = false;
        for index in 0..self.slots.count() {
            let (yes, ended) = self.slots.at(index).cancel(message.clone());
            if yes && !accepted {
                accepted = true;
                self.cancelled.replace(Some(Cancelled::with_message(message.clone())));
            }
            if ended {
                self.ended(index);
            }
        }
        accepted
    }
}

impl<S: Slots, V: 'static> Audience for Gathering<S, V> {
    /// Notes that a child is over.
    fn ended(&self, index: usize) {
        let collected = self.slots.at(index).collect();
        if collected == Collected::Nothing {
            return; // It is being asked to end: whoever asks will see.
        }
        self.left.set(self.left.get() - 1);
        if collected == Collected::Failure && self.fails(index) {
            return;
        }
        if self.left.get() == 0 {
            self.finish();
        }
    }

    /// Takes a value at once: nobody can tell, as long as another child is still to end, in whose turn the gather may.
    #[inline]
    fn ending(&self, index: usize, unfinished: usize) -> bool {
        let taken = (unfinished > 0 || self.is_any_pending()) && self.slots.at(index).collect_value();
        self.left.set(self.left.get() - usize::from(taken));
        taken
    }
}

/// Future of [`gather`] and [`gather_settled`]: it is awaited, cancelled, and called back. `!Send`.
///
/// # Cancel safety
///
/// Awaiting `&mut gather` loses nothing. Dropping it stops no child.
#[must_use = "a gather goes on without its future, but then nobody hears its result"]
pub struct Gather<V: 'static> {
    cell: corio_future::Future<Result<V, Failure>>,
}

impl<V: 'static> Gather<V> {
    /// Cancels every unfinished child; false if the gather is over, or no child accepted.
    pub fn cancel(&self) -> bool {
        self.cell.cancel()
    }

    /// Cancels every unfinished child, with a reason.
    pub fn cancel_with(&self, message: impl Into<String>) -> bool {
        self.cell.cancel_with(message)
    }

    /// Tells whether the gather is over.
    #[must_use]
    pub fn done(&self) -> bool {
        self.cell.done()
    }

    /// Tells whether the gather was itself cancelled: not if a child was, by somebody else.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.cell.cancelled()
    }

    /// Has `callback` called through the loop when the gather is over.
    pub fn add_done_callback(&self, callback: impl FnOnce() + 'static) -> CallbackKey {
        self.cell.add_done_callback(|_| callback())
    }

    /// Has `callback` called through the loop when the gather is over, in `context`, which is shared.
    pub fn add_done_callback_in(
        &self,
        context: &corio_seam::Context,
        callback: impl FnOnce() + 'static,
    ) -> CallbackKey {
        self.cell.add_done_callback_in(context, |_| callback())
    }

    /// Takes a callback back: false if it ran, or is on its way.
    pub fn remove_done_callback(&self, key: CallbackKey) -> bool {
        self.cell.remove_done_callback(key)
    }

    pub(crate) fn cell_waitable(&self) -> Rc<dyn Waitable> {
        self.cell.waitable()
    }

    pub(crate) fn into_cell(self) -> corio_future::Future<Result<V, Failure>> {
        self.cell
    }
}

impl<V: 'static> Future for Gather<V> {
    type Output = Result<V, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let settle = |ended: Result<_, FutureError>| ended.map_err(Failure::from).and_then(|result| result);
        Pin::new(&mut self.cell).poll(cx).map(settle)
    }
}

impl<V: 'static> Waitable for Gather<V> {
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        Waitable::cancel(&self.cell, message)
    }

    fn describe(&self) -> String {
        Waitable::describe(&self.cell)
    }

    fn is_over(&self) -> bool {
        self.done()
    }

    fn target_id(&self) -> TargetId {
        self.cell.target_id()
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        self.cell.waits_for(visit);
    }
}

impl<V: 'static> Awaitable for Gather<V> {}

impl<V: 'static> fmt::Debug for Gather<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gather").field(&self.cell).finish()
    }
}
