//! One list of waiters, and the locks that stand on it: Lock, Event, Semaphore.
