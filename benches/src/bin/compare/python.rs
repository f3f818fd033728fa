//! asyncio and uvloop on the same workloads, by the script beside this crate's manifest.

use corio_benches::sample::Effort;
use corio_benches::workloads::Row;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An interpreter with one of the two loops.
#[derive(Debug)]
pub(crate) struct Python {
    /// The loop.
    pub(crate) name: &'static str,
    interpreter: PathBuf,
    /// The workloads that the script has.
    workloads: HashSet<String>,
}

/// Returns those that can be had, and says why others cannot.
#[must_use]
pub(crate) fn find() -> (Vec<Python>, Vec<String>) {
    let (mut found, mut skipped) = (Vec::new(), Vec::new());
    for (name, interpreter) in [("asyncio", Ok(PathBuf::from("python3"))), ("uvloop", with_uvloop())] {
        match interpreter.and_then(|interpreter| Python::new(name, interpreter)) {
            Ok(python) => found.push(python),
            Err(failure) => skipped.push(format!("{}: {failure}", name.to_uppercase())),
        }
    }
    (found, skipped)
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python/workloads.py")
}

/// Returns an interpreter that has uvloop, installed into a folder of this crate's own.
fn with_uvloop() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench-python");
    let python = folder.join("bin/python");
    if said(&python, &["-c", "import uvloop"]).is_err() {
        said(Path::new("python3"), &["-m", "venv", &folder.display().to_string()])?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "0"];
        said(&python, &[&install[..], &["--timeout", "10", "uvloop"]].concat())?;
    }
    Ok(python)
}

/// Runs an interpreter, and returns what it said.
fn said(interpreter: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(interpreter).args(arguments).output();
    let output = output.map_err(|error| format!("{} cannot be run: {error}", interpreter.display()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it failed in silence").to_owned())
}

impl Python {
    fn new(name: &'static str, interpreter: PathBuf) -> Result<Python, String> {
        let listed = said(&interpreter, &[&script().display().to_string(), name, "--list"])?;
        Ok(Python { name, interpreter, workloads: listed.lines().map(str::to_owned).collect() })
    }

    /// Tells whether the script has this row. Its main coroutine is a task like others, so it has no row from main; and a quick
    /// comparison has no time for Python's hundred thousand tasks.
    #[must_use]
    pub(crate) fn knows(&self, row: &Row, effort: Effort) -> bool {
        !row.from_main && self.workloads.contains(row.workload) && (effort != Effort::Quick || row.batch <= 10_000)
    }

    /// Returns the command that makes one run.
    #[must_use]
    pub(crate) fn command(&self, row: &Row, effort: Effort) -> Vec<String> {
        let moment = if effort == Effort::Quick { "0.02" } else { "0.2" };
        let numbers = [row.operations.to_string(), row.batch.to_string(), moment.to_owned()];
        let mut command = vec![self.interpreter.display().to_string(), script().display().to_string()];
        command.extend([self.name.to_owned(), row.workload.to_owned()]);
        command.extend(numbers);
        if row.pinned {
            command.push("pinned".to_owned());
        }
        command
    }
}
