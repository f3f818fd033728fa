//! The trait, the thread-local, and the functions that ask it.

use crate::{Cancelled, Context, Node, Report, TargetId, ThinTarget, Timer, Waiting};
use std::any::{Any, TypeId};
use std::cell::Cell;
use std::fmt;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

/// A future that knows no thread but this one, as [`Seam::spawn`] takes it.
type LocalFuture = Pin<Box<dyn Future<Output = ()>>>;

/// What a runner of tasks answers to the code it runs.
///
/// One `&'static dyn Seam` is installed per thread by [`install`]; it finds its own state (usually by a thread-local of
/// its own), so that installing costs one store and asking costs one load and one call. Every method has a meaning
/// where no loop is *running* on the thread at this moment: it returns `None`, `false`, or its argument.
///
/// Implementations must not run user code inside these methods, except where a method says so.
pub trait Seam {
    /// Returns the identity of the loop that runs on this thread now.
    fn loop_id(&self) -> Option<LoopId>;

    /// Appends an entry to the loop's ready queue; gives it back where no loop runs or the loop is closing.
    fn push(&self, node: Node) -> Result<(), Node>;

    /// Starts a future as a task that nobody waits for; gives it back where no loop runs or the loop is closing.
    fn spawn(&self, future: LocalFuture) -> Result<(), LocalFuture>;

    /// Returns the loop's door for other threads.
    fn remote(&self) -> Option<Arc<dyn Remote>>;

    /// Returns the loop's timers.
    fn timer(&self) -> Option<Rc<dyn Timer>>;

    /// Returns the loop's value for `key`, made by `init` at the first call; values die when the loop closes.
    fn local(&self, key: TypeId, init: &mut dyn FnMut() -> Rc<dyn Any>) -> Option<Rc<dyn Any>>;

    /// Hands an error that nobody looked at to the loop's exception handler, which is user code and runs now.
    fn report(&self, report: Report) -> Result<(), Report>;

    /// Notes what the innermost scope being polled waits for; called by a leaf that is about to return `Pending`.
    fn wait_on(&self, waiting: Waiting);

    /// As [`wait_on`](Seam::wait_on) with [`Waiting::Leaf`], which is asked for at almost every suspension.
    fn wait_on_leaf(&self, name: &'static &'static str) {
        self.wait_on(Waiting::Leaf(name));
    }

    /// As [`wait_on`](Seam::wait_on) with [`Waiting::Target`], which is asked for at each suspension on a future: one word,
    /// which may be kept as such.
    fn wait_on_target(&self, target: ThinTarget) {
        self.wait_on(Waiting::Target(target.into_rc()));
    }

    /// Clones a waker for a place that never leaves this thread, and counts it apart from the others; a runner that does
    /// not count makes a plain clone. Calls user code if the waker is none of the runner's own.
    fn local_waker(&self, waker: &Waker) -> Waker {
        waker.clone()
    }

    /// Tells whether `kept`, which may come of [`local_waker`](Seam::local_waker), wakes the same task as `waker`.
    fn will_wake(&self, kept: &Waker, waker: &Waker) -> bool {
        kept.will_wake(waker)
    }

    /// Tells the innermost scope that `target` has ended; true if a cancellation forwarded to it is thereby delivered
    /// to the caller, who must then stay pending.
    fn heard(&self, target: TargetId, cancelled: bool) -> bool;

    /// Cancels the innermost scope being polled from within; gives the reason back where there is none.
    fn raise(&self, cancelled: Cancelled) -> Result<(), Cancelled>;

    /// Tells whether the innermost scope being polled was cancelled from within, by [`raise`](Seam::raise) or by what it
    /// heard: its body is dropped when the poll under way ends.
    fn raised(&self) -> bool {
        false
    }

    /// Sums the cancellation requests on the scopes around the caller.
    fn cancelling(&self) -> usize;

    /// Takes over `made`, an empty context, for the task being polled, where there is no current one and one is needed.
    ///
    /// Returns the one that is to be the current one: `made`, unless the task had one already.
    fn adopt_context(&self, made: Context) -> Context {
        made
    }
}

thread_local! {
    /// Who answers on this thread. `const` and without a destructor: asking is a plain load, also while the thread dies.
    static SEAM: Cell<Option<&'static dyn Seam>> = const { Cell::new(None) };
}

