//! What can be waited for, behind a pointer of one word.
//!
//! `Rc<dyn Waitable>` takes two words, and what a task waits for has one in its cell. So what is waited for again and again,
//! a future of ours, carries its table with it.

#![allow(unsafe_code)]

use crate::Waitable;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

/// What can be done with a [`Thin`] by a pointer to it.
///
/// Each function takes the pointer of a [`ThinTarget`].
struct Table {
    /// Counts one more reference.
    retain: unsafe fn(NonNull<Head>),
    /// Gives one reference up.
    release: unsafe fn(NonNull<Head>),
    /// Makes the usual reference of one.
    into_rc: unsafe fn(NonNull<Head>) -> Rc<dyn Waitable>,
}

/// What each [`Thin`] begins with.
#[repr(C, align(8))]
struct Head(&'static Table);

/// A [`Waitable`] that can be pointed to by one word: a [`ThinTarget`].
///
/// It is the value in it, to all that look; `Rc<Thin<W>>` is an `Rc<dyn Waitable>` as any.
///
/// # Examples
///
/// ```
/// use corio_seam::{Thin, ThinTarget, Waitable};
/// use std::rc::Rc;
/// use std::sync::Arc;
///
/// struct Door;
///
/// impl Waitable for Door {
///     fn cancel(&self, _: Option<Arc<str>>) -> bool {
///         false
///     }
///
///     fn describe(&self) -> String {
///         "a door".to_string()
///     }
/// }
///
/// let door = Rc::new(Thin::new(Door));
/// let target = ThinTarget::of(&door);
/// assert_eq!(size_of_val(&target), size_of::<usize>());
/// assert_eq!(target.into_rc().describe(), "a door");
/// assert_eq!(Rc::strong_count(&door), 1);
/// ```
#[repr(C)]
pub struct Thin<W> {
    head: Head,
    inner: W,
}

impl<W: Waitable + 'static> Thin<W> {
    const TABLE: Table = Table { retain: Self::retain, release: Self::release, into_rc: Self::into_rc };

    /// Puts the table before it.
    #[inline]
    pub fn new(inner: W) -> Thin<W> {
        Thin { head: Head(&Self::TABLE), inner }
    }

    /// Takes a reference over.
    ///
    /// # Safety
    ///
    /// * `head` is that of a [`ThinTarget`] which is given up, and was made of an `Rc<Thin<W>>`.
    #[inline]
    unsafe fn take(head: NonNull<Head>) -> Rc<Thin<W>> {
        // SAFETY:
        // * the pointer came from `Rc::into_raw` of this very type;
        // * the caller's own promise: the reference is given up, once.
        unsafe { Rc::from_raw(head.as_ptr().cast::<Thin<W>>()) }
    }

    /// # Safety
    ///
    /// * `head` is that of a [`ThinTarget`] made of an `Rc<Thin<W>>`.
    unsafe fn retain(head: NonNull<Head>) {
        // SAFETY:
        // * the pointer came from `Rc::into_raw` of this very type, and the caller's reference is there.
        unsafe { Rc::increment_strong_count(head.as_ptr().cast::<Thin<W>>()) }
    }

    /// # Safety
    ///
    /// * As for [`take`](Thin::take).
    unsafe fn release(head: NonNull<Head>) {
        // SAFETY:
        // * the caller's own promise.
        drop(unsafe { Self::take(head) });
    }

    /// # Safety
    ///
    /// * As for [`take`](Thin::take).
    unsafe fn into_rc(head: NonNull<Head>) -> Rc<dyn Waitable> {
        // SAFETY:
        // * the caller's own promise.
        unsafe { Self::take(head) }
    }
}

impl<W> Deref for Thin<W> {
    type Target = W;

    #[inline]
    fn deref(&self) -> &W {
        &self.inner
    }
}

impl<W> DerefMut for Thin<W> {
    #[inline]
    fn deref_mut(&mut self) -> &mut W {
        &mut self.inner
    }
}

impl<W: Waitable> Waitable for Thin<W> {
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        self.inner.cancel(message)
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn is_over(&self) -> bool {
        self.inner.is_over()
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        self.inner.waits_for(visit);
    }
}

impl<W: fmt::Debug> fmt::Debug for Thin<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// A reference of a [`Thin`], whatever is in it: one of its `Rc`'s, in one word. `!Send`.
///
/// For whoever keeps what is waited for: see [`Seam::wait_on_target`](crate::Seam::wait_on_target).
pub struct ThinTarget(NonNull<Head>, PhantomData<Rc<dyn Waitable>>);

