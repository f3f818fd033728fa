//! Prints one table: each workload, each runtime, from interleaved runs.
//!
//! Every run is a process of its own, so that no runtime finds another's threads, memory or thread-locals; it warms up, and
//! then makes one run. `--quick` takes as many rounds as there is time for in three minutes, the whole with five runs half an hour.

mod contest;
mod process;
mod counter;
mod python;
mod builds;
mod report;

use clap::Parser;
use contest::{Contest, Trial};
use corio_benches::measure::Counting;
use corio_benches::sample::{Effort, sample};
use corio_benches::site;
use corio_benches::workloads::{self, Row};
use counter::Counter;
use report::{Machine, Report, chart, page};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How long a quick comparison takes at most, but for the row that it is at: on a machine that is busy with other things, the last
/// rows of its first round are left out, and named.
const QUICK: Duration = Duration::from_secs(165);

/// How many runs of each are made, if nothing is said: of a quick comparison at most.
const RUNS: u32 = 5;

/// Compares corio with other runtimes on the same work, and prints a table in Markdown.
#[derive(Debug, Parser)]
struct Options {
    /// Only workloads whose names contain this
    #[arg(long, value_name = "WORKLOAD")]
    only: Option<String>,
    /// Only runtimes whose names contain one of these, and corio
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    runtimes: Vec<String>,
    /// Runs of each workload on each runtime [default: 5; with --quick as many of them as three minutes allow]
    #[arg(long, value_name = "N")]
    runs: Option<u32>,
    /// Short runs, the largest left out, and all within three minutes if nothing is said of --runs; counting comes after
    #[arg(long)]
    quick: bool,
    /// Leave asyncio and uvloop out
    #[arg(long)]
    no_python: bool,
    /// Count system calls too, by strace
    #[arg(long)]
    system_calls: bool,
    /// Count instructions too, by valgrind
    #[arg(long)]
    instructions: bool,
    /// This program, built with link-time optimisation: its runs are a second column
    #[arg(long, value_name = "PROGRAM")]
    lto: Option<PathBuf>,
    /// Measure builds from nothing, and the size of a program, instead of the workloads; beside them with --page
    #[arg(long)]
    builds: bool,
    /// Write the figures to this file, as data
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw the ratios into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the whole page of figures to this file, and the picture of the ratios beside it
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Make one run of this workload and print what it measured
    #[arg(long, hide = true)]
    sample: Option<String>,
    /// The runtime of that run
    #[arg(long, hide = true, default_value = "")]
    on: String,
    /// The operations of that run
    #[arg(long, hide = true)]
    operations: Option<u64>,
    /// What a calm moment is, as far as other runs have found
    #[arg(long, hide = true)]
    calm: Option<u64>,
    /// Serve this folder
    #[arg(long, hide = true)]
    serve: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(folder) = &options.serve {
        return status(site::serve(folder));
    }
    if let Some(name) = &options.sample {
        one_run(name, &options);
    }
    if let Some(program) = options.lto.as_ref().filter(|program| !program.is_file()) {
        eprintln!(
            "there is no program {}: cargo build --profile lto -p corio-benches --bin compare",
            program.display()
        );
        return ExitCode::from(2);
    }
    let (rows, left_out): (Vec<_>, Vec<_>) =
        workloads::all().into_iter().filter(|row| options.names(row)).partition(|row| row.quick || !options.quick);
    if rows.is_empty() && left_out.is_empty() {
        eprintln!("no workload is named like {:?}", options.only.as_deref().unwrap_or_default());
        return ExitCode::from(2);
    }
    match compare(&rows, &left_out, &options) {
        Ok(report) => {
            println!("{}", report.markdown());
            ExitCode::SUCCESS
        }
        failed => status(failed.map(drop)),
    }
}

fn status(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    fn effort(&self) -> Effort {
        match self.operations {
            Some(operations) => Effort::Exactly(operations),
            None if self.quick => Effort::Quick,
            None => Effort::Whole,
        }
    }

    /// Whether it is to end within three minutes.
    fn is_short(&self) -> bool {
        self.quick && self.runs.is_none()
    }

    fn names(&self, row: &Row) -> bool {
        let part = self.only.as_deref().unwrap_or_default();
        row.name.to_lowercase().contains(&part.to_lowercase())
    }

    /// Whether a program that does nothing is wanted on this runtime, which may be several columns of the table.
    fn names_runtime(&self, name: &str) -> bool {
        let named = |part: &String| name.contains(part.as_str()) || part.starts_with(name);
        name == "corio" || self.runtimes.is_empty() || self.runtimes.iter().any(named)
    }

    /// What is to be counted and can be; and why something else cannot.
    fn counters(&self) -> (Vec<Counter>, Vec<String>) {
        let wanted = [(self.system_calls, Counter::SystemCalls), (self.instructions, Counter::Instructions)];
        let (mut found, mut skipped) = (Vec::new(), Vec::new());
        for (_, counter) in wanted.into_iter().filter(|(is_wanted, _)| *is_wanted) {
            match counter.check() {
                Ok(()) => found.push(counter),
                Err(failure) => skipped.push(failure),
            }
        }
        (found, skipped)
    }

    /// Whether the workloads are wanted, and not only the builds.
    fn has_workloads(&self) -> bool {
        !self.builds || self.page.is_some() || self.only.is_some()
    }
}

