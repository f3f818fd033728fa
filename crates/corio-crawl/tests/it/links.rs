//! Links are found as the HTML standard says, by the fast parser as by the sure one.

use corio_crawl::links::{is_ordinary, links, standard_links};
use encoding_rs::UTF_8;
use url::Url;

fn page() -> Url {
    Url::parse("http://site.test/dir/page.html?x=1").unwrap()
}

/// The links of a page, which both parsers must agree on.
#[track_caller]
fn found(html: &str) -> Vec<String> {
    let found = links(html, &page(), UTF_8);
    assert_eq!(found, standard_links(html, &page(), UTF_8), "the two parsers differ on {html:?}");
    found
}

#[track_caller]
fn expect(html: &str, expected: &[&str]) {
    assert_eq!(found(html), expected, "{html:?}");
}

#[test]
fn a_and_area_in_every_spelling() {
    expect(
        "<a href=one>x</a><AREA HREF='two'><a class=x hReF = \"three\" >",
        &["http://site.test/dir/one", "http://site.test/dir/two", "http://site.test/dir/three"],
    );
    expect(
        "<a/href=one><a href=two/><a x=y/ href=three>",
        &["http://site.test/dir/one", "http://site.test/dir/two/", "http://site.test/dir/three"],
    );
    expect("<link href=no><abbr href=no><img href=no></a href=no><b href=no>", &[]);
}

#[test]
fn each_link_once_without_fragment() {
    expect(
        "<a href=one#x><a href=one><a href='#top'><a href=''><a href>",
        &["http://site.test/dir/one", "http://site.test/dir/page.html?x=1"],
    );
    expect("<a href='one #x'><a href=' one '>", &["http://site.test/dir/one%20", "http://site.test/dir/one"]);
}

#[test]
fn http_and_https_only() {
    expect("<a href='mailto:x@y'><a href='javascript:void(0)'><a href='ftp://h/'><a href='data:,x#y'>", &[]);
    expect(
        "<a href='https://other.test'><a href='//third.test/a/../b'><a href='HTTP://UP.test:80/%7e'>",
        &["https://other.test/", "http://third.test/b", "http://up.test/%7e"],
    );
    expect("<a href='http://'><a href='http://[::1'><a href='http://a b/'>", &[]);
}

#[test]
fn the_first_base_with_href_counts() {
    expect(
        "<a href=before><base target=x><base href=/b/><base href=/c/><a href=x>",
        &["http://site.test/b/before", "http://site.test/b/x"],
    );
    expect("<base href='http://['><base href=/c/><a href=x>", &["http://site.test/dir/x"]);
    expect("<base href='data:,x'><a href=x>", &["http://site.test/dir/x"]);
    expect("<base href='mailto:x'><a href=x><a href='#f'><a href='http://h/'>", &["http://h/"]);
    expect("<template><base href=/c/></template><a href=x>", &["http://site.test/dir/x"]);
}

#[test]
fn character_references() {
    expect(
        "<a href='?a=1&amp;b=2'><a href='?a&copy=2'><a href='?a&copy;'><a href='&#x2f;x&#47;y'>",
        &[
            "http://site.test/dir/page.html?a=1&b=2",
            "http://site.test/dir/page.html?a&copy=2",
            "http://site.test/dir/page.html?a%C2%A9",
            "http://site.test/x/y",
        ],
    );
    expect("<a href=\"'&quot;\"><a href=a\0b>", &["http://site.test/dir/'%22", "http://site.test/dir/a%EF%BF%BDb"]);
    expect("<a href='o&#35;x'>", &["http://site.test/dir/o"]);
}

#[test]
fn the_first_of_two_attributes_counts() {
    expect("<a href=one href=two>", &["http://site.test/dir/one"]);
    expect("<a xlink:href=no data-href=no>", &[]);
    expect("<a =href=no><a href=yes=x>", &["http://site.test/dir/yes=x"]);
}

#[test]
fn text_that_looks_like_links() {
    expect("<!-- <a href=no> --><a href=yes>", &["http://site.test/dir/yes"]);
    expect("<!--><a href=yes>", &["http://site.test/dir/yes"]);
    expect("<!---><a href=yes>", &["http://site.test/dir/yes"]);
    expect("<!-- --!><a href=yes>", &["http://site.test/dir/yes"]);
    expect("<!-- - -- ><a href=no> --><a href=yes>", &["http://site.test/dir/yes"]);
    expect("<?php <a href=no> ?><a href=yes></3 <a href=no2>", &["http://site.test/dir/yes"]);
    expect("<![CDATA[<a href=no>]]><a href=yes>", &["http://site.test/dir/yes"]);
    expect("<!DOCTYPE html \"<a href=no>\"><a href=yes>", &["http://site.test/dir/yes"]);
    for name in ["script", "style", "title", "textarea", "iframe", "xmp", "noembed", "noframes", "TITLE"] {
        let html = format!("<{name} x='>'><a href=no></{name}x><a href=no></{name}\n><a href=yes>");
        expect(&html, &["http://site.test/dir/yes"]);
        expect(&format!("<{name}><a href=no>"), &[]);
    }
    expect("<plaintext><a href=no></plaintext><a href=no>", &[]);
    expect("<noscript><a href=yes></noscript>", &["http://site.test/dir/yes"]);
    expect("a < b <a href=yes>", &["http://site.test/dir/yes"]);
}

#[test]
fn escaped_scripts() {
    expect("<script><!-- <script></script><a href=no> --></script><a href=yes>", &["http://site.test/dir/yes"]);
    expect("<script><!-- </script><a href=yes>", &["http://site.test/dir/yes"]);
}

