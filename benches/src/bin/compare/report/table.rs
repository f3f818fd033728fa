//! The figures as tables in Markdown.

use super::{Cell, Measured, Report};
use crate::builds::BARS;
use std::fmt::Write;

impl Report {
    /// Returns the tables: the figures, then what an operation asks of the allocator and the system, then what failed.
    #[must_use]
    pub(crate) fn markdown(&self) -> String {
        let rows: Vec<_> = self.rows.iter().collect();
        let mut text = figures(&rows);
        let counts = counts(&rows);
        if !counts.is_empty() {
            let _ = write!(text, "\n{COUNTS}\n\n{counts}");
        }
        text + &self.remarks() + &self.builds_table()
    }

    /// Tells what is not in the tables.
    pub(super) fn remarks(&self) -> String {
        let mut text = String::new();
        if self.rows.iter().flat_map(|row| &row.cells).any(|cell| !cell.counts) {
            text.push_str("\n¹ Shown, and not counted: its wakers are unsound on other threads.\n");
        }
        if self.has_fewer_runs() {
            text.push_str("\n² Fewer runs than the others: it was far behind in the first ones.\n");
        }
        if !self.to_come.is_empty() {
            let _ = writeln!(text, "\nCUT SHORT before: {}.", self.to_come.join("; "));
        }
        if !self.left_out.is_empty() {
            let _ = writeln!(text, "\nLeft out of a quick comparison: {}.", self.left_out.join("; "));
        }
        for skipped in &self.skipped {
            let _ = writeln!(text, "\nSKIPPED {skipped}");
        }
        for row in &self.rows {
            for cell in &row.cells {
                if let Some(failure) = &cell.failure {
                    let _ = writeln!(text, "\nFAILED {} on {}: {failure}", row.name, cell.runtime);
                }
            }
        }
        text
    }

    fn has_fewer_runs(&self) -> bool {
        self.rows.iter().any(|row| row.cells.iter().any(|cell| row.has_fewer_runs(cell)))
    }

    pub(super) fn builds_table(&self) -> String {
        if self.builds.is_empty() {
            return String::new();
        }
        let mut text = String::from(
            "\n| a program that does nothing, on | cold build, s | processor time of it, s | of tokio's | crates | foreign | stripped, KiB | with LTO, KiB |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        let tokio = self.builds.iter().find(|build| build.name == "tokio").map(|build| build.seconds);
        for build in &self.builds {
            let ratio = tokio.map_or_else(String::new, |tokio| format!("{:.2}", build.seconds / tokio));
            let kib = |bytes: Option<u64>| bytes.map_or_else(String::new, |bytes| format!("{}", bytes.div_ceil(1024)));
            let _ = writeln!(
                text,
                "| {} | {:.1} | {:.1} | {ratio} | {} | {} | {} | {} |",
                build.name,
                build.seconds,
                build.processor_seconds,
                build.crates,
                build.foreign,
                kib(build.size),
                kib(build.size_lto)
            );
        }
        let _ = writeln!(text, "\nThe bars: {:.2} of tokio's time, {} foreign crates.", BARS.0, BARS.1);
        text
    }
}

impl Measured {
    /// Tells whether a figure was made of fewer runs than corio's.
    fn has_fewer_runs(&self, cell: &Cell) -> bool {
        cell.figure.is_some() && cell.runs < self.runs
    }

    /// Returns the row in short, for who watches the comparison: corio's figure, and how it compares.
    #[must_use]
    pub(crate) fn in_short(&self) -> String {
        let figure = |name: &str| shown(self, name, |cell| figure_text(self, cell));
        let mut text = format!("{} {}", figure("corio"), self.unit);
        if let Some((best, ratio)) = self.best_peer() {
            let _ = write!(text, ", {ratio:.2} of {} ({})", best.runtime, figure(&best.runtime));
        }
        if let Some((ratio, floor)) = self.of_floor().zip(self.floor.as_ref()) {
            let _ = write!(text, ", {ratio:.2} of the floor ({})", number(floor.figure));
        }
        let failed = self.cells.iter().filter(|cell| cell.failure.is_some()).map(|cell| cell.runtime.as_str());
        let failed: Vec<_> = failed.collect();
        if failed.is_empty() { text } else { text + "; failed: " + &failed.join(", ") }
    }
}

/// What the second table is.
pub(super) const COUNTS: &str =
    "Allocations an operation, their bytes in parentheses; system calls after a stroke, where they were counted.";

/// Returns the names of all columns: those of the longest row, and what others have besides.
fn columns<'r>(rows: &[&'r Measured]) -> Vec<&'r str> {
    let mut sorted: Vec<_> = rows.iter().map(|row| &row.cells).collect();
    sorted.sort_by_key(|cells| std::cmp::Reverse(cells.len()));
    let mut names = Vec::new();
    for cell in sorted.into_iter().flatten() {
        if !names.contains(&cell.runtime.as_str()) {
            names.push(&cell.runtime);
        }
    }
    names
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.2}"))
}

