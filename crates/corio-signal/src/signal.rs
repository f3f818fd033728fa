//! The name of a signal.

use crate::sys::NAMED;
use std::fmt;
use std::num::NonZeroU8;

/// A signal of the operating system: its number, from 1 to 64.
///
/// # Examples
///
/// ```
/// use corio_signal::{SIGINT, Signal};
///
/// assert_eq!(SIGINT.as_raw(), 2);
/// assert_eq!(Signal::from_raw(2), Some(SIGINT));
/// assert_eq!(SIGINT.to_string(), "SIGINT");
/// assert_eq!(Signal::from_raw(0), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(NonZeroU8);

impl Signal {
    /// The highest number there is, on any system.
    pub(crate) const MAX: usize = 64;

    /// Names the signal with that number, if a signal can have it; Python's `signal.Signals(number)`.
    ///
    /// Whether the system has such a signal shows when it is listened to.
    #[must_use]
    pub const fn from_raw(number: i32) -> Option<Signal> {
        if number < 1 || number > Signal::MAX as i32 {
            return None;
        }
        match NonZeroU8::new(number as u8) {
            Some(number) => Some(Signal(number)),
            None => None,
        }
    }

    /// Names one of the platform's constants.
    pub(crate) const fn known(number: i32) -> Signal {
        Signal::from_raw(number).expect("the platform's constants lie in the range")
    }

    /// Returns the signal's number.
    #[must_use]
    pub const fn as_raw(self) -> i32 {
        self.0.get() as i32
    }

    /// Returns the signal's place in tables of [`Signal::MAX`] entries.
    pub(crate) const fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    /// Returns the signal's bit in a mask.
    pub(crate) const fn bit(self) -> u64 {
        1 << self.index()
    }

    /// Returns the signal with the lowest number in a mask.
    pub(crate) fn lowest(mask: u64) -> Option<Signal> {
        if mask == 0 { None } else { Signal::from_raw(mask.trailing_zeros() as i32 + 1) }
    }

    /// Lists the signals of a mask, the lowest number first.
    pub(crate) fn each(mut mask: u64) -> impl Iterator<Item = Signal> {
        std::iter::from_fn(move || {
            let signal = Signal::lowest(mask)?;
            mask &= !signal.bit();
            Some(signal)
        })
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMED.iter().find(|(number, _)| *number == self.as_raw()) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "signal {}", self.as_raw()),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
