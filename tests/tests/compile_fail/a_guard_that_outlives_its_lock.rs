//! A guard borrows its lock.

fn main() {
    let guard = {
        let lock = corio::Lock::new();
        lock.try_acquire()
    };
    drop(guard);
}
