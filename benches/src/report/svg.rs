//! The ratios as a picture.

use super::Report;
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const LINE: f64 = 20.0;
const LABEL: f64 = 330.0;
/// The ratios at the picture's edges: a hundredth and four. The scale is logarithmic.
const EDGES: (f64, f64) = (0.01, 4.0);

fn x(ratio: f64) -> f64 {
    let (least, most) = EDGES;
    let ratio = ratio.clamp(least, most);
    LABEL + (WIDTH - LABEL - 60.0) * (ratio / least).ln() / (most / least).ln()
}

/// Draws each row's ratio of corio to the best peer: left of the line, corio is ahead.
#[must_use]
pub fn chart(report: &Report) -> String {
    let rows: Vec<_> = report.rows.iter().filter_map(|row| Some((row, row.ratio()?))).collect();
    let height = LINE * rows.len() as f64 + 50.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"{}\" y=\"16\" text-anchor=\"middle\">level with the best peer</text>\n",
        x(1.0)
    );
    for (i, (row, ratio)) in rows.iter().enumerate() {
        let y = 26.0 + LINE * i as f64;
        let colour = if *ratio <= 1.0 { "#2a7f62" } else { "#b3432b" };
        let (start, end) = if *ratio <= 1.0 { (x(*ratio), x(1.0)) } else { (x(1.0), x(*ratio)) };
        let best = row.best_peer().map_or("", |(cell, _)| cell.runtime.as_str());
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{start:.1}\" y=\"{}\" width=\"{:.1}\" height=\"12\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{}\" fill=\"#555\">{ratio:.2} {}</text>",
            LABEL - 8.0,
            y + 12.0,
            escaped(&row.name),
            y + 2.0,
            (end - start).max(1.0),
            end.max(x(1.0)) + 5.0,
            y + 12.0,
            escaped(best),
        );
    }
    let _ = writeln!(
        svg,
        "<line x1=\"{0}\" x2=\"{0}\" y1=\"20\" y2=\"{1}\" stroke=\"#333\"/>\n</svg>",
        x(1.0),
        height - 20.0
    );
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
