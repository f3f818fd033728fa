//! Danger: something that leaves its thread, or cannot, against the table on the crate's first page.

use corio_executor::test::{Sequencer, Step, StepGuard, WaitAllTasksBlocked};
use corio_executor::{
    Busy, EventLoop, EventLoopBuilder, Handle, Interval, LoopHandle, LoopTime, MonotonicClock, RemoteCall,
    RemoteHandle, RunError, Runner, Sleep, StillRunning, TimerHandle, VirtualClock, Wait, YieldNow,
};
use std::marker::PhantomData;

/// Tells whether a type is `Send`: the inherent answer is preferred where its bound holds.
struct Ask<T>(PhantomData<T>);

trait No {
    fn is_send(&self) -> bool {
        false
    }
}

impl<T> No for Ask<T> {}

impl<T: Send> Ask<T> {
    fn is_send(&self) -> bool {
        true
    }
}

macro_rules! is_send {
    ($type:ty) => {
        Ask::<$type>(PhantomData).is_send()
    };
}

#[test]
fn what_belongs_to_the_loop_stays_on_its_thread() {
    assert!(!is_send!(EventLoop) && !is_send!(EventLoopBuilder) && !is_send!(Runner));
    assert!(!is_send!(LoopHandle) && !is_send!(Handle) && !is_send!(TimerHandle));
    assert!(!is_send!(Sleep) && !is_send!(Interval) && !is_send!(VirtualClock));
    assert!(!is_send!(WaitAllTasksBlocked) && !is_send!(Sequencer) && !is_send!(Step) && !is_send!(StepGuard));
}

#[test]
fn what_is_for_other_threads_goes_there() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<RemoteHandle>();
    is_send_and_sync::<RemoteCall>();
    is_send_and_sync::<Busy>();
    assert!(is_send!(RemoteHandle), "else the answers above mean nothing");
    is_send_and_sync::<(RunError, StillRunning, LoopTime, Wait, MonotonicClock, YieldNow)>();
}
