use corio_queue::*;
use std::cell::Cell;
use std::rc::Rc;

/// Does not compile if `$type` implements `$bound`.
macro_rules! not {
    ($type:ty: $bound:ident) => {
        const _: fn() = || {
            trait Ambiguous<A> {
                fn check() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct Implements;
            impl<T: ?Sized + $bound> Ambiguous<Implements> for T {}
            let _ = <$type as Ambiguous<_>>::check;
        };
    };
}

not!(Queue<u8>: Send);
not!(Queue<u8>: Sync);
not!(LifoQueue<u8>: Send);
not!(PriorityQueue<u8>: Send);
not!(Get<'static, Fifo<u8>>: Send);
not!(Put<'static, Fifo<u8>>: Send);
not!(Join<'static, Fifo<u8>>: Send);
not!(Items<Fifo<u8>>: Send);
// hazard_11: an item that may not change threads keeps the queue on its own.
not!(concurrent::Queue<Rc<u8>>: Send);
not!(concurrent::Queue<Rc<u8>>: Sync);
not!(concurrent::Get<'static, Rc<u8>>: Send);
not!(concurrent::Put<'static, Rc<u8>>: Send);
not!(concurrent::Items<Rc<u8>>: Send);

fn send_sync<T: Send + Sync>() {}
fn send<T: Send>() {}
fn unpin<T: Unpin>() {}
fn error<T: std::error::Error + Send + Sync + 'static>() {}

#[test]
fn what_the_table_says() {
    send_sync::<concurrent::Queue<Cell<u8>>>(); // `Send` is enough: it is only ever moved.
    send::<(concurrent::Get<'_, Cell<u8>>, concurrent::Put<'_, Cell<u8>>, concurrent::Join<'_, Cell<u8>>)>();
    send::<concurrent::Items<Cell<u8>>>();
    unpin::<(Get<'_, Fifo<u8>>, Put<'_, Fifo<std::marker::PhantomPinned>>, Join<'_, Fifo<u8>>, Items<Fifo<u8>>)>();
    error::<PutError<u8>>();
    error::<GetError>();
    error::<ShutDown>();
    error::<TooManyTaskDone>();
}
