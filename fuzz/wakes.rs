//! Wakers that count, and marks that know how many of them are alive.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

/// How often something was woken, and what else that does.
pub struct Bell {
    count: AtomicUsize,
    hook: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Bell {
    /// Makes a bell that only counts.
    pub fn new() -> Arc<Bell> {
        Arc::new(Bell { count: AtomicUsize::new(0), hook: None })
    }

    /// Makes a bell that calls `hook` too, each time.
    pub fn calling(hook: impl Fn() + Send + Sync + 'static) -> Arc<Bell> {
        Arc::new(Bell { count: AtomicUsize::new(0), hook: Some(Box::new(hook)) })
    }

    /// Returns how often it rang.
    pub fn count(&self) -> usize {
        self.count.load(SeqCst)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.count.fetch_add(1, SeqCst);
        if let Some(hook) = &self.hook {
            hook();
        }
    }
}

/// Polls once, with that waker.
pub fn poll<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// A part of each value that must be dropped: the count of those that live.
#[derive(Debug)]
pub struct Mark(Arc<AtomicIsize>);

impl Mark {
    /// Makes one, and counts it.
    pub fn new(alive: &Arc<AtomicIsize>) -> Mark {
        alive.fetch_add(1, SeqCst);
        Mark(Arc::clone(alive))
    }
}

impl Clone for Mark {
    fn clone(&self) -> Mark {
        Mark::new(&self.0)
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        assert!(self.0.fetch_sub(1, SeqCst) > 0, "more values were dropped than made");
    }
}
