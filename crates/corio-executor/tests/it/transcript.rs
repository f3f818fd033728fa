//! What a program prints, line by line.

use std::fmt::Display;
use std::sync::{Arc, Mutex};

/// The lines a program has printed so far. A clone writes to the same lines, from any thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transcript {
    lines: Arc<Mutex<Vec<String>>>,
}

impl Transcript {
    /// Prints a line.
    pub(crate) fn say(&self, line: impl Display) {
        self.lines.lock().unwrap().push(line.to_string());
    }

    /// Returns a callback that prints `line`.
    pub(crate) fn saying(&self, line: impl Display + Send + 'static) -> impl FnOnce() + Send + 'static {
        let transcript = self.clone();
        move || transcript.say(line)
    }

    /// Returns the lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}
