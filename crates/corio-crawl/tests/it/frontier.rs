//! Each address is admitted once, and only within the origins and limits.

use corio_crawl::frontier::{Frontier, Limits, Redirect};
use url::Url;

fn url(address: &str) -> Url {
    Url::parse(address).unwrap()
}

fn frontier(seeds: &[&str], limits: Limits) -> Frontier {
    let mut frontier = Frontier::new(limits);
    for seed in seeds {
        frontier.seed(url(seed));
    }
    frontier
}

fn admitted(frontier: &mut Frontier, links: &[&str], depth: usize) -> Vec<String> {
    let links: Vec<String> = links.iter().map(|&link| link.to_owned()).collect();
    frontier.admit_links(&links, depth).into_iter().map(|visit| String::from(visit.url)).collect()
}

#[test]
fn each_address_once() {
    let mut frontier = Frontier::new(Limits::default());
    assert_eq!(frontier.seed(url("http://a.test/#x")).unwrap().url.as_str(), "http://a.test/");
    assert!(frontier.seed(url("http://a.test")).is_none());
    let links = ["http://a.test/", "http://a.test/x", "http://a.test/x"];
    assert_eq!(admitted(&mut frontier, &links, 0), ["http://a.test/x"]);
    assert!(admitted(&mut frontier, &links, 1).is_empty());
}

#[test]
fn within_the_origins() {
    let mut frontier = frontier(&["http://a.test/deep/page", "https://b.test:444/"], Limits::default());
    let inside = ["http://a.test/y", "https://b.test:444/z"];
    let outside =
        ["https://a.test/", "http://a.test:81/", "http://a.test.evil.test/", "http://x@a.test/", "https://b.test/"];
    assert_eq!(admitted(&mut frontier, &inside, 0), inside);
    assert!(admitted(&mut frontier, &outside, 0).is_empty());
}

#[test]
fn to_the_depth() {
    let mut frontier = frontier(&["http://a.test/"], Limits { depth: Some(1), max_pages: None });
    assert_eq!(admitted(&mut frontier, &["http://a.test/1"], 0), ["http://a.test/1"]);
    assert!(admitted(&mut frontier, &["http://a.test/2"], 1).is_empty());
    let mut alone = self::frontier(&["http://a.test/"], Limits { depth: Some(0), max_pages: None });
    assert!(admitted(&mut alone, &["http://a.test/1"], 0).is_empty());
}

#[test]
fn no_more_pages_than_the_limit() {
    let mut frontier = frontier(&["http://a.test/1"], Limits { depth: None, max_pages: Some(3) });
    let links = ["http://a.test/2", "http://a.test/3", "http://a.test/4"];
    assert_eq!(admitted(&mut frontier, &links, 0), ["http://a.test/2", "http://a.test/3"]);
    assert_eq!(frontier.redirect(&url("http://a.test/new"), 1), Redirect::Follow);
}

#[test]
fn redirects() {
    let mut frontier = frontier(&["http://a.test/"], Limits { depth: Some(0), max_pages: None });
    assert_eq!(frontier.redirect(&url("http://a.test/new"), 1), Redirect::Follow);
    assert_eq!(frontier.redirect(&url("http://a.test/new"), 1), Redirect::Known);
    assert_eq!(frontier.redirect(&url("http://a.test/"), 1), Redirect::Known);
    assert_eq!(frontier.redirect(&url("http://b.test/"), 1), Redirect::Outside);
    assert_eq!(frontier.redirect(&url("http://b.test/"), 0), Redirect::Follow);
}
