//! The rows of the result: tab-separated, a line each.
//!
//! A row is a line and a field is what lies between tabs, whatever a server sends: tabs and line breaks are written
//! `%09`, `%0A` and `%0D`, as addresses write them. The `url` crate leaves none in an address, so this is the second
//! lock on the door; backslashes, which may stand in a query, are left as they are.

/// The first line of the result.
pub const HEADER: &str = "source_url\tparsed_url\n";

/// Returns one row for each link of a page.
///
/// # Examples
///
/// ```
/// use corio_crawl::tsv::rows;
///
/// let links = ["http://a.test/x".to_owned(), "http://b.test/\t".to_owned()];
/// let rows = rows("http://a.test/", &links);
/// assert_eq!(rows, b"http://a.test/\thttp://a.test/x\nhttp://a.test/\thttp://b.test/%09\n");
/// ```
#[must_use]
pub fn rows(source: &str, links: &[String]) -> Vec<u8> {
    let mut begin = String::with_capacity(source.len() + 1);
    push_escaped(&mut begin, source);
    begin.push('\t');
    let length: usize = links.iter().map(|link| begin.len() + link.len() + 1).sum();
    let mut rows = String::with_capacity(length);
    for link in links {
        rows.push_str(&begin);
        push_escaped(&mut rows, link);
        rows.push('\n');
    }
    rows.into_bytes()
}

fn push_escaped(text: &mut String, field: &str) {
    let mut rest = field;
    while let Some(at) = memchr::memchr3(b'\t', b'\n', b'\r', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        text.push_str(match rest.as_bytes()[at] {
            b'\t' => "%09",
            b'\n' => "%0A",
            _ => "%0D",
        });
        rest = &rest[at + 1..];
    }
    text.push_str(rest);
}
