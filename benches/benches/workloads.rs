//! Criterion's curves of the workloads: `cargo bench -p corio-benches`, or of one, with its name behind `--`.
//!
//! They are for looking at one row at a time, with its spread and its history: all runs of a row are made in one process.
//! The rows are those inside a task whose figure is a time; `compare` has the others, and is what figures are quoted from.

use corio_benches::measure;
use corio_benches::workloads::{self, Column, Row, Sample, Slice};
use criterion::{Criterion, SamplingMode, Throughput};
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode};
use std::time::Duration;

/// What tells a process which row is its own.
const ROW: &str = "CORIO_BENCHES_ROW";

fn main() -> ExitCode {
    let rows = || workloads::all().into_iter().filter(has_curve);
    if let Ok(name) = env::var(ROW) {
        rows().filter(|row| row.name == name).for_each(|row| draw(&row));
        return ExitCode::SUCCESS;
    }
    let failed = rows().filter(|row| !draws(row)).count();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Has a process of its own draw a row's curves: some peers keep a descriptor or more of each run, and after all rows there
/// would be none left. Tells whether it did.
fn draws(row: &Row) -> bool {
    let program = env::current_exe().expect("this program has a path");
    let status = Command::new(program).args(env::args_os().skip(1)).env(ROW, &row.name).status();
    let drew = status.as_ref().is_ok_and(|status| status.success());
    if !drew {
        eprintln!(
            "NOT MEASURED: {}: {}",
            row.name,
            status.map_or_else(|why| why.to_string(), |status| status.to_string())
        );
    }
    drew
}

/// Draws a row's curves. A peer that cannot do it is named, and has none.
fn draw(row: &Row) {
    measure::allow_descriptors(32_768);
    let criterion = Criterion::default().sample_size(10).nresamples(10_000).warm_up_time(Duration::from_millis(200));
    let mut criterion = criterion.measurement_time(Duration::from_millis(500)).configure_from_args();
    let operations = row.whole(row.operations / 10);
    let mut group = criterion.benchmark_group(&row.name);
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(operations));
    for column in &row.columns {
        if let Err(why) = try_out(column, operations) {
            eprintln!("{} fails at {}, and has no curve: {why}", column.runtime, row.name);
            continue;
        }
        group.bench_function(column.runtime, |bencher| {
            bencher.iter_custom(|rounds| {
                (column.work)(operations, rounds as u32).iter().map(|slice| time(&slice.sample)).sum()
            });
        });
    }
    group.finish();
    criterion.final_summary();
}

/// Makes a run, and says why it failed: a peer may panic under a load that others bear, and the others are to go on.
fn try_out(column: &Column, operations: u64) -> Result<Vec<Slice>, String> {
    catch_unwind(AssertUnwindSafe(|| (column.work)(operations, 1))).map_err(|payload| {
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
