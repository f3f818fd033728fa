//! The kernel's futex, or, to be model-checked, one that is made of a lock and a condition variable.

#[cfg(loom)]
pub(super) use self::model::Futex;
#[cfg(not(loom))]
pub(super) use self::real::Futex;
pub(super) use std::sync::atomic::Ordering;

#[cfg(not(loom))]
mod real {
    use rustix::thread::futex::{Flags, Timespec, wait, wake};
    use std::sync::atomic::AtomicU32;
    use std::time::Duration;

    /// A word that one thread can sleep on.
    #[derive(Debug)]
    pub(in super::super) struct Futex(AtomicU32);

    impl Futex {
        pub(in super::super) fn new(value: u32) -> Futex {
            Futex(AtomicU32::new(value))
        }

        pub(in super::super) fn word(&self) -> &AtomicU32 {
            &self.0
        }

        /// Has handlers of signals ring here too: true if they do.
        pub(in super::super) fn hang_for_signals(&'static self) -> bool {
            corio_signal::LoopBell::new().hang_at(&self.0)
        }

        /// Sleeps until woken, if the word is `expected`; may return early.
        pub(in super::super) fn wait(&self, expected: u32, timeout: Option<Duration>) {
            // A timeout that no `Timespec` can hold is for ever.
            let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
            let _ = wait(&self.0, Flags::PRIVATE, expected, timeout.as_ref());
        }

        /// Wakes who sleeps.
        pub(in super::super) fn wake(&self) {
            let _ = wake(&self.0, Flags::PRIVATE, 1);
        }
    }
}

#[cfg(loom)]
mod model {
    use loom::sync::atomic::AtomicU32;
    use loom::sync::{Condvar, Mutex};
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    /// A futex as the kernel makes it: the word is compared, and the sleeper enlisted, under one lock.
    #[derive(Debug)]
    pub(in super::super) struct Futex {
        word: AtomicU32,
        bucket: Mutex<()>,
        sleeper: Condvar,
    }

    impl Futex {
        pub(in super::super) fn new(value: u32) -> Futex {
            Futex { word: AtomicU32::new(value), bucket: Mutex::new(()), sleeper: Condvar::new() }
        }

        pub(in super::super) fn word(&self) -> &AtomicU32 {
            &self.word
        }

        /// They are not modelled: to the sleeper, a handler is one more ringer.
        pub(in super::super) fn hang_for_signals(&'static self) -> bool {
            false
        }

        pub(in super::super) fn wait(&self, expected: u32, _: Option<Duration>) {
            let bucket = self.bucket.lock().unwrap();
            if self.word.load(Ordering::SeqCst) == expected {
                drop(self.sleeper.wait(bucket).unwrap());
            }
        }

        pub(in super::super) fn wake(&self) {
            let _bucket = self.bucket.lock().unwrap();
            self.sleeper.notify_one();
        }
    }
}
