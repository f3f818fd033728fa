//! Each target without libFuzzer: what was once found, and tapes of a random generator.
//!
//! `loop_ops` is the simulator, and has its own seeds. `attributes` and `environment` want a process of their own: the
//! target itself, without libFuzzer.

use corio_fuzz::{addresses, cells, files_of, joins, links, queues, random, responses, timers};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the files of what a target once found.
fn kept(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions").join(name);
    if folder.is_dir() { files_of(&folder) } else { Vec::new() }
}

fn try_all(name: &str, run: fn(&[u8]), tapes: u64) {
    for file in kept(name) {
        eprintln!("{}", file.display());
        run(&std::fs::read(&file).expect("the file can be read"));
    }
    random::try_all(name, run, tapes);
}

/// As `try_all`, in the target's own process.
fn try_apart(name: &str, program: &str, tapes: u64) {
    let mut target = Command::new(program);
    let outcome = target.arg(format!("--tapes={tapes}")).args(kept(name)).output().expect("the target can be run");
    let said = String::from_utf8_lossy(&outcome.stderr);
    let lines: Vec<&str> = said.lines().collect();
    assert!(outcome.status.success(), "{}", lines[lines.len().saturating_sub(8)..].join("\n"));
}

macro_rules! targets {
    ($($name:ident $tapes:literal,)*) => {$(
        #[test]
        fn $name() {
            try_all(stringify!($name), $name::run, $tapes);
        }
    )*};
}

#[test]
fn attributes() {
    try_apart("attributes", env!("CARGO_BIN_EXE_attributes"), 10_000);
}

#[test]
fn environment() {
    try_apart("environment", env!("CARGO_BIN_EXE_environment"), 2_000);
}

targets! {
    queues 5_000,
    cells 5_000,
    timers 5_000,
    joins 5_000,
    links 2_000,
    addresses 10_000,
    responses 1_000,
}
