//! What the user writes, and where servers send the crawler: arguments, addresses, the frontier, texts that are shown.

use clap::Parser;
use corio_crawl::args::Args;
use corio_crawl::failure::Failure;
use corio_crawl::frontier::{Frontier, Limits, Redirect};
use corio_crawl::report::{Summary, printable};
use corio_crawl::seeds::{Place, address};
use std::collections::HashSet;
use url::{Origin, Url};

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
            assert!(!told.is_empty() && is_plain(&told), "{told:?}");
            None
        }
    }
}

/// Holds a frontier to a model: a set of texts, and a list of origins.
fn check_frontier(words: &[&str], urls: &[Url]) {
    let seeds = &urls[..urls.len().min(1 + words.len() % 2)];
    let limits = Limits { depth: Some(words.len() % 4), max_pages: Some(words.len() / 2 + 1) };
    let mut frontier = Frontier::new(limits);
    let mut model = Model { limits, origins: Vec::new(), seen: HashSet::new(), admitted: 0 };
    for seed in seeds {
        model.origins.push(seed.origin());
        let visit = frontier.seed(seed.clone());
        assert_eq!(visit.map(|visit| (visit.url, visit.depth)), model.admit(seed).then(|| (seed.clone(), 0)));
    }
    let targets: Vec<Url> = words.iter().filter_map(|word| target(word)).collect();
    let links: Vec<String> = targets.iter().map(Url::to_string).collect();
    for (depth, links) in links.chunks(3).enumerate() {
        let visits = frontier.admit_links(links, depth);
        let admitted: Vec<&Url> = targets.iter().skip(3 * depth).take(3).filter(|url| model.link(url, depth)).collect();
        assert_eq!(visits.iter().map(|visit| &visit.url).collect::<Vec<_>>(), admitted, "of {links:?} at {depth}");
        assert!(visits.iter().all(|visit| visit.depth == depth + 1), "{visits:?} at {depth}");
    }
    for (depth, target) in targets.iter().enumerate() {
        let is_seen = model.seen.contains(target.as_str());
        let expected = match (depth == 0 || model.is_within(target), is_seen) {
            (false, _) => Redirect::Outside,
            (true, true) => Redirect::Known,
            (true, false) => Redirect::Follow,
        };
        assert_eq!(frontier.redirect(target, depth), expected, "{target} at {depth}");
        if expected == Redirect::Follow {
            model.seen.insert(target.to_string());
        }
    }
}

/// Reads a word as a page's link or a server's redirect: of http or https, with a user name perhaps.
fn target(word: &str) -> Option<Url> {
    let mut url = Url::parse(word).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_fragment(None);
    Some(url)
}

/// What a frontier must know.
struct Model {
    limits: Limits,
    origins: Vec<Origin>,
    seen: HashSet<String>,
    admitted: usize,
}

impl Model {
    fn is_within(&self, url: &Url) -> bool {
        url.username().is_empty() && url.password().is_none() && self.origins.contains(&url.origin())
    }

    fn admit(&mut self, url: &Url) -> bool {
        let is_new = Some(self.admitted) != self.limits.max_pages && self.seen.insert(url.to_string());
        self.admitted += usize::from(is_new);
        is_new
    }

    fn link(&mut self, url: &Url, depth: usize) -> bool {
        self.limits.depth.is_none_or(|limit| depth < limit) && self.is_within(url) && self.admit(url)
    }
}

fn check_printed(text: &str) {
    let shown = printable(text);
    assert!(is_plain(&shown), "{shown:?}");
    assert!(shown.len() >= text.len() && (shown == text || !is_plain(text)), "{text:?} was shown as {shown:?}");
    let mut summary = Summary::default();
    summary.fail(text, &Failure::Protocol(text.to_owned()));
    summary.fail(text, &Failure::BadRedirect(text.to_owned()));
    let told = summary.to_string();
    assert!(told.split('\n').all(is_plain), "{told:?}");
    assert_eq!(told.lines().count(), 10, "six lines of counts, and two for each class: {told:?}");
}

/// Tells whether text may be shown on a terminal: no control characters, and none that turn its direction or break its
/// line.
pub fn is_plain(text: &str) -> bool {
    let turns = |letter| matches!(letter, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    !text.contains(|letter: char| letter.is_control() || turns(letter))
}
