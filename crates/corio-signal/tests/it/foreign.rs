//! What another library in the same program does with signals, and what the operating system says of them.

use corio_signal::Signal;
use libc::{c_int, c_void, siginfo_t};
use std::io;
use std::mem::{MaybeUninit, transmute};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

type Whole = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// What the operating system does when a signal arrives.
#[derive(Clone, Copy)]
pub(crate) struct Action(libc::sigaction);

impl Action {
    /// Asks what is in place.
    pub(crate) fn of(signal: Signal) -> Action {
        exchange(signal, None)
    }

    pub(crate) fn default_action() -> Action {
        Action::new(libc::SIG_DFL, 0)
    }

    pub(crate) fn ignore() -> Action {
        Action::new(libc::SIG_IGN, 0)
    }

    /// Calls `handler` with the number alone.
    pub(crate) fn plain(handler: extern "C" fn(c_int)) -> Action {
        Action::new(handler as *const () as usize, 0)
    }

    /// Calls `handler` with all there is.
    pub(crate) fn whole(handler: Whole) -> Action {
        Action::new(handler as *const () as usize, libc::SA_SIGINFO)
    }

    fn new(handler: usize, flags: c_int) -> Action {
        // SAFETY:
        // * numbers, which may be zero.
        let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        Action(action)
    }

    pub(crate) fn with_flags(mut self, flags: c_int) -> Action {
        self.0.sa_flags |= flags;
        self
    }

    /// Holds `signal` back while the handler runs.
    pub(crate) fn holding_back(mut self, signal: Signal) -> Action {
        // SAFETY:
        // * the set is there.
        unsafe { libc::sigaddset(&raw mut self.0.sa_mask, signal.as_raw()) };
        self
    }

    /// Puts this in place, and returns what was.
    pub(crate) fn put(&self, signal: Signal) -> Action {
        exchange(signal, Some(self))
    }

    /// What tells one from another; without what the C library adds to the flags.
    pub(crate) fn parts(&self) -> (usize, c_int, bool) {
        const ADDED: c_int = 0x0400_0000;
        (self.0.sa_sigaction, self.0.sa_flags & !ADDED, holds(&self.0.sa_mask, corio_signal::SIGWINCH))
    }
}

fn exchange(signal: Signal, new: Option<&Action>) -> Action {
    let new = new.map_or(ptr::null(), |new| &raw const new.0);
    let mut old = MaybeUninit::zeroed();
    // SAFETY:
    // * the tests' handlers do what is allowed in one; the others came from the system.
    let status = unsafe { libc::sigaction(signal.as_raw(), new, old.as_mut_ptr()) };
    assert_eq!(status, 0);
    // SAFETY:
    // * numbers, all of which are written or zero.
    Action(unsafe { old.assume_init() })
}

fn holds(set: &libc::sigset_t, signal: Signal) -> bool {
    // SAFETY:
    // * the set is there.
    unsafe { libc::sigismember(set, signal.as_raw()) == 1 }
}

/// A library that installs a handler, and calls from it what was there before.
pub(crate) struct Library {
    calls: AtomicUsize,
    before: AtomicUsize,
}

/// There are several.
pub(crate) static LIBRARIES: [Library; 6] =
    [const { Library { calls: AtomicUsize::new(0), before: AtomicUsize::new(0) } }; 6];

impl Library {
    /// Installs the handler of library `NUMBER`; what was there before, which it calls if it is ours.
    pub(crate) fn install<const NUMBER: usize>(signal: Signal) -> Action {
        let library = &LIBRARIES[NUMBER];
        let before = Action::of(signal);
        let (handler, flags, _) = before.parts();
        let is_whole = flags & libc::SA_SIGINFO != 0;
        library.before.store(if is_whole { handler } else { 0 }, Ordering::SeqCst);
        Action::whole(library_handler::<NUMBER>).put(signal);
        before
    }

    /// How often it was called since it was last asked.
    pub(crate) fn calls(number: usize) -> usize {
        LIBRARIES[number].calls.swap(0, Ordering::SeqCst)
    }
}

