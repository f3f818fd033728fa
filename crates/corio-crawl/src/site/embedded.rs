//! The crawler's own site: a few hundred pages, the same each time, with what a crawler meets.

use super::reply::{self, Reply};
use corio::sleep;
use hyper::StatusCode;
use std::fmt::Write;
use std::time::Duration;

/// How many numbered pages there are, besides the special ones.
pub const PAGES: usize = 300;

/// How long the slow page takes.
const SLOW: Duration = Duration::from_millis(500);

/// The smallest picture there is: one grey dot.
const PICTURE: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    0, 0, 0, 0, 0x3A, 0x7E, 0x9B, 0x55, 0, 0, 0, 0x0A, b'I', b'D', b'A', b'T', 8, 0xD7, 0x63, 0x68, 0, 0, 0, 0x82, 0,
    0x81, 0xDD, 0x43, 0x6A, 0xF4, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xAE, 0x42, 0x60, 0x82,
];

/// Answers a request for `path`.
pub(super) async fn answer(path: &str) -> Reply {
    match path {
        "/" => html(front_page()),
        "/slow.html" => {
            sleep(SLOW).await;
            html("<title>Slow</title><p>That took a while. <a href=/>Back</a>".to_owned())
        }
        "/moved.html" => reply::redirect(StatusCode::MOVED_PERMANENTLY, "/moved/twice.html"),
        "/moved/twice.html" => reply::redirect(StatusCode::FOUND, "../landing.html"),
        "/landing.html" => html("<title>Landing</title><a href=pages/1.html>Here you are</a>".to_owned()),
        "/latin.html" => {
            reply::document("text/html; charset=iso-8859-1", &b"<a href='caf\xE9?caf\xE9'>caf\xE9</a>"[..])
        }
        "/caf%C3%A9" => html("<title>Café</title><a href=/latin.html>Back</a>".to_owned()),
        "/picture.png" => reply::document("image/png", PICTURE),
        "/notes.txt" => reply::document("text/plain", &b"<a href=/not-a-link.html>plain text</a>\n"[..]),
        _ => page_number(path).map_or_else(|| reply::plain(StatusCode::NOT_FOUND), |number| html(page(number))),
    }
}

fn html(text: String) -> Reply {
    reply::document("text/html; charset=utf-8", text)
}

fn page_number(path: &str) -> Option<usize> {
    let digits = path.strip_prefix("/pages/")?.strip_suffix(".html")?;
    let number = digits.parse().ok()?;
    // One spelling for each page: no `+1`, no `01`.
    ((1..=PAGES).contains(&number) && number.to_string() == digits).then_some(number)
}

fn front_page() -> String {
    let mut text = String::from("<!DOCTYPE html><title>A small site</title>\n<ul>\n");
    for (href, what) in [
        ("pages/1.html", "three hundred pages"),
        ("slow.html", "a slow one"),
        ("missing.html", "a missing one"),
        ("moved.html", "one that moved, twice"),
        ("latin.html", "one in another encoding"),
        ("picture.png", "a picture"),
        ("notes.txt", "plain text"),
    ] {
        let _ = writeln!(text, "<li><a href='{href}'>{what}</a>");
    }
    text + "</ul>\n"
}

/// Makes a page that leads to four others, and bears whatever else its number calls for.
fn page(number: usize) -> String {
    let mut text = format!("<!DOCTYPE html><html><head><title>Page {number}</title>");
    // Every seventh page resolves its links elsewhere.
    let (base, folder) = if number.is_multiple_of(7) { ("<base href='/pages/'>", "") } else { ("", "../pages/") };
    let _ = writeln!(text, "{base}</head><body><h1>Page {number}</h1>");
    for target in [number, number * 2, number * 3, number * 7] {
        let target = 1 + target % PAGES;
        let _ = writeln!(text, "<p>See <a href=\"{folder}{target}.html#top\">page {target}</a>.");
    }
    text.push_str(EXTRAS[number % EXTRAS.len()]);
    text + "\n<p><a href=/>Contents</a></body></html>\n"
}

/// What stands on a page besides its four links, in turn.
const EXTRAS: [&str; 8] = [
    "<a href='https://www.rust-lang.org/learn?from=corio&amp;page=1#start'>elsewhere</a>",
    "<!-- <a href='/commented-out.html'>not a link</a> -->",
    "<a href='mailto:nobody@example.org'>write</a> <a href='javascript:void(0)'>run</a>",
    "<map name=m><area shape=rect coords='0,0,9,9' href='/pages/1.html' alt=first></map>",
    "<script>document.write(\"<a href='/script.html'>not a link</a>\")</script>",
    "<template><a href='/template.html'>not a link</a></template>",
    "<a href='/pages/./x/../2.html'>a detour</a> <a name=anchor>no link</a>",
    "<a href='//example.org:80/path?query=a b'>another host</a>",
];
