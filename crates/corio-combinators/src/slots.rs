//! Children over tasks, and their results; and those of a gather, seen by number: lists and tuples alike.

use crate::Failure;
use crate::child::Child;
use crate::ears::Ears;
use crate::members::{List, Tuple};
use crate::outcome::Outcome;
use crate::standing::Key;
use corio_seam::Waitable;
use corio_task::{Audience, Seats};
use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// For so many numbers of children that are over there is room at first.
const MANY: usize = 32;

/// One child, and later how it ended.
///
/// What it holds is taken out to be looked at, and put back: nothing that is called meanwhile is the user's. Where the user's
/// code may run, the slot says so in the meantime.
pub struct Slot<O: Outcome>(Cell<Content<O>>);

/// What a slot holds.
enum Content<O: Outcome> {
    Child(Child<O>),
    /// The child is being asked to end.
    Asked,
    /// Likewise, and its end was told meanwhile.
    Missed,
    /// The child is being looked at or asked for its result, or that has been taken.
    Nothing,
    Value(O::Value),
    Failed(Box<Failure>),
}

impl<O: Outcome> Slot<O> {
    #[track_caller]
    pub(crate) fn new<F: Future<Output = O> + 'static>(future: F) -> Slot<O> {
        Slot(Cell::new(Content::Child(Child::start(future))))
    }

    /// Calls `look` with what it holds.
    #[inline]
    fn look<R>(&self, look: impl FnOnce(&Content<O>) -> R) -> R {
        let content = self.0.replace(Content::Nothing);
        let seen = look(&content);
        self.put(content);
        seen
    }

    /// Puts something in where nothing is.
    #[inline]
    fn put(&self, content: Content<O>) {
        std::mem::forget(self.0.replace(content)); // Without a look at what to drop.
    }

    /// Has the audience told when the child is over, through the loop; none if it is over.
    #[inline]
    pub(crate) fn listen<A: Audience + 'static>(&self, ears: &Ears<A>, index: usize) -> Option<Key> {
        self.look(|content| match content {
            Content::Child(child) => child.listen_with(ears, index), // Nothing runs meanwhile.
            _ => None,
        })
    }

    /// Has the audience told, through the loop, of a child that is over; false if that takes a callback.
    #[inline]
    pub(crate) fn listen_late<A: Audience + 'static>(&self, ears: &Ears<A>, index: usize) -> bool {
        self.look(|content| matches!(content, Content::Child(child) if child.listen_late(ears, index)))
    }

    /// Stops listening, by `key`, and lets go of the child; false if that has left its result.
    pub(crate) fn let_go(&self, key: &Key, seats: Option<&Seats>, index: usize) -> bool {
        let Some(child) = self.take_child() else { return false };
        if !child.done() {
            child.unlisten(key, seats, index); // Of one that is over, word is on its way.
        }
        true
    }

    /// Puts a failure in the place of a child that was let go.
    pub(crate) fn fail(&self, failure: Failure) {
        self.put(Content::Failed(Box::new(failure)));
    }

    /// Takes the child that has ended, or notes that it has, if it is being asked to end.
    #[inline]
    fn take_child(&self) -> Option<Child<O>> {
        match self.0.replace(Content::Nothing) {
            Content::Child(child) => return Some(child),
            Content::Asked => self.put(Content::Missed),
            other => self.put(other),
        }
        None
    }

    /// Moves the result out that is there.
    #[inline]
    pub(crate) fn take(&self) -> Result<O::Value, Failure> {
        match self.0.replace(Content::Nothing) {
            Content::Value(value) => Ok(value),
            Content::Failed(failure) => Err(*failure),
            _ => panic!("a child's result is taken once, when it is there"),
        }
    }

    #[inline]
    fn take_value(&self) -> O::Value {
        match self.0.replace(Content::Nothing) {
            Content::Value(value) => value,
            _ => panic!("a gather of values has a child that failed, or is not over"),
        }
    }
}

impl<O: Outcome> fmt::Debug for Slot<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_over = self.look(|content| matches!(content, Content::Value(_) | Content::Failed(_)));
        f.debug_struct("Slot").field("is_over", &is_over).finish_non_exhaustive()
    }
}

/// What a child has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Collected {
    /// Nothing yet: it is being asked to end.
    Nothing,
    /// Its value.
    Value,
    /// Its failure.
    Failure,
}

