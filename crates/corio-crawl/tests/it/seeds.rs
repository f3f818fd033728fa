//! Addresses are read, and what is none is told in one line.

use corio_crawl::seeds::{Place, address, addresses_of};
use std::path::PathBuf;

fn file(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("corio-crawl-{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn what_is_an_address() {
    let read = |text| address(text, Place::Argument).map(|url| url.to_string()).map_err(|error| error.to_string());
    assert_eq!(read("HTTP://a.test#x").unwrap(), "http://a.test/");
    for wrong in
        ["nonsense", "", "/etc/passwd", "ftp://a.test/", "http://", "http://[", "mailto:x", "http://u:p@a.test/"]
    {
        let error = read(wrong).unwrap_err();
        assert!(error.contains("is no address to crawl: ") && !error.contains('\n'), "{error}");
    }
    assert!(read("\u{1b}[2J").unwrap_err().starts_with("\\u{1b}[2J"));
}

#[test]
fn files_of_addresses() {
    let path = file("good", "\u{FEFF}http://a.test/\r\n\n  # comment\n  http://b.test/x#y  ");
    let addresses = addresses_of(&path).unwrap();
    assert_eq!(addresses.iter().map(|url| url.as_str()).collect::<Vec<_>>(), ["http://a.test/", "http://b.test/x"]);

    let path = file("bad", "http://a.test/\n\nnonsense\n");
    let error = addresses_of(&path).unwrap_err().to_string();
    assert!(error.contains("line 3: nonsense is no address"), "{error}");

    let path = file("empty", "# nothing\n");
    assert!(addresses_of(&path).unwrap_err().to_string().ends_with("holds no address"));
    assert!(addresses_of(&std::env::temp_dir()).unwrap_err().to_string().starts_with("cannot read"));
}
