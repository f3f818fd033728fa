//! The children of a gather, and their results, seen by number: lists and tuples alike.

use crate::Failure;
use crate::child::Child;
use crate::ears::Ears;
use crate::members::{List, Tuple};
use crate::outcome::Outcome;
use corio_seam::Waitable;
use corio_task::Audience;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// For so many numbers of children that are over there is room at first.
const MANY: usize = 32;

/// One child, and later how it ended.
pub struct Slot<O: Outcome>(RefCell<Content<O>>);

/// What a slot holds.
enum Content<O: Outcome> {
    Child(Child<O>),
    /// The child is being asked to end.
    Asked,
    /// Likewise, and its end was told meanwhile.
    Missed,
    /// The child is being asked for its result, or that has been taken.
    Nothing,
    Result(Result<O::Value, Failure>),
}

impl<O: Outcome> Slot<O> {
    #[track_caller]
    fn new<F: Future<Output = O> + 'static>(future: F) -> Slot<O> {
        Slot(RefCell::new(Content::Child(Child::start(future))))
    }

    #[inline]
    fn listen<A: Audience + 'static>(&self, ears: &Ears<A>, index: usize) -> bool {
        match &*self.0.borrow() {
            Content::Child(child) if !child.done() => {
                child.listen_with(ears, index); // Nothing runs now: the child is pending.
                true
            }
            _ => false,
        }
    }

    /// Takes the child that has ended, or notes that it has, if it is being asked to end.
    #[inline]
    fn take_child(&self) -> Option<Child<O>> {
        let mut content = self.0.borrow_mut();
        let next = if matches!(*content, Content::Asked) { Content::Missed } else { Content::Nothing };
        match std::mem::replace(&mut *content, next) {
            Content::Child(child) => Some(child),
            _ => None,
        }
    }

    /// Moves the result out, after the end of all.
    fn take(&self) -> Result<O::Value, Failure> {
        match self.0.replace(Content::Nothing) {
            Content::Result(result) => result,
            _ => panic!("a gather is over when every child has left its result"),
        }
    }

    #[inline]
    fn take_value(&self) -> O::Value {
        match self.0.replace(Content::Nothing) {
            Content::Result(Ok(value)) => value,
            _ => panic!("a gather of values has a child that failed, or is not over"),
        }
    }
}

impl<O: Outcome> fmt::Debug for Slot<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_over = matches!(*self.0.borrow(), Content::Result(_));
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
        if !matches!(*self.0.borrow(), Content::Child(_)) {
            return (false, false);
        }
        let Content::Child(child) = self.0.replace(Content::Asked) else { return (false, false) };
        let accepted = child.cancel(message); // Whatever this leads to may come back here: under no borrow.
        let missed = matches!(self.0.replace(Content::Child(child)), Content::Missed);
        (accepted, missed)
    }

    #[inline]
    fn collect(&self) -> Collected {
        let Some(child) = self.take_child() else { return Collected::Nothing };
        let result = child.take(); // User code perhaps, a `Clone`.
        let collected = if result.is_ok() { Collected::Value } else { Collected::Failure };
        self.0.replace(Content::Result(result));
        collected
    }

    #[inline]
    fn collect_value(&self) -> bool {
        let mut content = self.0.borrow_mut();
        if !matches!(*content, Content::Child(_)) {
            return false;
        }
        let Content::Child(child) = std::mem::replace(&mut *content, Content::Nothing) else { return false };
        let taken = child.take_value();
        let is_value = taken.is_ok();
        *content = taken.map_or_else(Content::Child, |value| Content::Result(Ok(value))); // Over `Nothing`.
        is_value
    }

    fn take_failure(&self) -> Option<Failure> {
        let mut content = self.0.borrow_mut();
        if !matches!(*content, Content::Result(Err(_))) {
            return None;
        }
        match std::mem::replace(&mut *content, Content::Nothing) {
            Content::Result(result) => result.err(),
            _ => None,
        }
    }

    #[inline]
    fn is_pending(&self) -> bool {
        matches!(&*self.0.borrow(), Content::Child(child) if !child.done())
    }

    fn waitable(&self) -> Option<Rc<dyn Waitable>> {
        match &*self.0.borrow() {
            Content::Child(child) if !child.done() => Some(child.waitable()),
            _ => None,
        }
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
            if !slot.listen(ears, index) {
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
                let listened = [$(self.$index.listen(ears, $index)),+];
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
