//! Pages: two parsers that must agree, what is decoded, and rows that stay rows.

use corio_crawl::charset::{decode, is_html};
use corio_crawl::links::{is_ordinary, links, standard_links};
use corio_crawl::tsv;
use std::collections::HashSet;
use url::Url;

/// Reads the bytes as a Content-Type, a line, and a page.
pub fn run(bytes: &[u8]) {
    let cut = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (content_type, body) = (String::from_utf8_lossy(&bytes[..cut]), &bytes[(cut + 1).min(bytes.len())..]);
    let _ = is_html(&content_type);
    let (text, encoding) = decode(body, &content_type);
    let page = Url::parse("http://site.test/dir/page.html?x=1").expect("it is an address");
    let found = links(&text, &page, encoding);
    if is_ordinary(&text) {
        assert_eq!(found, standard_links(&text, &page, encoding), "the two parsers differ on {text:?}");
    }
    assert_eq!(found.iter().collect::<HashSet<_>>().len(), found.len(), "a link twice");
    for link in &found {
        let url = Url::parse(link).expect("a link is an address");
        assert!(matches!(url.scheme(), "http" | "https") && url.fragment().is_none(), "{link}");
        assert_eq!(url.as_str(), link, "an address that is not written as it is read");
    }
    check_rows(&content_type, &found);
    check_rows(&text, &[text.clone().into_owned()]);
}

/// Checks that there are as many lines as rows, and two fields in each.
fn check_rows(source: &str, links: &[String]) {
    let rows = String::from_utf8(tsv::rows(source, links)).expect("rows are text");
    assert_eq!(rows.matches('\n').count(), links.len(), "{rows:?}");
    assert_eq!(rows.matches('\t').count(), links.len(), "{rows:?}");
    assert!(!rows.contains('\r'), "{rows:?}");
}
