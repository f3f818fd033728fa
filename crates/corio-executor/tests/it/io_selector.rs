//! What every selector owes, on real sockets: the direct way, the portable way, and the way of systems without edges.

use corio_executor::{Interest, Mode, PollingSelector, Ready, Selector};
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

/// Every selector that this system can have.
fn selectors() -> [(&'static str, PollingSelector); 3] {
    let [direct, portable, oneshot] =
        [PollingSelector::new, PollingSelector::portable, PollingSelector::oneshot].map(|make| make().unwrap());
    [("direct", direct), ("portable", portable), ("oneshot", oneshot)]
}

/// Two ends of a connection; the near one does not block.
fn pair() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    (near, far)
}

/// Waits until something is ready; fails rather than hangs.
fn wait_for_some(selector: &dyn Selector) -> Vec<Ready> {
    let start = Instant::now();
    let mut ready = Vec::new();
    while ready.is_empty() {
        assert!(start.elapsed() < Duration::from_secs(10), "nothing became ready");
        selector.wait(&mut ready, Some(Duration::from_secs(1))).unwrap();
    }
    ready
}

/// What is ready now.
fn look(selector: &dyn Selector) -> Vec<Ready> {
    let mut ready = Vec::new();
    selector.wait(&mut ready, Some(Duration::ZERO)).unwrap();
    ready
}

/// Reads until it would block.
fn drain(mut stream: &UnixStream) {
    let mut buffer = [0; 64];
    while stream.read(&mut buffer).is_ok_and(|n| n > 0) {}
}

/// Registers for reading, edge-triggered.
fn register_edge(selector: &dyn Selector, fd: BorrowedFd<'_>) {
    selector.register(fd, 5, Interest::READABLE, Mode::Edge).unwrap();
}

#[test]
fn an_edge_is_reported_once_and_again_after_it_was_used_up() {
    for (name, selector) in selectors() {
        let (near, mut far) = pair();
        register_edge(&selector, near.as_fd());
        assert_eq!(look(&selector), [], "{name}");
        for _ in 0..3 {
            far.write_all(b"x").unwrap();
            assert_eq!(
                wait_for_some(&selector),
                [Ready { key: 5, readable: true, writable: false, interrupted: false }],
                "{name}"
            );
            assert_eq!(look(&selector), [], "{name}: an edge is reported once");
            drain(&near);
            selector.used_up(5, Interest::READABLE).unwrap();
            assert_eq!(look(&selector), [], "{name}");
        }
        selector.deregister(near.as_fd(), 5).unwrap();
    }
}

#[test]
fn what_was_there_before_the_registration_is_reported() {
    for (name, selector) in selectors() {
        let (near, mut far) = pair();
        far.write_all(b"x").unwrap();
        register_edge(&selector, near.as_fd());
        assert_eq!(wait_for_some(&selector).len(), 1, "{name}");
    }
}

#[test]
fn one_direction_does_not_swallow_the_other() {
    for (name, selector) in selectors() {
        let (near, mut far) = pair();
        selector.register(near.as_fd(), 5, Interest::BOTH, Mode::Edge).unwrap();
        let ready = wait_for_some(&selector);
        assert_eq!(ready, [Ready { key: 5, readable: false, writable: true, interrupted: false }], "{name}");
        far.write_all(b"x").unwrap();
        assert!(wait_for_some(&selector)[0].readable, "{name}");
    }
}

#[test]
fn a_level_is_reported_while_it_lasts() {
    for (name, selector) in selectors() {
        let (near, mut far) = pair();
        selector.register(near.as_fd(), 9, Interest::READABLE, Mode::Level).unwrap();
        far.write_all(b"x").unwrap();
        for _ in 0..3 {
            assert_eq!(
                wait_for_some(&selector),
                [Ready { key: 9, readable: true, writable: false, interrupted: false }],
                "{name}"
            );
        }
        drain(&near);
        look(&selector); // On a system without levels one more report may have been under way.
        assert_eq!(look(&selector), [], "{name}");

        selector.modify(near.as_fd(), 9, Interest::WRITABLE, Mode::Level).unwrap();
        assert!(wait_for_some(&selector)[0].writable, "{name}");
        selector.deregister(near.as_fd(), 9).unwrap();
        assert_eq!(look(&selector), [], "{name}");
    }
}