extern "C" fn library_handler<const NUMBER: usize>(number: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let library = &LIBRARIES[NUMBER];
    let calls = library.calls.fetch_add(1, Ordering::SeqCst);
    let before = library.before.load(Ordering::SeqCst);
    if before != 0 && calls < 100_000 {
        // SAFETY:
        // * the handler that was there before, which asked for all there is.
        let before = unsafe { transmute::<*const (), Whole>(ptr::with_exposed_provenance(before)) };
        before(number, info, context);
    }
}

/// What a handler of one's own has seen when it was last called.
pub(crate) struct Seen {
    pub(crate) number: AtomicI32,
    pub(crate) code: AtomicI32,
    pub(crate) sender: AtomicI32,
    pub(crate) has_context: AtomicBool,
    pub(crate) holds_back: AtomicBool,
}

pub(crate) static SEEN: Seen = Seen {
    number: AtomicI32::new(0),
    code: AtomicI32::new(0),
    sender: AtomicI32::new(0),
    has_context: AtomicBool::new(false),
    holds_back: AtomicBool::new(false),
};

/// Notes the number, and spoils the error's.
pub(crate) extern "C" fn see_number(number: c_int) {
    SEEN.number.store(number, Ordering::SeqCst);
    set_errno(libc::EIO);
}

/// Notes all there is, the number last.
pub(crate) extern "C" fn see_all(number: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY:
    // * the operating system made it, for the time of this call.
    let info = unsafe { &*info };
    SEEN.code.store(info.si_code, Ordering::SeqCst);
    // SAFETY:
    // * another process, or this one, sent it: so it has a sender.
    SEEN.sender.store(unsafe { info.si_pid() }, Ordering::SeqCst);
    SEEN.has_context.store(!context.is_null(), Ordering::SeqCst);
    SEEN.holds_back.store(is_held_back(corio_signal::SIGWINCH), Ordering::SeqCst);
    SEEN.number.store(number, Ordering::SeqCst);
}

/// Tells whether this thread holds `signal` back.
fn is_held_back(signal: Signal) -> bool {
    let mut set = MaybeUninit::zeroed();
    // SAFETY:
    // * nothing is changed, and there is room for the answer.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), set.as_mut_ptr()) };
    // SAFETY:
    // * numbers, all of which are written or zero.
    holds(&unsafe { set.assume_init() }, signal)
}

/// Lets `signals` arrive on this thread only when `then` has returned.
pub(crate) fn held_back(signals: &[Signal], then: impl FnOnce()) {
    let Action(libc::sigaction { sa_mask: mut set, .. }) = Action::default_action();
    for signal in signals {
        // SAFETY:
        // * the set is there.
        unsafe { libc::sigaddset(&raw mut set, signal.as_raw()) };
    }
    // SAFETY:
    // * the set is there, and nothing is asked.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()) };
    then();
    // SAFETY:
    // * as above.
    unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut()) };
}

/// Sends a signal to the process as another one would.
pub(crate) fn kill(signal: Signal) {
    let me = std::process::id() as c_int;
    // SAFETY:
    // * it takes numbers.
    assert_eq!(unsafe { libc::kill(me, signal.as_raw()) }, 0);
}

/// A thread that others may send signals to, for as long as it runs.
#[derive(Clone, Copy)]
pub(crate) struct Target(libc::pthread_t);

impl Target {
    pub(crate) fn me() -> Target {
        // SAFETY:
        // * it asks for nothing.
        Target(unsafe { libc::pthread_self() })
    }

    pub(crate) fn send(self, signal: Signal) {
        // SAFETY:
        // * the thread runs: the tests join it later.
        assert_eq!(unsafe { libc::pthread_kill(self.0, signal.as_raw()) }, 0);
    }
}

pub(crate) fn errno() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap()
}

/// Has the thread's last error be `number`.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(crate) fn set_errno(number: c_int) {
    #[cfg(target_os = "linux")]
    use libc::__errno_location as errno_location;
    #[cfg(target_os = "macos")]
    use libc::__error as errno_location;

    // SAFETY:
    // * it asks for nothing.
    let errno = unsafe { errno_location() };
    // SAFETY:
    // * it points to a number of this thread's.
    unsafe { errno.write(number) };
}
