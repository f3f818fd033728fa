//! Criterion's curves of the workloads: `cargo bench -p corio-benches`, or of one, with its name behind `--`.

use corio_benches::workloads::{self, Sample};
use criterion::{Criterion, Throughput};
use std::time::Duration;

fn main() {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    // What is no time has no curve.
    for row in workloads::all().into_iter().filter(|row| row.unit == "ns") {
        let mut group = criterion.benchmark_group(&row.name);
        group.throughput(Throughput::Elements(row.operations));
        for column in row.columns {
            group.bench_function(column.runtime, |bencher| {
                bencher.iter_custom(|rounds| (0..rounds).map(|_| time(&(column.work)(row.operations))).sum());
            });
        }
        group.finish();
    }
    criterion.final_summary();
}

fn time(sample: &Sample) -> Duration {
    match sample {
        Sample::Time(time) => *time,
        Sample::Value(_) => Duration::ZERO,
    }
}
