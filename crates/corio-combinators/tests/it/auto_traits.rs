use corio_combinators::{NotActive, NothingToWaitFor, ReturnWhen, TimedOut};

fn is_send_and_sync<T: Send + Sync>() {}

#[test]
fn plain_errors_cross_threads() {
    is_send_and_sync::<TimedOut>();
    is_send_and_sync::<NotActive>();
    is_send_and_sync::<NothingToWaitFor>();
    is_send_and_sync::<ReturnWhen>();
}
