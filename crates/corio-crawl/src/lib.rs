//! A concurrent web crawler on corio: what the program `corio-crawl` is made of.
//!
//! This is a program first; the library is its parts, for its tests and for whoever reads on. [`main`] is the way from
//! the command line to the exit status. A [`Crawl`](crawl::Crawl) fetches pages with a [`Client`](client::Client), finds
//! their [`links`], asks the [`Frontier`](frontier::Frontier) which of them are new, and hands rows to the
//! [`Output`](output::Output).
//!
//! # Examples
//!
//! ```
//! use corio_crawl::links::links;
//! use url::Url;
//!
//! let page = Url::parse("http://site.test/docs/").unwrap();
//! let found = links("<!-- <a href=no> --><a href='x.html#top'>x</a> <a HREF=..>up</a>", &page, encoding_rs::UTF_8);
//! assert_eq!(found, ["http://site.test/docs/x.html", "http://site.test/"]);
//! ```
//!
//! # Guarantees
//!
//! - Each address is fetched once, within the origins of the addresses given and the limits.
//! - A page that fails, or whose parser panics, is entered in the [`Summary`](report::Summary), and ends nothing else.
//! - Rows that were found are written, whole, unless the output cannot be written; that ends the crawl.
//! - Text from the network is bounded in length, and shown without control characters.
//!
//! # What is `Send`
//!
//! | type | `Send` |
//! |---|---|
//! | [`Crawl`](crawl::Crawl), [`Client`](client::Client) | no: they live on one loop |
//! | [`Output`](output::Output), [`Server`](site::Server), [`Frontier`](frontier::Frontier), errors | yes |
//!
//! # How it works
//!
//! The [`crawl`] module is the shape: workers in a task group, a queue of addresses, a bounded queue of rows. [`links`]
//! has two parsers, a fast one that knows its limits and the standard's. [`site`] is the server, hyper on a loop of its own.

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

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
