//! What most programs say: `use corio::prelude::*`.
//!
//! Functions and types of asyncio's everyday; not [`Future`](crate::Future), whose name is that of std's trait.

pub use crate::{
    Cancelled, Event, ExecutorExt as _, JoinError, Lock, LoopHandle, PriorityQueue, Queue, Semaphore, Task, TaskGroup,
    as_completed, catch_cancelled, create_task, current_task, gather, gather_settled, interval, join, promise, race,
    run, run_in_executor, shield, sleep, timeout, to_thread, try_join, yield_now,
};
