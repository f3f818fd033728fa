//! The page of figures, whole: nothing in it is written by hand.

use super::table::{COUNTS, INSTRUCTIONS, counts, figures, instructions};
use super::{Measured, Report};
use crate::builds;
use std::fmt::Write;

/// Returns the page in Markdown. `chart` is the picture's file name, `command` what made the page.
#[must_use]
pub(crate) fn page(report: &Report, chart: &str, command: &str) -> String {
    let machine = &report.machine;
    let mut text = format!(
        "# Figures\n\nMade by `{command}`, {}. How to read them is in [README.md](README.md).\n\n\
         | | |\n|---|---|\n| when | {} |\n| processor | {} |\n| system | {} |\n| compiler | {} |\n| load before | {} |\n| peers | {} |\n",
        report.how,
        machine.date,
        machine.processor,
        machine.kernel,
        machine.compiler,
        machine.load,
        machine.peers.join(", "),
    );
    let (main, task): (Vec<_>, Vec<_>) = report.rows.iter().partition(|row| row.from_main);
    let _ = write!(text, "\n![corio's figure as a part of the best peer's]({chart})\n{}", verdict(report));
    let _ = write!(text, "\n## Inside a task, and whole programs\n\n{}", figures(&task));
    if !main.is_empty() {
        let _ =
            write!(text, "\n## From the main future\n\nThe same work. The bars are a task's.\n\n{}", figures(&main));
    }
    if !report.builds.is_empty() {
        let _ = write!(text, "\n## Programs that do nothing\n{}", report.builds_table());
    }
    let counts = counts(&task);
    if !counts.is_empty() {
        let _ = write!(text, "\n## What an operation asks for\n\n{COUNTS}\n\n{counts}");
    }
    let instructions = instructions(&task);
    if !instructions.is_empty() {
        let _ = write!(text, "\n## What an operation takes of the processor\n\n{INSTRUCTIONS}\n\n{instructions}");
    }
    text + &floors(report) + "\n## Remarks\n" + &report.remarks()
}

/// Tells where corio stands behind: the rows that pass their bar, and the rows that a peer wins.
fn verdict(report: &Report) -> String {
    let mut text = String::new();
    let with_ratio = report.rows.iter().filter(|row| row.ratio().is_some()).count();
    let lost: Vec<_> = report.rows.iter().filter(|row| row.ratio().is_some_and(|ratio| ratio > 1.0)).collect();
    let _ = writeln!(text, "\ncorio is ahead of every peer in {} of {with_ratio} rows.", with_ratio - lost.len());
    let rows = report.rows.iter();
    let beyond = rows.flat_map(|row| row.passed_bars().into_iter().map(move |said| format!("{}: {said}", row.name)));
    let beyond: Vec<_> = beyond.chain(builds::passed_bars(&report.builds)).collect();
    if !beyond.is_empty() {
        text.push_str("\nRows beyond their bar:\n\n");
        for said in beyond {
            let _ = writeln!(text, "- {said}");
        }
    }
    if !lost.is_empty() {
        text.push_str("\nRows that a peer wins:\n\n");
        for row in lost {
            let _ = writeln!(text, "- {}", loss(row));
        }
    }
    text
}

fn loss(row: &Measured) -> String {
    let (best, ratio) = row.best_peer().map_or(("", 1.0), |(cell, ratio)| (cell.runtime.as_str(), ratio));
    format!("{}: {ratio:.2} of {best}", row.name)
}

/// Says what each floor is.
fn floors(report: &Report) -> String {
    let mut text = String::new();
    for row in report.rows.iter().filter(|row| !row.from_main) {
        if let Some(floor) = &row.floor {
            let _ = writeln!(text, "- {}: {}", row.name, floor.what);
        }
    }
    if text.is_empty() { text } else { format!("\n## The floors\n\n{text}") }
}
