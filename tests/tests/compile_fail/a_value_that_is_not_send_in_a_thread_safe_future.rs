//! A thread-safe pair crosses threads only with values that may.

use std::rc::Rc;

fn main() {
    let (promise, _future) = corio::concurrent::promise::<Rc<u32>>();
    std::thread::spawn(move || drop(promise));
}