/// Makes one run, says what it measured, and ends this process.
fn one_run(name: &str, options: &Options) -> ! {
    let status = match sample(name, &options.on, options.effort(), options.calm) {
        Ok(said) => {
            println!("{}", serde_json::to_string(&said).expect("figures"));
            0
        }
        Err(error) => {
            eprintln!("{error}");
            2
        }
    };
    // Not by way of the destructors: some runtimes cannot drop a task that never ends.
    std::process::exit(status)
}

/// Measures row after row, and all of them again for the next round; then has counted what is to be counted. The files are
/// written anew after each row, so that a comparison that is cut short is kept as far as it came.
fn compare(rows: &[Row], left_out: &[Row], options: &Options) -> io::Result<Report> {
    let machine = Machine::here();
    let begin = Instant::now();
    let (pythons, mut skipped) = if options.no_python { Default::default() } else { python::find() };
    let (counters, missing) = options.counters();
    skipped.extend(missing);
    for skipped in &skipped {
        eprintln!("SKIPPED {skipped}");
    }
    let contest = Contest {
        runs: options.runs.unwrap_or(RUNS),
        effort: options.effort(),
        limit: Duration::from_secs(if options.quick { 5 } else { 60 }),
        calmest: Default::default(),
        is_short: options.is_short(),
        runtimes: options.runtimes.clone(),
        lto: options.lto.clone(),
        pythons,
    };
    let rows = if options.has_workloads() { rows } else { &[] };
    let names = |rows: &[Row]| rows.iter().map(|row| row.name.clone()).collect();
    let (left_out, to_come) = (names(left_out), names(rows));
    let mut report = Report {
        machine,
        how: how(options, contest.runs),
        rows: Vec::new(),
        left_out,
        to_come,
        skipped,
        uncounted: Vec::new(),
        builds: Vec::new(),
    };
    let mut trials: Vec<_> = rows.iter().map(|row| contest.trial(row)).collect();
    for round in 1..=contest.runs {
        if options.is_short() && round > 1 && begin.elapsed() > QUICK * 5 / 6 {
            break; // Too little of another round would be made.
        }
        report.how = how(options, round);
        for (i, (row, trial)) in rows.iter().zip(&mut trials).enumerate() {
            if options.is_short() && begin.elapsed() > QUICK {
                if round > 1 {
                    break;
                }
                report.left_out.push(format!("{} (out of time)", report.to_come.remove(0)));
                continue;
            }
            let (time, of) = (begin.elapsed().as_secs_f64(), rows.len());
            eprint!("[{round}/{}] [{:3}/{of}] {time:4.0} s  {}: ", contest.runs, i + 1, row.name);
            trial.round(&contest);
            let measured = trial.measured(&contest);
            eprintln!("{}", measured.in_short());
            if round == 1 {
                report.to_come.remove(0);
                report.rows.push(measured);
            } else {
                report.rows[i] = measured;
            }
            write(&report, options)?;
        }
    }
    trials.truncate(report.rows.len()); // What a quick comparison had no time for comes last.
    for counter in counters {
        count(counter, rows, &mut trials, &contest, &mut report, options)?;
    }
    if options.builds {
        let keep = |builds: &[builds::Build]| {
            report.builds = builds.to_vec();
            let _ = write(&report, options); // Should that fail, it is said in the end.
        };
        let (builds, failed) = builds::builds(2, |name| options.names_runtime(name), keep);
        report.builds = builds;
        report.skipped.extend(failed);
    }
    write(&report, options)?;
    eprintln!("done after {:.0} s", begin.elapsed().as_secs_f64());
    Ok(report)
}

/// Has something counted in the rows that were measured. It takes its time, and disturbs nobody: the runs are made.
fn count(
    counter: Counter,
    rows: &[Row],
    trials: &mut [Trial<'_>],
    contest: &Contest,
    report: &mut Report,
    options: &Options,
) -> io::Result<()> {
    let begin = Instant::now();
    for (i, (row, trial)) in rows.iter().zip(trials).enumerate().filter(|(_, (row, _))| counter.counts_in(row)) {
        eprint!("[{}] {:4.0} s  {}: ", counter.what(), begin.elapsed().as_secs_f64(), row.name);
        let uncounted = trial.count(counter);
        report.rows[i] = trial.measured(contest);
        eprintln!("{}", report.rows[i].count_in_short(counter));
        uncounted.into_iter().for_each(|uncounted| report.note_uncounted(uncounted));
        write(report, options)?;
    }
    Ok(())
}

/// Says how many runs of each are made.
fn how(options: &Options, runs: u32) -> String {
    let length = if options.quick { "short " } else { "" };
    let runs = match runs {
        1 => format!("one {length}run of each"),
        _ if options.is_short() => {
            format!("up to {runs} {length}runs of each, in turns, all rows before the next round")
        }
        _ => format!("{runs} {length}runs of each, in turns, all rows before the next round"),
    };
    format!("{runs}, each a process of its own")
}

fn write(report: &Report, options: &Options) -> io::Result<()> {
    if let Some(file) = &options.json {
        save(file, &serde_json::to_string_pretty(report).expect("figures and names"))?;
    }
    if let Some(file) = &options.svg {
        save(file, &chart(report))?;
    }
    if let Some(file) = &options.page {
        let picture = file.with_extension("svg");
        save(&picture, &chart(report))?;
        let name = picture.file_name().unwrap_or_default().to_string_lossy();
        let arguments: Vec<_> = std::env::args().skip(1).collect();
        save(file, &page(report, &name, &format!("compare {}", arguments.join(" "))))?;
    }
    Ok(())
}

fn save(file: &Path, text: &str) -> io::Result<()> {
    std::fs::write(file, text).map_err(|error| io::Error::other(format!("cannot write {}: {error}", file.display())))
}
