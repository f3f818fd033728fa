//! Waiting for a pool's end without blocking.

use crate::pool::Shared;
use corio_seam::{Waiting, wait_on};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Future of [`ThreadPoolExecutor::shutdown_async`](crate::ThreadPoolExecutor::shutdown_async): ready once the last
/// thread leaves, which completes it itself.
///
/// It needs no timer: put a time limit around it, and drop it when the time is over.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ShutDown {
    /// The pool, until it has ended; `None` from the start where there is nothing to shut down.
    pool: Option<(Arc<Shared>, u64)>,
}

impl ShutDown {
    pub(crate) fn new(pool: Arc<Shared>) -> ShutDown {
        let number = pool.gate.number();
        ShutDown { pool: Some((pool, number)) }
    }

    /// Makes one for a pool that never was.
    pub(crate) fn of_nothing() -> ShutDown {
        ShutDown { pool: None }
    }
}

impl Future for ShutDown {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some((pool, number)) = &self.pool else { return Poll::Ready(()) };
        if pool.gate.poll_end(*number, cx).is_pending() {
            wait_on(Waiting::Leaf(&"shutdown of a thread pool"));
            return Poll::Pending;
        }
        self.pool = None;
        Poll::Ready(())
    }
}

impl Drop for ShutDown {
    fn drop(&mut self) {
        if let Some((pool, number)) = &self.pool {
            pool.gate.stop_polling(*number);
        }
    }
}

impl fmt::Debug for ShutDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShutDown").field("ended", &self.pool.is_none()).finish()
    }
}
