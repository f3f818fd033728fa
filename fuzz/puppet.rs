//! Another thread, which does one thing at a time while its master waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

type Action = Box<dyn FnOnce() + Send>;

thread_local! {
    static PUPPET: (SyncSender<Action>, Receiver<bool>) = start();
}

fn start() -> (SyncSender<Action>, Receiver<bool>) {
    let (actions, todo) = sync_channel::<Action>(0);
    let (tell, told) = sync_channel(0);
    std::thread::spawn(move || {
        for action in todo {
            let held = catch_unwind(AssertUnwindSafe(action)).is_ok();
            if tell.send(held).is_err() {
                return;
            }
        }
    });
    (actions, told)
}

/// Does something on the other thread.
///
/// # Panics
///
/// If that panics.
pub fn elsewhere(action: impl FnOnce() + Send + 'static) {
    PUPPET.with(|(actions, told)| {
        actions.send(Box::new(action)).expect("the other thread lives");
        assert!(told.recv().expect("the other thread lives"), "a panic on the other thread");
    });
}
