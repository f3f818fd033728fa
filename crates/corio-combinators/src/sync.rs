//! What the board of `bells` is made of; loom's, when loom explores it.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU32, AtomicUsize};
#[cfg(not(loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicUsize};
#[cfg(loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};

#[cfg(not(loom))]
thread_local! {
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}
#[cfg(loom)]
loom::thread_local! {
    static NUMBER: Cell<u64> = Cell::new(0);
}

/// Returns the number of this thread, which no other thread has, had or will have.
#[inline]
pub(crate) fn thread_number() -> u64 {
    let number = NUMBER.with(Cell::get);
    if number == 0 { NUMBER.with(number_thread) } else { number }
}

#[cold]
fn number_thread(number: &Cell<u64>) -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    number.set(LAST.fetch_add(1, Ordering::Relaxed) + 1); // Only uniqueness matters.
    number.get()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::thread_number;

    #[test]
    fn each_thread_has_a_number_of_its_own() {
        let here = thread_number();
        let others = [(); 3].map(|()| std::thread::spawn(|| (thread_number(), thread_number())).join().unwrap());
        assert_eq!(thread_number(), here);
        let mut all = vec![here];
        for (first, second) in others {
            assert_eq!(first, second);
            assert!(!all.contains(&first), "{first} is there twice");
            all.push(first);
        }
    }
}