/// The table of figures.
pub(super) fn figures(rows: &[&Measured]) -> String {
    let with_lto = rows.iter().any(|row| row.cells.iter().any(|cell| cell.lto.is_some()));
    let mut heads: Vec<_> = columns(rows).into_iter().map(str::to_owned).collect();
    if with_lto {
        heads.push("corio, LTO".into());
    }
    heads.extend(["best peer", "ratio"].map(String::from));
    if with_lto {
        heads.push("ratio, LTO".into());
    }
    heads.extend(["bar", "floor", "of it"].map(String::from));
    let line = |row: &Measured| {
        let mut line: Vec<_> =
            columns(rows).iter().map(|name| shown(row, name, |cell| figure_text(row, cell))).collect();
        if with_lto {
            line.push(row.cells.first().and_then(|cell| cell.lto).map_or_else(String::new, number));
        }
        line.push(row.best_peer().map_or_else(String::new, |(cell, _)| cell.runtime.clone()));
        line.push(row.ratio().map_or_else(String::new, |ratio| format!("**{ratio:.2}**")));
        if with_lto {
            line.push(optional(row.lto_ratio()));
        }
        let limit = row.limit.map(|limit| format!("{limit:.0} {}", row.unit));
        line.push(limit.unwrap_or_else(|| optional(row.bar)));
        line.push(row.floor.as_ref().map_or_else(String::new, |floor| number(floor.figure)));
        let floor_bar = row.floor.as_ref().and_then(|floor| floor.bar);
        let floor_bar = floor_bar.map_or_else(String::new, |bar| format!(" (bar {bar:.2})"));
        line.push(format!("{}{floor_bar}", optional(row.of_floor())));
        line
    };
    table(&heads, rows, line)
}

/// The table of counts; empty if nothing was counted.
pub(super) fn counts(rows: &[&Measured]) -> String {
    let counted = |cell: &Cell| cell.allocations.is_some();
    let rows: Vec<_> = rows.iter().copied().filter(|row| row.cells.iter().any(counted)).collect();
    if rows.is_empty() {
        return String::new();
    }
    let is_counted =
        |name: &&str| rows.iter().flat_map(|row| &row.cells).any(|cell| cell.runtime == **name && counted(cell));
    let names: Vec<_> = columns(&rows).into_iter().filter(|name| is_counted(name)).collect();
    let heads: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    table(&heads, &rows, |row| names.iter().map(|name| shown(row, name, counts_text)).collect())
}

fn table(heads: &[String], rows: &[&Measured], line: impl Fn(&Measured) -> Vec<String>) -> String {
    let mut text = format!("| workload | unit | {} |\n|---|---|{}\n", heads.join(" | "), "--:|".repeat(heads.len()));
    for row in rows {
        let _ = writeln!(text, "| {} | {} | {} |", row.name, row.unit, line(row).join(" | "));
    }
    text
}

fn shown(row: &Measured, name: &str, show: impl Fn(&Cell) -> String) -> String {
    row.cells.iter().find(|cell| cell.runtime == name).map_or_else(String::new, show)
}

/// Three figures are what is known.
pub(super) fn number(figure: f64) -> String {
    if figure.abs() < 100.0 { format!("{figure:.1}") } else { format!("{figure:.0}") }
}

fn figure_text(row: &Measured, cell: &Cell) -> String {
    let note = match (cell.counts, row.has_fewer_runs(cell)) {
        (true, false) => "",
        (true, true) => " ²",
        (false, false) => " ¹",
        (false, true) => " ¹ ²",
    };
    cell.figure.map_or_else(|| String::from("failed"), |figure| number(figure) + note)
}

fn counts_text(cell: &Cell) -> String {
    let Some((calls, bytes)) = cell.allocations else { return String::new() };
    let system = cell.system_calls.map_or_else(String::new, |calls| format!(" / {calls:.2}"));
    format!("{calls:.1} ({bytes:.0}){system}")
}
