//! asyncio and uvloop on the same workloads, by the script beside this crate's manifest.

use crate::report::{Cell, Report};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A runtime's figures, by the names of the rows.
type Figures = HashMap<String, f64>;

/// Adds a column for each of the two; says on standard error which could not be had.
pub fn add(report: &mut Report) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names: Vec<_> = report.rows.iter().map(|row| row.name.clone()).collect();
    for (runtime, python) in [("asyncio", PathBuf::from("python3")), ("uvloop", uvloop())] {
        match figures(&python, &folder.join("python/workloads.py"), runtime, &names) {
            Ok(figures) => add_column(report, runtime, &figures),
            Err(failure) => eprintln!("SKIPPED {}: {failure}", runtime.to_uppercase()),
        }
    }
}

/// Returns a Python that has uvloop, installed into a folder of this crate's own.
fn uvloop() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench-python");
    let python = folder.join("bin/python");
    if !python.exists() {
        let _ = Command::new("python3").args(["-m", "venv"]).arg(&folder).output();
        let _ = Command::new(&python).args(["-m", "pip", "install", "--quiet", "uvloop"]).output();
    }
    python
}

fn figures(python: &Path, script: &Path, runtime: &str, names: &[String]) -> Result<Figures, String> {
    let output = Command::new(python).arg(script).arg(runtime).args(names).output();
    let output = output.map_err(|error| format!("{} cannot be run: {error}", python.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.lines().last().unwrap_or("it failed in silence").to_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

fn add_column(report: &mut Report, runtime: &str, figures: &Figures) {
    for row in &mut report.rows {
        if let Some(figure) = figures.get(&row.name) {
            let runtime = runtime.to_owned();
            let figure = Some(*figure);
            row.cells.push(Cell {
                runtime,
                counts: true,
                eager: false,
                figure,
                allocations: None,
                system_calls: None,
                failure: None,
            });
        }
    }
}
