//! Criterion's curves of the workloads: `cargo bench -p corio-benches`, or of one, with its name behind `--`.
//!
//! They are for looking at one row at a time, with its spread and its history: all runs are made in this one process. The rows are those
//! inside a task whose figure is a time; `compare` has the others, and is what figures are quoted from.

use corio_benches::measure;
use corio_benches::workloads::{self, Column, Row, Sample};
use criterion::{Criterion, SamplingMode, Throughput};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

fn main() {
    measure::allow_descriptors(32_768);
    let criterion = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(200));
    let mut criterion = criterion.measurement_time(Duration::from_secs(1)).configure_from_args();
    let mut broken = Vec::new();
    for row in workloads::all().into_iter().filter(has_curve) {
        let operations = row.whole(row.operations / 10);
        let mut group = criterion.benchmark_group(&row.name);
        group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(operations));
        for column in &row.columns {
            if broken.contains(&column.runtime) {
                continue;
            }
            if let Err(why) = try_out(column, operations) {
                eprintln!("{} fails at {}, and has no curve from here on: {why}", column.runtime, row.name);
                broken.push(column.runtime);
                continue;
            }
            group.bench_function(column.runtime, |bencher| {
                bencher.iter_custom(|rounds| (0..rounds).map(|_| time(&(column.work)(operations))).sum());
            });
        }
        group.finish();
    }
    criterion.final_summary();
}

/// Makes a run, and says why it failed: a peer may panic under a load that others bear, and the others are to go on. It may
/// not: what it keeps on this thread is of no use any more.
fn try_out(column: &Column, operations: u64) -> Result<Sample, String> {
    catch_unwind(AssertUnwindSafe(|| (column.work)(operations))).map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
    })
}

fn has_curve(row: &Row) -> bool {
    row.unit == "ns" && row.quick && !row.from_main
}

fn time(sample: &Sample) -> Duration {
    match sample {
        Sample::Time(time) => *time,
        Sample::Value(_) => Duration::ZERO,
    }
}
