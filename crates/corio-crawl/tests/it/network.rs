//! What the network does to a page ends that page, and is told under its class.

use crate::program::{Keep, Run, folder, html, run, send, serve};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Crawls a front page that links to `paths`, whose answers `answer` gives; the front page must not be lost.
fn crawl(paths: &[&str], answer: impl Fn(&str, &mut std::net::TcpStream) -> Keep + Send + Sync + 'static) -> Run {
    let links: String = paths.iter().map(|path| format!("<a href='{path}'>")).collect();
    let site = serve(move |path, stream| if path == "/" { html(stream, &links) } else { answer(path, stream) });
    let run = run(&[&format!("{site}/"), "--depth", "9", "--timeout", "2"]);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(run.rows().len() >= paths.len(), "{run:?}");
    run
}

#[track_caller]
fn says(run: &Run, line: &str) {
    assert!(run.stderr.contains(line), "{line:?} is not in {}", run.stderr);
}

#[test]
fn nobody_there() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let run = run(&[&format!("http://127.0.0.1:{port}/")]);
    assert_eq!(run.status, Some(1));
    assert_eq!(run.stdout, "source_url\tparsed_url\n");
    says(&run, "  connect: 1\n");
    says(&run, "corio-crawl: nothing could be fetched\n");
}

#[test]
fn a_host_that_is_none() {
    let run = run(&["http://no-such-host.invalid/"]);
    assert_eq!(run.status, Some(1));
    says(&run, "  dns: 1\n");
}

#[test]
fn resets_stalls_and_rubbish() {
    let paths =
        ["/reset", "/stall", "/rubbish", "/half-a-head", "/short", "/half-a-chunk", "/stalled-body", "/long-head"];
    let run = crawl(&paths, |path, stream| {
        match path {
            "/stall" => thread::sleep(Duration::from_secs(4)),
            "/rubbish" => drop(send(stream, "\u{1b}[2J is not HTTP\r\n\r\n")),
            "/half-a-head" => drop(send(stream, "HTTP/1.1 200 OK\r\nContent-Ty")),
            "/short" => {
                send(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n<a href=x>");
            }
            "/half-a-chunk" => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";
                send(stream, &format!("{head}5\r\n<a hr"));
            }
            "/stalled-body" => {
                send(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n<a href=x>");
                thread::sleep(Duration::from_secs(4));
            }
            "/long-head" => drop(send(stream, &format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1 << 20)))),
            _ => {}
        }
        Keep::Close
    });
    says(&run, "pages         1\n");
    says(&run, "errors        8\n");
    says(&run, "  body: 2\n");
    says(&run, "  protocol: 4\n");
    says(&run, "  timeout: 2\n");
    assert!(!run.stderr.contains('\u{1b}'));
}

#[test]
fn statuses_and_types() {
    let run = crawl(&["/404", "/500", "/304", "/nolocation", "/204", "/json", "/none", "/gzip"], |path, stream| {
        let head = match path {
            "/404" => "404 Not Found",
            "/500" => "500 Oh",
            "/304" => "304 Not Modified",
            "/nolocation" => "302 Found",
            "/204" => "204 No Content",
            "/json" => "200 OK\r\nContent-Type: application/json",
            "/gzip" => "200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip",
            _ => "200 OK",
        };
        let body = if matches!(path, "/304" | "/204") { "" } else { "\r\nContent-Length: 10\r\n\r\n<a href=x>" };
        send(stream, &format!("HTTP/1.1 {head}{}", if body.is_empty() { "\r\n\r\n" } else { body }))
    });
    says(&run, "pages         4\n");
    for line in ["status 404: 1", "status 500: 1", "status 304: 1", "status 302: 1", "coding: 1"] {
        says(&run, line);
    }
    assert_eq!(run.rows().len(), 8);
}

