//! Handlers that are not ours: those that were there before, and those that come after.

use crate::foreign::{Action, Library, SEEN, Target, errno, held_back, kill, see_all, see_number, set_errno};
use crate::{my_turn, raise};
use corio_signal::{Fallback, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, Signal, Signals};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Has `action` in place for SIGUSR1, and then what was.
fn with(action: Action, test: impl FnOnce()) {
    let before = action.put(SIGUSR1);
    test();
    before.put(SIGUSR1);
}

fn listen() -> Signals {
    Signals::new([SIGUSR1]).unwrap()
}

/// Raises SIGUSR1, and tells how often it is heard: once, or not at all.
fn hears(signals: &mut Signals) -> bool {
    raise(SIGUSR1);
    let heard = signals.try_recv().is_some();
    assert_eq!(signals.try_recv(), None);
    heard
}

#[test]
fn what_was_in_place_is_put_back_in_all_its_parts() {
    let _turn = my_turn();
    let handler = Action::whole(see_all).with_flags(libc::SA_NODEFER);
    let handlers = [Action::plain(see_number), handler, handler.holding_back(SIGWINCH), handler];
    for action in [Action::default_action(), Action::ignore()].into_iter().chain(handlers) {
        with(action, || {
            for _ in 0..3 {
                let one = listen();
                let other = Fallback::new(SIGUSR1).unwrap();
                assert_ne!(Action::of(SIGUSR1).parts(), action.parts());
                drop(one);
                assert_eq!(Action::of(SIGUSR1).parts() == action.parts(), other.is_none());
                drop(other);
                assert_eq!(Action::of(SIGUSR1).parts(), action.parts());
            }
        });
    }
}

/// A call that is interrupted goes on; of another's handler that ours calls, mask and stack are what it is used to.
#[test]
fn our_handler_asks_for_what_it_needs() {
    let _turn = my_turn();
    let ours = libc::SA_SIGINFO | libc::SA_RESTART;
    let on_stack = libc::SA_ONSTACK;
    let another_s = Action::plain(see_number);
    let cases = [
        (Action::default_action(), ours | on_stack, true),
        (Action::ignore(), ours | on_stack, true),
        (another_s, ours, false),
        (another_s.with_flags(on_stack).holding_back(SIGWINCH), ours | on_stack, true),
    ];
    for (before, flags, holds_back) in cases {
        with(before, || {
            let _signals = listen();
            let (_, our_flags, holds_winch_back) = Action::of(SIGUSR1).parts();
            assert_eq!((our_flags, holds_winch_back), (flags, holds_back));
        });
    }
}

/// The system lays the calls of all that are let loose together one over the other, on a stack that is small.
#[test]
#[cfg(target_os = "linux")]
fn all_signals_may_arrive_at_once() {
    let _turn = my_turn();
    let all: Vec<Signal> = (35..=64).filter_map(Signal::from_raw).collect();
    let mut signals = Signals::new(all.iter().copied()).unwrap();
    let sent = all.clone();
    let thread = thread::spawn(move || held_back(&sent, || sent.iter().for_each(|signal| Target::me().send(*signal))));
    thread.join().unwrap();
    assert_eq!(std::iter::from_fn(|| signals.try_recv()).collect::<Vec<_>>(), all);
}

#[test]
fn a_handler_that_was_there_before_is_called_with_all_that_it_asks_for() {
    let _turn = my_turn();
    with(Action::whole(see_all).holding_back(SIGWINCH), || {
        let mut signals = listen();
        kill(SIGUSR1);
        while SEEN.number.swap(0, Ordering::SeqCst) != SIGUSR1.as_raw() {
            thread::yield_now(); // Another thread may have been the one to be interrupted.
        }
        assert_eq!(signals.try_recv(), Some(SIGUSR1));
        assert_eq!(SEEN.code.load(Ordering::SeqCst), libc::SI_USER);
        assert_eq!(SEEN.sender.load(Ordering::SeqCst), std::process::id() as i32);
        assert!(SEEN.has_context.load(Ordering::SeqCst));
        assert!(SEEN.holds_back.load(Ordering::SeqCst), "what it wants held back is, while it runs under ours");
    });
}

