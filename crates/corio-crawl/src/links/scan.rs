//! The fast path: links of ordinary pages, straight from the text.
//!
//! A scanner over the bytes of the page does what the tokenizer of the HTML standard does, but only keeps what a link
//! needs. What the standard leaves to its tree builder (which elements exist, what is raw text, what lies in a
//! template) is decided here for the constructs whose outcome is certain. At the first one where it is not, such as
//! `<math>` or badly nested `<svg>`, the scanner gives up with [`Unsure`], and the page is parsed again by
//! [`standard`](super::standard), which is slower and knows all.

use super::Hrefs;
use super::standard;
use memchr::{memchr, memmem};
use std::borrow::Cow;

/// The page holds a construct whose tree cannot be told from its text alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsure;

/// Returns the page's links, if they can be told without building its tree.
pub(super) fn scan(text: &str) -> Result<Hrefs<'_>, Unsure> {
    let mut scanner = Scanner { text, at: 0, templates: 0, svg: Vec::new(), found: Hrefs::default() };
    while scanner.next_markup() {
        scanner.markup()?;
    }
    Ok(scanner.found)
}

/// A place in the page, and what the elements open there mean for what follows.
struct Scanner<'t> {
    text: &'t str,
    /// The next byte to read. Always behind an ASCII byte, so a character boundary.
    at: usize,
    /// How many `<template>`s are open: what is in one is no part of the document.
    templates: usize,
    /// The open elements of an `<svg>`, outermost first; empty outside.
    svg: Vec<&'t str>,
    found: Hrefs<'t>,
}

/// What a start tag asks of the scanner.
enum Start {
    /// Nothing.
    Plain,
    /// `a`, `area`: a link.
    Link,
    /// `base`: what links are resolved against.
    Base,
    /// What follows is text up to the end tag of the same name.
    RawText,
    Template,
    Svg,
    /// What follows depends on the tree.
    Unsure,
}

impl Start {
    fn of(name: &str) -> Start {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Start::of(&name.to_ascii_lowercase());
        }
        match name {
            "a" | "area" => Start::Link,
            "base" => Start::Base,
            "script" | "style" | "title" | "textarea" | "iframe" | "xmp" | "noembed" | "noframes" => Start::RawText,
            "template" => Start::Template,
            "svg" => Start::Svg,
            "math" | "frameset" | "plaintext" => Start::Unsure,
            _ => Start::Plain,
        }
    }
}

/// The elements of SVG that neither end the drawing nor hold HTML again.
fn is_shape(name: &str) -> bool {
    const SHAPES: [&str; 14] = [
        "path", "g", "rect", "circle", "line", "polygon", "polyline", "ellipse", "use", "defs", "symbol", "text",
        "tspan", "stop",
    ];
    SHAPES.iter().any(|shape| shape.eq_ignore_ascii_case(name))
}

/// An attribute as it is written: quotes gone, character references not yet replaced.
struct Attribute<'t> {
    name: &'t str,
    value: &'t str,
}

/// How a tag ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TagEnd {
    /// With `>`.
    Open,
    /// With `/>`.
    SelfClosing,
    /// Not at all: the page ended first, and the tag is none.
    Missing,
}

