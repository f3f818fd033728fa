//! The children of a gather, and their results, seen by number: lists and tuples alike.

use crate::Failure;
use crate::child::Child;
use crate::members::{List, Tuple};
use crate::outcome::Outcome;
use corio_seam::Waitable;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// One child, and later how it ended.
pub struct Slot<O: Outcome> {
    /// None while it is asked to end, and after its end.
    child: RefCell<Option<Child<O>>>,
    result: RefCell<Option<Result<O::Value, Failure>>>,
    /// Its end was told while it was being asked to end.
    missed: Cell<bool>,
}

impl<O: Outcome> Slot<O> {
    #[track_caller]
    fn new<F: Future<Output = O> + 'static>(future: F) -> Slot<O> {
        Slot { child: RefCell::new(Some(Child::start(future))), result: RefCell::default(), missed: Cell::new(false) }
    }

    fn listen(&self, callback: impl FnOnce() + 'static) {
        if let Some(child) = &*self.child.borrow() {
            child.listen(callback); // Nothing runs now: the child is pending.
        }
    }

    /// Moves the result out, after the end of all.
    fn take(&self) -> Result<O::Value, Failure> {
        self.result.take().expect("a gather is over when every child has left its result")
    }

    fn take_value(&self) -> O::Value {
        self.take().unwrap_or_else(|failure| unreachable!("a gather of values has a child that failed: {failure}"))
    }
}

impl<O: Outcome> fmt::Debug for Slot<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("is_over", &self.result.borrow().is_some()).finish_non_exhaustive()
    }
}

/// A child without its types.
pub trait AnySlot {
    /// Tells whether the child is over already.
    fn is_done(&self) -> bool;
    /// Asks the child to end: whether it accepted, and whether it ended there and then.
    fn cancel(&self, message: Option<Arc<str>>) -> (bool, bool);
    /// Moves the result of a child that is over here; false if it is being asked to end.
    fn collect(&self) -> bool;
    /// Takes the failure, if it failed.
    fn take_failure(&self) -> Option<Failure>;
    /// Returns the child as the await graph sees it, unless it is over.
    fn waitable(&self) -> Option<Rc<dyn Waitable>>;
}

impl<O: Outcome> AnySlot for Slot<O> {
    fn is_done(&self) -> bool {
        self.child.borrow().as_ref().is_some_and(Child::done)
    }

    fn cancel(&self, message: Option<Arc<str>>) -> (bool, bool) {
        let Some(child) = self.child.take() else { return (false, false) };
        let accepted = child.cancel(message); // Whatever this leads to may come back here: under no borrow.
        self.child.replace(Some(child));
        (accepted, self.missed.take())
    }

    fn collect(&self) -> bool {
        let Some(child) = self.child.take() else {
            self.missed.set(true);
            return false;
        };
        let result = child.take(); // User code perhaps, a `Clone`.
        self.result.replace(Some(result));
        true
    }

    fn take_failure(&self) -> Option<Failure> {
        self.result.borrow_mut().take_if(|result| result.is_err())?.err()
    }

    fn waitable(&self) -> Option<Rc<dyn Waitable>> {
        self.child.borrow().as_ref().filter(|child| !child.done()).map(Child::waitable)
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

    /// Has `callback` called through the loop when one is over, which it is not yet.
    #[doc(hidden)]
    fn listen(&self, index: usize, callback: impl FnOnce() + 'static);

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

    fn listen(&self, index: usize, callback: impl FnOnce() + 'static) {
        self[index].listen(callback);
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

            fn listen(&self, index: usize, callback: impl FnOnce() + 'static) {
                match index {
                    $($index => self.$index.listen(callback),)+
                    _ => unreachable!("a tuple was asked for a child that it does not have"),
                }
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
