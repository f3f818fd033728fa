//! What is to be fetched, and what has been: each address once.

use std::collections::{HashSet, VecDeque};
use url::Url;

/// How far a crawl goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many links a page may lie from the addresses given; `None`: any number.
    pub depth: Option<usize>,
    /// How many pages may be fetched; `None`: all.
    pub max_pages: Option<usize>,
}

impl Limits {
    /// Makes limits: how many links from the addresses given, and how many pages.
    #[must_use]
    pub const fn new(depth: Option<usize>, max_pages: Option<usize>) -> Limits {
        Limits { depth, max_pages }
    }
}

/// A page to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Visit {
    /// Its address.
    pub url: Url,
    /// How many links it lies from the addresses given.
    pub depth: usize,
}

/// What becomes of the target of a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redirect {
    /// It is new: fetch it now.
    Follow,
    /// It has been fetched, or will be, by somebody else.
    Known,
    /// It lies outside the origins.
    Outside,
}

/// The pages that wait to be fetched, breadth first, and every address that was ever among them.
///
/// Addresses in it are within the origins of the addresses that it was given. An address with a user name or password
/// that a page links to is never within.
#[derive(Debug)]
pub struct Frontier {
    limits: Limits,
    waiting: VecDeque<Visit>,
    /// Every address that was handed out or waits. `None` of them has a fragment.
    seen: HashSet<Box<str>>,
    /// What the addresses of the origins begin with: `http://host:port/`.
    origins: Vec<String>,
    handed_out: usize,
}

impl Frontier {
    /// Makes a frontier of the addresses given, whose origins are those that links are followed within.
    #[must_use]
    pub fn new(seeds: impl IntoIterator<Item = Url>, limits: Limits) -> Frontier {
        let (waiting, seen, origins) = Default::default();
        let mut frontier = Frontier { limits, waiting, seen, origins, handed_out: 0 };
        for seed in seeds {
            frontier.seed(seed);
        }
        frontier
    }

    fn seed(&mut self, mut url: Url) {
        url.set_fragment(None);
        let origin = url.origin().ascii_serialization() + "/";
        if !self.origins.contains(&origin) {
            self.origins.push(origin);
        }
        if self.seen.insert(url.as_str().into()) {
            self.waiting.push_back(Visit { url, depth: 0 });
        }
    }

    /// Takes the next page to fetch, until there is none or the limit of pages is reached.
    pub fn take(&mut self) -> Option<Visit> {
        if self.limits.max_pages.is_some_and(|max| self.handed_out >= max) {
            return None;
        }
        let visit = self.waiting.pop_front()?;
        self.handed_out += 1;
        Some(visit)
    }

    /// Adds the links of a page at `depth`; returns how many are new.
    pub fn add_links(&mut self, links: &[String], depth: usize) -> usize {
        if self.limits.depth.is_some_and(|limit| depth >= limit) {
            return 0;
        }
        let before = self.waiting.len();
        for link in links {
            if self.is_within(link) && !self.seen.contains(link.as_str()) {
                self.add(link, depth + 1);
            }
        }
        self.waiting.len() - before
    }

    fn add(&mut self, link: &str, depth: usize) {
        // The link was an address when it was found.
        if let Ok(url) = Url::parse(link) {
            self.seen.insert(link.into());
            self.waiting.push_back(Visit { url, depth });
        }
    }

    /// Decides about the target of a redirect, and marks it as seen if it is to be followed.
    pub fn redirect(&mut self, target: &Url) -> Redirect {
        if !self.is_within(target.as_str()) {
            return Redirect::Outside;
        }
        if self.seen.insert(target.as_str().into()) { Redirect::Follow } else { Redirect::Known }
    }

    fn is_within(&self, address: &str) -> bool {
        self.origins.iter().any(|origin| address.starts_with(origin.as_str()))
    }

    /// Returns how many pages wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}
