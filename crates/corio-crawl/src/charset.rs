//! From the bytes of a page to its text.
//!
//! The encoding is the byte order mark's, else the Content-Type's, else that of a `<meta>` in the first kilobyte. A
//! page that declares none is UTF-8 if it reads as such, else windows-1252, which is what the HTML standard suggests.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// How far the standard looks for a `<meta>`.
const PRESCAN: usize = 1024;

/// Decodes a page; what is no character in its encoding becomes U+FFFD.
///
/// `content_type` is the value of the header field of that name.
#[must_use]
pub fn decode<'b>(body: &'b [u8], content_type: &str) -> (Cow<'b, str>, &'static Encoding) {
    if let Some((encoding, _)) = Encoding::for_bom(body) {
        return (encoding.decode_with_bom_removal(body).0, encoding);
    }
    let declared = charset_of(content_type).or_else(|| prescan(&body[..body.len().min(PRESCAN)]));
    match declared {
        Some(encoding) => (encoding.decode_without_bom_handling(body).0, encoding),
        None => guess(body),
    }
}

fn guess(body: &[u8]) -> (Cow<'_, str>, &'static Encoding) {
    match std::str::from_utf8(body) {
        Ok(text) => (Cow::Borrowed(text), UTF_8),
        Err(_) => (WINDOWS_1252.decode_without_bom_handling(body).0, WINDOWS_1252),
    }
}

/// Tells whether a Content-Type is HTML's.
#[must_use]
pub fn is_html(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("text/html")
}

/// Returns the encoding that a Content-Type names in its `charset` parameter.
fn charset_of(content_type: &str) -> Option<&'static Encoding> {
    let mut parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, label) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Encoding::for_label(label.trim().trim_matches('"').as_bytes())
}

/// Looks for a `<meta>` that names an encoding: the standard's "prescan a byte stream to determine its encoding".
fn prescan(bytes: &[u8]) -> Option<&'static Encoding> {
    let mut scan = Prescan { bytes };
    loop {
        scan.skip_until(|byte| byte == b'<');
        let encoding = match scan.bytes {
            [] => return None,
            [b'<', b'!', b'-', b'-', ..] => scan.comment(),
            [b'<', b'!' | b'?', ..] => scan.skip_past(b'>'),
            [b'<', b'/', letter, ..] | [b'<', letter, ..] if letter.is_ascii_alphabetic() => scan.tag(),
            [b'<', b'/', ..] => scan.skip_past(b'>'),
            _ => scan.advance(1),
        };
        if encoding.is_some() {
            return encoding;
        }
    }
}

struct Prescan<'b> {
    /// What is left to look at.
    bytes: &'b [u8],
}

impl Prescan<'_> {
    fn advance(&mut self, count: usize) -> Option<&'static Encoding> {
        self.bytes = self.bytes.get(count..).unwrap_or_default();
        None
    }

    fn skip_until(&mut self, stop: impl Fn(u8) -> bool) {
        let count = self.bytes.iter().position(|&byte| stop(byte)).unwrap_or(self.bytes.len());
        self.bytes = &self.bytes[count..];
    }

    fn skip_past(&mut self, end: u8) -> Option<&'static Encoding> {
        self.skip_until(|byte| byte == end);
        self.advance(1)
    }

    fn comment(&mut self) -> Option<&'static Encoding> {
        // The dashes that open a comment may also close it, as in `<!-->`.
        let end = memchr::memmem::find(&self.bytes[2..], b"-->");
        self.advance(end.map_or(usize::MAX, |at| at + 5))
    }

    fn tag(&mut self) -> Option<&'static Encoding> {
        let is_meta = self.bytes.get(1..5).is_some_and(|name| name.eq_ignore_ascii_case(b"meta"))
            && self.bytes.get(5).is_some_and(|&byte| is_space(byte) || byte == b'/');
        self.skip_until(|byte| is_space(byte) || byte == b'>' || is_meta && byte == b'/');
        let mut meta = Meta::default();
        while let Some((name, value)) = self.attribute() {
            meta.note(&name, value);
        }
        if is_meta { meta.encoding() } else { None }
    }

    /// The standard's "get an attribute": its name in lower case, and its value.
    fn attribute(&mut self) -> Option<(String, String)> {
        self.skip_until(|byte| !is_space(byte) && byte != b'/');
        if matches!(self.bytes, [] | [b'>', ..]) {
            return None;
        }
        let begin = self.bytes;
        self.advance(usize::from(begin[0] == b'='));
        self.skip_until(|byte| is_space(byte) || matches!(byte, b'=' | b'/' | b'>'));
        let name = latin(&begin[..begin.len() - self.bytes.len()]).to_ascii_lowercase();
        self.skip_until(|byte| !is_space(byte));
        if self.bytes.first() != Some(&b'=') {
            return Some((name, String::new()));
        }
        self.advance(1);
        Some((name, self.value()))
    }

    fn value(&mut self) -> String {
        self.skip_until(|byte| !is_space(byte));
        let begin = self.bytes;
        if let Some(&quote @ (b'"' | b'\'')) = begin.first() {
            self.advance(1);
            self.skip_past(quote);
            let quoted = &begin[1..begin.len() - self.bytes.len()];
            return latin(quoted.strip_suffix(&[quote]).unwrap_or(quoted));
        }
        self.skip_until(|byte| is_space(byte) || byte == b'>');
        latin(&begin[..begin.len() - self.bytes.len()])
    }
}

/// What a `<meta>` says; the first of two attributes of one name counts.
#[derive(Default)]
struct Meta {
    charset: Option<String>,
    content: Option<String>,
    http_equiv: Option<String>,
}

impl Meta {
    fn note(&mut self, name: &str, value: String) {
        let place = match name {
            "charset" => &mut self.charset,
            "content" => &mut self.content,
            "http-equiv" => &mut self.http_equiv,
            _ => return,
        };
        place.get_or_insert(value);
    }

    fn encoding(&self) -> Option<&'static Encoding> {
        if let Some(label) = &self.charset {
            return as_declared(label);
        }
        let pragma = self.http_equiv.as_deref()?;
        if !pragma.eq_ignore_ascii_case("content-type") {
            return None;
        }
        as_declared(charset_in(self.content.as_deref()?)?)
    }
}

/// What a `<meta>` in ASCII says cannot be UTF-16; the standard reads UTF-8 then.
fn as_declared(label: &str) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(label.as_bytes())?;
    Some(if [UTF_16BE, UTF_16LE].contains(&encoding) { UTF_8 } else { encoding })
}

/// The standard's "extract a character encoding from a `meta` element".
fn charset_in(content: &str) -> Option<&str> {
    let lower = content.to_ascii_lowercase();
    let mut from = 0;
    loop {
        from += lower[from..].find("charset")? + "charset".len();
        if let Some(label) = content[from..].trim_start().strip_prefix('=') {
            return label_at(label.trim_start());
        }
    }
}

fn label_at(text: &str) -> Option<&str> {
    if let Some(quote @ ('"' | '\'')) = text.chars().next() {
        return text[1..].split_once(quote).map(|(label, _)| label);
    }
    text.split(|letter: char| letter.is_ascii_whitespace() || letter == ';').next()
}

/// Reads bytes as Latin-1: labels are ASCII, and nothing else may be lost.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0C' | b'\r' | b' ')
}