/// A child without its types.
pub trait AnySlot {
    /// Asks the child to end: whether it accepted, and whether it ended there and then.
    fn cancel(&self, message: Option<Arc<str>>) -> (bool, bool);
    /// Moves the result of a child that is over here.
    fn collect(&self) -> Collected;
    /// As [`collect`](AnySlot::collect), if the child is a task that returned a value: no code of the user's is called.
    fn collect_value(&self) -> bool;
    /// Takes the failure of a child that left one.
    fn take_failure(&self) -> Option<Failure>;
    /// Tells whether the child is known not to have ended.
    fn is_pending(&self) -> bool;
    /// Returns the child as the await graph sees it, unless it is over.
    fn waitable(&self) -> Option<Rc<dyn Waitable>>;
}

impl<O: Outcome> AnySlot for Slot<O> {
    fn cancel(&self, message: Option<Arc<str>>) -> (bool, bool) {
        let child = match self.0.replace(Content::Asked) {
            Content::Child(child) => child,
            other => {
                self.put(other);
                return (false, false);
            }
        };
        let accepted = child.cancel(message); // Whatever this leads to may come back here: under no borrow.
        let missed = matches!(self.0.replace(Content::Child(child)), Content::Missed);
        (accepted, missed)
    }

    #[inline]
    fn collect(&self) -> Collected {
        let Some(child) = self.take_child() else { return Collected::Nothing };
        let taken = child.take(); // User code perhaps, a `Clone`.
        match taken {
            Ok(value) => {
                self.put(Content::Value(value));
                Collected::Value
            }
            Err(failure) => {
                self.put(Content::Failed(Box::new(failure)));
                Collected::Failure
            }
        }
    }

    #[inline]
    fn collect_value(&self) -> bool {
        let (content, is_value) = match self.0.replace(Content::Nothing) {
            Content::Child(child) => match child.take_value() {
                Ok(value) => (Content::Value(value), true),
                Err(child) => (Content::Child(child), false),
            },
            other => (other, false),
        };
        self.put(content);
        is_value
    }

    fn take_failure(&self) -> Option<Failure> {
        match self.0.replace(Content::Nothing) {
            Content::Failed(failure) => Some(*failure),
            other => {
                self.put(other);
                None
            }
        }
    }

    #[inline]
    fn is_pending(&self) -> bool {
        self.look(|content| matches!(content, Content::Child(child) if !child.done()))
    }

    fn waitable(&self) -> Option<Rc<dyn Waitable>> {
        self.look(|content| match content {
            Content::Child(child) if !child.done() => Some(child.waitable()),
            _ => None,
        })
    }
}

/// The children of a gather. Sealed: lists and tuples up to twelve.
pub trait Slots: 'static {
    /// The values, in order: a `Vec` or a tuple.
    type Values: 'static;
    /// How each ended, in order: a `Vec` or a tuple of results.
    type Settled: 'static;

    /// Says how many there are.
    #[doc(hidden)]
    fn count(&self) -> usize;

    /// Lends one.
    #[doc(hidden)]
    fn at(&self, index: usize) -> &dyn AnySlot;

    /// Listens to all that are not over, and returns the numbers of the others.
    #[doc(hidden)]
    fn listen<A: Audience + 'static>(&self, ears: &Ears<A>) -> Vec<usize>;

    /// Takes the values: all have ended, and none failed.
    #[doc(hidden)]
    fn values(&self) -> Self::Values;

    /// Takes the results: all have ended.
    #[doc(hidden)]
    fn settled(&self) -> Self::Settled;
}

/// What can be given to [`gather`](crate::gather()): tasks, cells, and `'static` futures, as an iterator or as a tuple.
///
/// `Shape` is inferred.
pub trait IntoSlots<Shape> {
    /// How the children are kept.
    type Slots: Slots;

    /// Starts what was not started.
    #[doc(hidden)]
    fn into_slots(self) -> Self::Slots;
}

impl<I> IntoSlots<List> for I
where
    I: IntoIterator,
    I::Item: Future<Output: Outcome> + 'static,
{
    type Slots = Box<[Slot<<I::Item as Future>::Output>]>;

    #[track_caller]
    fn into_slots(self) -> Self::Slots {
        self.into_iter().map(Slot::new).collect()
    }
}

impl<O: Outcome> Slots for Box<[Slot<O>]> {
    type Values = Vec<O::Value>;
    type Settled = Vec<Result<O::Value, Failure>>;

