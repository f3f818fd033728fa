//! Debug mode: a look at how long each entry of a batch takes.
//!
//! It is a second way to run a batch, which the loop takes when it is in debug mode; otherwise it costs a load an
//! iteration.

use corio_seam::{Description, Node, Report, report};
use corio_task::TaskSet;
use std::any::type_name;
use std::cell::Cell;
use std::panic::Location;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The variable that turns debug mode on.
const VARIABLE: &str = "CORIO_DEBUG";

/// What counts as slow unless somebody says otherwise; asyncio's figure.
const SLOW: Duration = Duration::from_millis(100);

/// A loop's debug mode.
#[derive(Debug)]
pub(crate) struct Debug {
    on: Cell<bool>,
    /// A step or callback that takes this long is reported.
    slow: Cell<Duration>,
}

impl Debug {
    /// Makes the mode of a new loop: as it was `asked` for, or else as the environment says.
    pub(crate) fn new(asked: Option<bool>) -> Debug {
        Debug { on: Cell::new(asked.unwrap_or_else(is_on_in_the_environment)), slow: Cell::new(SLOW) }
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.on.get()
    }

    pub(crate) fn set(&self, on: bool) {
        self.on.set(on);
    }

    pub(crate) fn slow(&self) -> Duration {
        self.slow.get()
    }

    pub(crate) fn set_slow(&self, slow: Duration) {
        self.slow.set(slow);
    }

    /// Runs what is ready, and reports each entry that takes long.
    #[cold]
    pub(crate) fn run_batch(&self, tasks: &TaskSet) {
        tasks.run_batch_with(|entry| self.run(entry));
    }

    /// Runs one entry. Its time is that of the machine's clock, whatever the loop's shows.
    fn run(&self, entry: Node) {
        let description = entry.describe(); // It may be gone afterwards.
        FROM_OUTSIDE.set(None);
        let start = Instant::now();
        entry.run();
        let taken = start.elapsed();
        if taken >= self.slow.get() {
            let from_outside = FROM_OUTSIDE.take().map(|(name, location)| callback(name, location));
            report_slow(&from_outside.unwrap_or(description), taken);
        }
    }
}

/// Tells whether the variable is there, and neither empty nor zero. It is read once a process, when the first loop is
/// made: a look at the environment would be a twentieth of a short run.
fn is_on_in_the_environment() -> bool {
    static ON: OnceLock<bool> = OnceLock::new();
    *ON.get_or_init(|| std::env::var_os(VARIABLE).is_some_and(|value| !value.is_empty() && value != "0"))
}

/// Describes a callback.
pub(crate) fn callback(name: &str, location: &'static Location<'static>) -> Description {
    Description { what: format!("callback {name}"), location: Some(location) }
}

/// Says that `what` has held the loop up.
fn report_slow(entry: &Description, taken: Duration) {
    let mut about = Report::new(format!("executing {} took {:.3} seconds", entry.what, taken.as_secs_f64()));
    about.source = entry.location.map(|location| format!("made at {location}"));
    report(about);
}

thread_local! {
    /// The callback from another thread that ran last: its entry of the ready queue knows nothing about it.
    static FROM_OUTSIDE: Cell<Option<(&'static str, &'static Location<'static>)>> = const { Cell::new(None) };
}

/// Notes that the entry which runs now is a callback of type `F` that was scheduled at `location`.
#[inline]
pub(crate) fn note_from_outside<F>(location: &'static Location<'static>) {
    FROM_OUTSIDE.set(Some((type_name::<F>(), location)));
}
