//! The entries of the ready queue, and the queue: the one place of unsafe code in this crate.
//!
//! One intrusive FIFO holds task steps and boxed callbacks alike. An entry starts with a [`Header`]: the link, and a
//! table of three functions. A task's cell lends the queue one reference to itself; a callback is a box of its own.

#![allow(unsafe_code)]

mod prefetch;

pub use prefetch::prefetch;

use crate::context::{Context, capture_context, enter_context, run_detached};
use crate::report::{catch_and_report, catch_and_report_from};
use std::any::type_name;
use std::cell::Cell;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::Location;
use std::ptr::NonNull;
use std::rc::Rc;

/// The first field of everything that can stand in a [`ReadyQueue`].
#[repr(C)]
#[derive(Debug)]
pub struct Header {
    /// The entry behind this one; valid while this one is queued, and touched only by the queue it is in.
    next: Cell<Option<NonNull<Header>>>,
    /// What to do with the entry; never changes.
    vtable: NonNull<VTable>,
}

impl Header {
    /// Makes a header for an entry that acts by `vtable`.
    ///
    /// # Safety
    ///
    /// * `vtable` points to a [`VTable`] that lives as long as the program and is never written. It may be the first
    ///   field of a larger table: the pointer is kept as given.
    #[must_use]
    pub const unsafe fn new(vtable: NonNull<VTable>) -> Header {
        Header { next: Cell::new(None), vtable }
    }

    /// Returns the table given to [`new`](Header::new).
    #[inline]
    #[must_use]
    pub fn vtable(&self) -> NonNull<VTable> {
        self.vtable
    }
}

/// What can be done with an entry. The first two functions consume the queue's reference to it.
#[derive(Debug)]
pub struct VTable {
    /// Runs the entry. Must not unwind.
    pub run: unsafe fn(NonNull<Header>),
    /// Gives the entry up without running it. Must not unwind.
    pub discard: unsafe fn(NonNull<Header>),
    /// Says what the entry is, which stays as it was.
    pub describe: unsafe fn(NonNull<Header>) -> Description,
}

/// What an entry of the ready queue is, for a person: made when somebody asks, by [`Node::describe`].
///
/// asyncio's `repr` of a handle, without the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// What it is, with its name: `task "Task-1"`, `callback program::main::{{closure}}`.
    pub what: String,
    /// Where in the program it was made, or scheduled, as far as that is known.
    pub location: Option<&'static Location<'static>>,
}

impl Description {
    /// Describes a callback by the name of its type. Not inlined: there are as many types as callbacks.
    #[inline(never)]
    fn of_callback(name: &str, location: Option<&'static Location<'static>>) -> Description {
        Description { what: format!("callback {name}"), location }
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.location.map_or(Ok(()), |location| write!(f, ", made at {location}"))
    }
}

/// A callback that knows where it was scheduled; for [`Node::of`].
///
/// A plain function needs none of this: [`Node::new`] takes it as it is.
pub trait Entry: 'static {
    /// Does what it is for.
    fn run(self);

    /// Says where in the program it was scheduled: asked before each run, for the report of a panic. Must not panic.
    fn location(&self) -> Option<&'static Location<'static>> {
        None
    }

    /// Says what it is: asked seldom, in debug mode.
    fn describe(&self) -> Description {
        Description::of_callback(type_name::<Self>(), self.location())
    }
}

/// A callback that others look at while it is queued; for [`Node::shared`].
pub trait SharedEntry: 'static {
    /// Does what it is for.
    fn run(&self);

    /// Says where in the program it was scheduled, as [`Entry::location`] does.
    fn location(&self) -> Option<&'static Location<'static>> {
        None
    }

    /// Says what it is: asked seldom, in debug mode.
    fn describe(&self) -> Description;
}

/// A function as an entry: it costs nothing, and is known by the name of its type alone.
struct Plain<F>(F);

/// A function to be called in a context.
struct Within<F> {
    context: Context,
    f: F,
}

impl<F: FnOnce() + 'static> Entry for Within<F> {
    fn run(self) {
        enter_context(Some(self.context), || catch_and_report(IN_CALLBACK, self.f));
    }

    fn describe(&self) -> Description {
        Description::of_callback(type_name::<F>(), None)
    }
}

impl<F: FnOnce() + 'static> Entry for Plain<F> {
    #[inline]
    fn run(self) {
        (self.0)();
    }

    fn describe(&self) -> Description {
        Description::of_callback(type_name::<F>(), None)
    }
}

