//! Criterion's curves of the workloads: `cargo bench -p corio-benches`, or of one, with its name behind `--`.
//!
//! They are for looking at one row at a time, with its spread and its history: all runs are made in this one process. The rows are those
//! inside a task whose figure is a time; `compare` has the others, and is what figures are quoted from.

use corio_benches::measure;
use corio_benches::workloads::{self, Row, Sample};
use criterion::{Criterion, SamplingMode, Throughput};
use std::time::Duration;

fn main() {
    measure::allow_descriptors(32_768);
    let criterion = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(200));
    let mut criterion = criterion.measurement_time(Duration::from_secs(1)).configure_from_args();
    for row in workloads::all().into_iter().filter(has_curve) {
        let operations = row.whole(row.operations / 10);
        let mut group = criterion.benchmark_group(&row.name);
        group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(operations));
        for column in &row.columns {
            group.bench_function(column.runtime, |bencher| {
                bencher.iter_custom(|rounds| (0..rounds).map(|_| time(&(column.work)(operations))).sum());
            });
        }
        group.finish();
    }
    criterion.final_summary();
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
