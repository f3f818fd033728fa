//! Has the runs of a row made: each a process of its own, the runtimes in turns, so that what disturbs one disturbs all.

use crate::python::Python;
use crate::report::{Cell, FloorFigure, Measured};
use corio_benches::sample::{Effort, FLOOR, Said};
use corio_benches::workloads::{Column, Row};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How many times the best peer's figure a peer's may be after two rounds, for it to be asked again: it cannot become the best.
const FAR_BEHIND: f64 = 20.0;

/// The same in a row whose round takes long, after one.
const BEHIND: f64 = 2.0;

/// What is a long round, for a comparison that is to end within half an hour.
const LONG: Duration = Duration::from_secs(8);

/// How a comparison is made.
#[derive(Debug)]
pub(crate) struct Contest {
    /// How many runs of each.
    pub(crate) runs: u32,
    /// How long each.
    pub(crate) effort: Effort,
    /// How long one may take before it is given up.
    pub(crate) limit: Duration,
    /// Parts of the names of the peers that are wanted; all, if there are none.
    pub(crate) runtimes: Vec<String>,
    /// This program with link-time optimisation, if that is to be measured too.
    pub(crate) lto: Option<PathBuf>,
    /// Whether to count system calls.
    pub(crate) system_calls: bool,
    /// The Pythons that could be had.
    pub(crate) pythons: Vec<Python>,
}

/// One column of a row, and how to have a run of it made.
struct Contestant {
    cell: Cell,
    commands: Vec<Vec<String>>,
    /// For each command, its runs.
    runs: Vec<Vec<f64>>,
}

impl Contestant {
    fn new(cell: Cell, commands: Vec<Vec<String>>) -> Contestant {
        Contestant { cell, runs: vec![Vec::new(); commands.len()], commands }
    }

    /// Has one run of each command made. Who failed once is not asked again.
    fn run(&mut self, limit: Duration) {
        for (command, runs) in self.commands.iter().zip(&mut self.runs) {
            if self.cell.failure.is_some() {
                return;
            }
            match ask(command, limit) {
                Ok(said) => {
                    runs.push(said.figure);
                    self.cell.allocations = said.allocations.or(self.cell.allocations);
                }
                Err(failure) => self.cell.failure = Some(failure),
            }
        }
    }

    /// Tells whether it makes another run: corio always, a peer while it is not `far` behind the best of its kind.
    fn goes_on(&self, bests: &Bests, far: f64) -> bool {
        let best = if self.cell.eager { bests.eager } else { bests.lazy };
        let figure = self.least().unwrap_or(0.0);
        self.cell.is_corio() || best.is_none_or(|best| figure <= best * far)
    }

    /// Returns the least figure so far.
    fn least(&self) -> Option<f64> {
        self.runs.first()?.iter().copied().min_by(f64::total_cmp)
    }

    fn finish(mut self, row: &Row) -> Cell {
        self.cell.runs = self.runs.first().map_or(0, Vec::len);
        let mut figures = self.runs.into_iter().map(|runs| row.figure.of(runs));
        let failed = self.cell.failure.is_some();
        self.cell.figure = figures.next().flatten().filter(|_| !failed);
        self.cell.lto = figures.next().flatten().filter(|_| !failed);
        self.cell
    }
}

/// The best figures so far of the peers that count: an eager one is compared with corio's eager tasks.
struct Bests {
    lazy: Option<f64>,
    eager: Option<f64>,
}

impl Bests {
    fn of(contestants: &[Contestant]) -> Bests {
        let best = |eager: bool| {
            let peers = contestants.iter().filter(|contestant| {
                contestant.cell.counts && !contestant.cell.is_corio() && contestant.cell.eager == eager
            });
            peers.filter_map(Contestant::least).min_by(f64::total_cmp)
        };
        Bests { lazy: best(false), eager: best(true) }
    }
}

