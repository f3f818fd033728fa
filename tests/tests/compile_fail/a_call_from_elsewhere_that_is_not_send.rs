//! A callback for the loop that comes from another thread must be able to cross.

use std::rc::Rc;

fn call(remote: &corio::RemoteHandle) {
    let counter = Rc::new(1);
    let _ = remote.call_soon_threadsafe(move || drop(counter));
}

fn main() {
    let _ = call;
}
