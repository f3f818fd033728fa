//! Async queues with put, get, join and shutdown; and one between threads.
