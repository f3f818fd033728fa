//! Makes one run, in this process, and says what it measured.

use crate::measure;
use crate::workloads::{self, Row, Sample, Work};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// The name of a row's floor, in the place of a runtime's.
pub const FLOOR: &str = "floor";

/// More than the row with the most connections needs.
const MOST_DESCRIPTORS: u64 = 32_768;

/// How long one slice of a quick run is to take, about, and how many slices there are: one that nobody disturbs is among them.
const SLICE: Duration = Duration::from_millis(4);
const SLICES: u32 = 5;

/// How long a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// As many operations as the row says, and as many before to warm up.
    Whole,
    /// As many as fit into a moment, several times, and few to warm up.
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
    measure::allow_descriptors(MOST_DESCRIPTORS);
    if row.pinned && !measure::pin() {
        eprintln!("the system does not let this process choose its processor");
    }
    let (operations, slices) = warmed_up(row, work, effort);
    let before = measure::allocations();
    let figures = (0..slices).map(|_| figure(work(operations), operations)).collect();
    let after = measure::allocations();
    let each = |before: u64, after: u64| (after - before) as f64 / (operations * u64::from(slices)) as f64;
    let allocations = (each(before.0, after.0), each(before.1, after.1));
    Ok(Said { figure: row.figure.of(figures).expect("a slice"), allocations: Some(allocations) })
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

/// Warms up (pages, caches, tables), and returns how many operations to make, and how often.
fn warmed_up(row: &Row, work: Work, effort: Effort) -> (u64, u32) {
    // What is no time of an operation has no use for it, and a million of anything is warm by itself.
    let cold = row.unit != "ns" || row.operations > 100_000 || !row.quick;
    match effort {
        Effort::Exactly(operations) => (operations, 1),
        Effort::Whole if cold => (row.operations, 1),
        Effort::Whole => {
            work(row.operations);
            (row.operations, 1)
        }
        Effort::Quick if cold => (row.whole(row.operations / 5), 1),
        Effort::Quick => {
            let few = row.whole(row.operations / 20);
            let start = Instant::now();
            work(few);
            let each = start.elapsed().as_secs_f64() / few as f64;
            let operations = row.whole(((SLICE.as_secs_f64() / each) as u64).min(row.operations));
            let slices = f64::from(SLICES) * SLICE.as_secs_f64() / (each * operations as f64);
            (operations, (slices as u32).clamp(1, SLICES))
        }
    }
}
