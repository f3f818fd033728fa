//! The figures as tables in Markdown.

use super::{Cell, Measured, Report};
use crate::builds::BARS;
use crate::counter::Counter;
use std::fmt::Write;

impl Report {
    /// Returns the tables: the figures, then what an operation asks of the allocator, the system and the processor, then what
    /// failed.
    #[must_use]
    pub(crate) fn markdown(&self) -> String {
        let rows: Vec<_> = self.rows.iter().collect();
        let mut text = figures(&rows);
        let counts = counts(&rows);
        if !counts.is_empty() {
            let _ = write!(text, "\n{COUNTS}\n\n{counts}");
        }
        let instructions = instructions(&rows);
        if !instructions.is_empty() {
            let _ = write!(text, "\n{INSTRUCTIONS}\n\n{instructions}");
        }
        text + &self.remarks() + &self.builds_table()
    }

    /// Tells what is not in the tables.
    pub(super) fn remarks(&self) -> String {
        let mut text = String::new();
        if self.rows.iter().flat_map(|row| &row.cells).any(|cell| !cell.counts) {
            text.push_str("\n¹ Shown, and not counted: its wakers are unsound on other threads.\n");
        }
        if self.has_left_behind() {
            text.push_str("\n² Fewer runs than the others: it was far behind in the first ones.\n");
        }
        if self.rows.iter().flat_map(|row| &row.cells).any(|cell| cell.figure.is_some() && cell.restless) {
            text.push_str(
                "\n³ Never measured in a calm moment: somebody else had part of the processor's core all the time.\n",
            );
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
        for uncounted in &self.uncounted {
            let _ = writeln!(text, "\n{uncounted}");
        }
        text
    }

    fn has_left_behind(&self) -> bool {
        self.rows.iter().flat_map(|row| &row.cells).any(Cell::is_left_behind)
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
    /// Returns the row in short, for who watches the comparison: corio's figure, and how it compares.
    #[must_use]
    pub(crate) fn in_short(&self) -> String {
        let figure = |name: &str| shown(self, name, figure_text);
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

    /// Returns what was counted in short: corio's count, and how it compares where that is a ratio.
    #[must_use]
    pub(crate) fn count_in_short(&self, counter: Counter) -> String {
        let count = |cell: &Cell| counter.of(cell).map_or_else(|| String::from("not counted"), number);
        let text = shown(self, "corio", count);
        let least = self.least_peer(counter).filter(|(_, ratio)| ratio.is_finite());
        least.map_or_else(
            || text.clone(),
            |(cell, ratio)| format!("{text}, {ratio:.2} of {} ({})", cell.runtime, count(cell)),
        )
    }
}

/// What the second table is.
pub(super) const COUNTS: &str =
    "Allocations an operation, their bytes in parentheses; system calls after a stroke, where they were counted.";

/// What the third table is.
pub(super) const INSTRUCTIONS: &str = "Instructions an operation, by callgrind, which does not see into the kernel: a system call is one. \
     In rows of one thread, but for the largest, of corio and of the six peers that are fastest there.";

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
    let mut heads = vec![String::from("unit")];
    heads.extend(columns(rows).into_iter().map(str::to_owned));
    if with_lto {
        heads.push("corio, LTO".into());
    }
    heads.extend(["best peer", "ratio"].map(String::from));
    if with_lto {
        heads.push("ratio, LTO".into());
    }
    heads.extend(["bar", "floor", "of it"].map(String::from));
    let line = |row: &Measured| {
        let mut line = vec![row.unit.to_owned()];
        line.extend(columns(rows).iter().map(|name| shown(row, name, figure_text)));
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
    let (rows, names) = counted(rows, |cell| cell.allocations.is_some());
    let heads: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    table(&heads, &rows, |row| names.iter().map(|name| shown(row, name, counts_text)).collect())
}

/// The table of instructions, with the peer that takes the fewest; empty if nothing was counted.
pub(super) fn instructions(rows: &[&Measured]) -> String {
    let (rows, names) = counted(rows, |cell| cell.instructions.is_some());
    let mut heads: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    heads.extend(["least peer", "ratio"].map(String::from));
    table(&heads, &rows, |row| {
        let mut line: Vec<_> = names.iter().map(|name| shown(row, name, instructions_text)).collect();
        let least = row.least_peer(Counter::Instructions);
        line.push(least.map_or_else(String::new, |(cell, _)| cell.runtime.clone()));
        line.push(least.map_or_else(String::new, |(_, ratio)| format!("**{ratio:.2}**")));
        line
    })
}

/// Returns the rows where something was counted, and the names of the columns.
fn counted<'r>(rows: &[&'r Measured], is_counted: impl Fn(&Cell) -> bool) -> (Vec<&'r Measured>, Vec<&'r str>) {
    let rows: Vec<_> = rows.iter().copied().filter(|row| row.cells.iter().any(&is_counted)).collect();
    let cells = || rows.iter().flat_map(|row| &row.cells);
    let has_count = |name: &&str| cells().any(|cell| cell.runtime == **name && is_counted(cell));
    let names = columns(&rows).into_iter().filter(has_count).collect();
    (rows, names)
}

/// Draws a table; an empty text if it would have no rows.
fn table(heads: &[String], rows: &[&Measured], line: impl Fn(&Measured) -> Vec<String>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = format!("| workload | {} |\n|---|{}\n", heads.join(" | "), "--:|".repeat(heads.len()));
    for row in rows {
        let _ = writeln!(text, "| {} | {} |", row.name, line(row).join(" | "));
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

fn figure_text(cell: &Cell) -> String {
    let notes = [(!cell.counts, " ¹"), (cell.is_left_behind(), " ²"), (cell.restless, " ³")];
    let note: String = notes.into_iter().filter_map(|(is_so, note)| is_so.then_some(note)).collect();
    cell.figure.map_or_else(|| String::from("failed"), |figure| number(figure) + &note)
}

fn counts_text(cell: &Cell) -> String {
    let Some((calls, bytes)) = cell.allocations else { return String::new() };
    let system = cell.system_calls.map_or_else(String::new, |calls| format!(" / {calls:.2}"));
    format!("{calls:.1} ({bytes:.0}){system}")
}

fn instructions_text(cell: &Cell) -> String {
    let note = if cell.counts { "" } else { " ¹" };
    cell.instructions.map_or_else(String::new, |count| number(count) + note)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(runtime: &str, instructions: Option<f64>) -> Cell {
        Cell { runtime: runtime.to_owned(), counts: runtime != "kimojio", instructions, ..Cell::default() }
    }

    fn row(name: &str, cells: Vec<Cell>) -> Measured {
        Measured { name: name.to_owned(), from_main: false, unit: "ns", bar: None, limit: None, floor: None, cells }
    }

    #[test]
    fn the_least_peer_is_one_that_counts_and_was_counted() {
        let counts = [("corio", Some(800.0)), ("monoio", Some(640.0)), ("kimojio", Some(64.0)), ("compio", None)];
        let counted = row("gather", counts.map(|(runtime, count)| cell(runtime, count)).into());
        let lines = instructions(&[&counted, &row("memory", vec![cell("corio", None)])]);
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(lines[0], "| workload | corio | monoio | kimojio | least peer | ratio |");
        assert_eq!(lines[2], "| gather | 800 | 640 | 64.0 ¹ | monoio | **1.25** |");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn an_eager_peer_is_compared_with_eager_tasks() {
        let eager = |cell| Cell { eager: true, ..cell };
        let corio = [cell("corio", Some(300.0)), eager(cell("corio eager", Some(200.0)))];
        let counted = row("spawn", [&corio[..], &[eager(cell("glommio", Some(400.0)))]].concat());
        assert_eq!(counted.least_peer(Counter::Instructions).map(|(_, ratio)| ratio), Some(0.5));
    }

    #[test]
    fn nothing_counted_is_no_table() {
        assert_eq!(instructions(&[&row("memory", vec![cell("corio", None)])]), "");
    }
}
