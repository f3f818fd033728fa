//! A place where cancellation stops, as writers of combinators use it.

use crate::branch::Places;
use crate::deadline::Until;
use crate::node::{Node, Slot};
use crate::raw::{self, TaskRef, current};
use corio_seam::{Cancelled, OnAlarm, TargetId, ThinTarget};
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// A place where cancellation stops: for writers of combinators.
///
/// A scope is to cancellation what `catch_unwind` is to panics: [`poll`](Scope::poll) polls a future as the innermost
/// scope, and returns `Err` if a request hit it, after dropping the future. [`catch_cancelled`](crate::catch_cancelled)
/// is a scope and nothing else; a timeout asks its own scope to end; each child of a `join` is one.
///
/// A scope allocates when its body is first pending, and not before; nor then, if its set has kept what an ended one
/// needed. `!Send`: it stays on the thread of its first poll.
///
/// # Examples
///
/// ```
/// use corio_task::Scope;
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
///
/// let scope = Scope::new();
/// let mut body = pin!(Some(std::future::pending::<()>()));
/// let mut cx = Context::from_waker(Waker::noop());
/// assert!(scope.poll(body.as_mut(), &mut cx).is_pending());
/// assert!(scope.handle().request(None));
/// assert!(matches!(scope.poll(body.as_mut(), &mut cx), Poll::Ready(Err(_))));
/// assert!(body.is_none());
/// ```
pub struct Scope(OnceCell<Rc<Node>>);

impl Scope {
    /// Makes a scope.
    #[must_use]
    pub const fn new() -> Scope {
        Scope(OnceCell::new())
    }

    /// Makes a scope that keeps requests out: those aimed at a scope around it wait until it has ended.
    ///
    /// A request aimed at this very scope, or inside, hits; see [`ScopeHandle::lift_shield`]. It allocates at once.
    #[must_use]
    pub fn shielding() -> Scope {
        Scope(OnceCell::from(Node::shield()))
    }

    #[inline]
    pub(crate) fn node_if_any(&self) -> Option<&Rc<Node>> {
        self.0.get()
    }

    /// Returns the node, made now if there was none, below the scope that is being polled.
    #[inline]
    pub(crate) fn node(&self, polling: bool) -> Rc<Node> {
        Rc::clone(self.node_ref(polling))
    }

    /// Lends the node, made now if there was none.
    #[inline]
    fn node_ref(&self, polling: bool) -> &Rc<Node> {
        self.0.get_or_init(|| Node::inner(polling))
    }

    #[inline(never)] // So that a task without scopes saves no registers for it.
    fn note_leaf(&self, name: &'static &'static str) {
        self.node_ref(true).note_leaf(name);
    }

    /// Returns a handle to ask this scope to end.
    #[inline]
    #[must_use]
    pub fn handle(&self) -> ScopeHandle {
        ScopeHandle(self.node(false))
    }

    /// Arms the request that ended this scope's body once more: it hits the scope around the caller at its next
    /// suspension. False if there was none, or whatever it was aimed at is over.
    ///
    /// For a combinator that has something more important to return than a cancellation aimed at its caller, and must not
    /// lose it: a task group whose children failed. If the task returns before it suspends, it ends as it returned.
    pub fn rearm(&self) -> bool {
        self.node_if_any().is_some_and(|node| node.rearm())
    }