#[test]
fn hazard_35_a_hang_up_counts_as_both_and_does_not_spin() {
    for (name, selector) in selectors() {
        let (near, far) = pair();
        selector.register(near.as_fd(), 5, Interest::BOTH, Mode::Edge).unwrap();
        look(&selector);
        drop(far);
        let ready = wait_for_some(&selector);
        assert!(ready.iter().any(|ready| ready.readable), "{name}: {ready:?}");
        assert_eq!(look(&selector), [], "{name}");
        selector.deregister(near.as_fd(), 5).unwrap();

        // Asked for writing alone, a descriptor that is broken still says so.
        selector.register(near.as_fd(), 6, Interest::WRITABLE, Mode::Edge).unwrap();
        assert!(wait_for_some(&selector)[0].readable, "{name}");
    }
}

#[test]
fn the_end_behind_data_is_told_by_whoever_promises_it() {
    let [(_, direct), (_, portable), (_, oneshot)] = selectors();
    assert!(!portable.tells_interruptions() && !oneshot.tells_interruptions());
    if direct.tells_interruptions() {
        let (near, mut far) = pair();
        register_edge(&direct, near.as_fd());
        far.write_all(b"x").unwrap();
        assert!(!wait_for_some(&direct)[0].interrupted);
        far.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(wait_for_some(&direct)[0].interrupted);
    }
}

#[test]
fn hazard_37_a_descriptor_that_was_forgotten_reports_nothing() {
    for (name, selector) in selectors() {
        let (near, mut far) = pair();
        register_edge(&selector, near.as_fd());
        far.write_all(b"x").unwrap();
        selector.deregister(near.as_fd(), 5).unwrap();
        assert_eq!(look(&selector), [], "{name}");
        register_edge(&selector, near.as_fd()); // It can come back, under any key.
        assert_eq!(wait_for_some(&selector).len(), 1, "{name}");
    }
}

#[test]
fn hazard_29_a_wait_is_not_rounded_to_milliseconds() {
    for (name, selector) in selectors() {
        for micros in [1, 50, 300, 999, 1_000, 1_001, 2_050] {
            let timeout = Duration::from_micros(micros);
            let wait = |()| {
                let start = Instant::now();
                // Early returns are allowed: they are not what this measures.
                while let Some(left) = timeout.checked_sub(start.elapsed()) {
                    selector.wait(&mut Vec::new(), Some(left)).unwrap();
                }
                start.elapsed() - timeout
            };
            // A busy machine is late as often as not; rounding would be late each time.
            let lateness = std::iter::repeat_n((), 1000).map(wait);
            let on_time = lateness.into_iter().any(|late| late < Duration::from_micros(900));
            assert!(on_time, "{name}: {timeout:?}");
        }
    }
}

