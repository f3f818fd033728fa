//! A sequential crawler of a directory, without a network, to compare the real one with.
//!
//! It shares no code with the crawler: one page after the other is read from the disk, parsed into a whole document
//! tree by html5ever, and walked. The rows come out sorted; so, with a port that both know:
//!
//! ```text
//! corio-crawl --serve DIR --port 8000 | tail -n +2 | LC_ALL=C sort > crawled
//! cargo run --release -p corio-crawl --example reference -- DIR http://127.0.0.1:8000/ > expected
//! cmp crawled expected
//! ```

use html5ever_of_rcdom::tendril::TendrilSink;
use html5ever_of_rcdom::{ParseOpts, local_name, ns, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::io::Write;
use std::path::{Path, PathBuf};
use url::Url;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(origin)) = (arguments.next(), arguments.next()) else {
        panic!("usage: reference DIR http://127.0.0.1:PORT/");
    };
    let origin = Url::parse(&origin).expect("the second argument is an address");
    let mut crawl =
        Crawl { folder: folder.into(), seen: HashSet::new(), waiting: VecDeque::new(), rows: BTreeSet::new() };
    crawl.add(origin.clone());
    while let Some(page) = crawl.waiting.pop_front() {
        crawl.visit(&page, &origin);
    }
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    for (source, link) in &crawl.rows {
        writeln!(output, "{source}\t{link}").expect("standard output can be written");
    }
}

struct Crawl {
    folder: PathBuf,
    seen: HashSet<Url>,
    waiting: VecDeque<Url>,
    rows: BTreeSet<(String, String)>,
}

impl Crawl {
    fn add(&mut self, url: Url) {
        if self.seen.insert(url.clone()) {
            self.waiting.push_back(url);
        }
    }

    fn visit(&mut self, page: &Url, origin: &Url) {
        let path = percent_encoding::percent_decode_str(page.path()).decode_utf8().expect("paths are UTF-8");
        let mut file = self.folder.join(path.trim_start_matches('/'));
        if file.is_dir() {
            if !path.ends_with('/') {
                // What the server answers with a redirect.
                let mut target = page.clone();
                target.set_path(&format!("{}/", page.path()));
                return self.add(target);
            }
            file.push("index.html");
        }
        let is_html = file.extension().is_some_and(|extension| extension == "html" || extension == "htm");
        if !is_html || !file.is_file() {
            return;
        }
        for link in links(&file, page) {
            if link.origin() == origin.origin() {
                self.add(link.clone());
            }
            self.rows.insert((page.to_string(), link.to_string()));
        }
    }
}

/// Returns the links of a file, in the order of the document.
fn links(file: &Path, page: &Url) -> Vec<Url> {
    let bytes = std::fs::read(file).expect("the file can be read");
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    let dom = parse_document(RcDom::default(), options).from_utf8().one(&*bytes);
    let (mut base, mut hrefs) = (None, Vec::new());
    walk(&dom.document, &mut base, &mut hrefs);
    let base = base.and_then(|href| page.join(&href).ok()).unwrap_or_else(|| page.clone());
    let links = hrefs.iter().filter_map(|href| base.join(href).ok());
    links
        .filter(|link| matches!(link.scheme(), "http" | "https"))
        .map(|mut link| {
            link.set_fragment(None);
            link
        })
        .collect()
}

/// Walks the tree, in order, without recursion: pages are as deep as they like.
fn walk(document: &Handle, base: &mut Option<String>, hrefs: &mut Vec<String>) {
    let mut stack = vec![document.clone()];
    while let Some(node) = stack.pop() {
        if let NodeData::Element { name, attrs, .. } = &node.data {
            let attributes = attrs.borrow();
            let href = attributes.iter().find(|attribute| attribute.name.local == local_name!("href"));
            if let Some(href) = href.filter(|_| name.ns == ns!(html)).map(|href| href.value.to_string()) {
                match name.local {
                    local_name!("a") | local_name!("area") => hrefs.push(href),
                    local_name!("base") => drop(base.get_or_insert(href)),
                    _ => {}
                }
            }
        }
        stack.extend(node.children.borrow().iter().rev().cloned());
    }
}