    /// Polls `body` as the innermost scope. When it returns `Ready`, the body has been dropped, and is `None`.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if a request hit this scope: the body was dropped for it, at an await.
    ///
    /// # Panics
    ///
    /// If `body` is `None` already, and whenever the body panics.
    pub fn poll<F: Future>(
        &self,
        body: Pin<&mut Option<F>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<F::Output, Cancelled>> {
        self.poll_inside(None, body, cx)
    }

    /// As [`poll`](Scope::poll), and says when the scope will be asked to end, for [`current_deadline`] inside.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if a request hit this scope.
    ///
    /// # Panics
    ///
    /// If `body` is `None` already, and whenever the body panics.
    ///
    /// [`current_deadline`]: crate::current_deadline
    pub fn poll_until<F: Future>(
        &self,
        until: &Cell<Until>,
        body: Pin<&mut Option<F>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<F::Output, Cancelled>> {
        self.poll_inside(Some(until), body, cx)
    }

    #[inline]
    fn poll_inside<F: Future>(
        &self,
        until: Option<&Cell<Until>>,
        mut body: Pin<&mut Option<F>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<F::Output, Cancelled>> {
        let _seam = crate::seam::cover();
        if let Some(cancelled) = self.node_if_any().and_then(|node| node.begin_scope()) {
            return Poll::Ready(self.unwind(body, cancelled));
        }
        let polled = current::enter_scope(self, until, || {
            let body = body.as_mut().as_pin_mut();
            body.expect("a scope was polled after it had ended").poll(cx)
        });
        match polled {
            Poll::Ready(value) => Poll::Ready(self.end(body, value)),
            Poll::Pending => match self.node_ref(false).pause_scope(cx.waker()) {
                Some(cancelled) => Poll::Ready(self.unwind(body, cancelled)),
                None => Poll::Pending,
            },
        }
    }

    /// Ends a poll that returned a value, which counts unless a cancellation was raised beside it.
    #[inline(always)]
    fn end<F: Future>(&self, mut body: Pin<&mut Option<F>>, value: F::Output) -> Result<F::Output, Cancelled> {
        let Some(node) = self.node_if_any() else {
            body.set(None);
            return Ok(value);
        };
        self.end_node(node, body, value)
    }

    /// As [`end`](Scope::end), of a scope that has a node.
    #[inline(never)]
    fn end_node<F: Future>(
        &self,
        node: &Rc<Node>,
        mut body: Pin<&mut Option<F>>,
        value: F::Output,
    ) -> Result<F::Output, Cancelled> {
        if let Some(cancelled) = node.take_raised() {
            return self.unwind(body, cancelled);
        }
        current::enter_scope(self, None, || body.set(None));
        node.leave();
        Ok(value)
    }

    /// Drops the body for a cancellation, as the current scope, so that destructors see where they are.
    fn unwind<F: Future>(&self, mut body: Pin<&mut Option<F>>, cancelled: Cancelled) -> Result<F::Output, Cancelled> {
        current::enter_scope(self, None, || body.set(None));
        self.node_ref(false).leave();
        Err(cancelled)
    }
}

impl Default for Scope {
    fn default() -> Scope {
        Scope::new()
    }
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        if let Some(node) = self.0.take() {
            node.retire();
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests = self.node_if_any().map_or(0, |node| node.requests());
        f.debug_struct("Scope").field("requests", &requests).finish_non_exhaustive()
    }
}

/// Sums the cancellation requests on the scopes around the caller, its task included, up to a shield: as
/// [`corio_seam::cancelling`], without asking who answers for this thread.
///
/// For a combinator that wants to know later whether its caller was cancelled meanwhile, and so asks each time.
///
/// # Examples
///
/// ```
/// use corio_task::{TaskSet, current_task, requests_around};
///
/// let seen = pollster::block_on(TaskSet::new().run_until(async {
///     let before = requests_around();
///     let task = current_task().unwrap();
///     task.cancel();
///     (before, requests_around(), task.uncancel())
/// }));
/// assert_eq!(seen.unwrap(), (0, 1, 0));
/// assert_eq!(requests_around(), 0, "there is nobody to ask");
/// ```
#[inline]
#[must_use]
pub fn requests_around() -> usize {
    if current::with_scope(|scope| scope.is_some()) { Node::requests_around() } else { raw::requests_of_current() }
}

/// Has the requests that are pending around the caller not cost its task what it returns: they hit its next suspension,
/// if there is one.
///
/// For a combinator that kept requests out by a [shield](Scope::shielding), and now has something more important to return
/// than the cancellation of its caller: see [`Scope::rearm`].
pub fn defer_requests() {
    Node::defer_around();
}

/// Asks a [`Scope`] to end, from anywhere on its thread.
#[derive(Clone)]
pub struct ScopeHandle(Rc<Node>);

impl ScopeHandle {
    pub(crate) fn of(node: Rc<Node>) -> ScopeHandle {
        ScopeHandle(node)
    }

    /// Asks the scope to end, and all inside it; false if it has ended.
    ///
    /// Several requests before the first is delivered are delivered once.
    pub fn request(&self, message: Option<Arc<str>>) -> bool {
        if self.0.dead.get() {
            return false;
        }
        if let Some(request) = self.0.record(message) {
            self.0.offer(&request);
        }
        true
    }

    /// Asks the scope to end for good: whatever is suspended inside is hit, and whatever suspends there after that, until
    /// the scope has ended. False if it has.
    ///
    /// That is a cancellation of level, where [`request`](ScopeHandle::request) is one of edge. It counts once, and a
    /// second call does nothing. What a scope inside waits for is asked once a suspension.
    pub fn request_for_good(&self, message: Option<Arc<str>>) -> bool {
        if self.0.dead.get() {
            return false;
        }
        !self.0.cancel_for_good(message.clone()) || self.request(message)
    }

    /// Returns what asks the scope to end when a timer rings it, as one request does. Nothing happens if the scope has ended.
    #[inline]
    #[must_use]
    pub fn alarm(&self) -> Rc<dyn OnAlarm> {
        Rc::clone(&self.0) as Rc<dyn OnAlarm>
    }

    /// Tells whether the scope's [`alarm`](ScopeHandle::alarm) has rung.
    #[must_use]
    pub fn expired(&self) -> bool {
        self.0.expired.get()
    }

    /// Says that a [shielding](Scope::shielding) scope has reached its limit: should it be held without being polled any
    /// more, it holds nobody up.
    pub fn lift_shield(&self) {
        self.0.lift_shield();
    }

    /// Returns how many requests were aimed at this very scope, less those taken back.
    #[must_use]
    pub fn cancelling(&self) -> usize {
        self.0.requests()
    }

    /// Takes one request back and returns how many are left; at zero, one that was not delivered yet never will be.
    pub fn uncancel(&self) -> usize {
        self.0.uncancel()
    }
}

impl fmt::Debug for ScopeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeHandle").field("requests", &self.0.requests()).finish()
    }
}

/// The wakers that a combinator makes for its children, and for each a counterpart for places that never leave this
/// thread: for writers of combinators.
///
/// While children are polled under [`with_own_wakers`], a leaf that keeps its waker by [`corio_seam::local_waker`] gets the
/// counterpart in the place of a clone. So the combinator can tell whether anybody else has a clone, and, if nobody has, keep
/// its caller's own waker as a local one: see [`TaskSet::is_stuck`](crate::TaskSet::is_stuck).
///
/// # Examples
///
/// ```
/// use corio_task::{OwnWakers, TaskSet, with_own_wakers};
/// use std::sync::Arc;
/// use std::task::{Wake, Waker};
///
/// struct Bell;
/// impl Wake for Bell {
///     fn wake(self: Arc<Self>) {}
/// }
///
/// /// The waker of one child, and its counterpart.
/// struct Pair(Waker, Waker);
/// impl OwnWakers for Pair {
///     fn local(&self, waker: &Waker) -> Option<Waker> {
///         self.0.will_wake(waker).then(|| self.1.clone())
///     }
///     fn is_local(&self, kept: &Waker, waker: &Waker) -> bool {
///         self.0.will_wake(waker) && self.1.will_wake(kept)
///     }
/// }
///
/// let pair = Pair(Arc::new(Bell).into(), Arc::new(Bell).into());
/// TaskSet::new().enter(|| {
///     let kept = with_own_wakers(&pair, || corio_seam::local_waker(&pair.0));
///     assert!(kept.will_wake(&pair.1));
/// });
/// ```
pub trait OwnWakers {
    /// Makes the counterpart of `waker`, which wakes the same child; `None` if it is not one of the combinator's own.
    fn local(&self, waker: &Waker) -> Option<Waker>;

