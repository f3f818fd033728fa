//! What was measured, as a table, as data, and as a picture.

mod svg;

pub use svg::chart;

use crate::workloads::{Figure, Row};
use serde::Serialize;
use std::fmt::Write;

/// A finished comparison.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The rows, in the order of the table of contents.
    pub rows: Vec<Measured>,
}

/// A row's figures.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// The row's head.
    pub name: String,
    /// The figures' unit.
    pub unit: &'static str,
    /// The ratio that must not be passed, if one was set.
    pub bar: Option<f64>,
    /// A figure for each runtime; corio's first.
    pub cells: Vec<Cell>,
}

/// One runtime's figure in one row.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// The runtime.
    pub runtime: String,
    /// Whether it counts in the ratio.
    pub counts: bool,
    /// Whether its tasks start at once.
    pub eager: bool,
    /// The figure; none if the runtime cannot do it, or failed.
    pub figure: Option<f64>,
    /// Allocations of an operation, and their bytes.
    pub allocations: Option<(f64, f64)>,
    /// System calls of an operation, where they could be counted.
    pub system_calls: Option<f64>,
    /// Why there is no figure.
    pub failure: Option<String>,
}

impl Cell {
    /// Tells whether it is corio's.
    fn is_corio(&self) -> bool {
        self.runtime.starts_with("corio")
    }
}

/// Makes one figure of a row's runs.
#[must_use]
pub fn figure(row: &Row, mut runs: Vec<f64>) -> Option<f64> {
    runs.sort_by(f64::total_cmp);
    match row.figure {
        Figure::Minimum => runs.first().copied(),
        Figure::Median => runs.get(runs.len() / 2).copied(),
    }
}

impl Measured {
    /// Returns the peer that comes off best beside corio, and corio's figure as a part of its own.
    ///
    /// Where a row has corio's eager tasks too, an eager peer is compared with those.
    #[must_use]
    pub fn best_peer(&self) -> Option<(&Cell, f64)> {
        let mine = |eager| self.cells.iter().find(|cell| cell.is_corio() && cell.eager == eager)?.figure;
        let peers = self.cells.iter().filter(|cell| cell.counts && !cell.is_corio());
        let ratios = peers.filter_map(|cell| Some((cell, mine(cell.eager).or(mine(false))? / cell.figure?)));
        ratios.max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Returns corio's figure as a part of the best peer's.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        Some(self.best_peer()?.1)
    }
}

impl Report {
    /// Returns the tables, in Markdown: the figures, then what an operation asks of the allocator and the system.
    #[must_use]
    pub fn markdown(&self) -> String {
        let Some(first) = self.rows.first() else { return String::new() };
        // A row may leave runtimes out: the columns are those of the longest.
        let longest = self.rows.iter().max_by_key(|row| row.cells.len()).unwrap_or(first);
        let names: Vec<_> = longest.cells.iter().map(|cell| cell.runtime.as_str()).collect();
        let mut text = table(&self.rows, &names, |_, cell| cell_text(cell));
        if self.rows.iter().flat_map(|row| &row.cells).any(|cell| cell.allocations.is_some()) {
            text.push_str("\nAllocations an operation, bytes in parentheses; system calls after a stroke, where they were counted.\n\n");
            text.push_str(&table(&self.rows, &names, |_, cell| counts_text(cell)));
        }
        for row in &self.rows {
            for cell in &row.cells {
                if let Some(failure) = &cell.failure {
                    let _ = writeln!(text, "\n{} on {}: {failure}", row.name, cell.runtime);
                }
            }
        }
        text
    }
}

fn table(rows: &[Measured], names: &[&str], show: impl Fn(&Measured, &Cell) -> String) -> String {
    let mut text = format!("| workload | unit | {} | best peer | ratio | bar |\n|---|---|", names.join(" | "));
    text.push_str(&"--:|".repeat(names.len()));
    text.push_str("---|--:|--:|\n");
    for row in rows {
        let figures = names.iter().map(|name| {
            let cell = row.cells.iter().find(|cell| cell.runtime == *name);
            cell.map_or_else(String::new, |cell| show(row, cell))
        });
        let figures: Vec<_> = figures.collect();
        let best = row.best_peer().map_or("", |(cell, _)| cell.runtime.as_str());
        let ratio = row.ratio().map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        let bar = row.bar.map_or_else(String::new, |bar| format!("{bar:.2}"));
        let _ = writeln!(text, "| {} | {} | {} | {best} | {ratio} | {bar} |", row.name, row.unit, figures.join(" | "));
    }
    text
}

fn cell_text(cell: &Cell) -> String {
    let note = if cell.counts { "" } else { " ¹" };
    match cell.figure {
        Some(figure) => format!("{figure:.1}{note}"),
        None => String::from("failed"),
    }
}

fn counts_text(cell: &Cell) -> String {
    let Some((calls, bytes)) = cell.allocations else { return String::new() };
    let system = cell.system_calls.map_or_else(String::new, |calls| format!(" / {calls:.2}"));
    format!("{calls:.1} ({bytes:.0}){system}")
}
