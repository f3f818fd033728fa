//! Has the runs of a row made: each a process of its own, the runtimes in turns, so that what disturbs one disturbs all.
//!
//! A round is one run of each. The rounds of a row are spread over the whole comparison, for whoever calls goes through all
//! rows before the next round: a machine that is slow for a minute has one round of each slow, and not all of one.

use crate::counter::Counter;
use crate::process;
use crate::python::Python;
use crate::report::{Cell, FloorFigure, Measured, Uncounted};
use corio_benches::calm;
use corio_benches::sample::{Effort, FLOOR, Said};
use corio_benches::workloads::{Column, Row};
use std::cell::RefCell;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// After how many rounds a peer is not asked again that cannot become the best, and how many times the best one's figure its own
/// is then.
#[derive(Clone, Copy, Debug)]
struct Patience {
    rounds: u32,
    far: f64,
}

impl Patience {
    /// In a short row a second round is cheap, and whoever was disturbed in the first has another chance.
    const USUAL: Patience = Patience { rounds: 2, far: 20.0 };
    /// In a comparison that is to end within three minutes.
    const SHORT: Patience = Patience { rounds: 1, far: 4.0 };
    /// In a row whose round takes long.
    const LONG: Patience = Patience { rounds: 1, far: 2.0 };
}

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
    /// It is to end within three minutes.
    pub(crate) is_short: bool,
    /// How calm each run has found the machine, at best: of either program, whose arithmetic is not compiled alike.
    pub(crate) calmest: [RefCell<Vec<u64>>; 2],
    /// Parts of the names of the peers that are wanted; all, if there are none.
    pub(crate) runtimes: Vec<String>,
    /// This program with link-time optimisation, if that is to be measured too.
    pub(crate) lto: Option<PathBuf>,
    /// The Pythons that could be had.
    pub(crate) pythons: Vec<Python>,
}

/// One column of a row, and how to have a run of it made.
struct Contestant {
    cell: Cell,
    commands: Vec<Vec<String>>,
    /// For each command, its runs: those in calm moments, if there were any.
    runs: Vec<Vec<f64>>,
    /// For each command, how calm the machine was in one of them, if it was.
    calm: Vec<Option<u64>>,
    /// The commands are this program.
    is_ours: bool,
}

impl Contestant {
    fn new(cell: Cell, commands: Vec<Vec<String>>) -> Contestant {
        let (runs, calm) = (vec![Vec::new(); commands.len()], vec![None; commands.len()]);
        Contestant { cell, commands, runs, calm, is_ours: true }
    }

    /// Has one run of each command made. Who failed once is not asked again.
    fn run(&mut self, contest: &Contest) {
        let commands = self.commands.iter().zip(&mut self.runs).zip(&mut self.calm).zip(&contest.calmest);
        for (((command, runs), calm), calmest) in commands {
            if self.cell.failure.is_some() {
                return;
            }
            let known = known_calm(calmest).filter(|_| self.is_ours).map(|calm| format!("--calm={calm}"));
            match ask(command, known, contest.limit) {
                Ok(said) => {
                    calmest.borrow_mut().extend(said.calmest);
                    if said.calm && calm.is_none() {
                        runs.clear(); // What the others say is not needed any more.
                    }
                    if said.calm || calm.is_none() {
                        runs.push(said.figure);
                    }
                    *calm = said.calmest.filter(|_| said.calm).into_iter().chain(*calm).min();
                    self.cell.allocations = said.allocations.or(self.cell.allocations);
                }
                Err(failure) => self.cell.failure = Some(failure),
            }
        }
    }

    /// Tells whether it can still become the best: corio always, a peer while it is not `far` behind the best of its kind.
    fn is_in_the_race(&self, bests: &Bests, far: f64) -> bool {
        let best = if self.cell.eager { bests.eager } else { bests.lazy };
        let figure = self.least().unwrap_or(0.0);
        self.cell.is_corio() || best.is_none_or(|best| figure <= best * far)
    }

    /// Tells whether it has run, each command, when the machine was about as calm as it ever was.
    fn was_calm(&self, contest: &Contest) -> bool {
        let is_calm = |(calm, calmest): (&Option<u64>, _)| {
            calm.zip(known_calm(calmest)).is_some_and(|(calm, known)| calm::is_as_good(calm, known))
        };
        self.calm.iter().zip(&contest.calmest).all(is_calm)
    }

    /// Tells whether it can be watched, and is corio or not slower than `slowest`.
    fn is_watched(&self, slowest: f64) -> bool {
        let is_wanted = self.cell.is_corio() || self.least().is_some_and(|figure| figure <= slowest);
        self.is_ours && self.cell.failure.is_none() && is_wanted
    }

    /// Returns the least figure so far.
    fn least(&self) -> Option<f64> {
        self.runs.first()?.iter().copied().min_by(f64::total_cmp)
    }

    /// Returns what came out so far.
    fn cell(&self, row: &Row, contest: &Contest) -> Cell {
        let mut figures = self.runs.iter().map(|runs| row.figure.of(runs.clone()));
        let failed = self.cell.failure.is_some();
        Cell {
            runs: self.runs.first().map_or(0, Vec::len),
            figure: figures.next().flatten().filter(|_| !failed),
            lto: figures.next().flatten().filter(|_| !failed),
            restless: row.wants_calm() && self.is_ours && !self.was_calm(contest),
            ..self.cell.clone()
        }
    }
}

