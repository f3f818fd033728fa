//! A concurrent web crawler on corio.
#![forbid(unsafe_code)]

pub mod args;
pub mod charset;
pub mod failure;
pub mod frontier;
pub mod links;
pub mod report;
pub mod seeds;
pub mod tsv;