impl<'t> Scanner<'t> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Moves behind the next `<`.
    fn next_markup(&mut self) -> bool {
        let found = memchr(b'<', self.rest());
        self.at += found.map_or(0, |offset| offset + 1);
        found.is_some()
    }

    fn markup(&mut self) -> Result<(), Unsure> {
        match self.byte() {
            Some(byte) if byte.is_ascii_alphabetic() => self.start_tag(),
            Some(b'/') => self.end_tag(),
            Some(b'!') => self.declaration(),
            Some(b'?') => {
                self.skip_past(b'>');
                Ok(())
            }
            _ => Ok(()), // The `<` was text.
        }
    }

    fn start_tag(&mut self) -> Result<(), Unsure> {
        let tag_at = self.at - 1;
        let name = self.tag_name();
        let start = Start::of(name);
        if !self.svg.is_empty() {
            return self.start_in_svg(name, &start);
        }
        match start {
            Start::Plain => self.plain_start(name),
            Start::Link => self.link(tag_at),
            Start::Base => self.base(tag_at),
            Start::RawText => self.raw_text(name),
            Start::Template => self.open_template(),
            Start::Svg => self.open_svg(name),
            Start::Unsure => Err(Unsure),
        }
    }

    fn plain_start(&mut self, name: &str) -> Result<(), Unsure> {
        self.attributes(|_| ());
        // Column groups in a template swallow what follows them.
        let columns = self.templates > 0 && matches!(name.as_bytes(), [b'c' | b'C', b'o' | b'O', b'l' | b'L', ..]);
        if columns { Err(Unsure) } else { Ok(()) }
    }

    fn link(&mut self, tag_at: usize) -> Result<(), Unsure> {
        if let Some(href) = self.href(tag_at) {
            if self.templates == 0 {
                self.found.link(href);
            }
        }
        Ok(())
    }

    fn base(&mut self, tag_at: usize) -> Result<(), Unsure> {
        if let Some(href) = self.href(tag_at) {
            if self.templates == 0 {
                self.found.base(href);
            }
        }
        Ok(())
    }

    /// Reads the attributes of the tag that began at `tag_at`, and returns the first `href`.
    fn href(&mut self, tag_at: usize) -> Option<Cow<'t, str>> {
        let mut href = None;
        let end = self.attributes(|attribute| {
            if href.is_none() && attribute.name.eq_ignore_ascii_case("href") {
                href = Some(attribute.value);
            }
        });
        let href = href.filter(|_| end != TagEnd::Missing)?;
        if memchr::memchr2(b'&', b'\0', href.as_bytes()).is_some() {
            return standard::href_of_tag(&self.text[tag_at..self.at]).map(Cow::Owned);
        }
        Some(Cow::Borrowed(href))
    }

    /// Skips an element whose content is text: to its end tag, which is read like any other, or to the page's end.
    fn raw_text(&mut self, name: &'t str) -> Result<(), Unsure> {
        self.attributes(|_| ());
        let begin = self.at;
        let end = self.find_end_tag(name);
        self.at = end;
        let script = name.eq_ignore_ascii_case("script");
        if script && hides_its_end(&self.text.as_bytes()[begin..end]) { Err(Unsure) } else { Ok(()) }
    }

    /// Returns where `</name` begins, or the page's end.
    fn find_end_tag(&self, name: &str) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        while let Some(offset) = memchr(b'<', &bytes[at..]) {
            at += offset;
            let Some(behind) = bytes[at + 1..].strip_prefix(b"/") else {
                at += 1;
                continue;
            };
            let same = behind.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
            if same && behind.get(name.len()).is_some_and(|&byte| ends_name(byte)) {
                return at;
            }
            at += 1;
        }
        bytes.len()
    }

    fn open_template(&mut self) -> Result<(), Unsure> {
        if self.attributes(|_| ()) != TagEnd::Missing {
            self.templates += 1;
        }
        Ok(())
    }

    fn open_svg(&mut self, name: &'t str) -> Result<(), Unsure> {
        if self.attributes(|_| ()) == TagEnd::Open {
            self.svg.push(name);
        }
        Ok(())
    }

    fn start_in_svg(&mut self, name: &'t str, start: &Start) -> Result<(), Unsure> {
        if matches!(start, Start::Svg) || is_shape(name) { self.open_svg(name) } else { Err(Unsure) }
    }

    fn end_tag(&mut self) -> Result<(), Unsure> {
        self.at += 1;
        match self.byte() {
            Some(byte) if byte.is_ascii_alphabetic() => {
                let name = self.tag_name();
                if self.attributes(|_| ()) == TagEnd::Missing { Ok(()) } else { self.close(name) }
            }
            _ => {
                self.skip_past(b'>'); // `</>` is nothing, `</3>` a comment.
                Ok(())
            }
        }
    }

    fn close(&mut self, name: &str) -> Result<(), Unsure> {
        if let Some(open) = self.svg.pop() {
            return if open.eq_ignore_ascii_case(name) { Ok(()) } else { Err(Unsure) };
        }
        if name.eq_ignore_ascii_case("template") {
            self.templates = self.templates.saturating_sub(1);
        }
        Ok(())
    }

    /// Reads `<!`: a comment, a document type, or what passes for a comment.
    fn declaration(&mut self) -> Result<(), Unsure> {
        let rest = self.rest();
        if rest.starts_with(b"!--") {
            self.at += 3;
            self.comment();
        } else if rest.starts_with(b"![CDATA[") && !self.svg.is_empty() {
            return Err(Unsure);
        } else {
            self.skip_past(b'>');
        }
        Ok(())
    }

    /// Skips a comment, which ends with `-->` or `--!>`, or at once with `>` or `->`.
    fn comment(&mut self) {
        let bytes = self.rest();
        if bytes.starts_with(b">") {
            self.at += 1;
            return;
        }
        if bytes.starts_with(b"->") {
            self.at += 2;
            return;
        }
        let mut from = 0;
        while let Some(offset) = memmem::find(&bytes[from..], b"--") {
            let behind = from + offset + 2;
            let end = bytes[behind..].strip_prefix(b"!").map_or(behind, |_| behind + 1);
            let closed = [behind, end].into_iter().find(|&place| bytes.get(place) == Some(&b'>'));
            if let Some(place) = closed {
                self.at += place + 1;
                return;
            }
            from += offset + 1;
        }
        self.at = self.text.len();
    }

    /// Moves behind the next `byte`, or to the page's end.
    fn skip_past(&mut self, byte: u8) {
        let rest = self.rest();
        self.at += memchr(byte, rest).map_or(rest.len(), |offset| offset + 1);
    }

    fn tag_name(&mut self) -> &'t str {
        let begin = self.at;
        self.skip_until(ends_name);
        &self.text[begin..self.at]
    }

    /// Moves to the next byte that `stop` wants, or to the page's end.
    fn skip_until(&mut self, stop: impl Fn(u8) -> bool) {
        let rest = self.rest();
        self.at += rest.iter().position(|&byte| stop(byte)).unwrap_or(rest.len());
    }

    /// Reads the attributes of a tag and moves behind its end.
    fn attributes(&mut self, mut visit: impl FnMut(Attribute<'t>)) -> TagEnd {
        loop {
            self.skip_until(|byte| !is_space(byte));
            match self.byte() {
                None => return TagEnd::Missing,
                Some(b'>') => {
                    self.at += 1;
                    return TagEnd::Open;
                }
                Some(b'/') => {
                    self.at += 1;
                    if self.byte() == Some(b'>') {
                        self.at += 1;
                        return TagEnd::SelfClosing;
                    }
                }
                Some(_) => {
                    let name = self.attribute_name();
                    let value = self.attribute_value();
                    visit(Attribute { name, value });
                }
            }
        }
    }

    fn attribute_name(&mut self) -> &'t str {
        let begin = self.at;
        // A `=` in the first place belongs to the name.
        if self.byte() == Some(b'=') {
            self.at += 1;
        }
        self.skip_until(|byte| byte == b'=' || ends_name(byte));
        &self.text[begin..self.at]
    }

    /// Reads `= value`, if it is there. A value that the page's end cuts off leaves nothing to read.
    fn attribute_value(&mut self) -> &'t str {
        self.skip_until(|byte| !is_space(byte));
        if self.byte() != Some(b'=') {
            return "";
        }
        self.at += 1;
        self.skip_until(|byte| !is_space(byte));
        match self.byte() {
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote),
            _ => {
                let begin = self.at;
                self.skip_until(|byte| byte == b'>' || is_space(byte));
                &self.text[begin..self.at]
            }
        }
    }

    fn quoted(&mut self, quote: u8) -> &'t str {
        self.at += 1;
        let begin = self.at;
        match memchr(quote, self.rest()) {
            Some(length) => {
                self.at += length + 1;
                &self.text[begin..begin + length]
            }
            None => {
                self.at = self.text.len();
                ""
            }
        }
    }
}

/// Tells whether a script may go on behind the first `</script>`: one that came behind `<!--` and `<script` may.
fn hides_its_end(script: &[u8]) -> bool {
    let Some(comment) = memmem::find(script, b"<!--") else { return false };
    let behind = &script[comment..];
    memchr::memchr_iter(b'<', behind)
        .any(|at| behind[at + 1..].get(..6).is_some_and(|name| name.eq_ignore_ascii_case(b"script")))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0C' | b'\r' | b' ')
}

fn ends_name(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b'/' | b'>')
}
