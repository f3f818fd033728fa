//! Seats: the done callbacks of many tasks, in one allocation.
//!
//! ```text
//! { count | audience | context | length, unfinished, announces || 0, 1, 2, ... }
//!                                                                   ▲  a seat: a thin pointer, which fits into a task's slot
//! ```
//!
//! A seat that is taken is one count of its block, and so is each [`Seats`]. Everything here stays on one thread.

use corio_seam::{Context, Description, Entry, Node, capture_context, catch_and_report, run_callback};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::fmt;
use std::mem::{ManuallyDrop, size_of};
use std::ptr::NonNull;
use std::rc::Rc;

/// Who is told of the ends of many tasks, each by its number; see [`Seats`].
pub trait Audience {
    /// Says that the task in the seat of that number is over.
    fn ended(&self, index: usize);

    /// Says so in the very step in which the task has returned a value, before its turn: to those whose seats are
    /// [announcing](Seats::announcing). True if the audience has no use for the turn: [`ended`](Audience::ended) is then not
    /// called for it.
    ///
    /// An audience that only counts, and keeps values ([`Task::into_output`](crate::Task::into_output) works already), has
    /// something to say only at the last: of so many others of these seats the task is `unfinished`. It must leave to `ended`
    /// whatever others could notice. Not every end is announced, but none is among the unfinished.
    fn ending(&self, index: usize, unfinished: usize) -> bool {
        let _ = (index, unfinished);
        false
    }
}

/// Places for done callbacks of many tasks, which are all the same but for a number: for writers of combinators.
///
/// A task that takes a seat ([`Task::take_seat`](crate::Task::take_seat)) tells the audience when it is over, just as a
/// done callback would be called ([`Task::add_done_callback`](crate::Task::add_done_callback)): as one entry of the ready queue, in its turn,
/// with panics caught and reported; or never, if the set closes first. But all seats are one allocation, and the entry
/// is none: the task that has ended stands in the queue itself. Each call is made in a copy of the context in which the
/// seats were made.
///
/// The seats keep the audience alive, as long as one is taken or this handle exists. `!Send`.
///
/// # Examples
///
/// ```
/// use corio_task::{Audience, Seats, TaskSet, create_task};
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// #[derive(Default)]
/// struct Order(RefCell<Vec<usize>>);
/// impl Audience for Order {
///     fn ended(&self, index: usize) {
///         self.0.borrow_mut().push(index);
///     }
/// }
///
/// let (set, order) = (TaskSet::new(), Rc::new(Order::default()));
/// let seats = Seats::new(2, Rc::clone(&order) as Rc<dyn Audience>);
/// let slow = set.spawn(async { create_task(async {}).await.unwrap() });
/// let fast = set.spawn(async {});
/// slow.take_seat(&seats, 0);
/// fast.take_seat(&seats, 1);
/// while set.has_ready() {
///     set.run_batch();
/// }
/// assert_eq!(*order.0.borrow(), [1, 0]);
/// ```
pub struct Seats(NonNull<Block>);

/// The front of the allocation; the numbers come behind it.
#[repr(C)]
struct Block {
    /// How many handles and taken seats there are.
    count: Cell<usize>,
    audience: Rc<dyn Audience>,
    /// What the calls are made in copies of.
    context: Option<Context>,
    /// How many numbers follow.
    length: u32,
    /// How many of the seats are taken by tasks that have not ended.
    unfinished: Cell<u32>,
    /// The audience has something to say at once.
    announces: bool,
}

/// A seat that is taken.
pub(crate) struct Seat(NonNull<u32>);

impl Seats {
    /// Makes `count` seats, numbered from 0.
    ///
    /// # Panics
    ///
    /// If `count` is four billion or more.
    #[must_use]
    pub fn new(count: usize, audience: Rc<dyn Audience>) -> Seats {
        Seats::make(count, audience, false)
    }

