//! The children of a combinator in place, seen as numbered members: lists and tuples alike.

use crate::block::Block;
use crate::member::Member;
use corio_task::{Branch, Cancelled, Entered};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Children that can be polled by number. Sealed: lists and tuples up to twelve.
pub trait Members {
    /// Says how many there are.
    #[doc(hidden)]
    fn count(&self) -> usize;

    /// Polls one that has not ended.
    #[doc(hidden)]
    fn poll_member(
        self: Pin<&mut Self>,
        children: &Entered<'_>,
        index: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Cancelled>>;

    /// Returns where the children's scopes are.
    #[doc(hidden)]
    fn branch(&self) -> &Branch;
}

/// Children whose outputs are all wanted.
pub trait AllMembers: Members {
    /// The outputs, in order: a `Vec` or a tuple.
    type Outputs;

    /// Takes the outputs, all of which are there.
    #[doc(hidden)]
    fn take_all(self: Pin<&mut Self>) -> Self::Outputs;
}

/// Children whose outputs are results with one error type.
pub trait TryMembers: Members {
    /// The values, in order: a `Vec` or a tuple.
    type Values;
    /// The error.
    type Error;

    /// Takes the output of one that has ended: the error, or nothing, and the value is kept.
    #[doc(hidden)]
    fn failure(self: Pin<&mut Self>, index: usize, values: &mut Self::Kept) -> Option<Self::Error>;

    /// Where the values wait for each other.
    #[doc(hidden)]
    type Kept: Default;

    /// Returns the values, all of which are there.
    #[doc(hidden)]
    fn values(&self, kept: Self::Kept) -> Self::Values;
}

/// Children with one type of output.
pub trait AnyMember: Members {
    /// The output.
    type Output;

    /// Takes the output of one that has ended.
    #[doc(hidden)]
    fn take_one(self: Pin<&mut Self>, index: usize) -> Self::Output;
}

/// What can be given to [`join`](crate::join) and its kin: futures, as an iterator or as a tuple.
///
/// `Shape` is inferred: [`List`] or [`Tuple`].
pub trait IntoMembers<Shape> {
    /// How the children are kept.
    type Members: Members;

    /// Makes each future a child.
    #[doc(hidden)]
    fn into_members(self) -> Self::Members;
}

/// Marks what is given as an iterator of one type of future.
#[derive(Debug)]
pub enum List {}

/// Marks what is given as a tuple.
#[derive(Debug)]
pub enum Tuple {}

/// The children of an iterator.
pub struct Many<F: Future> {
    branch: Branch, // First: it is dropped before the children.
    block: Block<Member<F>>,
}

impl<F: Future> Many<F> {
    fn member(self: Pin<&mut Self>, index: usize) -> Pin<&mut Member<F>> {
        self.get_mut().block.at(index)
    }
}

impl<F: Future> fmt::Debug for Many<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Many").field("count", &self.block.len()).finish_non_exhaustive()
    }
}

impl<I> IntoMembers<List> for I
where
    I: IntoIterator,
    I::Item: Future,
{
    type Members = Many<I::Item>;

    fn into_members(self) -> Many<I::Item> {
        let block = Block::new(self.into_iter().map(Member::new));
        Many { branch: Branch::new(block.len()), block }
    }
}

impl<F: Future> Members for Many<F> {
    #[inline]
    fn count(&self) -> usize {
        self.block.len()
    }

    #[inline(always)] // Here and in what it calls: how a child ended is not put together in memory.
    fn poll_member(
        self: Pin<&mut Self>,
        children: &Entered<'_>,
        index: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Cancelled>> {
        self.member(index).poll(children, index, cx)
    }

    #[inline]
    fn branch(&self) -> &Branch {
        &self.branch
    }
}

impl<F: Future> AllMembers for Many<F> {
    type Outputs = Vec<F::Output>;

    fn take_all(mut self: Pin<&mut Self>) -> Vec<F::Output> {
        (0..self.count()).map(|index| self.as_mut().member(index).take()).collect()
    }
}

impl<F, T, E> TryMembers for Many<F>
where
    F: Future<Output = Result<T, E>>,
{
    type Values = Vec<T>;
    type Error = E;
    type Kept = Vec<(usize, T)>;

    fn failure(self: Pin<&mut Self>, index: usize, kept: &mut Vec<(usize, T)>) -> Option<E> {
        self.member(index).take().map(|value| kept.push((index, value))).err()
    }

    fn values(&self, mut kept: Vec<(usize, T)>) -> Vec<T> {
        kept.sort_unstable_by_key(|(index, _)| *index);
        kept.into_iter().map(|(_, value)| value).collect()
    }
}

impl<F: Future> AnyMember for Many<F> {
    type Output = F::Output;

