//! Criterion's curves of the workloads: `cargo bench -p corio-benches`.

use corio_benches::workloads;
use criterion::{Criterion, Throughput};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for row in workloads::all() {
        let mut group = criterion.benchmark_group(row.name);
        group.throughput(Throughput::Elements(row.operations));
        for (name, work) in row.columns {
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|rounds| (0..rounds).map(|_| work(row.operations)).sum());
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
