//! The output: created before the crawl, whole whatever happens, and its errors end the crawl.

use crate::program::{end, folder, html, program, rows, run, serve};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

#[test]
fn a_file() {
    let path = folder(&[("out.tsv", "what was there before, which is longer than nothing")]).join("out.tsv");
    let run = run(&["-o", path.to_str().unwrap()]);
    assert_eq!((run.status, &*run.stdout), (Some(0), ""));
    let text = std::fs::read_to_string(path).unwrap();
    assert!(rows(&text).len() > 1000);
}

#[test]
fn a_file_that_cannot_be_made() {
    let run = run(&["-o", "/nonexistent/out.tsv", "http://127.0.0.1:1/"]);
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.starts_with("corio-crawl: cannot write /nonexistent/out.tsv: "), "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "the crawl did not begin: {run:?}");
}

#[test]
fn a_full_disk() {
    let run = run(&["-o", "/dev/full"]);
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("corio-crawl: cannot write /dev/full: No space left on device"), "{run:?}");
}

#[test]
fn a_reader_that_leaves() {
    let mut child = program(&[]).spawn().unwrap();
    let mut pipe = BufReader::new(child.stdout.take().unwrap());
    pipe.read_line(&mut String::new()).unwrap();
    drop(pipe);
    let run = end(child);
    assert_eq!(run.status, Some(1), "{run:?}");
    assert!(run.stderr.contains("corio-crawl: cannot write standard output: Broken pipe"), "{run:?}");
}

#[test]
fn nobody_hears_the_summary() {
    let mut child = program(&["--depth", "0"]).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(end(child).status, Some(0));
}

/// Sends a signal as the terminal does at Ctrl-C.
fn interrupt(id: u32) {
    assert!(Command::new("kill").args(["-INT", &id.to_string()]).status().unwrap().success());
}

/// A site whose front page is quick and whose other page never comes.
fn half_a_site() -> String {
    serve(|path, stream| {
        if path == "/" {
            return html(stream, "<a href=never>");
        }
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        crate::program::Keep::Close
    })
}

#[test]
fn interrupted_once() {
    let site = half_a_site();
    let mut child = program(&[&site, "--depth", "1"]).spawn().unwrap();
    let id = child.id();
    let mut pipe = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while text.lines().count() < 2 {
        pipe.read_line(&mut text).unwrap();
    }
    interrupt(id);
    pipe.read_to_string(&mut text).unwrap();
    let run = end(child);
    assert_eq!(run.status, Some(130), "{run:?}");
    assert_eq!(rows(&text).len(), 1);
    assert!(run.stderr.contains("corio-crawl: stopping") && run.stderr.contains("pages         1\n"), "{run:?}");
}

#[test]
fn interrupted_twice() {
    // Nobody reads the output: what was found cannot be written, and the first signal alone would wait for that.
    let large: String =
        (0..20_000).map(|number| format!("<a href='/a/long/path/to/fill/the/pipe/{number}'>")).collect();
    let site = serve(move |_, stream| html(stream, &large));
    let mut child = program(&[&site]).stdout(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 1]).unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    interrupt(id);
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("corio-crawl: stopping"), "{line}");
    interrupt(id);
    assert_eq!(end(child).status, Some(130));
    drop(stdout);
}
