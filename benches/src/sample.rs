//! Makes one run, in this process, and says what it measured.

use crate::workloads::{self, Figure, Row, Sample, Slice};
use crate::{calm, measure};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The name of a row's floor, in the place of a runtime's.
pub const FLOOR: &str = "floor";

/// More than the row with the most connections needs.
const MOST_DESCRIPTORS: u64 = 32_768;

/// How long one slice of a run is to take, about, where the least counts: so short that one that nobody disturbs is among them. A
/// neighbour on the same core, which takes a third of its speed or more, comes and goes by the millisecond.
const SHORT_SLICE: Duration = Duration::from_millis(1);
/// The same where the median counts.
const SLICE: Duration = Duration::from_millis(4);
/// How long all slices of a run take together, about.
const QUICK: Duration = Duration::from_millis(20);
const WHOLE: Duration = Duration::from_millis(60);
/// For so many milliseconds such a run waits for calm moments, at most.
const QUICK_PATIENCE: u64 = 10;
const WHOLE_PATIENCE: u64 = 100;

/// How long a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// A run that counts: where the least counts, of many slices; else as many operations as the row says, and as many before to
    /// warm up.
    Whole,
    /// As much as fits into a moment, in slices, and few operations to warm up.
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
    /// How calm the machine was at best, if that was looked for: see [`calm`].
    #[serde(default)]
    pub calmest: Option<u64>,
    /// Whether the figure is of calm slices.
    #[serde(default)]
    pub calm: bool,
}

/// Makes one run of a row; `calm` is what other runs said of that.
///
/// # Errors
///
/// If there is no such row, or it has no such runtime.
pub fn sample(name: &str, runtime: &str, effort: Effort, calm: Option<u64>) -> Result<Said, String> {
    let rows = workloads::all();
    let row = rows.iter().find(|row| row.name == name);
    let found = row.and_then(|row| Some((row, work(row, runtime)?)));
    let (row, work) = found.ok_or_else(|| format!("there is no workload {name:?} on {runtime:?}"))?;
    measure::allow_descriptors(MOST_DESCRIPTORS);
    if row.pinned && !measure::pin() {
        eprintln!("the system does not let this process choose its processor");
    }
    calm::look_for(calm, patience(row, effort));
    let plan = plan(row, &work, effort);
    let before = measure::allocations();
    let mut slices = work(plan.operations, plan.warming + plan.slices).split_off(plan.warming as usize);
    let after = measure::allocations();
    let made = plan.operations * u64::from(plan.warming + plan.slices);
    let each = |before: u64, after: u64| (after - before) as f64 / made as f64;
    let allocations = (each(before.0, after.0), each(before.1, after.1));
    let calm = slices.iter().any(|slice| slice.calm);
    slices.retain(|slice| slice.calm || !calm);
    let figures = slices.iter().map(|slice| figure(&slice.sample, plan.operations)).collect();
    let figure = row.figure.of(figures).expect("a slice");
    Ok(Said { figure, allocations: Some(allocations), calmest: calm::least(), calm })
}

/// What a runtime does, or what is done without one: so many operations, so many times.
type Doing = Box<dyn Fn(u64, u32) -> Vec<Slice>>;

fn work(row: &Row, runtime: &str) -> Option<Doing> {
    if runtime == FLOOR {
        let bare = row.floor.as_ref()?.work;
        return Some(Box::new(move |operations, times| (0..times).map(|_| Slice::of(|| bare(operations))).collect()));
    }
    Some(Box::new(row.columns.iter().find(|column| column.runtime == runtime)?.work))
}

fn figure(sample: &Sample, operations: u64) -> f64 {
    match sample {
        Sample::Time(time) => time.as_secs_f64() * 1e9 / operations as f64,
        Sample::Value(value) => *value,
    }
}

/// For how many milliseconds a run waits for calm moments.
fn patience(row: &Row, effort: Effort) -> u64 {
    match effort {
        Effort::Exactly(_) => 0,
        _ if !row.wants_calm() => 0,
        Effort::Quick => QUICK_PATIENCE,
        Effort::Whole => WHOLE_PATIENCE,
    }
}

/// What a run does, in one runtime.
struct Plan {
    /// How many operations a slice has.
    operations: u64,
    /// How many slices do not count: what a runtime has that is new (pages, caches, tables) is no operation's.
    warming: u32,
    /// How many count.
    slices: u32,
}

fn plan(row: &Row, work: &Doing, effort: Effort) -> Plan {
    // What is no time of an operation has no use for warmth, and a million of anything is warm by itself.
    let cold = row.unit != "ns" || row.operations > 100_000 || !row.quick;
    let once = |operations| Plan { operations, warming: 0, slices: 1 };
    match effort {
        Effort::Exactly(operations) => once(operations),
        Effort::Whole if cold => once(row.operations),
        Effort::Whole if row.figure == Figure::Median => Plan { warming: 1, ..once(row.operations) },
        Effort::Quick if row.unit == "bytes" => once(row.operations), // What all of them have beside them is a part of each.
        Effort::Quick if cold => once(row.whole(row.operations / 5)),
        Effort::Whole => sliced(row, work, WHOLE),
        Effort::Quick => sliced(row, work, QUICK),
    }
}

/// Makes a few operations, and plans slices that take so long together.
fn sliced(row: &Row, work: &Doing, time: Duration) -> Plan {
    let slice = if row.figure == Figure::Minimum { SHORT_SLICE } else { SLICE };
    let few = row.whole(row.operations / 20);
    let each = figure(&work(few, 1)[0].sample, few) / 1e9;
    let operations = row.whole(((slice.as_secs_f64() / each) as u64).min(row.operations));
    let slices = time.as_secs_f64() / (each * operations as f64);
    Plan { operations, warming: 1, slices: (slices as u32).clamp(1, time.div_duration_f64(slice) as u32) }
}
