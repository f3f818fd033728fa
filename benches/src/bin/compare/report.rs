//! What was measured, as a table, as data, as a page, and as a picture.

mod machine;
mod page;
mod svg;
mod table;

pub(crate) use machine::Machine;
pub(crate) use machine::version as version_of;
pub(crate) use page::page;
pub(crate) use svg::chart;

use crate::builds::Build;
use crate::counter::Counter;
use serde::Serialize;
use std::fmt;

/// A finished comparison.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Where it was made.
    pub(crate) machine: Machine,
    /// How it was made.
    pub(crate) how: String,
    /// The rows, in the order of the table of contents.
    pub(crate) rows: Vec<Measured>,
    /// The workloads that a quick comparison has not.
    pub(crate) left_out: Vec<String>,
    /// The workloads that have not been measured yet: none in the end, unless the comparison is cut short.
    pub(crate) to_come: Vec<String>,
    /// What could not be had at all, and why.
    pub(crate) skipped: Vec<String>,
    /// What could not be counted: the first row of each runtime where that was so.
    pub(crate) uncounted: Vec<Uncounted>,
    /// Programs that do nothing, and what they cost.
    pub(crate) builds: Vec<Build>,
}

/// A row's figures.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    /// The row's head.
    pub(crate) name: String,
    /// Whether the work was done in the main future.
    pub(crate) from_main: bool,
    /// The figures' unit.
    pub(crate) unit: &'static str,
    /// The ratio to the best peer that must not be passed, if one was set.
    pub(crate) bar: Option<f64>,
    /// The figure that must not be passed, if one was set.
    pub(crate) limit: Option<f64>,
    /// What the work costs without a runtime, where that is known.
    pub(crate) floor: Option<FloorFigure>,
    /// A figure for each runtime; corio's first.
    pub(crate) cells: Vec<Cell>,
}

/// The figure of a floor.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FloorFigure {
    /// What it is.
    pub(crate) what: &'static str,
    /// Its figure.
    pub(crate) figure: f64,
    /// The ratio of corio to it that must not be passed, if one was set.
    pub(crate) bar: Option<f64>,
}

/// One runtime's figure in one row.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Cell {
    /// The runtime.
    pub(crate) runtime: String,
    /// Whether it counts in the ratio.
    pub(crate) counts: bool,
    /// Whether its tasks start at once.
    pub(crate) eager: bool,
    /// The figure; none if the runtime cannot do it, or failed.
    pub(crate) figure: Option<f64>,
    /// How many runs it was made of.
    pub(crate) runs: usize,
    /// It was far behind in the first ones, and was not asked again.
    pub(crate) left_behind: bool,
    /// None of them was made in a calm moment, where that is looked for.
    pub(crate) restless: bool,
    /// The figure with link-time optimisation, if that was measured.
    pub(crate) lto: Option<f64>,
    /// Allocations of an operation, and their bytes.
    pub(crate) allocations: Option<(f64, f64)>,
    /// System calls of an operation, where they could be counted.
    pub(crate) system_calls: Option<f64>,
    /// Instructions of an operation, where they could be counted.
    pub(crate) instructions: Option<f64>,
    /// Why there is no figure.
    pub(crate) failure: Option<String>,
}

/// Something that could not be counted of a runtime in a row, though the runtime does the row.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Uncounted {
    /// What was to be counted.
    pub(crate) what: &'static str,
    /// The row's head.
    pub(crate) row: String,
    /// The runtime.
    pub(crate) runtime: String,
    /// How the run ended.
    pub(crate) why: String,
}

impl fmt::Display for Uncounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Uncounted { what, row, runtime, why } = self;
        write!(f, "NOT COUNTED {what} of {runtime}, for the first time in {row}: {why}")
    }
}

impl Report {
    /// Notes what could not be counted, and says so on standard error; of a runtime once.
    pub(crate) fn note_uncounted(&mut self, uncounted: Uncounted) {
        let is_known = |one: &Uncounted| (one.what, &one.runtime) == (uncounted.what, &uncounted.runtime);
        if !self.uncounted.iter().any(is_known) {
            eprintln!("{uncounted}");
            self.uncounted.push(uncounted);
        }
    }
}

impl Cell {
    /// Tells whether it is corio's.
    pub(crate) fn is_corio(&self) -> bool {
        self.runtime.starts_with("corio")
    }

    /// Tells whether its figure is of the first runs only.
    pub(crate) fn is_left_behind(&self) -> bool {
        self.figure.is_some() && self.left_behind
    }
}

impl Measured {
    /// Returns the peer that comes off best beside corio, and corio's figure as a part of its own.
    ///
    /// Where a row has corio's eager tasks too, an eager peer is compared with those.
    #[must_use]
    pub(crate) fn best_peer(&self) -> Option<(&Cell, f64)> {
        self.best_by(|cell| cell.figure)
    }

    fn best_by(&self, figure: impl Fn(&Cell) -> Option<f64>) -> Option<(&Cell, f64)> {
        let mine = |eager| self.cells.iter().find(|cell| cell.is_corio() && cell.eager == eager).and_then(&figure);
        let peers = self.cells.iter().filter(|cell| cell.counts && !cell.is_corio());
        let ratios = peers.filter_map(|cell| Some((cell, mine(cell.eager).or(mine(false))? / figure(cell)?)));
        ratios.max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Returns corio's figure as a part of the best peer's.
    #[must_use]
    pub(crate) fn ratio(&self) -> Option<f64> {
        Some(self.best_peer()?.1)
    }

    /// Returns the same with link-time optimisation.
    #[must_use]
    pub(crate) fn lto_ratio(&self) -> Option<f64> {
        Some(self.best_by(|cell| cell.lto)?.1)
    }

    /// Returns the peer that takes the least of what was counted, and corio's count as a part of its own.
    #[must_use]
    pub(crate) fn least_peer(&self, counter: Counter) -> Option<(&Cell, f64)> {
        self.best_by(|cell| counter.of(cell))
    }

    /// Returns corio's figure as a multiple of the floor.
    #[must_use]
    pub(crate) fn of_floor(&self) -> Option<f64> {
        Some(self.corio()? / self.floor.as_ref()?.figure)
    }

    fn corio(&self) -> Option<f64> {
        self.cells.iter().find(|cell| cell.is_corio())?.figure
    }

    /// Tells which bars corio passes here, a sentence each.
    #[must_use]
    pub(crate) fn passed_bars(&self) -> Vec<String> {
        let passed = |value: Option<f64>, bar: Option<f64>| value.zip(bar).filter(|(value, bar)| value > bar);
        let mut said = Vec::new();
        if let Some((ratio, bar)) = passed(self.ratio(), self.bar) {
            let figure = self.best_peer().and_then(|(cell, _)| cell.figure).unwrap_or_default();
            let (figure, unit) = (table::number(figure * bar), self.unit);
            said.push(format!("{ratio:.2} of the best peer, and the bar is {bar:.2}, here {figure} {unit}"));
        }
        if let Some((figure, limit)) = passed(self.corio(), self.limit) {
            said.push(format!("{figure:.1} {}, and the bar is {limit:.1}", self.unit));
        }
        let bar = self.floor.as_ref().and_then(|floor| floor.bar);
        if let Some((ratio, bar)) = passed(self.of_floor(), bar) {
            said.push(format!("{ratio:.2} of the floor, and the bar is {bar:.2}"));
        }
        said
    }
}