#[test]
fn a_handler_that_asks_for_the_number_alone_has_that() {
    let _turn = my_turn();
    with(Action::plain(see_number), || {
        let mut signals = listen();
        assert!(hears(&mut signals));
        assert_eq!(SEEN.number.swap(0, Ordering::SeqCst), SIGUSR1.as_raw());
    });
}

/// The bell is full, so that ringing it fails; and the handler before ours is one that forgets.
#[test]
fn whoever_is_interrupted_finds_his_last_error_as_it_was() {
    let _turn = my_turn();
    for action in [Action::default_action(), Action::plain(see_number)] {
        with(action, || {
            let _signals = listen();
            (0..10_000).for_each(|_| raise(SIGUSR1));
            set_errno(libc::ENOTTY);
            raise(SIGUSR1);
            assert_eq!(errno(), libc::ENOTTY);
        });
    }
}

#[test]
fn a_handler_that_was_put_over_ours_stays_when_we_leave() {
    let _turn = my_turn();
    with(Action::default_action(), || {
        let mut signals = listen();
        Library::install::<0>(SIGUSR1);
        let theirs = Action::of(SIGUSR1).parts();
        assert!(hears(&mut signals), "it calls ours");
        assert_eq!(Library::calls(0), 1);

        drop(signals);
        assert_eq!(Action::of(SIGUSR1).parts(), theirs);
        raise(SIGUSR1); // Theirs to answer for, so the default action does not end the process.
        assert_eq!(Library::calls(0), 1);
    });
}

/// Ours lies below theirs, which calls it; over theirs must lie one that theirs does not call.
#[test]
fn over_such_a_one_we_listen_again() {
    let _turn = my_turn();
    with(Action::plain(see_number), || {
        drop({
            let signals = listen();
            Library::install::<0>(SIGUSR1);
            signals
        });
        for _ in 0..10 {
            let mut signals = listen();
            assert!(hears(&mut signals));
            assert_eq!(Library::calls(0), 1);
            assert_eq!(SEEN.number.swap(0, Ordering::SeqCst), SIGUSR1.as_raw(), "what lies below both is called");
            drop(signals);
            raise(SIGUSR1);
            assert_eq!(Library::calls(0), 1);
        }
    });
}

/// As it is when they put back what they found.
#[test]
fn ours_may_come_back_when_theirs_goes() {
    let _turn = my_turn();
    with(Action::default_action(), || {
        let first = listen();
        let ours = Library::install::<0>(SIGUSR1);
        drop(first);
        let mut second = listen();
        ours.put(SIGUSR1); // Not the handler of the second one.
        assert!(hears(&mut second));
        drop(second);
        assert_eq!(Action::of(SIGUSR1).parts(), Action::default_action().parts());

        let mut third = listen();
        assert!(hears(&mut third));
    });
}

#[test]
fn ours_without_a_listener_is_as_good_as_the_default() {
    let _turn = my_turn();
    let before = Action::default_action().put(SIGWINCH);
    let listener = Signals::new([SIGWINCH]).unwrap();
    let ours = Library::install::<0>(SIGWINCH);
    assert!(Fallback::new(SIGWINCH).unwrap().is_none(), "theirs is in charge");
    drop(listener);
    assert!(Fallback::new(SIGWINCH).unwrap().is_none());
    ours.put(SIGWINCH);
    assert!(Fallback::new(SIGWINCH).unwrap().is_some());
    ours.put(SIGWINCH);
    raise(SIGWINCH);
    assert_eq!(Action::of(SIGWINCH).parts(), Action::default_action().parts(), "it has put the default back by itself");
    before.put(SIGWINCH);
}

