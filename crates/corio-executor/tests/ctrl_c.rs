//! Danger: a program that Ctrl-C kills before it has cleaned up, or that it does not kill.
//!
//! Each case runs on the main thread of a child: this program, called with the case's name.

#[cfg(any(not(unix), miri))] // Miri starts no child.
fn main() {}

#[cfg(all(unix, not(miri)))]
fn main() {
    unix::main();
}

#[cfg(all(unix, not(miri)))]
#[path = "../../corio-signal/tests/it/this_program.rs"]
mod this_program;

#[cfg(all(unix, not(miri)))]
mod unix {
    use crate::this_program::this_program;
    use corio_executor::io::Source;
    use corio_executor::{EventLoop, RunError, Runner, run, sleep, yield_now};
    use corio_signal::{SIGINT, SIGUSR1, Signals, ctrl_c};
    use corio_task::{catch_cancelled, create_task, current_task};
    use std::cell::Cell;
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Stdio, exit};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::Duration;

    /// What a case ends with that came to its end.
    const SURVIVED: i32 = 42;
    /// What a case ends with that Ctrl-C has killed.
    const KILLED: i32 = -2;
    /// Long enough to have slept once.
    const SHORT: Duration = Duration::from_millis(1);

    /// The cases: what each is called, how it ends, and what it does.
    const CASES: &[(&str, i32, fn())] = &[
        ("main_that_unwinds_ends_the_run_interrupted", SURVIVED, unwinds),
        ("main_that_catches_it_may_return_a_value", SURVIVED, catches),
        ("the_second_kills", KILLED, twice),
        ("a_sleeping_loop_hears_it_from_another_thread", SURVIVED, asleep),
        ("a_loop_that_waits_for_a_thread_hears_it", SURVIVED, beside_a_thread),
        ("a_loop_that_has_slept_without_sources_hears_it_beside_one", SURVIVED, with_a_source_later),
        ("a_loop_whose_sources_are_gone_hears_it", SURVIVED, without_its_source),
        ("a_loop_without_sources_listens_without_a_selector", SURVIVED, without_selector),
        ("a_busy_main_is_interrupted", SURVIVED, busy),
        ("whoever_listens_takes_over", SURVIVED, takes_over),
        ("another_s_request_is_no_interrupt", SURVIVED, cancelled_as_well),
        ("each_run_of_a_runner_is_interrupted", SURVIVED, several_runs),
        ("after_a_run_it_kills_again", KILLED, after),
        ("between_the_runs_of_a_runner_it_kills", KILLED, between),
        ("before_the_first_sleep_it_kills", KILLED, before),
        ("in_a_short_run_it_kills", KILLED, short),
        ("on_another_thread_it_kills", KILLED, elsewhere),
        ("a_bare_loop_leaves_it_alone", KILLED, bare),
        ("a_busy_loop_looks_at_its_sources_as_well", SURVIVED, beside_a_source),
        ("a_busy_loop_hears_other_signals_as_well", SURVIVED, another_signal),
        ("a_deadlock_is_one_although_it_may_come", SURVIVED, deadlocked),
        ("somebody_else_s_handler_is_left_alone", SURVIVED, foreign),
    ];

    pub(super) fn main() {
        match std::env::var("CORIO_CASE") {
            Ok(name) => child(&name),
            Err(_) if std::env::args().any(|argument| argument == "--list") => (),
            Err(_) => CASES.iter().for_each(|(name, expected, _)| parent(name, *expected)),
        }
    }

    fn parent(name: &str, expected: i32) {
        let mut command = this_program();
        let status = command.env("CORIO_CASE", name).stdin(Stdio::null()).status().unwrap();
        let ended = status.code().unwrap_or_else(|| -status.signal().unwrap());
        assert_eq!(ended, expected, "{name}");
        println!("{name}: ok");
    }

    fn child(name: &str) {
        thread::spawn(|| {
            thread::sleep(Duration::from_secs(20));
            exit(43); // It waits for ever.
        });
        let (_, _, case) = CASES.iter().find(|(each, ..)| *each == name).unwrap();
        case();
        exit(SURVIVED);
    }

    /// What Ctrl-C does; the handler has run when this returns.
    fn raise() {
        signal_hook::low_level::raise(SIGINT.as_raw()).unwrap();
    }

    fn unwinds() {
        struct Cleanup<'c>(&'c Cell<bool>);
        impl Drop for Cleanup<'_> {
            fn drop(&mut self) {
                self.0.set(true);
            }
        }
        let cleaned = Cell::new(false);
        let outcome = run(async {
            let _cleanup = Cleanup(&cleaned);
            sleep(SHORT).await;
            raise();
            sleep(Duration::MAX).await;
        });
        assert!(matches!(outcome, Err(RunError::Interrupted)), "{outcome:?}");
        assert!(cleaned.get());
    }

    fn catches() {
        let outcome = run(async {
            sleep(SHORT).await;
            raise();
            let caught = catch_cancelled(sleep(Duration::MAX)).await;
            assert!(caught.is_err());
            sleep(SHORT).await; // It may take its time.
            7
        });
        assert_eq!(outcome.unwrap(), 7);
    }

    fn twice() {
        let _ = run(async {
            sleep(SHORT).await;
            raise();
            let _ = catch_cancelled(sleep(Duration::MAX)).await;
            raise();
            sleep(SHORT).await;
        });
    }

    fn asleep() {
        let outcome = run(async {
            sleep(SHORT).await;
            raise_later();
            sleep(Duration::MAX).await;
        });
        assert!(matches!(outcome, Err(RunError::Interrupted)), "{outcome:?}");
    }

    /// Raises from another thread, a moment later: nothing but that wakes the loop.
    fn raise_later() {
        thread::spawn(|| {
            thread::sleep(Duration::from_millis(20));
            raise();
        });
    }

    fn beside_a_thread() {
        let (_promise, future) = corio_future::concurrent::promise::<()>();
        let outcome = run(async {
            raise_later();
            future.await
        });
        assert!(matches!(outcome, Err(RunError::Interrupted)));
    }

    /// A source on which nothing ever comes, and what keeps it so.
    fn silent() -> (Source<UnixStream>, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        (Source::new(near).unwrap(), far)
    }

    fn with_a_source_later() {
        let outcome = run(async {
            sleep(SHORT).await;
            let (source, _far) = silent();
            raise_later();
            source.readable().await
        });
        assert!(matches!(outcome, Err(RunError::Interrupted)), "{outcome:?}");
    }

    fn without_its_source() {
        let outcome = run(async {
            let source = silent();
            sleep(SHORT).await;
            drop(source);
            sleep(SHORT).await;
            raise_later();
            sleep(Duration::MAX).await;
        });
        assert!(matches!(outcome, Err(RunError::Interrupted)), "{outcome:?}");
    }

    fn without_selector() {
        #[cfg(target_os = "linux")]
        run(async {
            let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
            let before = descriptors();
            sleep(SHORT).await;
            assert_eq!(descriptors(), before + 2, "the two ends of the signals' bell");
        })
        .unwrap();
    }

    fn busy() {
        let outcome = run(async {
            for _ in 0..1000 {
                yield_now().await;
            }
            raise();
            loop {
                yield_now().await;
            }
        });
        assert!(matches!(outcome, Err(RunError::Interrupted)));
    }

    fn takes_over() {
        let outcome = run(async {
            sleep(SHORT).await;
            let mut signals = ctrl_c().unwrap();
            raise();
            assert_eq!(signals.recv().await, SIGINT);
            sleep(SHORT).await;
            assert_eq!(corio_seam::cancelling(), 0);
            drop(signals); // What follows is the run's again.
            raise();
            sleep(Duration::MAX).await;
        });
        assert!(matches!(outcome, Err(RunError::Interrupted)), "{outcome:?}");
    }

    fn cancelled_as_well() {
        let outcome = run(async {
            sleep(SHORT).await;
            let main = current_task().unwrap();
            let _other = create_task(async move {
                raise();
                main.cancel();
                main.cancel();
            });
            let caught = catch_cancelled(sleep(Duration::MAX)).await;
            sleep(SHORT).await; // The signal is heard now, if not before.
            caught.unwrap_err().resume().await
        });
        assert!(matches!(outcome, Err(RunError::Cancelled(_))), "{outcome:?}");
    }

    fn several_runs() {
        let runner = Runner::new();
        for _ in 0..3 {
            let outcome = runner.run(async {
                sleep(SHORT).await;
                raise();
                sleep(Duration::MAX).await;
            });
            assert!(matches!(outcome, Err(RunError::Interrupted)), "{outcome:?}");
            runner.run(sleep(SHORT)).unwrap();
        }
    }

    fn after() {
        run(sleep(SHORT)).unwrap();
        raise();
    }

    fn between() {
        let runner = Runner::new();
        runner.run(sleep(SHORT)).unwrap();
        raise();
    }

    fn before() {
        let _ = run(async {
            raise();
            sleep(SHORT).await;
        });
    }

    fn short() {
        let _ = run(async {
            for _ in 0..20 {
                yield_now().await;
            }
            raise();
            sleep(SHORT).await;
        });
    }

    fn elsewhere() {
        let other = thread::spawn(|| {
            let _ = run(async {
                sleep(SHORT).await;
                raise();
                sleep(SHORT).await;
            });
        });
        other.join().unwrap();
    }

    fn bare() {
        let _ = EventLoop::new().unwrap().run_until_complete(async {
            sleep(SHORT).await;
            raise();
            sleep(SHORT).await;
        });
    }

    fn beside_a_source() {
        let outcome = run(async {
            let (near, mut far) = UnixStream::pair().unwrap();
            near.set_nonblocking(true).unwrap();
            let source = Source::new(near).unwrap();
            sleep(SHORT).await;
            let _busy = create_task(async move {
                for turn in 0_u64.. {
                    if turn == 100 {
                        far.write_all(b"x").unwrap();
                    }
                    yield_now().await;
                }
            });
            source.readable().await
        });
        outcome.unwrap().unwrap();
    }

    fn another_signal() {
        let outcome = run(async {
            sleep(SHORT).await;
            let mut signals = Signals::new([SIGUSR1]).unwrap();
            let _busy = create_task(async {
                for turn in 0_u64.. {
                    if turn == 100 {
                        signal_hook::low_level::raise(SIGUSR1.as_raw()).unwrap();
                    }
                    yield_now().await;
                }
            });
            signals.recv().await
        });
        assert_eq!(outcome.unwrap(), SIGUSR1);
    }

    fn deadlocked() {
        let (_promise, future) = corio_future::promise::<()>();
        let outcome = run(async {
            sleep(SHORT).await;
            future.await
        });
        assert!(matches!(outcome, Err(RunError::Deadlock(_))));
    }

    fn foreign() {
        let heard = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGINT.as_raw(), Arc::clone(&heard)).unwrap();
        let outcome = run(async {
            sleep(SHORT).await;
            raise();
            sleep(SHORT).await;
        });
        outcome.unwrap();
        assert!(heard.load(Ordering::SeqCst));
    }
}