#[test]
fn redirects() {
    static ENDLESS: AtomicUsize = AtomicUsize::new(0);
    static LANDED: AtomicUsize = AtomicUsize::new(0);
    let paths = ["/one", "/two", "/self", "/circle", "/endless", "/outside", "/mail", "/land", "/broken"];
    let run = crawl(&paths, |path, stream| {
        let location = match path {
            "/one" => "/two#part".to_owned(),
            "/two" => "land?\t".to_owned(),
            "/self" => "/self".to_owned(),
            "/circle" => "/back".to_owned(),
            "/back" => "/circle".to_owned(),
            "/outside" => "http://127.0.0.2:9/\u{202e}".to_owned(),
            "/mail" => "mailto:x".to_owned(),
            "/broken" => "http://[".to_owned(),
            _ if path.starts_with("/endless") => format!("/endless{}", ENDLESS.fetch_add(1, Ordering::Relaxed)),
            _ => {
                LANDED.fetch_add(1, Ordering::Relaxed);
                return html(stream, "<a href=x>");
            }
        };
        send(stream, &format!("HTTP/1.1 301 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"))
    });
    for line in [
        "redirect loop: 2",
        "too many redirects: 1",
        "redirect outside: 1",
        "bad redirect: 2",
        "to http://127.0.0.2:9/",
    ] {
        says(&run, line);
    }
    assert_eq!(ENDLESS.load(Ordering::Relaxed), corio_crawl::crawl::MAX_REDIRECTS + 1);
    assert!(!run.stderr.contains('\u{202e}'));
    let sources: Vec<_> = run.rows().iter().map(|row| row.0.rsplit('/').next().unwrap().to_owned()).collect();
    assert!(sources.contains(&"land".to_owned()) && sources.contains(&"land?".to_owned()), "{sources:?}");
    assert!(!sources.contains(&"one".to_owned()) && !sources.contains(&"two".to_owned()), "{sources:?}");
}

#[test]
fn connections_are_kept_and_a_stale_one_is_replaced() {
    static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static REQUESTS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });
    let site = serve(|path, stream| {
        // A thread for each connection: its first request is the connection's.
        let request = REQUESTS.replace(REQUESTS.get() + 1);
        if request == 0 {
            CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        }
        let number: usize = path[1..].parse().unwrap_or(0);
        html(stream, &format!("<a href='/{}'>", number + 1));
        // Every tenth connection is dropped without a word, when the next request may be on its way.
        if request == 9 { Keep::Close } else { Keep::Alive }
    });
    let run = run(&[&format!("{site}/0"), "--depth", "59"]);
    assert_eq!(run.status, Some(0), "{run:?}");
    says(&run, "pages         60\n");
    says(&run, "errors        0\n");
    assert_eq!(CONNECTIONS.load(Ordering::Relaxed), 6);
}

#[test]
fn only_the_pages_named_are_fetched_by_default() {
    let site = serve(|path, stream| html(stream, &format!("<a href='{path}x'>")));
    let list = folder(&[("list", &format!("# two of three\n{site}/a\n\n{site}/b#part\n"))]).join("list");
    let run = run(&[&format!("{site}/c"), &format!("{site}/a"), "-f", list.to_str().unwrap()]);
    let rows: Vec<String> = run.rows().iter().map(|row| row.1.replace(&site, "")).collect();
    assert_eq!(rows, ["/ax", "/bx", "/cx"]);
}

#[test]
fn a_body_without_end() {
    let site = serve(|_, stream| {
        send(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n");
        let block = vec![b'x'; 1 << 20];
        while std::io::Write::write_all(stream, &block).is_ok() {}
        Keep::Close
    });
    let run = run(&[&format!("{site}/"), "--timeout", "50"]);
    assert_eq!(run.status, Some(1));
    says(&run, "too large: 1");
}

#[test]
fn plain_http_where_tls_is_wanted() {
    let site = serve(|_, stream| send(stream, "HTTP/1.1 400 Bad\r\n\r\n"));
    let run = run(&[&site.replace("http://", "https://")]);
    assert_eq!(run.status, Some(1));
    says(&run, "  tls: 1\n");
}
