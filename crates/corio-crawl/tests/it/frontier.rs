//! Each address is fetched once, and only within the origins and limits.

use corio_crawl::frontier::{Frontier, Limits, Redirect};
use url::Url;

fn url(address: &str) -> Url {
    Url::parse(address).unwrap()
}

fn frontier(seeds: &[&str], limits: Limits) -> Frontier {
    Frontier::new(seeds.iter().map(|seed| url(seed)), limits)
}

fn links(addresses: &[&str]) -> Vec<String> {
    addresses.iter().map(|&address| address.to_owned()).collect()
}

#[test]
fn each_address_once() {
    let mut frontier = frontier(&["http://a.test/", "http://a.test/#x", "http://a.test"], Limits::default());
    assert_eq!(frontier.take().unwrap().url.as_str(), "http://a.test/");
    assert!(frontier.take().is_none());
    assert_eq!(frontier.add_links(&links(&["http://a.test/", "http://a.test/x", "http://a.test/x"]), 0), 1);
    let visit = frontier.take().unwrap();
    assert_eq!((visit.url.as_str(), visit.depth), ("http://a.test/x", 1));
    assert_eq!(frontier.add_links(&links(&["http://a.test/x"]), 1), 0);
}

#[test]
fn within_the_origins() {
    let mut frontier = frontier(&["http://a.test/deep/page", "https://b.test:444/"], Limits::default());
    let inside = ["http://a.test/y", "https://b.test:444/z"];
    let outside =
        ["https://a.test/", "http://a.test:81/", "http://a.test.evil.test/", "http://x@a.test/", "https://b.test/"];
    assert_eq!(frontier.add_links(&links(&inside), 0), 2);
    assert_eq!(frontier.add_links(&links(&outside), 0), 0);
}

#[test]
fn to_the_depth() {
    let mut frontier = frontier(&["http://a.test/"], Limits::new(Some(1), None));
    assert_eq!(frontier.add_links(&links(&["http://a.test/1"]), 0), 1);
    assert_eq!(frontier.add_links(&links(&["http://a.test/2"]), 1), 0);
    let mut alone = self::frontier(&["http://a.test/"], Limits::new(Some(0), None));
    assert_eq!(alone.add_links(&links(&["http://a.test/1"]), 0), 0);
}

#[test]
fn no_more_pages_than_the_limit() {
    let mut frontier = frontier(&["http://a.test/1", "http://a.test/2", "http://a.test/3"], Limits::new(None, Some(2)));
    assert!(frontier.take().is_some());
    assert!(frontier.take().is_some());
    assert!(frontier.take().is_none());
    assert_eq!(frontier.waiting(), 1);
}

#[test]
fn redirects() {
    let mut frontier = frontier(&["http://a.test/"], Limits::new(Some(0), None));
    assert_eq!(frontier.redirect(&url("http://a.test/new")), Redirect::Follow);
    assert_eq!(frontier.redirect(&url("http://a.test/new")), Redirect::Known);
    assert_eq!(frontier.redirect(&url("http://a.test/")), Redirect::Known);
    assert_eq!(frontier.redirect(&url("http://b.test/")), Redirect::Outside);
}