/// An owned entry of a ready queue: a callback, or one reference to a task that wants a step.
///
/// Dropping it discards it. asyncio's `Handle` without the handle's cancel.
pub struct Node(NonNull<Header>);

impl Node {
    /// Makes an entry that calls `f` once, in a copy of the context that is current now.
    ///
    /// A panic in `f` is caught and reported by [`report`](crate::report()), in that same context, as asyncio's loop does
    /// with a callback's exception.
    #[inline]
    #[must_use]
    pub fn new<F: FnOnce() + 'static>(f: F) -> Node {
        match capture_context() {
            Some(context) => Node::within(context, f),
            None => Node::bare(f),
        }
    }

    /// Makes an entry that calls `f` once, in `context`, which is shared; asyncio's `call_soon(f, context=context)`.
    #[must_use]
    pub fn in_context<F: FnOnce() + 'static>(context: &Context, f: F) -> Node {
        Node::within(context.clone(), f)
    }

    #[cold]
    fn within<F: FnOnce() + 'static>(context: Context, f: F) -> Node {
        Node::of(Within { context, f })
    }

    /// Makes an entry that calls `f` once, in an empty context: for what a loop does by itself.
    #[must_use]
    pub fn bare<F: FnOnce() + 'static>(f: F) -> Node {
        Node::of(Plain(f))
    }

    /// Makes an entry that runs `entry`, once; as [`new`](Node::new), but it can say where it comes from.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_seam::{Entry, Node};
    /// use std::panic::Location;
    ///
    /// struct Hello(&'static Location<'static>);
    ///
    /// impl Entry for Hello {
    ///     fn run(self) {}
    ///     fn location(&self) -> Option<&'static Location<'static>> {
    ///         Some(self.0)
    ///     }
    /// }
    ///
    /// let node = Node::of(Hello(Location::caller()));
    /// assert!(node.describe().what.ends_with("Hello"));
    /// assert!(node.describe().location.is_some());
    /// node.run();
    /// ```
    #[must_use]
    pub fn of<E: Entry>(entry: E) -> Node {
        // SAFETY:
        // * the table is a constant, promoted to a static, and is never written.
        let header = unsafe { Header::new(NonNull::from(&Callback::<E>::VTABLE)) };
        let callback = Box::new(Callback { header, entry });
        Node(NonNull::from(Box::leak(callback)).cast())
    }

    /// Makes an entry that runs `entry`, once, and is looked at, or called off, by whoever holds the other part: both are
    /// one allocation.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_seam::{Description, Node, SharedEntry};
    /// use std::cell::Cell;
    ///
    /// #[derive(Default)]
    /// struct Once {
    ///     cancelled: Cell<bool>,
    ///     called: Cell<bool>,
    /// }
    ///
    /// impl SharedEntry for Once {
    ///     fn run(&self) {
    ///         self.called.set(!self.cancelled.get());
    ///     }
    ///     fn describe(&self) -> Description {
    ///         Description { what: String::from("once"), location: None }
    ///     }
    /// }
    ///
    /// let (first, node) = Node::shared(Once::default());
    /// let (second, other) = Node::shared(Once::default());
    /// second.cancelled.set(true);
    /// node.run();
    /// other.run();
    /// assert!(first.called.get() && !second.called.get());
    /// ```
    #[inline]
    #[must_use]
    pub fn shared<E: SharedEntry>(entry: E) -> (Rc<Shared<E>>, Node) {
        // SAFETY:
        // * the table is a constant, promoted to a static, and is never written.
        let header = unsafe { Header::new(NonNull::from(&Shared::<E>::VTABLE)) };
        let shared = Rc::new(Shared { header, entry });
        let queued = Rc::into_raw(Rc::clone(&shared)).cast_mut();
        // SAFETY:
        // * an `Rc` points to something.
        let node = Node(unsafe { NonNull::new_unchecked(queued) }.cast());
        (shared, node)
    }

    /// Makes an entry of a reference to something that starts with a [`Header`].
    ///
    /// # Safety
    ///
    /// * `header` points to the start of a live object for which its table's functions may be called, with provenance
    ///   over all of it.
    /// * The caller gives one reference to that object away: it stays alive until `run` or `discard` has been called.
    /// * The object is in no queue, and no other `Node` of it exists.
    #[inline]
    #[must_use]
    pub unsafe fn from_raw(header: NonNull<Header>) -> Node {
        Node(header)
    }

    /// Runs the entry.
    #[inline]
    pub fn run(self) {
        let node = ManuallyDrop::new(self);
        // SAFETY:
        // * the node owns a live object, so its header can be read.
        let vtable = unsafe { node.0.as_ref() }.vtable;
        // SAFETY:
        // * the table lives as long as the program (`Header::new`).
        let run = unsafe { vtable.as_ref() }.run;
        // SAFETY:
        // * the node owns one reference, given up here: it is not dropped.
        unsafe { run(node.0) }
    }

    /// Says what the entry is, for a person: a task by its name, a callback by its type's. Costs an allocation.
    #[must_use]
    pub fn describe(&self) -> Description {
        // SAFETY:
        // * the node owns a live object, so its header can be read.
        let vtable = unsafe { self.0.as_ref() }.vtable;
        // SAFETY:
        // * the table lives as long as the program (`Header::new`).
        let describe = unsafe { vtable.as_ref() }.describe;
        // SAFETY:
        // * the node owns a live object, and keeps it.
        unsafe { describe(self.0) }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // SAFETY:
        // * the node owns a live object, so its header can be read.
        let vtable = unsafe { self.0.as_ref() }.vtable;
        // SAFETY:
        // * the table lives as long as the program (`Header::new`).
        let discard = unsafe { vtable.as_ref() }.discard;
        // SAFETY:
        // * the node owns one reference, and ends here.
        unsafe { discard(self.0) }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").finish_non_exhaustive()
    }
}

