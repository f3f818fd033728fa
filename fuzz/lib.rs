//! What the fuzz targets share: bytes are a tape of operations, and a broken promise ends the process.
//!
//! Each module has a function `run`, which does what a tape says and panics if a promise is broken. A target is that
//! function under libFuzzer, or, without `cfg(fuzzing)`, a program that replays files and random tapes. See `README.md`.

#![deny(unsafe_code)] // Lifted in `environment`, which sets a variable.

pub mod addresses;
pub mod cells;
pub mod environment;
pub mod joins;
pub mod links;
pub mod puppet;
pub mod queues;
pub mod random;
pub mod responses;
pub mod tape;
pub mod timers;
pub mod wakes;

use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, abort};
use std::sync::{Mutex, PoisonError};

/// Makes a fuzz target of a function.
#[macro_export]
macro_rules! target {
    ($run:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(init: $crate::quieten(), |bytes: &[u8]| $crate::guard($run, bytes));

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::replay(env!("CARGO_BIN_NAME"), $run)
        }
    };
}

/// What the last panic said.
static LAST: Mutex<String> = Mutex::new(String::new());

/// Has panics keep silent: many are meant, and libFuzzer's own hook ends the process at each.
pub fn quieten() {
    panic::set_hook(Box::new(|panic| {
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string();
    }));
}

/// Runs a tape, and ends the process if a panic comes out.
pub fn guard(run: fn(&[u8]), bytes: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| run(bytes))).is_err() {
        eprintln!("{}", LAST.lock().unwrap_or_else(PoisonError::into_inner));
        abort();
    }
}

/// Replays the files, and the files of the folders, that the command line names, and as many random tapes as it says.
pub fn replay(name: &str, run: fn(&[u8])) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (options, paths): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.starts_with("--"));
    let tapes = options.iter().find_map(|option| option.strip_prefix("--tapes=")?.parse().ok());
    if paths.is_empty() && tapes.is_none() {
        eprintln!("name files to replay, or say `--tapes=1000`; to fuzz, `cargo +nightly fuzz run {name}`");
        return ExitCode::FAILURE;
    }
    quieten();
    let files: Vec<PathBuf> = paths.iter().flat_map(|path| files_of(Path::new(path))).collect();
    for file in &files {
        eprintln!("{}", file.display());
        guard(run, &std::fs::read(file).expect("the file can be read"));
    }
    eprintln!("{} replayed", files.len());
    random::try_all(name, |bytes| guard(run, bytes), tapes.unwrap_or(0));
    ExitCode::SUCCESS
}

/// Returns a file, or the files of a folder in order.
pub fn files_of(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_owned()] };
    let mut files: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    files.sort();
    files
}
