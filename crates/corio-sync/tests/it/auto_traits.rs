use corio_sync::*;

/// Does not compile if `$type` implements `$bound`.
macro_rules! not {
    ($type:ty: $bound:ident) => {
        const _: fn() = || {
            trait Ambiguous<A> {
                fn check() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct Implements;
            impl<T: ?Sized + $bound> Ambiguous<Implements> for T {}
            let _ = <$type as Ambiguous<_>>::check;
        };
    };
}

not!(Lock: Sync);
not!(Event: Sync);
not!(Semaphore: Sync);
not!(Condition: Sync);
not!(Condition: Send); // Its lock may be shared by `Rc`.
not!(BoundedSemaphore: Sync);
not!(Barrier: Sync);
not!(ResourceGuard: Sync);
not!(Waiters: Sync);
not!(LockGuard<'static>: Send);
not!(Permit<'static>: Send);
not!(Acquire<'static>: Send);
not!(AcquirePermit<'static>: Send);
not!(EventWait<'static>: Send);
not!(ConditionWait<'static>: Send);
not!(BarrierWait<'static>: Send);
not!(InUse<'static>: Send);

fn send_sync<T: Send + Sync>() {}
fn send<T: Send>() {}
fn unpin<T: Unpin>() {}

#[test]
fn what_the_table_says() {
    send_sync::<(WaiterList, WaiterKey, Wakers, Removed)>();
    send_sync::<(NotLocked, NotAcquired, TooManyReleases, BrokenBarrier, BusyResource)>();
    send_sync::<(LockStatistics, EventStatistics, ConditionStatistics)>();
    send_sync::<(SemaphoreStatistics, BarrierStatistics, ResourceGuardStatistics)>();
    send::<(Lock, Event, Semaphore, BoundedSemaphore, Barrier, ResourceGuard, Waiters)>();
    unpin::<(Acquire<'_>, AcquirePermit<'_>, EventWait<'_>, ConditionWait<'_>, BarrierWait<'_>)>();
}