/// Installs `seam` on this thread until the guard is dropped, which puts back what was there before.
///
/// Guards nest; drop them in the reverse order.
#[must_use = "the seam is removed when the guard is dropped"]
pub fn install(seam: &'static dyn Seam) -> Installed {
    Installed { before: SEAM.replace(Some(seam)) }
}

/// Keeps a seam installed on this thread; made by [`install`].
pub struct Installed {
    before: Option<&'static dyn Seam>,
}

impl Drop for Installed {
    fn drop(&mut self) {
        SEAM.set(self.before);
    }
}

impl fmt::Debug for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Installed").finish_non_exhaustive()
    }
}

/// Returns whoever answers on this thread.
#[inline]
pub(crate) fn current() -> Option<&'static dyn Seam> {
    SEAM.get()
}

/// The identity of a loop, never used twice in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoopId(NonZeroU64);

impl LoopId {
    /// Returns an identity that no other loop of this process has or will have.
    ///
    /// # Panics
    ///
    /// After 2⁶⁴ calls.
    #[must_use]
    pub fn unique() -> LoopId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        LoopId(NonZeroU64::new(id).expect("no loop identities are left"))
    }
}

/// Returns the identity of the loop that runs on this thread now; asyncio's `_get_running_loop`.
#[inline]
#[must_use]
pub fn loop_id() -> Option<LoopId> {
    current()?.loop_id()
}

/// Calls `f` from the loop in its next iteration, in a copy of the current context; asyncio's `loop.call_soon`, without
/// a handle.
///
/// # Errors
///
/// [`Closed`] where no loop runs on this thread, or the loop is closing. `f` is dropped then; [`push`] gives it back.
pub fn call_soon(f: impl FnOnce() + 'static) -> Result<(), Closed> {
    let Some(seam) = current() else { return Err(Closed) };
    seam.push(Node::new(f)).map_err(|_| Closed)
}

/// Appends an entry to the ready queue of the loop that runs on this thread.
///
/// # Errors
///
/// The entry itself where no loop runs on this thread, or the loop is closing.
#[inline]
pub fn push(node: Node) -> Result<(), Node> {
    match current() {
        Some(seam) => seam.push(node),
        None => Err(node),
    }
}

/// Starts a future as a task that nobody waits for.
///
/// # Panics
///
/// Where no loop runs on this thread, or the loop is closing.
#[track_caller]
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    let spawned = current().is_some_and(|seam| seam.spawn(Box::pin(future)).is_ok());
    assert!(spawned, "no loop runs on this thread: start tasks inside `run` or while a `TaskSet` is polled");
}

/// Returns the door of this thread's loop for other threads.
#[must_use]
pub fn remote() -> Option<Arc<dyn Remote>> {
    current()?.remote()
}

/// Returns this loop's one value of type `T`, made by `init` at the first call; `None` where no loop runs.
///
/// The value dies when the loop closes. It is how the thread pool keeps one default pool a loop.
pub fn local<T: 'static>(init: impl FnOnce() -> T) -> Option<Rc<T>> {
    let mut init = Some(init);
    let mut make = || -> Rc<dyn Any> { Rc::new(init.take().expect("a seam makes a local value once")()) };
    let value = current()?.local(TypeId::of::<T>(), &mut make)?;
    value.downcast().ok()
}

/// Tells whether a cancellation is unwinding through the caller: the scope around it was cancelled from within during the
/// poll under way, and drops its body when that ends.
///
/// For what polls a future that outlives the scope, as an async generator does its body: a body that raises is over.
#[must_use]
pub fn raised() -> bool {
    current().is_some_and(Seam::raised)
}

/// Sums the cancellation requests on the scopes around the caller, its task included; 0 outside.
///
/// asyncio's `current_task().cancelling()`, which knows of one scope only, the task.
#[must_use]
pub fn cancelling() -> usize {
    current().map_or(0, Seam::cancelling)
}

/// A loop's door for other threads.
pub trait Remote: Send + Sync {
    /// Runs `call` on the loop's thread, in its next iteration, and wakes the loop if it sleeps.
    ///
    /// # Errors
    ///
    /// The call itself, if the loop is closed.
    fn call(&self, call: Box<dyn FnOnce() + Send>) -> Result<(), Box<dyn FnOnce() + Send>>;

    /// Returns the identity of the loop behind the door.
    fn loop_id(&self) -> LoopId;
}

impl fmt::Debug for dyn Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.loop_id()).finish()
    }
}

/// The error of asking a loop that does not run or is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no event loop runs on this thread, or it is closed")
    }
}

impl std::error::Error for Closed {}
