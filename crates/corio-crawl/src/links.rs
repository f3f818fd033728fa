//! The links of an HTML page.
//!
//! A link is the `href` of an `a` or `area` element of the document (templates, comments, scripts and the like hold
//! none), resolved against the page's address or its first `<base href>`, without its fragment, if it is http or
//! https. Two parsers find them: `scan` is fast and covers ordinary pages, `standard` is html5ever and covers the
//! rest. They agree wherever the first does not pass, which a test holds on random pages, and on real ones.

mod scan;
mod cursor;
mod standard;

use encoding_rs::Encoding;
use foldhash::fast::RandomState;
use indexmap::IndexSet;
use std::borrow::Cow;

use url::Url;

/// Returns the addresses that the page at `page` links to, each once, in the order of their first appearance.
///
/// `encoding` is the page's: the standard writes the query of an address in it.
#[must_use]
pub fn links(text: &str, page: &Url, encoding: &'static Encoding) -> Vec<String> {
    hrefs(text).resolve(page, encoding)
}

fn hrefs(text: &str) -> Hrefs<'_> {
    scan::scan(text).unwrap_or_else(|scan::Unsure| standard::parse(text))
}

/// Returns the links as html5ever finds them: what [`links`] is tested against.
#[doc(hidden)]
#[must_use]
pub fn standard_links(text: &str, page: &Url, encoding: &'static Encoding) -> Vec<String> {
    standard::parse(text).resolve(page, encoding)
}

/// Tells whether the fast parser is sure of a page; for tests, which must not pass because it never is.
#[doc(hidden)]
#[must_use]
pub fn is_ordinary(text: &str) -> bool {
    scan::scan(text).is_ok()
}

/// The `href`s of a page as its elements bear them, fragments cut off and each once, before they are resolved.
#[derive(Debug, Default, PartialEq)]
struct Hrefs<'t> {
    base: Option<Cow<'t, str>>,
    links: IndexSet<Cow<'t, str>, RandomState>,
}

impl<'t> Hrefs<'t> {
    /// Notes the `href` of an `a` or `area` element.
    fn link(&mut self, href: Cow<'t, str>) {
        self.links.insert(without_fragment(href));
    }

    /// Notes the `href` of a `base` element: the first one counts.
    fn base(&mut self, href: Cow<'t, str>) {
        self.base.get_or_insert(href);
    }

    fn resolve(self, page: &Url, encoding: &'static Encoding) -> Vec<String> {
        let base = self.base.as_deref().and_then(|href| base_url(href, page, encoding));
        let base = base.as_ref().unwrap_or(page);
        let resolved = self.links.iter().filter_map(|href| resolve(href, base, encoding));
        resolved.collect::<IndexSet<String, RandomState>>().into_iter().collect()
    }
}

/// Cuts the fragment off, where that does not change what is before it: spaces at an address's end do not count, spaces
/// before a fragment do.
fn without_fragment(href: Cow<'_, str>) -> Cow<'_, str> {
    let Some(cut) = memchr::memchr(b'#', href.as_bytes()) else { return href };
    if href.as_bytes()[..cut].last().is_some_and(|&byte| byte <= b' ') {
        return href;
    }
    match href {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..cut]),
        Cow::Owned(mut text) => {
            text.truncate(cut);
            Cow::Owned(text)
        }
    }
}

/// Resolves a `<base href>`; `None` where the standard falls back to the page's own address.
fn base_url(href: &str, page: &Url, encoding: &'static Encoding) -> Option<Url> {
    let base = parse(href, page, encoding)?;
    (!matches!(base.scheme(), "data" | "javascript")).then_some(base)
}

fn resolve(href: &str, base: &Url, encoding: &'static Encoding) -> Option<String> {
    let mut link = parse(href, base, encoding)?;
    if !matches!(link.scheme(), "http" | "https") {
        return None;
    }
    link.set_fragment(None);
    Some(String::from(link))
}

fn parse(href: &str, base: &Url, encoding: &'static Encoding) -> Option<Url> {
    let options = Url::options().base_url(Some(base));
    if encoding.output_encoding() == encoding_rs::UTF_8 {
        return options.parse(href).ok();
    }
    let encode = query_encoder(|query| encoding.encode(query).0);
    options.encoding_override(Some(&encode)).parse(href).ok()
}

/// Tells the compiler the type of a closure that borrows its result from its argument.
fn query_encoder<F: Fn(&str) -> Cow<'_, [u8]>>(encode: F) -> F {
    encode
}
