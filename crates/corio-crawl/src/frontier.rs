//! What is to be fetched, and what has been: each address once.

use foldhash::fast::RandomState;
use std::collections::HashSet;
use url::Url;

/// How far a crawl goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How many links a page may lie from the addresses given; `None`: any number.
    pub depth: Option<usize>,
    /// How many pages may be fetched; `None`: all.
    pub max_pages: Option<usize>,
}

/// A page to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Its address.
    pub url: Url,
    /// How many links it lies from the addresses given.
    pub depth: usize,
}

/// What becomes of the target of a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// It is new: fetch it now.
    Follow,
    /// It has been fetched, or will be, by somebody else.
    Known,
    /// It lies outside the origins, and no address that the user named led there.
    Outside,
}

/// The door that addresses pass once: within the origins of those that were given, and within the limits.
///
/// An address with a user name or password that a page links to is never within.
#[derive(Debug)]
pub struct Frontier {
    limits: Limits,
    /// Every address that was admitted, without fragment.
    seen: HashSet<Box<str>, RandomState>,
    /// What the addresses of the origins begin with: `http://host:port/`.
    origins: Vec<String>,
    admitted: usize,
}

impl Frontier {
    /// Makes a frontier that admits nothing but [`seeds`](Frontier::seed) and what they lead to.
    #[must_use]
    pub fn new(limits: Limits) -> Frontier {
        Frontier { limits, seen: HashSet::default(), origins: Vec::new(), admitted: 0 }
    }

    /// Admits an address that the user named, and links within its origin from now on.
    pub fn seed(&mut self, mut url: Url) -> Option<Visit> {
        url.set_fragment(None);
        let origin = url.origin().ascii_serialization() + "/";
        if !self.origins.contains(&origin) {
            self.origins.push(origin);
        }
        self.admit(url.as_str(), 0)
    }

    /// Admits the links of a page at `depth`; returns those that are new and within.
    pub fn admit_links(&mut self, links: &[String], depth: usize) -> Vec<Visit> {
        if self.limits.depth.is_some_and(|limit| depth >= limit) {
            return Vec::new();
        }
        let mut visits = Vec::new();
        for link in links {
            if self.is_within(link) {
                visits.extend(self.admit(link, depth + 1));
            }
        }
        visits
    }

    fn admit(&mut self, address: &str, depth: usize) -> Option<Visit> {
        if self.limits.max_pages.is_some_and(|max| self.admitted >= max) || self.seen.contains(address) {
            return None;
        }
        let url = Url::parse(address).ok()?;
        self.seen.insert(address.into());
        self.admitted += 1;
        Some(Visit { url, depth })
    }

    /// Decides about the target of a redirect met `depth` links from the addresses given, and marks it as seen if it is
    /// to be followed.
    ///
    /// It is part of the visit that led to it, so that limits do not hinder it. What the user named is followed wherever
    /// it leads, as from `http` to `https`; what a page links to, within the origins.
    pub fn redirect(&mut self, target: &Url, depth: usize) -> Redirect {
        if depth > 0 && !self.is_within(target.as_str()) {
            return Redirect::Outside;
        }
        if self.seen.insert(target.as_str().into()) { Redirect::Follow } else { Redirect::Known }
    }

    fn is_within(&self, address: &str) -> bool {
        self.origins.iter().any(|origin| address.starts_with(origin.as_str()))
    }
}