impl Contest {
    /// Has all runs of a row made: one or two of each, and then the others of those that may come off best.
    #[must_use]
    pub(crate) fn measure(&self, row: &Row) -> Measured {
        let columns: Vec<_> = row.columns.iter().filter(|column| self.wants(column.runtime)).collect();
        let mut contestants: Vec<_> = columns.iter().map(|column| self.contestant(row, column)).collect();
        let pythons = self.pythons.iter().filter(|python| self.wants(python.name) && python.knows(row, self.effort));
        contestants.extend(pythons.map(|python| {
            let cell = Cell { runtime: python.name.to_owned(), counts: true, ..Cell::default() };
            Contestant::new(cell, vec![python.command(row, self.effort)])
        }));
        let mut floor = Contestant::new(Cell::default(), vec![self.command(row, FLOOR)]);
        let mut round = |contestants: &mut dyn Iterator<Item = &mut Contestant>| {
            contestants.for_each(|contestant| contestant.run(self.limit));
            if row.floor.is_some() {
                floor.run(self.limit);
            }
        };
        let start = Instant::now();
        round(&mut contestants.iter_mut());
        // In a short row a second round is cheap, and whoever was disturbed in the first has another chance.
        let is_long = start.elapsed() > LONG;
        let (all, far) = if is_long { (1, BEHIND) } else { (2, FAR_BEHIND) };
        (1..all.min(self.runs)).for_each(|_| round(&mut contestants.iter_mut()));
        let bests = Bests::of(&contestants);
        for _ in all..self.runs {
            round(&mut contestants.iter_mut().filter(|contestant| contestant.goes_on(&bests, far)));
        }
        let mut cells: Vec<_> = contestants.into_iter().map(|contestant| contestant.finish(row)).collect();
        // The largest rows would take strace minutes, and ask for nothing else than the smaller ones.
        if self.system_calls && !row.from_main && row.quick {
            for (cell, column) in cells.iter_mut().zip(&columns) {
                cell.system_calls = cell.figure.and_then(|_| self.count_system_calls(row, column));
            }
        }
        Measured {
            name: row.name.clone(),
            from_main: row.from_main,
            unit: row.unit,
            bar: row.bar,
            limit: row.limit,
            runs: self.runs as usize,
            floor: floor_figure(row, floor),
            cells,
        }
    }

    fn wants(&self, runtime: &str) -> bool {
        let named = |name: &String| runtime.contains(name.as_str());
        runtime.starts_with("corio") || self.runtimes.is_empty() || self.runtimes.iter().any(named)
    }

    fn contestant(&self, row: &Row, column: &Column) -> Contestant {
        let runtime = column.runtime.to_owned();
        let cell = Cell { runtime, counts: column.counts, eager: column.eager, ..Cell::default() };
        let command = self.command(row, column.runtime);
        let lto = self.lto.as_ref().map(|program| with_program(&command, program.display().to_string()));
        Contestant::new(cell, [Some(command), lto].into_iter().flatten().collect())
    }

    /// The command that makes one run.
    fn command(&self, row: &Row, runtime: &str) -> Vec<String> {
        let program = std::env::current_exe().expect("this program").display().to_string();
        let mut command = vec![program, "--sample".into(), row.name.clone(), "--on".into(), runtime.into()];
        if self.effort == Effort::Quick {
            command.push("--quick".into());
        }
        command
    }

    /// Counts the system calls of an operation: how many more a run of twice the operations makes.
    fn count_system_calls(&self, row: &Row, column: &Column) -> Option<f64> {
        let few = row.whole(row.operations.min(20_000) / 10);
        let count = |operations: u64| {
            let mut command = Command::new("strace");
            command.args(["-f", "-c", "-U", "calls"]).args(self.command(row, column.runtime));
            let output = finish(command.arg("--operations").arg(operations.to_string()), self.limit).ok()?;
            let text = String::from_utf8_lossy(&output.stderr);
            // The last line is the total.
            text.lines().rev().find_map(|line| line.split_whitespace().next()?.parse::<f64>().ok())
        };
        let (once, twice) = (count(few)?, count(2 * few)?);
        Some((twice - once).max(0.0) / few as f64)
    }
}

fn with_program(command: &[String], program: String) -> Vec<String> {
    std::iter::once(program).chain(command[1..].iter().cloned()).collect()
}

fn floor_figure(row: &Row, contestant: Contestant) -> Option<FloorFigure> {
    let floor = row.floor.as_ref()?;
    let cell = contestant.finish(row);
    if let Some(failure) = &cell.failure {
        eprintln!("the floor of {} cannot be measured: {failure}", row.name);
    }
    Some(FloorFigure { what: floor.what, figure: cell.figure?, bar: floor.bar })
}

/// Has a run made.
fn ask(command: &[String], limit: Duration) -> Result<Said, String> {
    let output = finish(Command::new(&command[0]).args(&command[1..]), limit)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty() && !line.starts_with("note:")).unwrap_or("");
        return Err(format!("{}: {last}", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// Runs a command to its end, or ends it when it takes too long.
fn finish(command: &mut Command, limit: Duration) -> Result<Output, String> {
    // What a peer panics with is its last words, and not where it was.
    let child =
        command.env("RUST_BACKTRACE", "0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.map_err(|error| error.to_string())?;
    let process = process_of(&child);
    let (tell, ended) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let output = child.wait_with_output();
        let _ = tell.send(()); // Nobody listens if it took too long.
        output
    });
    let late = ended.recv_timeout(limit).is_err();
    if late {
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL); // It may have ended just now.
    }
    let output = waiting.join().expect("it does not panic");
    if late { Err(format!("not done after {limit:?}")) } else { output.map_err(|error| error.to_string()) }
}

fn process_of(child: &Child) -> rustix::process::Pid {
    let id = i32::try_from(child.id()).expect("a process's number");
    rustix::process::Pid::from_raw(id).expect("not zero")
}
