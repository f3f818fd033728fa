//! The page that stands for a directory without an index.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::fmt::Write;
use std::fs::{DirEntry, ReadDir};
use std::io;

/// What a file name may not bear in a path, or in an attribute.
const NAME: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'\'').add(b'<').add(b'>').add(b'?').add(b'\\');

/// Makes a page that links to the entries of the directory shown as `path`, sorted by name. Hidden ones, and those whose names are not
/// UTF-8, are left out.
pub(super) fn page(path: &str, entries: ReadDir) -> io::Result<String> {
    let names = entries.map(|entry| entry.map(|entry| name_of(&entry)));
    let mut names: Vec<String> = names.filter_map(Result::transpose).collect::<io::Result<_>>()?;
    names.sort();
    let title = escaped(path);
    let mut text = format!("<!DOCTYPE html>\n<title>{title}</title>\n<h1>{title}</h1>\n<ul>\n");
    for name in names {
        let shown = escaped(&name);
        // `./` keeps a name with a colon from being read as a scheme.
        let _ = writeln!(text, "<li><a href=\"./{}\">{shown}</a>", utf8_percent_encode(&name, NAME));
    }
    Ok(text + "</ul>\n")
}

/// Returns an entry's name, with a slash behind a directory's; `None` for one that is hidden or cannot be named.
fn name_of(entry: &DirEntry) -> Option<String> {
    let mut name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
    // Asked of the path, so that a link to a directory is one; a broken link is a file that will not be found.
    if entry.path().is_dir() {
        name.push('/');
    }
    Some(name)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