    fn take_one(self: Pin<&mut Self>, index: usize) -> F::Output {
        self.member(index).take()
    }
}

/// Makes the children of a tuple of one length.
macro_rules! tuple {
    ($Name:ident $(($index:tt, $F:ident, $T:ident, $field:ident))+) => {
        pin_project_lite::pin_project! {
            #[doc = "The children of a tuple."]
            pub struct $Name<$($F: Future),+> {
                // First: it is dropped before the children.
                branch: Branch,
                $(#[pin] $field: Member<$F>,)+
            }
        }

        impl<$($F: Future),+> fmt::Debug for $Name<$($F),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Name)).finish_non_exhaustive()
            }
        }

        impl<$($F: Future),+> IntoMembers<Tuple> for ($($F,)+) {
            type Members = $Name<$($F),+>;

            fn into_members(self) -> Self::Members {
                $Name { branch: Branch::new([$($index),+].len()), $($field: Member::new(self.$index),)+ }
            }
        }

        impl<$($F: Future),+> Members for $Name<$($F),+> {
            #[inline]
            fn count(&self) -> usize {
                [$($index),+].len()
            }

            #[inline]
            fn poll_member(
                self: Pin<&mut Self>,
                children: &Entered<'_>,
                index: usize,
                cx: &mut Context<'_>,
            ) -> Poll<Result<(), Cancelled>> {
                let this = self.project();
                match index {
                    $($index => this.$field.poll(children, index, cx),)+
                    _ => unreachable!("a tuple was asked for a child that it does not have"),
                }
            }

            fn branch(&self) -> &Branch {
                &self.branch
            }
        }

        impl<$($F: Future),+> AllMembers for $Name<$($F),+> {
            type Outputs = ($($F::Output,)+);

            fn take_all(self: Pin<&mut Self>) -> Self::Outputs {
                let this = self.project();
                ($(this.$field.take(),)+)
            }
        }

        impl<Error, $($T, $F: Future<Output = Result<$T, Error>>),+> TryMembers for $Name<$($F),+> {
            type Values = ($($T,)+);
            type Error = Error;
            type Kept = ($(Option<$T>,)+);

            fn failure(self: Pin<&mut Self>, index: usize, kept: &mut Self::Kept) -> Option<Error> {
                let this = self.project();
                match index {
                    $($index => this.$field.take().map(|value| kept.$index = Some(value)).err(),)+
                    _ => unreachable!("a tuple was asked for a child that it does not have"),
                }
            }

            fn values(&self, kept: Self::Kept) -> Self::Values {
                ($(kept.$index.expect("each child that ended without an error left a value"),)+)
            }
        }

        impl<Output, $($F: Future<Output = Output>),+> AnyMember for $Name<$($F),+> {
            type Output = Output;

            fn take_one(self: Pin<&mut Self>, index: usize) -> Output {
                let this = self.project();
                match index {
                    $($index => this.$field.take(),)+
                    _ => unreachable!("a tuple was asked for a child that it does not have"),
                }
            }
        }
    };
}

tuple!(Tuple1(0, A, TA, a));
tuple!(Tuple2(0, A, TA, a)(1, B, TB, b));
tuple!(Tuple3(0, A, TA, a)(1, B, TB, b)(2, C, TC, c));
tuple!(Tuple4(0, A, TA, a)(1, B, TB, b)(2, C, TC, c)(3, D, TD, d));
tuple!(Tuple5(0, A, TA, a)(1, B, TB, b)(2, C, TC, c)(3, D, TD, d)(4, E, TE, e));
tuple!(Tuple6(0, A, TA, a)(1, B, TB, b)(2, C, TC, c)(3, D, TD, d)(4, E, TE, e)(5, F, TF, f));
tuple!(Tuple7(0, A, TA, a)(1, B, TB, b)(2, C, TC, c)(3, D, TD, d)(4, E, TE, e)(5, F, TF, f)(6, G, TG, g));
tuple!(Tuple8(0, A, TA, a)(1, B, TB, b)(2, C, TC, c)(3, D, TD, d)(4, E, TE, e)(5, F, TF, f)(6, G, TG, g)(7, H, TH, h));
tuple!(Tuple9(0, A, TA, a)(1, B, TB, b)(2, C, TC, c)(3, D, TD, d)(4, E, TE, e)(5, F, TF, f)(6, G, TG, g)(7, H, TH, h)(
    8, I, TI, i
));
tuple!(
    Tuple10(0, A, TA, a)(1, B, TB, b)(2, C, TC, c)(3, D, TD, d)(4, E, TE, e)(5, F, TF, f)(6, G, TG, g)(7, H, TH, h)(
        8, I, TI, i
    )(9, J, TJ, j)
);
tuple!(
    Tuple11(0, A, TA, a)(1, B, TB, b)(2, C, TC, c)(3, D, TD, d)(4, E, TE, e)(5, F, TF, f)(6, G, TG, g)(7, H, TH, h)(
        8, I, TI, i
    )(9, J, TJ, j)(10, K, TK, k)
);
tuple!(
    Tuple12(0, A, TA, a)(1, B, TB, b)(2, C, TC, c)(3, D, TD, d)(4, E, TE, e)(5, F, TF, f)(6, G, TG, g)(7, H, TH, h)(
        8, I, TI, i
    )(9, J, TJ, j)(10, K, TK, k)(11, L, TL, l)
);
