use corio_threadpool::{
    Builder, Call, CallError, Executor, Job, Map, MapError, Rejected, ShutDown, SubmitError, ThreadPoolExecutor,
    ToThread,
};
use std::cell::Cell;
use std::rc::Rc;

fn is_send<T: Send>() {}
fn is_sync<T: Sync>() {}
fn is_unpin<T: Unpin>() {}

/// Compiles only for a type that is not `Send`: for others, two implementations apply.
trait NotSend<Which> {
    fn check() {}
}
struct IfSend;
impl<T: ?Sized> NotSend<()> for T {}
impl<T: ?Sized + Send> NotSend<IfSend> for T {}

/// The same for `Sync`.
trait NotSync<Which> {
    fn check() {}
}
struct IfSync;
impl<T: ?Sized> NotSync<()> for T {}
impl<T: ?Sized + Sync> NotSync<IfSync> for T {}

#[test]
fn the_table_is_true() {
    is_send::<ThreadPoolExecutor>();
    is_sync::<ThreadPoolExecutor>();
    is_send::<Builder>();
    is_sync::<Builder>();
    is_send::<ShutDown>();
    is_sync::<ShutDown>();
    is_send::<Job>();
    <Job as NotSync<_>>::check();
    is_send::<Rejected>();
    is_send::<CallError>();
    is_send::<MapError>();
    is_send::<Call<Cell<u8>>>();
    is_send::<SubmitError<Cell<u8>>>();
    is_send::<ToThread<Cell<u8>, Cell<u8>>>();
    is_send::<Map<'_, ThreadPoolExecutor, std::ops::Range<u8>, fn(u8) -> u8, u8>>();
    <dyn Executor as NotSend<_>>::check();
}

/// Hazard 11: what must not cross threads is held back.
#[test]
fn hazard_11_what_is_not_send_stays() {
    <Call<Rc<u8>> as NotSend<_>>::check();
    <SubmitError<Rc<u8>> as NotSend<_>>::check();
    <ToThread<Rc<u8>, u8> as NotSend<_>>::check();
}

#[test]
fn futures_need_no_pinning() {
    is_unpin::<Call<std::marker::PhantomPinned>>();
    is_unpin::<ToThread<std::marker::PhantomPinned, std::marker::PhantomPinned>>();
    is_unpin::<ShutDown>();
}