#[test]
fn hazard_29_a_wait_is_not_cut_into_small_ones() {
    let timeout = Duration::from_micros(40_500);
    for (name, selector) in selectors() {
        let (start, mut waits) = (Instant::now(), 0);
        while let Some(left) = timeout.checked_sub(start.elapsed()) {
            selector.wait(&mut Vec::new(), Some(left)).unwrap();
            waits += 1;
        }
        assert!(waits <= 5, "{name}: {waits} waits");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn the_direct_way_alone_tells_interruptions() {
    let told = selectors().map(|(_, selector)| selector.tells_interruptions());
    assert_eq!(told, [true, false, false]);
}

#[test]
#[cfg(target_os = "linux")]
fn the_direct_way_alone_changes_modes() {
    let told = selectors().map(|(_, selector)| selector.changes_modes());
    assert_eq!(told, [true, false, false]);
}

#[test]
fn a_change_of_mode_loses_nothing_where_it_is_promised() {
    let [(_, direct), ..] = selectors();
    if direct.changes_modes() {
        let (near, mut far) = pair();
        register_edge(&direct, near.as_fd());
        far.write_all(b"x").unwrap();
        assert!(wait_for_some(&direct)[0].readable);
        assert_eq!(look(&direct), []);
        for _ in 0..3 {
            direct.modify(near.as_fd(), 5, Interest::READABLE, Mode::Level).unwrap();
            for _ in 0..3 {
                let ready = Ready { key: 5, readable: true, writable: false, interrupted: false };
                assert_eq!(look(&direct), [ready], "as long as it lasts");
            }
            direct.modify(near.as_fd(), 5, Interest::BOTH, Mode::Edge).unwrap();
            let ready = Ready { key: 5, readable: true, writable: true, interrupted: false };
            assert_eq!(look(&direct), [ready], "once more");
            assert_eq!(look(&direct), []);
        }
        direct.modify(near.as_fd(), 5, Interest::READABLE, Mode::Level).unwrap();
        far.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(wait_for_some(&direct)[0].interrupted, "the end is told at the level, too");
    }
}

#[test]
fn selectors_say_in_which_way_they_wait() {
    let words = selectors().map(|(name, selector)| (name, format!("{selector:?}")));
    assert_eq!(words[2].1, "PollingSelector { direct: false, oneshot: true, .. }");
    assert!(words[1].1.starts_with("PollingSelector { direct: false, "), "{words:?}");
    assert!(words[0].1.starts_with("PollingSelector { direct: "), "{words:?}");
}

#[test]
fn hazard_28_a_timeout_of_ages_does_not_overflow() {
    for (_, selector) in selectors() {
        selector.notifier().ring();
        selector.wait(&mut Vec::new(), Some(Duration::MAX)).unwrap();
        selector.notifier().ring();
        selector.wait(&mut Vec::new(), Some(Duration::from_secs(100 * 365 * 86_400))).unwrap();
    }
}

#[test]
fn hazard_32_a_million_rings_are_one() {
    for (name, selector) in selectors() {
        let bell = selector.notifier();
        (0..1_000_000).for_each(|_| bell.ring());
        selector.wait(&mut Vec::new(), None).unwrap();
        let start = Instant::now();
        selector.wait(&mut Vec::new(), Some(Duration::from_millis(3))).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(3), "{name}: the next wait sleeps");
    }
}

#[test]
fn a_ring_of_another_thread_ends_a_wait() {
    for (_, selector) in selectors() {
        let bell = selector.notifier();
        let ringer = thread::spawn(move || bell.ring());
        selector.wait(&mut Vec::new(), None).unwrap();
        ringer.join().unwrap();
    }
}

#[test]
fn a_bell_outlives_its_selector() {
    for (_, selector) in selectors() {
        let bell = selector.notifier();
        drop(selector);
        bell.ring();
    }
}

#[test]
fn oneshot_registrations_hold_a_duplicate() {
    let selector = PollingSelector::oneshot().unwrap();
    let (near, mut far) = pair();
    register_edge(&selector, near.as_fd());
    drop(near);
    far.write_all(b"x").unwrap();
    assert_eq!(wait_for_some(&selector)[0].key, 5);
}

#[test]
fn many_are_ready_at_once() {
    for (name, selector) in selectors() {
        let pairs: Vec<_> = (0..2000).map_while(|_| UnixStream::pair().ok()).take(300).collect();
        for (key, (near, far)) in pairs.iter().enumerate() {
            near.set_nonblocking(true).unwrap();
            selector.register(near.as_fd(), key, Interest::READABLE, Mode::Edge).unwrap();
            (&mut &*far).write_all(b"x").unwrap();
        }
        let mut keys = Vec::new();
        while keys.len() < pairs.len() {
            keys.extend(wait_for_some(&selector).iter().map(|ready| ready.key));
        }
        keys.sort_unstable();
        assert!(keys.into_iter().eq(0..pairs.len()), "{name}");
    }
}

#[test]
fn a_regular_file_is_refused_with_an_error() {
    for (name, selector) in selectors() {
        let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
        let refused = selector.register(file.as_fd(), 1, Interest::READABLE, Mode::Edge);
        assert!(refused.is_err(), "{name}");
        assert!(selector.deregister(file.as_fd(), 1).is_err(), "{name}");
    }
}
