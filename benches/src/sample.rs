//! Makes one run, in this process, and says what it measured.

use crate::measure;
use crate::workloads::{self, Row, Sample, Work};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// The name of a row's floor, in the place of a runtime's.
pub const FLOOR: &str = "floor";

/// How long a quick run is to take, about.
const QUICK: Duration = Duration::from_millis(20);

/// How long a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// As many operations as the row says, and as many before to warm up.
    Whole,
    /// As many as fit into a moment, and few to warm up.
    Quick,
    /// So many, and none before: for counting.
    Exactly(u64),
}

/// What a run says to the process that asked for it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Said {
    /// The figure, in the row's unit.
    pub figure: f64,
    /// Allocations of an operation, and their bytes.
    pub allocations: Option<(f64, f64)>,
}

/// Makes one run of a row.
///
/// # Errors
///
/// If there is no such row, or it has no such runtime.
pub fn sample(name: &str, runtime: &str, effort: Effort) -> Result<Said, String> {
    let rows = workloads::all();
    let row = rows.iter().find(|row| row.name == name);
    let found = row.and_then(|row| Some((row, work(row, runtime)?)));
    let (row, work) = found.ok_or_else(|| format!("there is no workload {name:?} on {runtime:?}"))?;
    measure::allow_many_descriptors();
    if row.pinned && !measure::pin() {
        eprintln!("the system does not let this process choose its processor");
    }
    let operations = warmed_up(row, work, effort);
    let before = measure::allocations();
    let sample = work(operations);
    let after = measure::allocations();
    let each = |before: u64, after: u64| (after - before) as f64 / operations as f64;
    let allocations = (each(before.0, after.0), each(before.1, after.1));
    Ok(Said { figure: figure(sample, operations), allocations: Some(allocations) })
}

fn work(row: &Row, runtime: &str) -> Option<Work> {
    if runtime == FLOOR {
        return Some(row.floor.as_ref()?.work);
    }
    Some(row.columns.iter().find(|column| column.runtime == runtime)?.work)
}

fn figure(sample: Sample, operations: u64) -> f64 {
    match sample {
        Sample::Time(time) => time.as_secs_f64() * 1e9 / operations as f64,
        Sample::Value(value) => value,
    }
}

/// Warms up (pages, caches, tables), and returns how many operations to make.
fn warmed_up(row: &Row, work: Work, effort: Effort) -> u64 {
    // What is no time of an operation has no use for it, and a million of anything is warm by itself.
    let cold = row.unit != "ns" || row.operations > 100_000;
    match effort {
        Effort::Exactly(operations) => operations,
        Effort::Whole if cold => row.operations,
        Effort::Whole => {
            work(row.operations);
            row.operations
        }
        Effort::Quick if cold => row.whole(row.operations / 5),
        Effort::Quick => {
            let few = row.whole(row.operations / 20);
            let start = Instant::now();
            work(few);
            let fit = QUICK.as_secs_f64() / start.elapsed().as_secs_f64() * few as f64;
            row.whole((fit as u64).min(row.operations))
        }
    }
}
