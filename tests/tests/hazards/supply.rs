//! 57 to 59: builds, texts from afar, dependencies.

use crate::program::program;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Builds an example of the umbrella with `panic = "abort"`, and runs it.
fn run_under_abort(example: &str, arguments: &[&str]) -> Output {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("abort");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["run", "--quiet", "--locked", "-p", "corio", "--example", example]);
    cargo.args(["--config", "profile.dev.panic=\"abort\"", "--target-dir"]).arg(target).arg("--").args(arguments);
    cargo.output().unwrap()
}

#[test]
fn h57_cancellation_needs_no_unwinding_of_stacks() {
    let output = run_under_abort("pending_at_close", &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text, "main is done\nmain is done\ncancelled: the cleanup runs\n");
    let output = run_under_abort("producers_consumers", &["-p", "1", "-c", "2"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("all is consumed, and 0 items are left"), "{text}");
    assert!(text.contains("consumer 0: ") && text.contains("consumer 1: "), "{text}");
}

/// The manifests of all crates.
fn manifests() -> Vec<(String, String)> {
    let crates = fs::read_dir(root().join("crates")).unwrap();
    let manifest =
        |name: String| (name.clone(), fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")));
    let read = crates.map(|entry| manifest(entry.unwrap().file_name().into_string().unwrap()));
    read.map(|(name, text)| (name, text.unwrap())).collect()
}

#[test]
fn h57_no_crate_has_features_that_nobody_builds_and_each_names_its_compiler() {
    for (name, manifest) in manifests() {
        assert!(!manifest.contains("[features]"), "{name} has features, and so a build without them");
        assert!(manifest.contains("rust-version"), "{name} does not say which compiler it needs");
        assert!(manifest.contains("[lints]"), "{name} is not watched by `incompatible_msrv`");
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("incompatible_msrv = \"warn\"") && workspace.contains("rust-version = \"1.85\""));
}

/// A site whose pages are as bad as a site can make them.
fn hostile_site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let site = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || drop(answer(stream)));
        }
    });
    site
}

const LINKS: &str = "<a href='/esc\u{1b}[31mred'><a href='/tab\tin\tit'><a href='/line\nbreak'><a href='/nul\0'>\
    <a href='=1+1'><a href='/bell\u{7}\u{9b}2J'><a href='/loop'><a href='/location'><a href='/type'><a href='/status'>\
    <a href='/endless-head'><a href='/long-line'><a href='/smuggled'><a href='/gzip'><a href='javascript:\u{1b}'>";

/// Answers one request, and closes the connection.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(stream.try_clone()?);
    while reader.read_line(&mut head)? > 2 {}
    let path = head.split(' ').nth(1).unwrap_or_default();
    let html = |body: &str| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: {}",
            body.len()
        );
        format!("{head}\r\n\r\n{body}")
    };
    match path {
        "/" => stream.write_all(html(LINKS).as_bytes()),
        "/loop" => stream.write_all(b"HTTP/1.1 302 \x1b[5m\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n"),
        "/location" => stream.write_all("HTTP/1.1 302 Found\r\nLocation: /\u{9b}31m\tx\r\nContent-Length: 0\r\n\r\n".as_bytes()),
        "/type" => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: \x1b]0;owned\x07\r\nContent-Length: 1\r\n\r\nx"),
        "/status" => stream.write_all(b"HTTP/1.1 999 \x1b[2J\x1b[1;1H\r\nContent-Length: 0\r\n\r\n"),
        "/endless-head" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            loop {
                stream.write_all(b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n")?;
            }
        }
        "/long-line" => loop {
            stream.write_all(&[b'y'; 4096])?;
        },
        "/smuggled" => stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\n<a href='/never'>HTTP/1.1 200 OK\r\n\r\n",
        ),
        "/gzip" => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"),
        _ => stream.write_all(html("<a href='/'>").as_bytes()),
    }
}

#[test]
fn h58_a_hostile_site_writes_neither_to_the_terminal_nor_into_the_table() {
    let output = Command::new(program()).args([&*hostile_site(), "--timeout", "5", "--depth", "3"]).output().unwrap();
    let (table, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{told}");
    assert!(table.lines().count() > 10, "{table}");
    for line in table.lines() {
        assert_eq!(line.matches('\t').count(), 1, "{line:?}");
        assert!(!line.contains("\t=") && !line.starts_with(['=', '+', '-', '@']), "{line:?} is a formula");
        assert!(!line.contains("/never"), "a smuggled answer was read");
    }
    let printable = |c: char| !c.is_control() || c == '\n' || c == '\t';
    assert!(table.chars().all(printable), "{table:?}");
    assert!(told.chars().all(printable), "{told:?}");
    assert!(told.contains("errors"), "{told}");
}

/// The packages of the lock file, each with its version.
fn locked() -> Vec<(String, [u64; 3])> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")));
        line.map(|line| line.trim_end_matches('"').to_string())
    };
    let packages = lock.split("[[package]]").skip(1);
    packages.map(|block| (field(block, "name").unwrap(), version(&field(block, "version").unwrap()))).collect()
}

fn version(text: &str) -> [u64; 3] {
    let numbers = text.split(['-', '+']).next().unwrap().split('.');
    let mut numbers = numbers.map(|number| number.parse().unwrap());
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

#[test]
fn h59_nothing_that_is_abandoned_or_known_to_be_broken_is_depended_on() {
    const AVOIDED: &str = "async-std backoff instant paste fxhash atty number_prefix bincode rustls-pemfile derivative \
        proc-macro-error net2 chan atomic-polyfill generational-arena kuchiki";
    const FIXED: &str = "crossbeam-epoch 0.9.20, crossbeam-channel 0.5.15, event-listener 5.4.2, oneshot 0.1.12, \
        slab 0.4.11, bytes 1.11.1, rustls-webpki 0.103.13";
    let locked = locked();
    assert!(locked.len() > 50 && locked.iter().any(|(name, _)| name == "corio"), "the lock file was read");
    // What the benchmarks bring for comparison is built by nobody else.
    let tree = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "tree",
            "--locked",
            "--offline",
            "--workspace",
            "--exclude",
            "corio-benches",
            "--prefix",
            "none",
            "-f",
            "{p}",
        ])
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let used = |name: &str| tree.lines().any(|line| line.split(' ').next() == Some(name));
    assert!(used("corio-seam") && used("polling"));
    for name in AVOIDED.split_whitespace() {
        assert!(!used(name), "{name} is abandoned");
    }
    for floor in FIXED.split(", ") {
        let (name, least) = floor.split_once(' ').unwrap();
        for (_, found) in locked.iter().filter(|(package, _)| package == name && used(name)) {
            assert!(*found >= version(least), "{name} {found:?} has a known fault, mended in {least}");
        }
    }
}