/// What is said of a callback's panic.
const IN_CALLBACK: &str = "exception in callback";

/// Runs `f` as an entry of the ready queue that was made of it would: in `context`, or in none of its own, a panic caught
/// and reported. For entries that are part of something else, by [`Node::from_raw`].
#[inline]
pub fn run_callback(context: Option<Context>, f: impl FnOnce()) {
    match context {
        None => run_detached(|| catch_and_report(IN_CALLBACK, f)),
        Some(context) => enter_context(Some(context), || catch_and_report(IN_CALLBACK, f)),
    }
}

/// A boxed callback: what [`Node::of`] makes.
#[repr(C)]
struct Callback<E> {
    header: Header,
    entry: E,
}

impl<E: Entry> Callback<E> {
    const VTABLE: VTable = VTable { run: Self::run, discard: Self::discard, describe: Self::describe };

    /// Runs the entry, which the box gives up first, so that it never runs twice.
    ///
    /// # Safety
    ///
    /// * `header` is the start of a `Callback<E>` leaked by [`Node::of`], and is not used again.
    unsafe fn run(header: NonNull<Header>) {
        // SAFETY:
        // * `header` came from a leaked box of this very type, given up by the caller.
        let callback = unsafe { Box::from_raw(header.cast::<Callback<E>>().as_ptr()) };
        let entry = callback.entry;
        run_detached(|| catch_and_report_from(IN_CALLBACK, entry.location(), || entry.run()));
    }

    /// Drops the entry without running it.
    ///
    /// # Safety
    ///
    /// * As for [`run`](Self::run).
    unsafe fn discard(header: NonNull<Header>) {
        // SAFETY:
        // * `header` came from a leaked box of this very type, given up by the caller.
        let callback = unsafe { Box::from_raw(header.cast::<Callback<E>>().as_ptr()) };
        catch_and_report("exception while a callback was discarded", move || drop(callback));
    }

    /// Says what the entry is.
    ///
    /// # Safety
    ///
    /// * `header` is the start of a live `Callback<E>` made by [`Node::of`], which nobody changes meanwhile.
    unsafe fn describe(header: NonNull<Header>) -> Description {
        // SAFETY:
        // * the caller's own promise.
        unsafe { header.cast::<Callback<E>>().as_ref() }.entry.describe()
    }
}

/// A callback that may be looked at while it is queued: what [`Node::shared`] makes, together with its one node.
///
/// The node is one of the counted references.
#[repr(C)]
pub struct Shared<E> {
    header: Header,
    entry: E,
}

impl<E> Deref for Shared<E> {
    type Target = E;

    #[inline]
    fn deref(&self) -> &E {
        &self.entry
    }
}

impl<E: fmt::Debug> fmt::Debug for Shared<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.entry).finish()
    }
}

impl<E: SharedEntry> Shared<E> {
    const VTABLE: VTable = VTable { run: Self::run, discard: Self::discard, describe: Self::describe };

    /// Takes the node's reference over.
    ///
    /// # Safety
    ///
    /// * `header` is the start of a `Shared<E>` that [`Node::shared`] turned into a raw pointer, and is not used again.
    #[inline]
    unsafe fn take(header: NonNull<Header>) -> Rc<Shared<E>> {
        // SAFETY:
        // * the pointer came from `Rc::into_raw`, of this very type, and its count is given up by the caller.
        unsafe { Rc::from_raw(header.cast::<Shared<E>>().as_ptr()) }
    }

