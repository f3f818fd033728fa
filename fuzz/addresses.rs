//! What the user writes, and where servers send the crawler: arguments, addresses, the frontier, texts that are shown.

use clap::Parser;
use corio_crawl::args::Args;
use corio_crawl::failure::Failure;
use corio_crawl::frontier::{Frontier, Limits, Redirect};
use corio_crawl::report::{Summary, printable};
use corio_crawl::seeds::{Place, address};
use std::collections::HashSet;
use url::Url;

/// Reads the bytes as arguments, one a line.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let words: Vec<&str> = text.split('\n').collect();
    check_arguments(&words);
    let urls: Vec<Url> = words.iter().filter_map(|word| check_address(word)).collect();
    check_frontier(&words, &urls);
    check_printed(&text);
}

fn check_arguments(words: &[&str]) {
    match Args::try_parse_from([&["corio-crawl"], words].concat()) {
        Ok(args) => {
            assert!(!args.timeout.is_zero(), "no time for a page");
            assert!(args.serve.is_none() || args.urls.is_empty() && args.file.is_none(), "{args:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn check_address(word: &str) -> Option<Url> {
    match address(word, Place::Argument) {
        Ok(url) => {
            assert!(matches!(url.scheme(), "http" | "https") && url.fragment().is_none(), "{url}");
            assert!(url.username().is_empty() && url.password().is_none() && url.has_host(), "{url}");
            assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(&url));
            Some(url)
        }
        Err(error) => {
            let told = error.to_string();
            assert!(!told.is_empty() && !told.contains(char::is_control), "{told:?}");
            None
        }
    }
}

fn check_frontier(words: &[&str], urls: &[Url]) {
    let Some((seed, targets)) = urls.split_first() else { return };
    let limits = Limits { depth: Some(words.len() % 4), max_pages: Some(words.len()) };
    let mut frontier = Frontier::new(limits);
    let mut seen: HashSet<String> = frontier.seed(seed.clone()).into_iter().map(|visit| visit.url.into()).collect();
    let links: Vec<String> = targets.iter().map(Url::to_string).collect();
    for depth in 0..3 {
        for visit in frontier.admit_links(&links, depth) {
            assert!(visit.depth == depth + 1 && depth < words.len() % 4, "too deep");
            assert_eq!(visit.url.origin(), seed.origin(), "{} leaves the site", visit.url);
            assert!(seen.insert(visit.url.into()), "an address twice");
        }
    }
    for target in targets {
        match frontier.redirect(target, 1) {
            Redirect::Outside => assert_ne!(target.origin(), seed.origin(), "{target} is within"),
            Redirect::Follow => {
                assert!(seen.insert(target.to_string()) && target.origin() == seed.origin(), "{target}")
            }
            Redirect::Known => assert!(seen.contains(target.as_str()), "{target} is not known"),
        }
    }
    assert!(seen.len() <= words.len() + targets.len());
}

fn check_printed(text: &str) {
    let shown = printable(text);
    assert!(
        !shown.contains(|letter: char| letter.is_control() || matches!(letter, '\u{2028}'..='\u{202E}')),
        "{shown:?}"
    );
    let mut summary = Summary::default();
    summary.fail(text, &Failure::Protocol(text.to_owned()));
    summary.fail(text, &Failure::BadRedirect(text.to_owned()));
    assert!(!summary.to_string().contains(|letter: char| letter.is_control() && letter != '\n'), "{summary}");
}