#[test]
fn templates_are_not_the_document() {
    expect(
        "<template><a href=no><template></template><a href=no></template><a href=yes>",
        &["http://site.test/dir/yes"],
    );
    expect("</template><a href=yes>", &["http://site.test/dir/yes"]);
    expect("<template><col><style></template><a href=yes>", &["http://site.test/dir/yes"]);
}

#[test]
fn foreign_elements_are_not_html() {
    expect("<svg><a href=no></a></svg><a href=yes>", &["http://site.test/dir/yes"]);
    expect("<svg><g><path/></g></svg><a href=yes>", &["http://site.test/dir/yes"]);
    expect("<svg><title><a href=yes></title></svg>", &["http://site.test/dir/yes"]);
    expect("<svg><style><a href=no></style></svg>", &[]);
    expect("<svg><p><a href=yes>", &["http://site.test/dir/yes"]);
    expect("<svg><![CDATA[<a href=no>]]><path></svg>", &[]);
    expect("<svg/><a href=yes>", &["http://site.test/dir/yes"]);
    expect("<div><svg><path></div><a href=yes>", &["http://site.test/dir/yes"]);
    expect("<math><mi><a href=yes></a></mi><a href=no></math>", &["http://site.test/dir/yes"]);
    expect("<math><annotation-xml encoding=text/html><a href=yes></math>", &["http://site.test/dir/yes"]);
}

#[test]
fn tables_and_framesets() {
    expect(
        "<table><a href=yes><tr><td><a href=two></table>",
        &["http://site.test/dir/yes", "http://site.test/dir/two"],
    );
    expect("<frameset><a href=no></frameset><noframes><a href=no></noframes>", &[]);
    expect("<select><a href=yes></select>", &["http://site.test/dir/yes"]);
}

#[test]
fn a_tag_cut_off_is_none() {
    for html in ["<a href=no", "<a href='no", "<a href=no ", "<a href", "<a", "<", "</", "<!", "<!--", "<a href=no/"] {
        expect(html, &[]);
    }
}

#[test]
fn queries_are_written_in_the_page_encoding() {
    let html = "<a href='ü?ü'>";
    assert_eq!(links(html, &page(), encoding_rs::WINDOWS_1252), ["http://site.test/dir/%C3%BC?%FC"]);
    assert_eq!(links(html, &page(), encoding_rs::UTF_16LE), ["http://site.test/dir/%C3%BC?%C3%BC"]);
}

/// A small generator of numbers (xorshift), so that a failure can be had again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

/// What random pages are made of: tags, halves of tags, and the letters that parsers stumble over.
const SCRAPS: &[&str] = &[
    "<a href=1>",
    "<a href='2'>",
    "</a>",
    "<area href=\"3\">",
    "<base href=/b/>",
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<template>",
    "</template>",
    "<svg>",
    "</svg>",
    "<path>",
    "</path>",
    "<g/>",
    "<math>",
    "</math>",
    "<mi>",
    "<title>",
    "</title>",
    "<style>",
    "</style>",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "--!>",
    "-",
    "!",
    "<![CDATA[",
    "]]>",
    "<",
    ">",
    "/",
    "=",
    "\"",
    "'",
    " ",
    "a",
    "href",
    "&amp;",
    "&#35;",
    "<table>",
    "</table>",
    "<tr>",
    "<td>",
    "<col>",
    "<colgroup>",
    "<caption>",
    "<select>",
    "</select>",
    "<option>",
    "<textarea>",
    "</textarea>",
    "<noscript>",
    "</noscript>",
    "<head>",
    "</head>",
    "<body>",
    "</body>",
    "</html>",
    "<br>",
    "</br>",
    "<b>",
    "</b>",
    "<form>",
    "<frameset>",
    "<noframes>",
    "</noframes>",
    "<iframe>",
    "</iframe>",
    "<xmp>",
    "</xmp>",
    "<plaintext>",
    "<?x",
    "</3",
    "<a\nhref=4 href=5>",
    "<A HREF=6/>",
    "<a href=\"7",
    "<foreignObject>",
    "</foreignObject>",
    "<desc>",
    "<font>",
    "<font color=x>",
    "<!DOCTYPE html>",
    "<h1>",
    "</h1>",
    "<li>",
    "<button>",
    "</button>",
    "<nobr>",
    "<svg/>",
    "<path/>",
    "<html>",
    "<img>",
    "<input>",
    "<hr>",
    "<meta>",
    "<link>",
    "é",
    "\0",
    "<dl>",
    "<dd>",
    "<ruby>",
    "<rt>",
    "\r\n",
    "</",
];

#[test]
fn random_pages() {
    let mut ordinary = 0;
    for seed in 1..=30_000 {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
        let scraps = 1 + dice.roll(24);
        let html: String = (0..scraps).map(|_| SCRAPS[dice.roll(SCRAPS.len())]).collect();
        found(&html);
        ordinary += usize::from(is_ordinary(&html));
    }
    assert!(ordinary > 10_000, "the fast parser was sure of {ordinary} pages only");
}

/// The whole of Rust's documentation; set `CORIO_CRAWL_PAGES` to its folder, or to any folder of pages.
#[test]
fn real_pages() {
    let Some(folder) = std::env::var_os("CORIO_CRAWL_PAGES") else { return };
    let mut folders = vec![std::path::PathBuf::from(folder)];
    let (mut pages, mut ordinary) = (0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                let text = std::fs::read_to_string(&path).unwrap();
                assert_eq!(links(&text, &page(), UTF_8), standard_links(&text, &page(), UTF_8), "{}", path.display());
                pages += 1;
                ordinary += usize::from(is_ordinary(&text));
            }
        }
    }
    println!("{pages} pages, {ordinary} of them ordinary");
}