    /// Runs the entry.
    ///
    /// # Safety
    ///
    /// * As for [`take`](Self::take).
    unsafe fn run(header: NonNull<Header>) {
        // SAFETY:
        // * the caller's own promise.
        let shared = unsafe { Self::take(header) };
        let location = shared.entry.location();
        run_detached(|| catch_and_report_from(IN_CALLBACK, location, move || shared.entry.run()));
    }

    /// Gives the node's reference up without running the entry.
    ///
    /// # Safety
    ///
    /// * As for [`take`](Self::take).
    unsafe fn discard(header: NonNull<Header>) {
        // SAFETY:
        // * the caller's own promise.
        let shared = unsafe { Self::take(header) };
        catch_and_report("exception while a callback was discarded", move || drop(shared));
    }

    /// Says what the entry is.
    ///
    /// # Safety
    ///
    /// * `header` is the start of a live `Shared<E>`, of which a node exists.
    unsafe fn describe(header: NonNull<Header>) -> Description {
        // SAFETY:
        // * the caller's own promise.
        unsafe { header.cast::<Shared<E>>().as_ref() }.entry.describe()
    }
}

/// A FIFO of [`Node`]s, without an allocation of its own.
///
/// # Guarantees
///
/// First in, first out; each entry is run or discarded once. Dropping the queue discards what is left.
pub struct ReadyQueue {
    /// The entry to run next; none when the queue is empty.
    head: Cell<Option<NonNull<Header>>>,
    /// The entry added last; none when the queue is empty.
    tail: Cell<Option<NonNull<Header>>>,
}

impl ReadyQueue {
    /// Makes an empty queue.
    #[must_use]
    pub const fn new() -> ReadyQueue {
        ReadyQueue { head: Cell::new(None), tail: Cell::new(None) }
    }

    /// Appends an entry.
    #[inline]
    pub fn push(&self, node: Node) {
        let header = ManuallyDrop::new(node).0;
        // SAFETY:
        // * the node owned a live object; the queue owns it now.
        unsafe { header.as_ref() }.next.set(None);
        match self.tail.replace(Some(header)) {
            None => self.head.set(Some(header)),
            // SAFETY:
            // * the queue owns what its tail points to.
            Some(tail) => unsafe { tail.as_ref() }.next.set(Some(header)),
        }
    }

    /// Takes the oldest entry, and has the next one fetched: whoever runs this one has something to do meanwhile.
    #[inline]
    #[must_use]
    pub fn pop(&self) -> Option<Node> {
        let head = self.head.get()?;
        // SAFETY:
        // * the queue owns what `head` points to.
        let next = unsafe { head.as_ref() }.next.get();
        self.head.set(next);
        match next {
            Some(next) => prefetch(next.as_ptr()),
            None => self.tail.set(None),
        }
        Some(Node(head))
    }

    /// Tells whether nothing is queued.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.get().is_none()
    }

    /// Iterates over exactly the entries that are queued now, taking each; what is pushed meanwhile stays behind.
    ///
    /// This is the boundary of an iteration of the loop: a callback scheduled by a callback runs in the next one.
    #[inline]
    #[must_use]
    pub fn batch(&self) -> Batch<'_> {
        Batch { queue: self, last: self.tail.get() }
    }
}

impl Default for ReadyQueue {
    fn default() -> ReadyQueue {
        ReadyQueue::new()
    }
}

impl Drop for ReadyQueue {
    fn drop(&mut self) {
        while let Some(node) = self.pop() {
            drop(node);
        }
    }
}

impl fmt::Debug for ReadyQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadyQueue").field("is_empty", &self.is_empty()).finish()
    }
}

/// The entries of one iteration; made by [`ReadyQueue::batch`].
#[derive(Debug)]
pub struct Batch<'q> {
    queue: &'q ReadyQueue,
    /// The last entry of the batch, compared by address and never read: it cannot be freed, and its address not used
    /// again, before it is popped.
    last: Option<NonNull<Header>>,
}

