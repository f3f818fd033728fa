//! What differs between systems, and nothing else: the one place of `cfg` in this crate.
//!
//! * descriptors: `AsFd` and its kin, which Windows calls sockets;
//! * [`Parker`]: how a loop without sources sleeps, and whether a signal ends that sleep;
//! * [`Stopwatch`]: the monotonic clock, read with no more ado than the system needs;
//! * [`TimerSlack`]: how late the kernel may end a sleep;
//! * [`DirectWait`]: how a loop with sources sleeps, if there is a better way than the portable one;
//! * [`is_ready`] and [`check_nonblocking`]: what the kernel thinks of a descriptor now;
//! * [`signal_bell`]: what tells that a signal has arrived;
//! * [`is_main_thread`]: whether Ctrl-C is this thread's business.
//!
//! Linux has a way of its own for each. Everything else takes `portable`, which is tested on Linux too.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::{AsFd, BorrowedFd, OwnedFd, RawFd, borrow, check_nonblocking, is_ready, raw, signal_bell};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::{AsFd, BorrowedFd, OwnedFd, RawFd, borrow, check_nonblocking, is_ready, raw, signal_bell};

// Miri knows neither epoll's timeouts nor the timer slack, and a condition variable as well as a futex.
#[cfg(all(target_os = "linux", not(miri)))]
mod linux;
#[cfg(all(target_os = "linux", not(miri)))]
pub(crate) use linux::{DirectWait, Parker, Stopwatch, TimerSlack, is_main_thread};

#[cfg(any(test, miri, not(target_os = "linux")))]
#[cfg_attr(all(target_os = "linux", not(miri)), allow(dead_code, reason = "on Linux only its tests use it"))]
mod portable;
#[cfg(any(miri, not(target_os = "linux")))]
pub(crate) use portable::{DirectWait, Parker, Stopwatch, TimerSlack, is_main_thread};

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::{Duration, Instant};

    /// What every parker owes.
    macro_rules! parker_tests {
        ($name:ident, $Parker:ty) => {
            mod $name {
                use super::*;

                #[test]
                fn a_ring_before_the_sleep_ends_it_and_is_used_up() {
                    let parker = <$Parker>::new();
                    parker.unpark();
                    parker.unpark();
                    parker.park(None);
                    let start = Instant::now();
                    while start.elapsed() < Duration::from_millis(2) {
                        parker.park(Some(Duration::from_millis(2)));
                    }
                }

                #[test]
                fn a_ring_of_another_thread_ends_the_sleep() {
                    let parker = Arc::new(<$Parker>::new());
                    let (ping, pong) = (parker.clone(), Arc::new(<$Parker>::new()));
                    let answer = pong.clone();
                    let ringer = thread::spawn(move || {
                        for _ in 0..100 {
                            ping.unpark();
                            answer.park(None);
                        }
                    });
                    for _ in 0..100 {
                        parker.park(None);
                        pong.unpark();
                    }
                    pong.unpark(); // Early returns are allowed: the other may have one round left.
                    while !ringer.is_finished() {
                        pong.unpark();
                        thread::yield_now();
                    }
                }

                #[test]
                fn a_foreign_unpark_is_no_ring() {
                    let parker = <$Parker>::new();
                    thread::current().unpark();
                    parker.park(Some(Duration::from_millis(1)));
                    thread::park(); // The token is still there.
                }

                #[test]
                fn a_timeout_of_ages_is_for_ever() {
                    let parker = <$Parker>::new();
                    parker.unpark();
                    parker.park(Some(Duration::MAX));
                    parker.park(Some(Duration::ZERO));
                }
            }
        };
    }

    parker_tests!(native, crate::sys::Parker);
    parker_tests!(portable, crate::sys::portable::Parker);

    /// What every stopwatch owes: it keeps step with `Instant`, and never goes back.
    macro_rules! stopwatch_test {
        ($name:ident, $Stopwatch:ty) => {
            #[test]
            fn $name() {
                let before = Instant::now();
                let watch = <$Stopwatch>::start();
                let after = Instant::now();
                let mut last = 0;
                for _ in 0..if cfg!(miri) { 10 } else { 100_000 } {
                    let least = after.elapsed().as_nanos() as u64;
                    let elapsed = watch.elapsed();
                    let most = before.elapsed().as_nanos() as u64;
                    assert!((least..=most).contains(&elapsed) && elapsed >= last);
                    last = elapsed;
                }
            }
        };
    }

    stopwatch_test!(the_native_stopwatch_keeps_step, crate::sys::Stopwatch);
    stopwatch_test!(the_portable_stopwatch_keeps_step, crate::sys::portable::Stopwatch);
}
