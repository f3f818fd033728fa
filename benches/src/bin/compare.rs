//! Prints one table: each workload, each runtime, nanoseconds an operation, the minimum of interleaved runs.
//!
//! `cargo run --release -p corio-benches --bin compare [-- --only TEXT] [--runs N]`

use corio_benches::workloads;
use std::time::Duration;

/// What the command line says.
struct Options {
    only: String,
    runs: usize,
}

fn options() -> Options {
    let mut options = Options { only: String::new(), runs: 7 };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next().unwrap_or_else(|| usage(&format!("{arg} needs a value")));
        match arg.as_str() {
            "--only" => options.only = value,
            "--runs" => options.runs = value.parse().unwrap_or_else(|_| usage("--runs needs a number")),
            _ => usage(&format!("unknown option {arg}")),
        }
    }
    options
}

fn usage(problem: &str) -> ! {
    eprintln!("{problem}\nusage: compare [--only TEXT] [--runs N]");
    std::process::exit(2)
}

fn main() {
    let options = options();
    let rows: Vec<_> = workloads::all().into_iter().filter(|row| row.name.contains(&options.only)).collect();
    if rows.is_empty() {
        usage(&format!("no workload is named like {:?}", options.only));
    }
    println!("| ns an operation, minimum of {} | corio | tokio | smol | best peer | ratio |", options.runs);
    println!("|---|--:|--:|--:|---|--:|");
    for row in rows {
        let mut best = [Duration::MAX; 3];
        for _ in 0..options.runs {
            for (best, (_, work)) in best.iter_mut().zip(row.columns) {
                *best = work(row.operations).min(*best);
            }
        }
        let nanos = best.map(|time| time.as_secs_f64() * 1e9 / row.operations as f64);
        let (peer, least) =
            if nanos[1] < nanos[2] { (row.columns[1].0, nanos[1]) } else { (row.columns[2].0, nanos[2]) };
        let [corio, tokio, smol] = nanos;
        println!("| {} | {corio:.1} | {tokio:.1} | {smol:.1} | {peer} | {:.2} |", row.name, corio / least);
    }
}