/// A program that installs its own over ours, whoever listens, and calls nobody.
#[test]
fn the_same_handler_may_come_over_ours_any_number_of_times() {
    let _turn = my_turn();
    with(Action::default_action(), || {
        for _ in 0..50 {
            let mut signals = listen();
            assert!(hears(&mut signals));
            Action::plain(see_number).put(SIGUSR1);
            assert!(!hears(&mut signals));
        }
    });
}

#[test]
fn too_many_handlers_over_ours_are_an_error() {
    let _turn = my_turn();
    let before = Action::default_action().put(SIGUSR2);
    let hangup = Action::of(SIGHUP).parts(); // Not the default, where the tests are run by `nohup`.
    let listener = || Signals::new([SIGHUP, SIGUSR2]);
    let installs: [fn(Signal) -> Action; 4] =
        [Library::install::<0>, Library::install::<1>, Library::install::<2>, Library::install::<3>];
    for install in installs {
        let mut signals = listener().unwrap();
        install(SIGUSR2);
        raise(SIGUSR2);
        assert_eq!(signals.try_recv(), Some(SIGUSR2));
    }
    let error = listener().unwrap_err();
    assert_eq!(error.to_string(), "too many handlers of others lie over ours for SIGUSR2");
    assert_eq!(Action::of(SIGHUP).parts(), hangup);

    // Theirs go on, and call each other; and once they are gone there is room again.
    let _ = [0, 1, 2, 3].map(Library::calls);
    raise(SIGUSR2);
    assert_eq!([0, 1, 2, 3].map(Library::calls), [1; 4]);
    Action::default_action().put(SIGUSR2);
    let mut signals = listener().unwrap();
    raise(SIGUSR2);
    assert_eq!(signals.try_recv(), Some(SIGUSR2));
    drop(signals);
    before.put(SIGUSR2);
}

/// Another's handler counts each signal, whether it is called by ours, or by the operating system while nobody listens.
#[test]
fn no_signal_is_lost_while_listeners_come_and_go() {
    const EACH: usize = 20_000;
    let _turn = my_turn();
    let before = Action::default_action().put(SIGUSR1);
    Library::install::<5>(SIGUSR1);
    Library::calls(5);
    let over = AtomicBool::new(false);
    let sent = thread::scope(|scope| {
        let target = scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                drop(listen());
                let mut signals = listen();
                signals.try_recv();
            }
        });
        let senders: Vec<_> = (0..2).map(|_| scope.spawn(|| (0..EACH).for_each(|_| raise(SIGUSR1)))).collect();
        let count = senders.len() * EACH;
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        over.store(true, Ordering::SeqCst);
        target.join().unwrap();
        count
    });
    assert_eq!(Library::calls(5), sent);
    before.put(SIGUSR1);
}

/// The same with the thread that listens being interrupted at any of its steps; the default action does nothing.
#[test]
fn a_storm_falls_on_whoever_begins_and_ceases_to_listen() {
    let _turn = my_turn();
    let before = Action::default_action().put(SIGWINCH);
    let over = AtomicBool::new(false);
    let me = Target::me();
    thread::scope(|scope| {
        let over = &over;
        scope.spawn(move || {
            (0..20_000).for_each(|_| me.send(SIGWINCH));
            over.store(true, Ordering::SeqCst);
        });
        scope.spawn(move || {
            while !over.load(Ordering::SeqCst) {
                raise(SIGWINCH);
            }
        });
        while !over.load(Ordering::SeqCst) {
            let mut signals = Signals::new([SIGWINCH]).unwrap();
            raise(SIGWINCH);
            assert_eq!(signals.try_recv(), Some(SIGWINCH));
        }
    });
    assert_eq!(Action::of(SIGWINCH).parts(), Action::default_action().parts());
    before.put(SIGWINCH);
}
