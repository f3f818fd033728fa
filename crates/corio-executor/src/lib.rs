//! The event loop: timers, selector, callbacks, threads; run and Runner.