    /// As [`new`](Seats::new), for an audience that is asked [in the very step](Audience::ending) in which a task returns a
    /// value.
    ///
    /// # Panics
    ///
    /// If `count` is four billion or more.
    #[must_use]
    pub fn announcing(count: usize, audience: Rc<dyn Audience>) -> Seats {
        Seats::make(count, audience, true)
    }

    fn make(count: usize, audience: Rc<dyn Audience>, announces: bool) -> Seats {
        let length = u32::try_from(count).expect("four billion seats");
        let layout = Block::layout(count);
        // SAFETY:
        // * the size is not 0: a block has a front.
        let memory = unsafe { alloc(layout) };
        let Some(block) = NonNull::new(memory.cast::<Block>()) else { handle_alloc_error(layout) };
        let (count, unfinished) = (Cell::new(1), Cell::new(0));
        let front = Block { count, audience, context: capture_context(), length, unfinished, announces };
        // SAFETY:
        // * the layout has room for the front first.
        unsafe { block.write(front) };
        for index in 0..length {
            // SAFETY:
            // * the index is below the block's length.
            let number = unsafe { Block::number(block, index) };
            // SAFETY:
            // * the layout has room for so many numbers behind the front.
            unsafe { number.write(index) };
        }
        Seats(block)
    }

    /// Takes a seat for a task that has not ended: [`note_end`](Seat::note_end) says when it does.
    #[inline]
    pub(super) fn take(&self, index: usize) -> Seat {
        let seat = self.take_late(index);
        let unfinished = &self.block().unfinished;
        unfinished.set(unfinished.get() + 1);
        seat
    }

    /// Takes a seat for a task that is over.
    #[inline]
    pub(super) fn take_late(&self, index: usize) -> Seat {
        let block = self.block();
        let number = u32::try_from(index).ok().filter(|number| *number < block.length);
        let number = number.expect("a seat was asked for that there is not");
        block.count.set(block.count.get() + 1); // It cannot wrap: each count is a word somewhere.
        // SAFETY:
        // * the number is one of the block's.
        Seat(unsafe { Block::number(self.0, number) })
    }

    #[inline]
    fn block(&self) -> &Block {
        // SAFETY:
        // * the handle is a count of a live block. All that changes in it is a `Cell`.
        unsafe { self.0.as_ref() }
    }
}

impl Block {
    fn layout(count: usize) -> Layout {
        let both = Layout::array::<u32>(count).and_then(|numbers| Layout::new::<Block>().extend(numbers));
        let (layout, offset) = both.expect("more seats than there is memory");
        debug_assert_eq!(offset, size_of::<Block>());
        layout
    }

    /// Returns where a number lies.
    ///
    /// # Safety
    ///
    /// * `block` is the start of a live block, with provenance over all of it, and `index` below its length.
    #[inline]
    unsafe fn number(block: NonNull<Block>, index: u32) -> NonNull<u32> {
        // SAFETY:
        // * the numbers lie behind the front, without a gap: `layout` checks.
        let first = unsafe { block.add(1) }.cast::<u32>();
        // SAFETY:
        // * the caller's own promise.
        unsafe { first.add(index as usize) }
    }

    /// Gives a count up, and frees the block with the last.
    ///
    /// # Safety
    ///
    /// * The caller had a count of the live block, with provenance over all of it.
    #[inline]
    unsafe fn give_up(block: NonNull<Block>) {
        // SAFETY:
        // * the caller's own promise.
        let count = &unsafe { block.as_ref() }.count;
        count.set(count.get() - 1);
        if count.get() == 0 {
            // SAFETY:
            // * that was the last count.
            unsafe { Block::free(block) };
        }
    }

    /// Frees the block.
    ///
    /// # Safety
    ///
    /// * As for [`give_up`](Block::give_up), and nobody else has a count.
    #[inline(never)]
    unsafe fn free(block: NonNull<Block>) {
        // SAFETY:
        // * the caller's own promise: the front is there, once.
        let front = unsafe { block.read() };
        // SAFETY:
        // * the block was made with this very layout, by `Seats::make`.
        unsafe { dealloc(block.as_ptr().cast(), Block::layout(front.length as usize)) };
        drop(front); // User code: last.
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        // SAFETY:
        // * the handle is a count, and ends here.
        unsafe { Block::give_up(self.0) };
    }
}

