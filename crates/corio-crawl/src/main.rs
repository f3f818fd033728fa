//! The program; see the library for what it does.

use clap::Parser;
use corio_crawl::args::Args;
use std::process::ExitCode;

fn main() -> ExitCode {
    corio_crawl::main(&Args::parse())
}
