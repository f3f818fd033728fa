//! A concurrent web crawler on corio.
#![forbid(unsafe_code)]

mod app;
pub mod args;
pub mod seeds;
pub mod crawl;
pub mod frontier;
pub mod client;
pub mod charset;
pub mod links;
pub mod output;
pub mod tsv;
pub mod failure;
pub mod report;
mod progress;
pub mod site;

pub use app::main;
