//! Every order in which a sleeper and its ringers can meet. Run with
//! `RUSTFLAGS="--cfg loom" cargo test -p corio-executor --release --lib parker`.

use super::{PARKED, Parker, RUNG};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;

/// Lets `n_ringers` threads each add one to a count and ring, by `ring`; the sleeper sleeps until it has seen all.
fn model(n_ringers: u32, ring: fn(&Parker)) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3); // Without a bound two ringers take hours.
    builder.check(move || {
        let (parker, count) = (Arc::new(Parker::new()), Arc::new(AtomicU32::new(0)));
        let ringers: Vec<_> = (0..n_ringers)
            .map(|_| {
                let (parker, count) = (parker.clone(), count.clone());
                thread::spawn(move || {
                    count.fetch_add(1, Ordering::Relaxed); // What orders it is the ring.
                    ring(&parker);
                })
            })
            .collect();
        while count.load(Ordering::Relaxed) < n_ringers {
            parker.park(None);
        }
        ringers.into_iter().for_each(|ringer| ringer.join().unwrap());
    });
}

#[test]
fn no_ring_is_lost() {
    model(1, Parker::unpark);
    model(2, Parker::unpark);
}

#[test]
#[should_panic(expected = "deadlock")]
fn control_a_ring_that_only_wakes_is_lost() {
    model(1, |parker| {
        if parker.futex.word().load(Ordering::SeqCst) == PARKED {
            parker.futex.wake();
        }
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn control_a_ring_that_only_writes_is_lost() {
    model(1, |parker| parker.futex.word().store(RUNG, Ordering::Release));
}