/// The best figures so far of the peers that count: an eager one is compared with corio's eager tasks.
struct Bests {
    lazy: Option<f64>,
    eager: Option<f64>,
}

impl Bests {
    /// Nothing is known yet.
    const NONE: Bests = Bests { lazy: None, eager: None };

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

/// The runs of a row so far.
pub(crate) struct Trial<'r> {
    row: &'r Row,
    contestants: Vec<Contestant>,
    floor: Contestant,
    rounds: u32,
    /// A round takes long.
    is_long: bool,
}

impl Trial<'_> {
    /// Has a round made: of all, and after one or two, of those that may still come off best. In a comparison that is to end soon,
    /// those whose figure is of a calm moment have what they need.
    pub(crate) fn round(&mut self, contest: &Contest) {
        let usual = if contest.is_short { Patience::SHORT } else { Patience::USUAL };
        let patience = if self.is_long { Patience::LONG } else { usual };
        let bests = if self.rounds < patience.rounds { Bests::NONE } else { Bests::of(&self.contestants) };
        let start = Instant::now();
        let has_enough = |one: &Contestant| contest.is_short && one.was_calm(contest);
        for one in &mut self.contestants {
            one.cell.left_behind = !one.is_in_the_race(&bests, patience.far);
            if !(one.cell.left_behind || has_enough(one)) {
                one.run(contest);
            }
        }
        if self.row.floor.is_some() && !has_enough(&self.floor) {
            self.floor.run(contest);
        }
        self.is_long |= start.elapsed() > LONG;
        self.rounds += 1;
    }

    /// Has something counted of an operation, of corio and of as many peers as the counter has time for; returns what kept it
    /// from being counted.
    pub(crate) fn count(&mut self, counter: Counter) -> Vec<Uncounted> {
        let slowest = self.slowest(counter.peers());
        let mut uncounted = Vec::new();
        for contestant in self.contestants.iter_mut().filter(|one| one.is_watched(slowest)) {
            match counter.count(self.row, &contestant.commands[0]) {
                Ok(figure) => counter.note(&mut contestant.cell, figure),
                Err(why) => {
                    let (row, runtime) = (self.row.name.clone(), contestant.cell.runtime.clone());
                    uncounted.push(Uncounted { what: counter.what(), row, runtime, why });
                }
            }
        }
        uncounted
    }

    /// Returns the figure of the last of so many peers, the fastest first; one that does not count takes nobody's place.
    fn slowest(&self, peers: usize) -> f64 {
        let counting = self.contestants.iter().filter(|one| one.cell.counts && !one.cell.is_corio());
        let mut figures: Vec<_> =
            counting.filter(|one| one.is_watched(f64::INFINITY)).filter_map(Contestant::least).collect();
        figures.sort_by(f64::total_cmp);
        figures.into_iter().take(peers).next_back().unwrap_or(f64::INFINITY)
    }

    /// Returns what came out so far.
    #[must_use]
    pub(crate) fn measured(&self, contest: &Contest) -> Measured {
        let row = self.row;
        Measured {
            name: row.name.clone(),
            from_main: row.from_main,
            unit: row.unit,
            bar: row.bar,
            limit: row.limit,
            floor: floor_figure(row, &self.floor.cell(row, contest)),
            cells: self.contestants.iter().map(|contestant| contestant.cell(row, contest)).collect(),
        }
    }
}

impl Contest {
    /// Prepares a row, of which nothing has been run.
    #[must_use]
    pub(crate) fn trial<'r>(&self, row: &'r Row) -> Trial<'r> {
        let columns = row.columns.iter().filter(|column| self.wants(column.runtime));
        let mut contestants: Vec<_> = columns.map(|column| self.contestant(row, column)).collect();
        let pythons = self.pythons.iter().filter(|python| self.wants(python.name) && python.knows(row, self.effort));
        contestants.extend(pythons.map(|python| {
            let cell = Cell { runtime: python.name.to_owned(), counts: true, ..Cell::default() };
            Contestant { is_ours: false, ..Contestant::new(cell, vec![python.command(row, self.effort)]) }
        }));
        let floor = Contestant::new(Cell::default(), vec![self.command(row, FLOOR)]);
        Trial { row, contestants, floor, rounds: 0, is_long: false }
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
}

/// Returns what a calm moment is, as far as a program's runs have found: see [`calm`].
fn known_calm(calmest: &RefCell<Vec<u64>>) -> Option<u64> {
    calm::among(calmest.borrow().clone())
}

fn with_program(command: &[String], program: String) -> Vec<String> {
    std::iter::once(program).chain(command[1..].iter().cloned()).collect()
}

fn floor_figure(row: &Row, cell: &Cell) -> Option<FloorFigure> {
    let floor = row.floor.as_ref()?;
    if let Some(failure) = &cell.failure {
        eprintln!("the floor of {} cannot be measured: {failure}", row.name);
    }
    Some(FloorFigure { what: floor.what, figure: cell.figure?, bar: floor.bar })
}

/// Has a run made.
fn ask(command: &[String], calm: Option<String>, limit: Duration) -> Result<Said, String> {
    let output = process::output_of(Command::new(&command[0]).args(&command[1..]).args(calm), limit)?;
    serde_json::from_slice(&output).map_err(|error| error.to_string())
}