impl Iterator for Batch<'_> {
    type Item = Node;

    #[inline]
    fn next(&mut self) -> Option<Node> {
        let last = self.last?;
        let node = self.queue.pop();
        if node.as_ref().is_none_or(|node| node.0 == last) {
            self.last = None;
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// Pushes a callback that notes `n`.
    fn note(queue: &ReadyQueue, log: &Rc<RefCell<Vec<u32>>>, n: u32) {
        let log = Rc::clone(log);
        queue.push(Node::new(move || log.borrow_mut().push(n)));
    }

    #[test]
    fn entries_run_first_in_first_out() {
        let (queue, log) = (ReadyQueue::new(), Rc::default());
        (0..3).for_each(|n| note(&queue, &log, n));
        queue.batch().for_each(Node::run);
        assert_eq!(*log.borrow(), [0, 1, 2]);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_batch_ends_where_it_began() {
        let (queue, log) = (Rc::new(ReadyQueue::new()), Rc::default());
        let (again, inner) = (Rc::clone(&queue), Rc::clone(&log));
        queue.push(Node::new(move || note(&again, &inner, 7)));
        queue.batch().for_each(Node::run);
        assert!(log.borrow().is_empty());
        queue.batch().for_each(Node::run);
        assert_eq!(*log.borrow(), [7]);
    }

    #[test]
    fn what_is_left_is_dropped_unrun() {
        let (queue, log): (_, Rc<RefCell<Vec<u32>>>) = (ReadyQueue::new(), Rc::default());
        (0..3).for_each(|n| note(&queue, &log, n));
        drop(queue.pop());
        drop(queue);
        assert!(log.borrow().is_empty());
        assert_eq!(Rc::strong_count(&log), 1);
    }

    #[test]
    fn a_panic_ends_one_callback_only() {
        let (queue, log) = (ReadyQueue::new(), Rc::default());
        queue.push(Node::new(|| panic!("one callback's own affair")));
        note(&queue, &log, 1);
        queue.batch().for_each(Node::run);
        assert_eq!(*log.borrow(), [1]);
    }

    /// Notes that it ran, and that it is gone.
    struct Look {
        log: Rc<RefCell<Vec<&'static str>>>,
        does: Cell<&'static str>,
    }

    impl SharedEntry for Look {
        fn run(&self) {
            assert_ne!(self.does.get(), "panics");
            self.log.borrow_mut().push(self.does.get());
        }

        fn describe(&self) -> Description {
            Description { what: String::from(self.does.get()), location: None }
        }
    }

    impl Drop for Look {
        fn drop(&mut self) {
            self.log.borrow_mut().push("gone");
            assert_ne!(self.does.get(), "panics", "a destructor's own affair");
        }
    }

    #[test]
    fn a_shared_entry_can_be_changed_while_it_is_queued() {
        let (queue, log) = (ReadyQueue::new(), Rc::default());
        let (look, node) = Node::shared(Look { log: Rc::clone(&log), does: Cell::new("first") });
        queue.push(node);
        note(&queue, &Rc::default(), 1);
        look.does.set("second");
        queue.batch().for_each(|node| {
            assert!(["second", "callback"].iter().any(|what| node.describe().what.starts_with(what)));
            node.run();
        });
        assert_eq!(*log.borrow(), ["second"]);
        drop(look);
        assert_eq!(*log.borrow(), ["second", "gone"]);
    }

    #[test]
    fn whichever_part_of_a_shared_entry_goes_last_drops_it() {
        let log: Rc<RefCell<Vec<_>>> = Rc::default();
        let make = |does| Node::shared(Look { log: Rc::clone(&log), does: Cell::new(does) });
        let (look, node) = make("runs");
        drop(look);
        node.run();
        assert_eq!(*log.borrow(), ["runs", "gone"]);
        let (look, node) = make("does not run");
        drop(node);
        assert_eq!(log.borrow().len(), 2);
        drop(look);
        let (_, node) = make("does not run either");
        drop(node);
        assert_eq!(*log.borrow(), ["runs", "gone", "gone", "gone"]);
    }

    #[test]
    fn a_shared_entry_keeps_its_panics_to_itself() {
        let (queue, log) = (ReadyQueue::new(), Rc::default());
        let make = |does| Node::shared(Look { log: Rc::clone(&log), does: Cell::new(does) });
        let (held, node) = make("panics");
        queue.push(node);
        queue.push(make("runs").1);
        let (_, node) = make("panics");
        drop(node);
        queue.batch().for_each(Node::run);
        held.does.set("ends well");
        drop(held);
        assert_eq!(*log.borrow(), ["gone", "runs", "gone", "gone"]);
    }

    #[test]
    fn an_entry_says_what_it_is_and_runs_all_the_same() {
        let (queue, log) = (ReadyQueue::new(), Rc::default());
        note(&queue, &log, 1);
        for node in queue.batch() {
            let description = node.describe();
            assert!(description.what.starts_with("callback corio_seam::node::tests::note::"), "{description}");
            assert_eq!(description.location, None);
            node.run();
        }
        assert_eq!(*log.borrow(), [1]);
    }
}