    fn count(&self) -> usize {
        self.len()
    }

    fn at(&self, index: usize) -> &dyn AnySlot {
        &self[index]
    }

    fn listen<A: Audience + 'static>(&self, ears: &Ears<A>) -> Vec<usize> {
        let mut over = Vec::new();
        for (index, slot) in self.iter().enumerate() {
            if slot.listen(ears, index).is_none() {
                if over.is_empty() {
                    over.reserve(MANY.min(self.len() - index)); // One that is over is seldom alone: tasks that start eagerly.
                }
                over.push(index);
            }
        }
        over
    }

    fn values(&self) -> Self::Values {
        self.iter().map(Slot::take_value).collect()
    }

    fn settled(&self) -> Self::Settled {
        self.iter().map(Slot::take).collect()
    }
}

/// Makes the children of a tuple of one length.
macro_rules! tuple {
    ($(($index:tt, $F:ident, $O:ident))+) => {
        impl<$($O: Outcome, $F: Future<Output = $O> + 'static),+> IntoSlots<Tuple> for ($($F,)+) {
            type Slots = ($(Slot<$O>,)+);

            #[track_caller]
            fn into_slots(self) -> Self::Slots {
                ($(Slot::new(self.$index),)+)
            }
        }

        impl<$($O: Outcome),+> Slots for ($(Slot<$O>,)+) {
            type Values = ($($O::Value,)+);
            type Settled = ($(Result<$O::Value, Failure>,)+);

            fn count(&self) -> usize {
                [$($index),+].len()
            }

            fn at(&self, index: usize) -> &dyn AnySlot {
                match index {
                    $($index => &self.$index,)+
                    _ => unreachable!("a tuple was asked for a child that it does not have"),
                }
            }

            fn listen<A: Audience + 'static>(&self, ears: &Ears<A>) -> Vec<usize> {
                let listened = [$(self.$index.listen(ears, $index).is_some()),+];
                (0..listened.len()).filter(|index| !listened[*index]).collect()
            }

            fn values(&self) -> Self::Values {
                ($(self.$index.take_value(),)+)
            }

            fn settled(&self) -> Self::Settled {
                ($(self.$index.take(),)+)
            }
        }
    };
}

tuple!((0, A, OA));
tuple!((0, A, OA)(1, B, OB));
tuple!((0, A, OA)(1, B, OB)(2, C, OC));
tuple!((0, A, OA)(1, B, OB)(2, C, OC)(3, D, OD));
tuple!((0, A, OA)(1, B, OB)(2, C, OC)(3, D, OD)(4, E, OE));
tuple!((0, A, OA)(1, B, OB)(2, C, OC)(3, D, OD)(4, E, OE)(5, F, OF));
tuple!((0, A, OA)(1, B, OB)(2, C, OC)(3, D, OD)(4, E, OE)(5, F, OF)(6, G, OG));
tuple!((0, A, OA)(1, B, OB)(2, C, OC)(3, D, OD)(4, E, OE)(5, F, OF)(6, G, OG)(7, H, OH));
tuple!((0, A, OA)(1, B, OB)(2, C, OC)(3, D, OD)(4, E, OE)(5, F, OF)(6, G, OG)(7, H, OH)(8, I, OI));
tuple!((0, A, OA)(1, B, OB)(2, C, OC)(3, D, OD)(4, E, OE)(5, F, OF)(6, G, OG)(7, H, OH)(8, I, OI)(9, J, OJ));
tuple!((0, A, OA)(1, B, OB)(2, C, OC)(3, D, OD)(4, E, OE)(5, F, OF)(6, G, OG)(7, H, OH)(8, I, OI)(9, J, OJ)(10, K, OK));
tuple!(
    (0, A, OA)(1, B, OB)(2, C, OC)(3, D, OD)(4, E, OE)(5, F, OF)(6, G, OG)(7, H, OH)(8, I, OI)(9, J, OJ)(10, K, OK)(
        11, L, OL
    )
);

#[cfg(test)]
mod tests {
    use super::*;
    use corio_task::JoinError;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_slot_is_small() {
        assert_eq!(size_of::<Child<Result<u64, JoinError>>>(), 16);
        assert_eq!(size_of::<Slot<Result<u64, JoinError>>>(), 16);
        assert_eq!(size_of::<Slot<Result<[u64; 9], JoinError>>>(), 80, "as large as its value asks for");
    }
}
