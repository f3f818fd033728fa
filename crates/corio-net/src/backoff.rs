//! What to do when `accept` fails: to spin is worse than to wait.

use corio_seam::{Report, report};
use std::io;
use std::time::Duration;

/// The first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Paces an acceptor that meets errors. One for each run of failures: success begins anew.
#[derive(Debug)]
pub(crate) struct Backoff {
    /// How long the next pause is.
    pause: Duration,
}

/// What to do about an error of `accept`.
#[derive(Debug)]
#[must_use]
pub(crate) enum Verdict {
    /// The connection is gone before it was accepted; the next may be there.
    Retry,
    /// The system has nothing left to make a connection of; others may give something back meanwhile.
    Pause(Duration),
    /// It is the caller's.
    Fail(io::Error),
}

impl Backoff {
    /// Begins without a failure.
    pub(crate) fn new() -> Backoff {
        Backoff { pause: PAUSES.0 }
    }

    /// Forgets the failures.
    pub(crate) fn reset(&mut self) {
        self.pause = PAUSES.0;
    }

    /// Judges an error. The first of a run is reported to the loop's exception handler if it leads to a pause, as a
    /// server that is out of descriptors should be heard of.
    pub(crate) fn judge(&mut self, error: io::Error) -> Verdict {
        if crate::sys::is_of_the_connection(&error) {
            return Verdict::Retry;
        }
        if !crate::sys::is_exhaustion(&error) {
            return Verdict::Fail(error);
        }
        let pause = self.pause;
        if pause == PAUSES.0 {
            report(Report::new("cannot accept a connection for now").with_error(error));
        }
        self.pause = (pause * 2).min(PAUSES.1);
        Verdict::Pause(pause)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn hazard_36_out_of_descriptors_means_to_pause_longer_each_time() {
        let mut backoff = Backoff::new();
        let mut pauses = Vec::new();
        for _ in 0..9 {
            let Verdict::Pause(pause) = backoff.judge(Errno::MFILE.into()) else { panic!("no pause") };
            pauses.push(pause.as_millis());
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        backoff.reset();
        assert!(matches!(backoff.judge(Errno::NFILE.into()), Verdict::Pause(pause) if pause == PAUSES.0));
    }

    #[test]
    fn an_error_of_one_connection_is_not_the_listeners() {
        let mut backoff = Backoff::new();
        for error in [Errno::CONNABORTED, Errno::NETDOWN, Errno::HOSTUNREACH, Errno::NETUNREACH, Errno::PROTO] {
            assert!(matches!(backoff.judge(error.into()), Verdict::Retry), "{error}");
        }
        assert!(matches!(backoff.judge(Errno::BADF.into()), Verdict::Fail(_)));
    }
}