impl ThinTarget {
    /// The least that its address is a multiple of, so that a word which may be one can be told by its lowest bits.
    pub const ALIGN: usize = align_of::<Head>();

    /// Counts one more reference of `thin`.
    #[inline]
    #[must_use]
    pub fn of<W: Waitable + 'static>(thin: &Rc<Thin<W>>) -> ThinTarget {
        let thin = Rc::into_raw(Rc::clone(thin)).cast_mut();
        ThinTarget(NonNull::new(thin).expect("an `Rc` is never null").cast(), PhantomData)
    }

    /// Returns it as any [`Waitable`] is held.
    #[must_use]
    pub fn into_rc(self) -> Rc<dyn Waitable> {
        let target = ManuallyDrop::new(self);
        // SAFETY:
        // * the table is that of its type, and the reference is given up.
        unsafe { (target.table().into_rc)(target.0) }
    }

    /// Returns the address, which stands for the reference until [`from_raw`](ThinTarget::from_raw).
    #[inline]
    #[must_use]
    pub fn into_raw(self) -> NonNull<()> {
        ManuallyDrop::new(self).0.cast()
    }

    /// Makes a reference of its address.
    ///
    /// # Safety
    ///
    /// * `address` came from [`into_raw`](ThinTarget::into_raw), and is made a reference again once.
    #[inline]
    #[must_use]
    pub unsafe fn from_raw(address: NonNull<()>) -> ThinTarget {
        ThinTarget(address.cast(), PhantomData)
    }

    #[inline]
    fn table(&self) -> &'static Table {
        // SAFETY:
        // * the reference keeps a `Thin` alive, which begins with its head; that is never written.
        unsafe { self.0.as_ref() }.0
    }
}

impl Clone for ThinTarget {
    fn clone(&self) -> ThinTarget {
        // SAFETY:
        // * the table is that of its type.
        unsafe { (self.table().retain)(self.0) };
        ThinTarget(self.0, PhantomData)
    }
}

impl Drop for ThinTarget {
    #[inline]
    fn drop(&mut self) {
        // SAFETY:
        // * the table is that of its type, and the reference ends here.
        unsafe { (self.table().release)(self.0) }
    }
}

impl fmt::Debug for ThinTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ThinTarget").field(&self.clone().into_rc().describe()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TargetId;
    use std::cell::Cell;

    /// Notes its end.
    struct Noting(u64, Rc<Cell<u32>>);

    impl Waitable for Noting {
        fn cancel(&self, _: Option<Arc<str>>) -> bool {
            true
        }

        fn describe(&self) -> String {
            format!("number {}", self.0)
        }

        fn is_over(&self) -> bool {
            self.0 == 0
        }

        fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
            visit(Rc::new(Thin::new(Noting(self.0 + 1, Rc::clone(&self.1)))));
        }
    }

    impl Drop for Noting {
        fn drop(&mut self) {
            self.1.set(self.1.get() + 1);
        }
    }

    #[test]
    fn a_reference_of_one_word_counts() {
        let ends = Rc::new(Cell::new(0));
        let thin = Rc::new(Thin::new(Noting(7, Rc::clone(&ends))));
        let target = ThinTarget::of(&thin);
        assert_eq!((Rc::strong_count(&thin), format!("{target:?}")), (2, r#"ThinTarget("number 7")"#.to_string()));
        let second = target.clone();
        assert_eq!(Rc::strong_count(&thin), 3);
        drop(second);
        assert_eq!((Rc::strong_count(&thin), Rc::as_ptr(&thin).addr() % ThinTarget::ALIGN), (2, 0));
        drop(thin);
        assert_eq!(ends.get(), 0);
        drop(target);
        assert_eq!(ends.get(), 1);
    }

    #[test]
    fn it_is_what_is_in_it() {
        let ends = Rc::new(Cell::new(0));
        let thin = Rc::new(Thin::new(Noting(0, Rc::clone(&ends))));
        let any = ThinTarget::of(&thin).into_rc();
        assert_eq!((any.describe(), any.is_over(), any.cancel(None)), ("number 0".to_string(), true, true));
        assert_eq!(any.target_id(), TargetId::of(Rc::as_ptr(&thin)));
        let mut seen = Vec::new();
        any.waits_for(&mut |next| seen.push(next.describe()));
        assert_eq!((seen, ends.get()), (vec!["number 1".to_string()], 1));
        drop((any, thin));
        assert_eq!(ends.get(), 2);
    }
}
