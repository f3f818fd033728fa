//! The ratios as a picture.

use super::{Measured, Report};
use std::fmt::Write;

const WIDTH: f64 = 920.0;
const LINE: f64 = 18.0;
const TOP: f64 = 46.0;
/// Where the scale begins and ends: names stand left of it, peers right.
const SCALE: (f64, f64) = (330.0, 745.0);
/// The ratios at its ends. It is logarithmic.
const EDGES: (f64, f64) = (0.02, 5.0);
const MARKS: [f64; 7] = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0];

/// Colours for a light page and a dark one.
const STYLE: &str = "<style>\
text{font:12px system-ui,sans-serif;fill:#24292f}.dim{fill:#656d76}.back{fill:#f6f8fa}.grid{stroke:#d0d7de}.level{stroke:#57606a}\
.ahead{fill:#2da44e}.behind{fill:#cf5a45}.bar{stroke:#8250df;stroke-width:2}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}.back{fill:#161b22}.grid{stroke:#30363d}.level{stroke:#9198a1}\
.ahead{fill:#3fb950}.behind{fill:#f0705a}.bar{stroke:#bc8cff}}</style>";

fn x(ratio: f64) -> f64 {
    let (least, most) = EDGES;
    SCALE.0 + (SCALE.1 - SCALE.0) * (ratio.clamp(least, most) / least).ln() / (most / least).ln()
}

/// Draws each row's ratio of corio to the best peer, of tasks and of whole programs: left of the line, corio is ahead.
#[must_use]
pub(crate) fn chart(report: &Report) -> String {
    let rows = report.rows.iter().filter(|row| !row.from_main);
    let rows: Vec<_> = rows.filter_map(|row| Some((row, row.ratio()?))).collect();
    let bottom = TOP + LINE * rows.len() as f64;
    let height = bottom + 14.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>corio's figure as a part of the best peer's, row by row</title>\n{STYLE}\n\
         <rect class=\"back\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n\
         <text x=\"{2:.0}\" y=\"18\" text-anchor=\"end\">corio is ahead</text><text x=\"{3:.0}\" y=\"18\">behind</text>\
         <text class=\"dim\" x=\"12\" y=\"18\">corio / best peer; the smaller, the better</text>\
         <line class=\"bar\" x1=\"{0}\" x2=\"{0}\" y1=\"8\" y2=\"20\"/><text class=\"dim\" x=\"{1}\" y=\"18\">the bar</text>\n",
        SCALE.1 + 20.0,
        SCALE.1 + 28.0,
        x(1.0) - 8.0,
        x(1.0) + 8.0,
    );
    for mark in MARKS {
        let class = if mark == 1.0 { "level" } else { "grid" };
        let _ = writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{1}\" y2=\"{bottom}\"/>\
             <text class=\"dim\" x=\"{0:.1}\" y=\"{2}\" text-anchor=\"middle\">{mark}</text>",
            x(mark),
            TOP - 6.0,
            TOP - 10.0
        );
    }
    for (i, (row, ratio)) in rows.iter().enumerate() {
        svg.push_str(&line(row, *ratio, TOP + LINE * i as f64));
    }
    svg + "</svg>\n"
}

/// Draws one row.
fn line(row: &Measured, ratio: f64, y: f64) -> String {
    let class = if ratio <= 1.0 { "ahead" } else { "behind" };
    let (start, end) = (x(ratio.min(1.0)), x(ratio.max(1.0)));
    let best = row.best_peer().map_or("", |(cell, _)| cell.runtime.as_str());
    let mut text = format!(
        "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
         <rect class=\"{class}\" x=\"{start:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"10\"/>",
        SCALE.0 - 10.0,
        y + 12.0,
        escaped(&row.name),
        y + 3.0,
        (end - start).max(1.0),
    );
    if let Some(bar) = row.bar {
        let _ = write!(
            text,
            "<line class=\"bar\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{1:.1}\" y2=\"{2:.1}\"/>",
            x(bar),
            y + 1.0,
            y + 15.0
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{}\" y=\"{:.1}\">{ratio:.2}<tspan class=\"dim\" dx=\"6\">{}</tspan></text>",
        SCALE.1 + 10.0,
        y + 12.0,
        escaped(best)
    );
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
