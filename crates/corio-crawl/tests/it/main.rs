//! What the crawler promises, a file per danger.

mod charset;
mod frontier;
mod links;
mod seeds;
