//! What the operating system does with a signal, and how it is told: the one place of unsafe code in this crate.
//!
//! All but [`Kept::keep`] may be called in a signal handler: it takes no lock, allocates nothing, and calls nothing that
//! POSIX does not allow there.

#![allow(unsafe_code)]

use super::handler::{LAYERS, arrived};
use crate::Signal;
use parking_lot::Mutex;
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::{MaybeUninit, transmute};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

// Where a thread keeps the number of its last error.
#[cfg(any(target_os = "illumos", target_os = "solaris"))]
use libc::___errno as errno_location;
#[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
use libc::__errno as errno_location;
#[cfg(any(
    target_os = "dragonfly",
    target_os = "emscripten",
    target_os = "hurd",
    target_os = "linux",
    target_os = "redox"
))]
use libc::__errno_location as errno_location;
#[cfg(any(target_os = "freebsd", target_vendor = "apple"))]
use libc::__error as errno_location;
#[cfg(target_os = "haiku")]
use libc::_errnop as errno_location;

/// What a handler is called with, if it asks for no more than the number.
type Plain = extern "C" fn(c_int);
/// What a handler is called with that asks for all there is (`SA_SIGINFO`).
type Whole = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// What is done when a signal arrives: the default, nothing, or a handler is called; with its flags and its mask.
///
/// It came from the operating system, or is [`ours`](Action::ours): so it can be put in place at any time.
#[derive(Clone, Copy)]
pub(super) struct Action(libc::sigaction);

impl Action {
    /// Asks what is in place for `signal`.
    pub(super) fn of(signal: Signal) -> io::Result<Action> {
        exchange(signal, None)
    }

    /// Puts this in place for `signal`, and returns what was.
    pub(super) fn put(&self, signal: Signal) -> io::Result<Action> {
        exchange(signal, Some(self))
    }

    /// Makes the action that calls our handler of that layer.
    ///
    /// It runs on the thread's stack for signals, if there is one. That is small, so while it runs all signals are held
    /// back: of several that are let loose together, the system would lay the calls one over the other. If `before` is a
    /// handler, which it calls, stack and mask are what that is used to.
    pub(super) fn ours(layer: usize, before: &Action) -> Action {
        let mut action = *before;
        let mut flags = libc::SA_SIGINFO | libc::SA_RESTART;
        if before.is_call() {
            flags |= if before.has(libc::SA_ONSTACK as _) { libc::SA_ONSTACK } else { 0 };
        } else {
            flags |= libc::SA_ONSTACK;
            // SAFETY:
            // * it fills a set of signals, which is there.
            unsafe { libc::sigfillset(&raw mut action.0.sa_mask) };
        }
        action.0.sa_sigaction = ENTRIES[layer] as *const () as usize;
        action.0.sa_flags = flags as _;
        action
    }

    /// Tells whether it calls our handler of that layer.
    pub(super) fn is_ours(&self, layer: usize) -> bool {
        self.0.sa_sigaction == ENTRIES[layer] as *const () as usize
    }

    /// Tells whether it is the default.
    pub(super) fn is_default(&self) -> bool {
        self.0.sa_sigaction == libc::SIG_DFL
    }

    /// Tells whether it calls a handler, ours or another's.
    pub(super) fn is_call(&self) -> bool {
        !self.is_default() && self.0.sa_sigaction != libc::SIG_IGN
    }

    /// Tells whether both are the same in all their parts. (Only a handler holds signals back.)
    pub(super) fn is_same(&self, other: &Action) -> bool {
        let hold_back_the_same =
            || Signal::each(u64::MAX).all(|signal| self.holds_back(signal) == other.holds_back(signal));
        self.0.sa_sigaction == other.0.sa_sigaction
            && self.0.sa_flags == other.0.sa_flags
            && (!self.is_call() || hold_back_the_same())
    }

    /// Tells whether the flag is set. (Its type is another one on some systems.)
    fn has(&self, flag: c_int) -> bool {
        self.0.sa_flags as c_int & flag != 0
    }

    /// Tells whether `signal` is held back while the handler runs.
    fn holds_back(&self, signal: Signal) -> bool {
        // SAFETY:
        // * it reads a set of signals, which is there.
        unsafe { libc::sigismember(&raw const self.0.sa_mask, signal.as_raw()) == 1 }
    }

