//! The command line.

use clap::Parser;
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

/// Crawls pages, and writes each link they bear as a row of tab-separated text.
///
/// Without an address it crawls a small site of its own, which it serves on a loopback port.
#[derive(Clone, Debug, Parser)]
#[command(name = "corio-crawl", version, max_term_width = 100, after_help = STATUSES)]
#[non_exhaustive]
pub struct Args {
    /// Addresses to crawl: http or https
    #[arg(value_name = "URL", conflicts_with = "serve")]
    pub urls: Vec<String>,

    /// File of further addresses, one a line; `-` is standard input; empty lines and lines that begin with # are skipped
    #[arg(short = 'f', long = "file", value_name = "FILE", conflicts_with = "serve")]
    pub file: Option<PathBuf>,

    /// Serve the files of this directory on a loopback port, and crawl them
    #[arg(long, value_name = "DIR")]
    pub serve: Option<PathBuf>,

    /// Loopback port of --serve and of the site of its own [default: any free one]
    #[arg(long, value_name = "PORT", conflicts_with_all = ["urls", "file"])]
    pub port: Option<NonZeroU16>,

    /// Pages to fetch at once
    #[arg(long, value_name = "N", default_value = "32")]
    pub concurrency: NonZeroUsize,

    /// Follow links this far from the addresses given [default: 0; no limit for --serve and the site of its own]
    #[arg(long, value_name = "N")]
    pub depth: Option<usize>,

    /// Fetch no more than this many pages
    #[arg(long, value_name = "N")]
    pub max_pages: Option<NonZeroUsize>,

    /// Give a page up after this time, redirects included
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub timeout: Duration,

    /// Exit with status 1 if any page failed
    #[arg(long)]
    pub strict: bool,

    /// File to write the rows to; it is overwritten [default: standard output]
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,
}

const STATUSES: &str = "Exit status: 0 the crawl was completed; 1 nothing could be fetched, the output could not be \
written, or, with --strict, a page failed; 2 bad usage; 130 stopped by Ctrl-C.";

/// Reads a positive number of seconds, fractions allowed.
fn seconds(text: &str) -> Result<Duration, String> {
    let complaint = || "a positive number of seconds is wanted, such as 10 or 0.5".to_owned();
    let seconds: f64 = text.parse().map_err(|_| complaint())?;
    let duration = Duration::try_from_secs_f64(seconds).map_err(|_| complaint())?;
    if duration.is_zero() { Err(complaint()) } else { Ok(duration) }
}