impl fmt::Debug for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let block = self.block();
        f.debug_struct("Seats").field("length", &block.length).field("count", &block.count.get()).finish()
    }
}

impl Seat {
    pub(super) fn into_raw(self) -> NonNull<u32> {
        ManuallyDrop::new(self).0
    }

    /// Makes a seat of what [`into_raw`](Seat::into_raw) returned.
    ///
    /// # Safety
    ///
    /// * It is made once of each.
    #[inline]
    pub(super) unsafe fn from_raw(raw: NonNull<u32>) -> Seat {
        Seat(raw)
    }

    #[inline]
    fn index(&self) -> usize {
        // SAFETY:
        // * the number is part of a live block, of which the seat is a count; it is never written again.
        unsafe { self.0.read() as usize }
    }

    #[inline]
    fn front(&self) -> NonNull<Block> {
        // SAFETY:
        // * so many numbers lie before this one, in the same allocation, over which the pointer has provenance.
        let first = unsafe { self.0.sub(self.index()) };
        // SAFETY:
        // * the front lies before the first.
        unsafe { first.cast::<Block>().sub(1) }
    }

    #[inline]
    fn block(&self) -> &Block {
        // SAFETY:
        // * the seat is a count of a live block. All that changes in it is a `Cell`.
        unsafe { self.front().as_ref() }
    }

    /// Tells whether it is that one.
    pub(crate) fn is(&self, seats: &Seats, index: usize) -> bool {
        self.front() == seats.0 && self.index() == index
    }

    /// Notes that the task has ended, or the seat is left.
    #[inline]
    pub(crate) fn note_end(&self) {
        let unfinished = &self.block().unfinished;
        unfinished.set(unfinished.get() - 1);
    }

    /// Tells the audience, as the ready queue calls a callback, and gives the seat up.
    #[inline]
    pub(crate) fn call(self) {
        let context = self.context();
        run_callback(context, move || self.block().audience.ended(self.index()));
    }

    /// Announces the end to the audience, if that is to be asked, and tells whether that did.
    #[inline]
    pub(super) fn announce(&self) -> bool {
        let block = self.block();
        if !block.announces {
            return false;
        }
        let (mut did, unfinished) = (false, block.unfinished.get() as usize);
        catch_and_report("exception in a done callback", || did = block.audience.ending(self.index(), unfinished));
        did
    }

    /// Gives the seat of a task up that ends because its set is closing.
    pub(super) fn discard_at_end(self) {
        self.note_end();
        self.discard();
    }

    /// Gives the seat up: nobody is to be told. A panic of what goes with it is reported.
    pub(crate) fn discard(self) {
        catch_and_report("exception while a callback was discarded", move || drop(self));
    }

    /// Returns what a call is to be made in.
    #[inline]
    fn context(&self) -> Option<Context> {
        self.block().context.as_ref().map(Context::copy)
    }

    /// Makes an entry of the ready queue that calls it.
    pub(crate) fn into_node(self) -> Node {
        match self.context() {
            Some(context) => Node::in_context(&context, move || Call(self).run()),
            None => Node::of(Call(self)),
        }
    }
}

impl Drop for Seat {
    #[inline]
    fn drop(&mut self) {
        // SAFETY:
        // * the seat is a count, and ends here.
        unsafe { Block::give_up(self.front()) };
    }
}

/// A seat as an entry of the ready queue.
struct Call(Seat);

impl Entry for Call {
    fn run(self) {
        self.0.block().audience.ended(self.0.index());
    }

    fn describe(&self) -> Description {
        Description { what: "done callback".to_string(), location: None }
    }
}
