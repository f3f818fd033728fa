//! What is `Send`, `Sync` and `Unpin`, and how large the handles are.

use corio_future::{CallbackKey, Future, FutureError, InvalidState, Promise, concurrent};
use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;

fn send<T: Send>() {}
fn sync<T: Sync>() {}
fn unpin<T: Unpin>() {}
fn error<T: Error + 'static>() {}

#[test]
fn what_may_cross_threads() {
    send::<concurrent::Promise<Cell<u32>>>();
    sync::<concurrent::Promise<Cell<u32>>>();
    send::<concurrent::Future<Cell<u32>>>();
    sync::<concurrent::Future<Cell<u32>>>();
    send::<concurrent::AsCompleted<Cell<u32>>>();
    send::<concurrent::FutureError>();
    send::<concurrent::WaitError>();
    send::<FutureError>();
    sync::<FutureError>();
    send::<InvalidState>();
    sync::<InvalidState>();
    send::<CallbackKey>();
    sync::<CallbackKey>();
}

/// Answers a question of auto traits by method resolution: `Probe<T>`'s own method is there if the bound holds.
macro_rules! is {
    ($t:ty: $bound:ident) => {{
        struct Probe<T>(std::marker::PhantomData<T>);
        #[allow(dead_code)] // Where it holds.
        trait Otherwise {
            const HOLDS: bool = false;
        }
        impl<T> Otherwise for Probe<T> {}
        #[allow(dead_code)] // Where the bound does not hold.
        impl<T: $bound> Probe<T> {
            const HOLDS: bool = true;
        }
        Probe::<$t>::HOLDS
    }};
}

#[test]
fn hazard_11_what_may_not_cross_threads() {
    assert!(!is!(Promise<u32>: Send) && !is!(Promise<u32>: Sync));
    assert!(!is!(Future<u32>: Send) && !is!(Future<u32>: Sync));
    assert!(!is!(concurrent::Promise<Rc<u32>>: Send) && !is!(concurrent::Promise<Rc<u32>>: Sync));
    assert!(!is!(concurrent::Future<Rc<u32>>: Send) && !is!(concurrent::Future<Rc<u32>>: Sync));
    type Guard = std::sync::MutexGuard<'static, u32>;
    assert!(!is!(concurrent::Future<Guard>: Send) && !is!(concurrent::Promise<Guard>: Send));
    assert!(!is!(concurrent::AsCompleted<Rc<u32>>: Send));
    assert!(is!(concurrent::Future<u32>: Send), "the probe can say yes");
}

#[test]
fn what_may_move() {
    unpin::<Promise<std::marker::PhantomPinned>>();
    unpin::<Future<std::marker::PhantomPinned>>();
    unpin::<concurrent::Promise<std::marker::PhantomPinned>>();
    unpin::<concurrent::Future<std::marker::PhantomPinned>>();
}

#[test]
fn errors_are_errors() {
    error::<FutureError>();
    error::<InvalidState>();
    error::<concurrent::FutureError>();
    error::<concurrent::WaitError>();
    error::<concurrent::TimedOut>();
}

#[test]
fn a_handle_is_a_pointer_and_a_tag() {
    let two_words = 2 * size_of::<usize>();
    assert!(size_of::<Promise<[u64; 9]>>() <= two_words);
    assert!(size_of::<Future<[u64; 9]>>() <= two_words);
    assert!(size_of::<concurrent::Promise<[u64; 9]>>() <= two_words);
    assert!(size_of::<concurrent::Future<[u64; 9]>>() <= two_words);
}
