use corio_signal::{Bell, LoopBell, Recv, Signal, Signals};
use std::panic::UnwindSafe;

fn is_send_and_sync<T: Send + Sync + Unpin>() {}
fn is_unwind_safe<T: UnwindSafe>() {}

/// Compiles only for a type that is not `Send`: for others, two implementations apply.
trait NotSend<Which> {
    fn check() {}
}
struct IfSend;
impl<T: ?Sized> NotSend<()> for T {}
impl<T: ?Sized + Send> NotSend<IfSend> for T {}

#[test]
fn the_table_is_true() {
    is_send_and_sync::<Signal>();
    is_send_and_sync::<Signals>();
    is_send_and_sync::<Recv<'_>>();
    is_send_and_sync::<Bell>();
    is_unwind_safe::<Bell>();
    <LoopBell as NotSend<_>>::check();
}
