//! Reading a page tag by tag, as the tokenizer of the HTML standard reads it.

use memchr::{memchr, memmem};

/// A place in a page.
pub(super) struct Cursor<'t> {
    pub(super) text: &'t str,
    /// The next byte to read. Always beside an ASCII byte, so a character boundary.
    pub(super) at: usize,
}

/// An attribute as it is written: quotes gone, character references not yet replaced.
pub(super) struct Attribute<'t> {
    pub(super) name: &'t str,
    pub(super) value: &'t str,
}

/// How a tag ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TagEnd {
    /// With `>`.
    Open,
    /// With `/>`.
    SelfClosing,
    /// Not at all: the page ended first, and the tag is none.
    Missing,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Cursor<'t> {
        Cursor { text, at: 0 }
    }

    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'t [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Moves behind the next `<`.
    pub(super) fn next_markup(&mut self) -> bool {
        let found = memchr(b'<', self.rest());
        self.at += found.map_or(0, |offset| offset + 1);
        found.is_some()
    }

    /// Returns where `</name` begins, or the page's end.
    pub(super) fn find_end_tag(&self, name: &str) -> usize {
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

    /// Skips a comment, which ends with `-->` or `--!>`, or at once with `>` or `->`.
    pub(super) fn comment(&mut self) {
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
    pub(super) fn skip_past(&mut self, byte: u8) {
        let rest = self.rest();
        self.at += memchr(byte, rest).map_or(rest.len(), |offset| offset + 1);
    }

    pub(super) fn tag_name(&mut self) -> &'t str {
        let begin = self.at;
        self.skip_until(ends_name);
        &self.text[begin..self.at]
    }

    fn skip_space(&mut self) {
        while self.byte().is_some_and(is_space) {
            self.at += 1;
        }
    }

    /// Moves to the next byte that `stop` wants, or to the page's end.
    fn skip_until(&mut self, stop: impl Fn(u8) -> bool) {
        let rest = self.rest();
        self.at += rest.iter().position(|&byte| stop(byte)).unwrap_or(rest.len());
    }

    /// Reads the attributes of a tag and moves behind its end.
    pub(super) fn attributes(&mut self, mut visit: impl FnMut(Attribute<'t>)) -> TagEnd {
        loop {
            self.skip_space();
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
        self.skip_until(ends_attribute);
        &self.text[begin..self.at]
    }

    /// Reads `= value`, if it is there. A value that the page's end cuts off leaves nothing to read.
    fn attribute_value(&mut self) -> &'t str {
        self.skip_space();
        if self.byte() != Some(b'=') {
            return "";
        }
        self.at += 1;
        self.skip_space();
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

/// Tells whether a byte is what the standard calls ASCII whitespace; carriage returns become line feeds.
fn is_space(byte: u8) -> bool {
    CLASS[usize::from(byte)] & SPACE != 0
}

/// Tells whether a byte ends the name of a tag.
fn ends_name(byte: u8) -> bool {
    CLASS[usize::from(byte)] & (SPACE | TAG_END) != 0
}

/// Tells whether a byte ends the name of an attribute.
fn ends_attribute(byte: u8) -> bool {
    CLASS[usize::from(byte)] != 0
}

const SPACE: u8 = 1;
const TAG_END: u8 = 2;
const EQUALS: u8 = 4;

/// What each byte is inside a tag: most of a page is read byte by byte, and one look is cheaper than five comparisons.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    class[b'\t' as usize] = SPACE;
    class[b'\n' as usize] = SPACE;
    class[b'\x0C' as usize] = SPACE;
    class[b'\r' as usize] = SPACE;
    class[b' ' as usize] = SPACE;
    class[b'/' as usize] = TAG_END;
    class[b'>' as usize] = TAG_END;
    class[b'=' as usize] = EQUALS;
    class
};
