//! `--serve` gives the files of a directory, and nothing else.

use crate::program::{folder, run};
use std::net::TcpListener;

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// Crawls a folder; returns the rows with the site's address taken off, and the rest of the run.
fn crawl(files: &[(&str, &str)]) -> (Vec<String>, crate::program::Run) {
    let (folder, port) = (folder(files), free_port());
    let run = run(&["--serve", folder.to_str().unwrap(), "--port", &port]);
    let site = format!("http://127.0.0.1:{port}");
    let rows = run.rows().iter().map(|row| format!("{} {}", row.0, row.1).replace(&site, "")).collect();
    (rows, run)
}

#[test]
fn files_and_folders() {
    let (rows, run) = crawl(&[
        ("index.html", "<a href=a%20b.htm><a href=sub><a href=none.html><a href=t.txt><a href=UP.HTML>"),
        ("a b.htm", "<a href=x>"),
        ("sub/index.html", "<a href=../index.html?q=1><a href=deep/>"),
        ("sub/deep/caf\u{e9}.html", "<a href=y>"),
        ("sub/deep/z.html", ""),
        ("t.txt", "<a href=no>"),
        ("UP.HTML", "<a href=/>"),
    ]);
    assert_eq!(run.status, Some(0));
    assert_eq!(
        rows,
        [
            "/ /UP.HTML",
            "/ /a%20b.htm",
            "/ /none.html",
            "/ /sub",
            "/ /t.txt",
            "/UP.HTML /",
            "/a%20b.htm /x",
            "/index.html?q=1 /UP.HTML",
            "/index.html?q=1 /a%20b.htm",
            "/index.html?q=1 /none.html",
            "/index.html?q=1 /sub",
            "/index.html?q=1 /t.txt",
            "/sub/ /index.html?q=1",
            "/sub/ /sub/deep/",
            "/sub/deep/ /sub/deep/caf%C3%A9.html",
            "/sub/deep/ /sub/deep/z.html",
            "/sub/deep/caf%C3%A9.html /sub/deep/y",
        ]
    );
    assert!(run.stderr.contains("status 404: 3"), "{run:?}");
}

#[test]
fn no_way_out() {
    let outside = folder(&[("secret.html", "<a href=found>")]);
    let name = outside.file_name().unwrap().to_str().unwrap();
    let index = format!(
        "<a href='/..%2f{name}/secret.html'><a href='/%2e%2e/{name}/secret.html'><a href='/x/..%2f..%2f{name}/secret.html'>\
         <a href='//127.0.0.1/%2fetc/passwd'><a href='/%00'><a href='/%ff'><a href='/{}'>",
        "x".repeat(300)
    );
    let (rows, run) = crawl(&[("index.html", &index), ("x/y", "")]);
    assert!(!rows.iter().any(|row| row.ends_with("found")), "{rows:?}");
    assert_eq!(run.status, Some(0), "{run:?}");
}

#[test]
fn a_large_page() {
    let mut index = String::from("<!DOCTYPE html>");
    for number in 0..60_000 {
        index += &format!("<p>And here is number <a href=\"{number}.txt#x\">{number}</a>.\n");
    }
    let folder = folder(&[("index.html", &index)]);
    let run = run(&["--serve", folder.to_str().unwrap(), "--depth", "0"]);
    assert_eq!(run.rows().len(), 60_000);
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = run(&["--serve", "/tmp", "--port", &port]);
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.starts_with("corio-crawl: cannot serve: "), "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
}
