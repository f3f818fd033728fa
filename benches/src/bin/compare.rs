//! Prints one table: each workload, each runtime, from interleaved runs.
//!
//! Every run is a process of its own, so that no runtime finds another's threads, memory or thread-locals; it warms up, and
//! then makes one run. `--quick` takes a minute or two, the whole with five runs half an hour.

use clap::Parser;
use corio_benches::measure::{self, Counting};
use corio_benches::python;
use corio_benches::report::{Cell, Measured, Report, chart, figure};
use corio_benches::workloads::{self, Column, Row, Sample};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Compares corio with other runtimes on the same work, and prints a table in Markdown.
#[derive(Debug, Parser)]
struct Options {
    /// Only workloads whose names contain this
    #[arg(long, default_value = "")]
    only: String,
    /// Only runtimes whose names contain one of these, and corio
    #[arg(long, value_delimiter = ',')]
    runtimes: Vec<String>,
    /// Runs of each workload on each runtime
    #[arg(long, default_value_t = 5)]
    runs: u32,
    /// One short run of each
    #[arg(long)]
    quick: bool,
    /// Count system calls too, by strace
    #[arg(long)]
    system_calls: bool,
    /// Run asyncio and uvloop too, where they can be had
    #[arg(long)]
    python: bool,
    /// Write the figures to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Draw the ratios into this file
    #[arg(long)]
    svg: Option<PathBuf>,
    /// Make one run of this workload and print what it measured
    #[arg(long, hide = true)]
    sample: Option<String>,
    /// The runtime of that run
    #[arg(long, hide = true, default_value = "")]
    on: String,
}

/// What one run says to the process that asked for it.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    figure: f64,
    allocations: (f64, f64),
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(name) = &options.sample {
        return sample(name, &options);
    }
    let rows: Vec<_> = workloads::all().into_iter().filter(|row| row.name.contains(&options.only)).collect();
    if rows.is_empty() {
        eprintln!("no workload is named like {:?}", options.only);
        return ExitCode::from(2);
    }
    let mut report = Report::default();
    for row in &rows {
        eprintln!("{}", row.name);
        report.rows.push(measure(row, &options));
    }
    if options.python {
        python::add(&mut report);
    }
    println!("{}", report.markdown());
    let written = options.json.as_ref().map(|file| std::fs::write(file, json(&report)));
    let drawn = options.svg.as_ref().map(|file| std::fs::write(file, chart(&report)));
    if let Some(error) = [written, drawn].into_iter().flatten().find_map(Result::err) {
        eprintln!("cannot write: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn json(report: &Report) -> String {
    serde_json::to_string_pretty(report).expect("figures and names")
}

impl Options {
    fn wants(&self, column: &Column) -> bool {
        let named = |name: &String| column.runtime.contains(name.as_str());
        column.runtime.starts_with("corio") || self.runtimes.is_empty() || self.runtimes.iter().any(named)
    }
}

/// Makes all runs of a row: the runtimes in turns, so that what disturbs one disturbs all.
fn measure(row: &Row, options: &Options) -> Measured {
    let columns: Vec<_> = row.columns.iter().filter(|column| options.wants(column)).collect();
    let runs = if options.quick { 1 } else { options.runs };
    let mut figures = vec![Vec::new(); columns.len()];
    let mut cells: Vec<_> = columns.iter().map(|column| empty(column)).collect();
    for _ in 0..runs {
        for ((column, figures), cell) in columns.iter().zip(&mut figures).zip(&mut cells) {
            if cell.failure.is_some() {
                continue;
            }
            match ask(row, column, options) {
                Ok(said) => {
                    figures.push(said.figure);
                    cell.allocations = Some(said.allocations);
                }
                Err(failure) => cell.failure = Some(failure),
            }
        }
    }
    for ((column, figures), cell) in columns.iter().zip(figures).zip(&mut cells) {
        cell.figure = figure(row, figures);
        if options.system_calls && cell.figure.is_some() {
            cell.system_calls = system_calls(row, column, options);
        }
    }
    Measured { name: row.name.clone(), unit: row.unit, bar: row.bar, cells }
}

fn empty(column: &Column) -> Cell {
    let runtime = column.runtime.to_owned();
    Cell {
        runtime,
        counts: column.counts,
        eager: column.eager,
        figure: None,
        allocations: None,
        system_calls: None,
        failure: None,
    }
}

/// The command that makes one run.
fn command(row: &Row, column: &Column, options: &Options) -> Vec<String> {
    let program = std::env::current_exe().expect("this program").display().to_string();
    let mut command = vec![program, "--sample".into(), row.name.clone(), "--on".into(), column.runtime.into()];
    if options.quick {
        command.push("--quick".into());
    }
    command
}

/// Has a run made.
fn ask(row: &Row, column: &Column, options: &Options) -> Result<Said, String> {
    let command = command(row, column, options);
    let limited = Command::new("timeout").arg("60").args(&command).output();
    let output = limited.or_else(|_| Command::new(&command[0]).args(&command[1..]).output());
    let output = output.map_err(|error| error.to_string())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.starts_with("note:")).unwrap_or("").to_owned();
        return Err(format!("{}: {last}", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// Counts the system calls of a run, those of starting up included, which the many operations outweigh.
fn system_calls(row: &Row, column: &Column, options: &Options) -> Option<f64> {
    let command = command(row, column, options);
    let output = Command::new("strace").args(["-f", "-c", "-U", "calls"]).args(&command).output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let total = text.lines().rev().find_map(|line| line.trim().parse::<u64>().ok())?;
    Some(total as f64 / operations(row, options) as f64)
}

fn operations(row: &Row, options: &Options) -> u64 {
    // As many as a gather of 100,000 needs stay.
    if options.quick && row.operations <= 50_000 { row.operations / 2 } else { row.operations }
}

/// Makes one run in this process.
fn sample(name: &str, options: &Options) -> ExitCode {
    let rows = workloads::all();
    let found = rows.iter().find(|row| row.name == name);
    let column = found.and_then(|row| Some((row, row.columns.iter().find(|column| column.runtime == options.on)?)));
    let Some((row, column)) = column else {
        eprintln!("there is no workload {name:?} on {:?}", options.on);
        return ExitCode::from(2);
    };
    measure::allow_many_descriptors();
    if row.pinned && !measure::pin() {
        eprintln!("the system does not let this process choose its processor");
    }
    let operations = operations(row, options);
    if operations <= 100_000 && row.unit == "ns" {
        (column.work)(operations); // Warms up: pages, caches, tables.
    }
    let before = measure::allocations();
    let sample = (column.work)(operations);
    let after = measure::allocations();
    let figure = match sample {
        Sample::Time(time) => time.as_secs_f64() * 1e9 / operations as f64,
        Sample::Value(value) => value,
    };
    let each = |before: u64, after: u64| (after - before) as f64 / operations as f64;
    let allocations = (each(before.0, after.0), each(before.1, after.1));
    println!("{}", serde_json::to_string(&Said { figure, allocations }).expect("figures"));
    // Not by way of the destructors: some runtimes cannot drop a task that never ends.
    std::process::exit(0)
}
