//! The text of a page is what its bytes say.

use corio_crawl::charset::{decode, is_html};
use encoding_rs::{EUC_JP, Encoding, ISO_8859_2, SHIFT_JIS, UTF_8, UTF_16LE, WINDOWS_1252};

#[track_caller]
fn expect(body: &[u8], content_type: &str, encoding: &'static Encoding) {
    assert_eq!(decode(body, content_type).1.name(), encoding.name());
}

#[test]
fn the_mark_comes_first() {
    let (text, encoding) = decode(b"\xEF\xBB\xBFx", "text/html; charset=iso-8859-2");
    assert_eq!((&*text, encoding), ("x", UTF_8));
    let (text, encoding) = decode(b"\xFF\xFEx\0", "text/html");
    assert_eq!((&*text, encoding), ("x", UTF_16LE));
}

#[test]
fn then_the_header() {
    let meta = b"<meta charset=shift_jis>";
    expect(meta, "text/html; charset=ISO-8859-2", ISO_8859_2);
    expect(meta, "text/html;x=y; Charset=\"euc-jp\"", EUC_JP);
    expect(meta, "text/html; charset=nonsense", SHIFT_JIS);
    assert_eq!(decode(b"\xFC", "text/html; charset=latin1").0, "ü");
}

#[test]
fn then_the_page() {
    expect(b"<meta charset=shift_jis>", "text/html", SHIFT_JIS);
    expect(b"<META  x=y CharSet = 'shift_jis' >", "text/html", SHIFT_JIS);
    expect(b"<meta http-equiv=Content-Type content='text/html; charset=shift_jis'>", "text/html", SHIFT_JIS);
    expect(b"<meta content=\"text/html; charsets charset='euc-jp'\" http-equiv=content-type>", "text/html", EUC_JP);
    expect(b"<meta charset=utf-16le>", "text/html", UTF_8);
    expect(b"<html><!-- <meta charset=euc-jp> --><meta/charset=shift_jis>", "text/html", SHIFT_JIS);
    expect(b"<!--><meta charset=shift_jis>", "text/html", SHIFT_JIS);
    expect(b"<x y='<meta charset=euc-jp>'><meta charset=shift_jis>", "text/html", SHIFT_JIS);
    expect(b"<meta charset=unknown><meta charset=shift_jis>", "text/html", SHIFT_JIS);
}

#[test]
fn then_a_guess() {
    expect(b"", "text/html", UTF_8);
    expect("ü".as_bytes(), "text/html", UTF_8);
    expect(b"\xFC", "text/html", WINDOWS_1252);
    expect(b"<metacharset=euc-jp><meta name=charset content=euc-jp>", "text/html", UTF_8);
    expect(b"<meta content='charset=euc-jp'>", "text/html", UTF_8);
    let late = [vec![b' '; 1024], b"<meta charset=euc-jp>".to_vec()].concat();
    expect(&late, "text/html", UTF_8);
    for cut in
        [&b"<"[..], b"<m", b"<meta", b"<meta ", b"<meta charset", b"<meta charset=", b"<meta charset='", b"<!--", b"</"]
    {
        expect(cut, "text/html", UTF_8);
    }
}

#[test]
fn html_is_what_the_header_says() {
    for html in ["text/html", "TEXT/HTML", "text/html; charset=utf-8", " text/html ;x"] {
        assert!(is_html(html), "{html}");
    }
    for other in ["", "text/plain", "application/xhtml+xml", "text/htmlx", "image/png; text/html"] {
        assert!(!is_html(other), "{other}");
    }
}