    /// Calls the handler, if there is one, as the operating system would.
    pub(super) fn call(&self, arrival: &Arrival) {
        if !self.is_call() {
            return;
        }
        let handler = ptr::with_exposed_provenance::<()>(self.0.sa_sigaction);
        if self.has(libc::SA_SIGINFO as _) {
            // SAFETY:
            // * neither the default nor an order to ignore: so it is the address of a function, and the flag says of which
            //   kind;
            // * it was installed to be called at any time, with just what the operating system gave us (`Arrival`).
            let handler = unsafe { transmute::<*const (), Whole>(handler) };
            handler(arrival.number, arrival.info, arrival.context);
        } else {
            // SAFETY:
            // * as above, and the flag says that it takes the number alone.
            let handler = unsafe { transmute::<*const (), Plain>(handler) };
            handler(arrival.number);
        }
    }
}

/// Asks what is in place for `signal`, and puts `new` there, if there is any.
fn exchange(signal: Signal, new: Option<&Action>) -> io::Result<Action> {
    let new = new.map_or(ptr::null(), |new| &raw const new.0);
    let mut old = MaybeUninit::zeroed();
    // SAFETY:
    // * `new` is null or points to an action that the operating system gave out, or to one of `ours`, whose handler may
    //   be called on any thread at any time: it does what is allowed in a handler, and nothing else;
    // * `old` has room for one.
    let status = unsafe { libc::sigaction(signal.as_raw(), new, old.as_mut_ptr()) };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY:
    // * numbers, of which all are zero but those that the call has written.
    Ok(Action(unsafe { old.assume_init() }))
}

/// An action that handlers may look up at any time: so it is never freed.
pub(super) struct Kept(AtomicPtr<Action>);

/// All that were ever kept, each once.
static ALL_KEPT: Mutex<Vec<&'static Action>> = Mutex::new(Vec::new());

impl Kept {
    pub(super) const fn nothing() -> Kept {
        Kept(AtomicPtr::new(ptr::null_mut()))
    }

    /// Returns what was kept last. Acquire: pairs with the Release in [`keep`](Kept::keep).
    pub(super) fn action(&self) -> Option<&'static Action> {
        // SAFETY:
        // * null, or from a reference in `keep` that is good for ever.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    /// Keeps `action`, for which a block of memory is used up if it was never kept before.
    pub(super) fn keep(&self, action: Action) {
        let mut all = ALL_KEPT.lock();
        let kept = match all.iter().find(|kept| kept.is_same(&action)) {
            Some(kept) => kept,
            None => {
                let kept = &*Box::leak(Box::new(action));
                all.push(kept);
                kept
            }
        };
        self.0.store(ptr::from_ref(kept).cast_mut(), Ordering::Release);
    }
}

/// What the operating system gives to a handler; there is none but in a handler's call.
pub(super) struct Arrival {
    number: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
}

/// The functions that the operating system calls, a layer each.
static ENTRIES: [Whole; LAYERS] = [entry::<0>, entry::<1>, entry::<2>, entry::<3>];

/// Is called by the operating system, or by a handler that was put over ours and calls what was there before it.
///
/// Whatever it interrupts finds the number of its last error as it was.
extern "C" fn entry<const LAYER: usize>(number: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY:
    // * nothing is asked but that the C library has set this thread up, as it has every thread.
    let errno = unsafe { errno_location() };
    // SAFETY:
    // * it points to a number of this thread's, which lives as long as the thread.
    let kept = unsafe { errno.read() };
    if let Some(signal) = Signal::from_raw(number) {
        arrived(LAYER, signal, &Arrival { number, info, context });
    }
    // SAFETY:
    // * as above.
    unsafe { errno.write(kept) };
}

/// The descriptor of the bell; -1, which is none, until there is one.
static BELL: AtomicI32 = AtomicI32::new(-1);

/// Has [`ring`] write to `bell`.
pub(super) fn hang(bell: BorrowedFd<'static>) {
    BELL.store(bell.as_raw_fd(), Ordering::SeqCst);
}

/// Rings the bell: writes a byte, and never waits. One that is full has been rung already.
pub(super) fn ring() {
    let byte = 0_u8;
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY:
    // * one byte is there to be read;
    // * the descriptor was lent for as long as the process lives, or is -1, which is refused.
    unsafe { libc::send(BELL.load(Ordering::SeqCst), (&raw const byte).cast(), 1, flags) };
}

/// Sends `signal` to this thread.
pub(super) fn raise(signal: Signal) {
    // SAFETY:
    // * whatever is in place for the signal was put there to be done at any time.
    unsafe { libc::raise(signal.as_raw()) };
}
