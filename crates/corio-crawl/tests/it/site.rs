//! Without an argument, the crawler crawls a site of its own.

use crate::program::run;
use std::collections::BTreeSet;

/// Takes the address of the site, which has another port each time, out of a text.
fn without_port(text: &str) -> String {
    let from = text.find("http://127.0.0.1:").expect("the site is on a loopback port");
    let port: String = text[from + 17..].chars().take_while(char::is_ascii_digit).collect();
    text.replace(&format!("127.0.0.1:{port}"), "site")
}

#[test]
fn the_whole_site() {
    let run = run(&[]);
    assert_eq!(run.status, Some(0), "{run:?}");
    run.rows();
    let text = without_port(&run.stdout);
    let rows = crate::program::rows(&text);

    let sources: BTreeSet<&str> = rows.iter().map(|row| row.0).collect();
    let numbered = sources.iter().filter(|source| source.starts_with("http://site/pages/")).count();
    assert_eq!(numbered, corio_crawl::site::PAGES);
    for special in ["http://site/", "http://site/slow.html", "http://site/landing.html", "http://site/latin.html"] {
        assert!(sources.contains(special), "{special}");
    }
    assert!(sources.contains("http://site/caf%C3%A9?caf%E9"), "the query is in the page's encoding");
    for none in
        ["http://site/moved.html", "http://site/missing.html", "http://site/notes.txt", "http://site/picture.png"]
    {
        assert!(!sources.contains(none), "{none}");
    }

    assert!(rows.contains(&("http://site/landing.html", "http://site/pages/1.html")));
    assert!(rows.contains(&("http://site/pages/3.html", "http://site/pages/1.html")), "an area");
    assert!(rows.contains(&("http://site/pages/8.html", "https://www.rust-lang.org/learn?from=corio&page=1")));
    assert!(rows.contains(&("http://site/pages/7.html", "http://example.org/path?query=a%20b")));
    for no_link in ["commented-out", "script.html", "template.html", "mailto", "javascript", "#"] {
        assert!(!text.contains(no_link), "{no_link}");
    }
}

#[test]
fn the_summary() {
    let run = run(&[]);
    let rows = run.rows().len();
    let summary = without_port(&run.stderr);
    for line in [
        "pages         307".to_owned(),
        format!("links         {rows}"),
        "errors        1\n  status 404: 1\n    http://site/missing.html".to_owned(),
    ] {
        assert!(summary.contains(&line), "{line:?} is not in {summary}");
    }
    assert!(!summary.contains('\u{1b}'), "no terminal, no progress: {summary:?}");
}

#[test]
fn twice_the_same() {
    let sorted = |text: &str| {
        let mut lines: Vec<String> = without_port(text).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let one = run(&["--concurrency", "1"]);
    let many = run(&["--concurrency", "500"]);
    assert_eq!(sorted(&one.stdout), sorted(&many.stdout));
}

#[test]
fn strict_minds_the_missing_page() {
    let run = run(&["--strict"]);
    assert_eq!(run.status, Some(1));
    assert!(run.rows().len() > 1000);
}

#[test]
fn limits() {
    assert!(run(&["--depth", "0"]).stderr.contains("pages         1\n"));
    let run = run(&["--max-pages", "20"]);
    assert_eq!(run.status, Some(0));
    let counted = |name: &str| -> usize {
        let line = run.stderr.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().last().unwrap().parse().unwrap()
    };
    assert_eq!(counted("pages") + counted("errors"), 20);
}
