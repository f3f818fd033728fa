//! What the signatures of this crate name, and a program seldom does: how children are given, and how they are kept.
//!
//! All of these traits are sealed in effect: they are implemented for iterators and tuples, and their methods are hidden.

pub use crate::child::Child;
pub use crate::ears::Ears;
pub use crate::fallible::{FallibleHandle, Handle};
pub use crate::members::{
    AllMembers, AnyMember, IntoMembers, List, Many, Members, TryMembers, Tuple, Tuple1, Tuple2, Tuple3, Tuple4, Tuple5,
    Tuple6, Tuple7, Tuple8, Tuple9, Tuple10, Tuple11, Tuple12,
};
pub use crate::slots::{AnySlot, Collected, IntoSlots, Slot, Slots};
pub use crate::standing::{Key, Standing};
pub use crate::wait::{Shown, Waited};
