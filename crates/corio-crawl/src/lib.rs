//! A concurrent web crawler on corio.
#![forbid(unsafe_code)]

mod links;

pub use links::{is_ordinary, links, standard_links};