    /// Tells whether `kept` is a counterpart of `waker`, as [`local`](OwnWakers::local) makes them.
    fn is_local(&self, kept: &Waker, waker: &Waker) -> bool;
}

/// Calls `poll`, which polls children with wakers of the combinator's own: a whole round of them, if it likes.
pub fn with_own_wakers<R>(wakers: &(impl OwnWakers + 'static), poll: impl FnOnce() -> R) -> R {
    current::enter_own(wakers, poll)
}

/// A scope that is being polled.
#[derive(Clone, Copy)]
pub(crate) enum Polled<'s> {
    Scope(&'s Scope),
    /// The scope of that one of a branch's children which is being polled.
    Child(&'s Places),
}

impl Polled<'_> {
    #[inline]
    pub(crate) fn node_if_any(&self) -> Option<&Rc<Node>> {
        match self {
            Polled::Scope(scope) => scope.node_if_any(),
            Polled::Child(places) => places.polled_node_if_any(),
        }
    }

    /// Returns the node, made now if there was none.
    pub(crate) fn node(&self) -> Rc<Node> {
        match self {
            Polled::Scope(scope) => scope.node(true),
            Polled::Child(places) => places.polled_node(),
        }
    }

    pub(crate) fn is_shield(&self) -> bool {
        self.node_if_any().is_some_and(|node| node.is_shield())
    }

    fn note(&self, slot: Slot) {
        match self {
            Polled::Scope(scope) => scope.node_ref(true).note(slot),
            Polled::Child(places) => places.note(slot),
        }
    }

    #[inline]
    fn note_leaf(&self, name: &'static &'static str) {
        match self {
            Polled::Scope(scope) => scope.note_leaf(name),
            Polled::Child(places) => places.note_leaf(name),
        }
    }

    /// Marks the node as not polled: the poll has ended by a panic.
    pub(crate) fn stop_polling(&self) {
        if let Some(node) = self.node_if_any() {
            node.polling.set(false);
        }
    }
}

/// Notes what the innermost scope waits for.
#[inline]
pub(crate) fn note(slot: Slot) {
    current::with_scope(|scope| match scope {
        Some(scope) => scope.note(slot),
        None => raw::note_in_current(slot),
    });
}

/// As [`note`] with [`Slot::Leaf`], which is asked for at almost every suspension.
#[inline]
pub(crate) fn note_leaf(name: &'static &'static str) {
    if current::with_scope(|scope| scope.map(|scope| scope.note_leaf(name))).is_none() {
        raw::note_leaf_in_current(name);
    }
}

/// As [`note`] with [`Slot::Target`], which a task without a root scope keeps in one word.
#[inline]
pub(crate) fn note_target(target: ThinTarget) {
    if current::with_scope(|scope| scope.is_some()) {
        note(Slot::Target(target.into_rc()));
    } else {
        raw::note_target_in_current(target);
    }
}

/// Tells whether the innermost scope was cancelled from within.
pub(crate) fn raised() -> bool {
    let inner = current::with_scope(|scope| scope.map(|scope| scope.node_if_any().cloned()));
    let node = inner.unwrap_or_else(|| TaskRef::current()?.root_if_any());
    node.is_some_and(|node| node.has_raised())
}

/// Tells the innermost scope that `target` has ended.
#[inline]
pub(crate) fn heard(target: TargetId, cancelled: bool) -> bool {
    let hears = current::with_scope(|scope| scope.is_some()) || raw::current_has_attention();
    hears && is_heard(target, cancelled)
}

#[inline(never)]
fn is_heard(target: TargetId, cancelled: bool) -> bool {
    let inner = current::with_scope(|scope| scope.map(|scope| scope.node_if_any().cloned()));
    match inner {
        Some(node) => node.is_some_and(|node| node.heard(target, cancelled)),
        None => TaskRef::current().is_some_and(|task| task.root().heard(target, cancelled)),
    }
}
