//! The fast path: links of ordinary pages, straight from the text.
//!
//! A scanner over the bytes of the page does what the tokenizer of the HTML standard does, but only keeps what a link
//! needs. What the standard leaves to its tree builder (which elements exist, what is raw text, what lies in a
//! template) is decided here for the constructs whose outcome is certain. At the first one where it is not, such as
//! `<math>` or badly nested `<svg>`, the scanner gives up with [`Unsure`], and the page is parsed again by
//! [`standard`](super::standard), which is slower and knows all.

use super::Hrefs;
use super::cursor::{Cursor, TagEnd};
use super::standard;
use memchr::memmem;
use std::borrow::Cow;

/// The page holds a construct whose tree cannot be told from its text alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsure;

/// Returns the page's links, if they can be told without building its tree.
pub(super) fn scan(text: &str) -> Result<Hrefs<'_>, Unsure> {
    let mut scanner = Scanner { cursor: Cursor::new(text), templates: 0, svg: Vec::new(), found: Hrefs::default() };
    while scanner.cursor.next_markup() {
        scanner.markup()?;
    }
    Ok(scanner.found)
}

/// A place in the page, and what the elements open there mean for what follows.
struct Scanner<'t> {
    cursor: Cursor<'t>,
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

impl<'t> Scanner<'t> {
    fn markup(&mut self) -> Result<(), Unsure> {
        match self.cursor.byte() {
            Some(byte) if byte.is_ascii_alphabetic() => self.start_tag(),
            Some(b'/') => self.end_tag(),
            Some(b'!') => self.declaration(),
            Some(b'?') => {
                self.cursor.skip_past(b'>');
                Ok(())
            }
            _ => Ok(()), // The `<` was text.
        }
    }

    fn start_tag(&mut self) -> Result<(), Unsure> {
        let tag_at = self.cursor.at - 1;
        let name = self.cursor.tag_name();
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
        self.cursor.attributes(|_| ());
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
        let end = self.cursor.attributes(|attribute| {
            if href.is_none() && attribute.name.eq_ignore_ascii_case("href") {
                href = Some(attribute.value);
            }
        });
        let href = href.filter(|_| end != TagEnd::Missing)?;
        if memchr::memchr2(b'&', b'\0', href.as_bytes()).is_none() {
            return Some(Cow::Borrowed(href));
        }
        let plain = unescaped(href).or_else(|| standard::href_of_tag(&self.cursor.text[tag_at..self.cursor.at]));
        plain.map(Cow::Owned)
    }

    /// Skips an element whose content is text: to its end tag, which is read like any other, or to the page's end.
    fn raw_text(&mut self, name: &'t str) -> Result<(), Unsure> {
        self.cursor.attributes(|_| ());
        let begin = self.cursor.at;
        let end = self.cursor.find_end_tag(name);
        self.cursor.at = end;
        let script = name.eq_ignore_ascii_case("script");
        if script && hides_its_end(&self.cursor.text.as_bytes()[begin..end]) { Err(Unsure) } else { Ok(()) }
    }

    fn open_template(&mut self) -> Result<(), Unsure> {
        if self.cursor.attributes(|_| ()) != TagEnd::Missing {
            self.templates += 1;
        }
        Ok(())
    }

    fn open_svg(&mut self, name: &'t str) -> Result<(), Unsure> {
        if self.cursor.attributes(|_| ()) == TagEnd::Open {
            self.svg.push(name);
        }
        Ok(())
    }

    fn start_in_svg(&mut self, name: &'t str, start: &Start) -> Result<(), Unsure> {
        if matches!(start, Start::Svg) || is_shape(name) { self.open_svg(name) } else { Err(Unsure) }
    }

    fn end_tag(&mut self) -> Result<(), Unsure> {
        self.cursor.at += 1;
        match self.cursor.byte() {
            Some(byte) if byte.is_ascii_alphabetic() => {
                let name = self.cursor.tag_name();
                if self.cursor.attributes(|_| ()) == TagEnd::Missing { Ok(()) } else { self.close(name) }
            }
            _ => {
                self.cursor.skip_past(b'>'); // `</>` is nothing, `</3>` a comment.
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
        let rest = self.cursor.rest();
        if rest.starts_with(b"!--") {
            self.cursor.at += 3;
            self.cursor.comment();
        } else if rest.starts_with(b"![CDATA[") && !self.svg.is_empty() {
            return Err(Unsure);
        } else {
            self.cursor.skip_past(b'>');
        }
        Ok(())
    }
}

/// Tells whether a script may go on behind the first `</script>`: one that came behind `<!--` and `<script` may.
fn hides_its_end(script: &[u8]) -> bool {
    let Some(comment) = memmem::find(script, b"<!--") else { return false };
    let behind = &script[comment..];
    memchr::memchr_iter(b'<', behind)
        .any(|at| behind[at + 1..].get(..6).is_some_and(|name| name.eq_ignore_ascii_case(b"script")))
}

/// Replaces the character references of a value, if there is none but `&amp;`, and no null.
fn unescaped(value: &str) -> Option<String> {
    let mut parts = value.split('&');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        plain.push('&');
        plain.push_str(part.strip_prefix("amp;")?);
    }
    (!plain.contains('\0')).then_some(plain)
}
