use corio_task::{
    CallbackKey, Cancelled, CatchCancelled, RemoteSet, Scope, ScopeHandle, Seats, Task, TaskId, TaskRef, TaskSet,
};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Deref;

/// Finds out at run time whether a type is `Send`: the inherent method is preferred where its bound holds.
struct Probe<T>(Fallback<T>, PhantomData<T>);
struct Fallback<T>(PhantomData<T>);

impl<T: Send> Probe<T> {
    fn is_send(&self) -> bool {
        true
    }
}
impl<T> Fallback<T> {
    fn is_send(&self) -> bool {
        false
    }
}
impl<T> Deref for Probe<T> {
    type Target = Fallback<T>;
    fn deref(&self) -> &Fallback<T> {
        &self.0
    }
}
macro_rules! is_send {
    ($t:ty) => {
        Probe::<$t>(Fallback(PhantomData), PhantomData).is_send()
    };
}

fn is_sync<T: Sync>() {}
fn is_unpin<T: Unpin>() {}

#[test]
fn what_may_cross_a_thread() {
    assert!(is_send!(RemoteSet) && is_send!(TaskId) && is_send!(CallbackKey) && is_send!(Cancelled));
    assert!(!is_send!(TaskSet) && !is_send!(Task<()>) && !is_send!(TaskRef) && !is_send!(Seats));
    assert!(!is_send!(Scope) && !is_send!(ScopeHandle) && !is_send!(CatchCancelled<()>));
    is_sync::<RemoteSet>();
    is_unpin::<Task<Cell<std::marker::PhantomPinned>>>();
}
