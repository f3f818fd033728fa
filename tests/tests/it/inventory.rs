//! The inventory of unsafe code, `tests/unsafe/README.md`, held to the sources: each use of `unsafe` in a crate has its row,
//! no row is of the past, and each test that a row names is there.

use crate::house::{crates, read, root, sources, test_is_there};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;

const PAGE: &str = "tests/unsafe/README.md";

/// How often something is unsafe in one place.
#[derive(Debug, Default, PartialEq, Eq)]
struct Uses {
    functions: usize,
    blocks: usize,
    impls: usize,
}

impl fmt::Display for Uses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [(self.functions, "fn", "fns"), (self.blocks, "block", "blocks"), (self.impls, "impl", "impls")];
        let kinds = kinds.into_iter().filter(|(count, ..)| *count > 0);
        let words = kinds.map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }));
        f.write_str(&words.collect::<Vec<_>>().join(", "))
    }
}

/// What is unsafe, by file, and in a file by place: a function's name, behind its type's if it has one.
type Inventory = BTreeMap<String, BTreeMap<String, Uses>>;

/// Blanks comments, strings and characters out of a source, so that what is left is code, line by line as it was.
fn code(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or(' ');
    let (mut code, mut i) = (String::new(), 0);
    while i < chars.len() {
        let end = match (at(i), at(i + 1)) {
            ('/', '/') => end_of(&chars, i, |i| at(i) == '\n'),
            ('/', '*') => end_of_comment(&chars, i),
            ('r', '"' | '#') if !is_word(at(i.wrapping_sub(1))) => end_of_raw(&chars, i),
            ('"', _) => end_of_string(&chars, i),
            ('\'', '\\') => 2 + end_of(&chars, i + 3, |i| at(i) == '\'') - 1,
            ('\'', _) if at(i + 2) == '\'' => i + 3,
            _ => i,
        };
        if end == i {
            code.push(at(i));
            i += 1;
        } else {
            code.extend(chars[i..end.min(chars.len())].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            i = end;
        }
    }
    code
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn end_of(chars: &[char], from: usize, is_end: impl Fn(usize) -> bool) -> usize {
    (from..chars.len()).find(|i| is_end(*i)).unwrap_or(chars.len())
}

/// Comments of this kind stand inside each other.
fn end_of_comment(chars: &[char], from: usize) -> usize {
    let (mut depth, mut i) = (0, from);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn end_of_string(chars: &[char], from: usize) -> usize {
    let mut i = from + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// A raw string's end; or its start, if it is a raw identifier.
fn end_of_raw(chars: &[char], from: usize) -> usize {
    let open = end_of(chars, from + 1, |i| chars[i] != '#');
    if chars.get(open) != Some(&'"') {
        return from;
    }
    let hashes = open - from - 1;
    let closes =
        |i: usize| chars[i] == '"' && chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    end_of(chars, open + 1, closes) + 1 + hashes
}

/// The type of an `impl` line at the margin: `Seat` of `impl<T> Drop for Seat<T> {`.
fn type_of_impl(line: &str) -> Option<String> {
    let rest = line.strip_prefix("unsafe ").unwrap_or(line).strip_prefix("impl")?;
    let mut depth = 0;
    let closes = |(at, c): &(usize, char)| {
        let is_arrow = rest[..*at].ends_with('-');
        depth += i32::from(*c == '<') - i32::from(*c == '>' && !is_arrow);
        depth == 0
    };
    let generics = if rest.starts_with('<') { rest.char_indices().find(closes)?.0 + 1 } else { 0 };
    let rest = &rest[generics..];
    let rest = rest.split_once(" for ").map_or(rest, |(_, rest)| rest).trim_start();
    Some(rest.chars().take_while(|c| is_word(*c)).collect())
}

/// The name of the function that a line begins, if it does.
fn function(line: &str) -> Option<String> {
    let at = if line.trim_start().starts_with("fn ") { line.find("fn ") } else { line.find(" fn ").map(|at| at + 1) };
    let name: String = line[at? + 3..].trim_start().chars().take_while(|c| is_word(*c)).collect();
    (!name.is_empty()).then_some(name)
}

/// What is unsafe in a source. Types of pointers to unsafe functions promise nothing, and are not counted: calls through
/// them are blocks.
fn uses(source: &str) -> BTreeMap<String, Uses> {
    let code = code(source);
    let (mut found, mut whose, mut functions) = (BTreeMap::<String, Uses>::new(), None, Vec::<(usize, String)>::new());
    let lines: Vec<&str> = code.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let (text, indent) = (line.trim(), line.len() - line.trim_start().len());
        if let Some(name) = type_of_impl(line) {
            whose = Some(name);
        }
        if let Some(name) = function(line) {
            functions.push((indent, name));
        }
        for (at, _) in line.match_indices("unsafe") {
            let before = line[..at].chars().next_back().unwrap_or(' ');
            let rest = &line[at + 6..];
            if is_word(before) || rest.chars().next().is_some_and(is_word) {
                continue;
            }
            let next = lines[number + 1..].iter().find_map(|line| line.split_whitespace().next());
            let mut words = rest.split_whitespace().chain(next);
            let word = words.next().unwrap_or("");
            let place = |name: &str| whose.as_ref().map_or(name.to_string(), |whose| format!("{whose}::{name}"));
            let last = || functions.last().map_or("?", |(_, name)| name);
            if word.starts_with("impl") {
                found.entry(type_of_impl(line).expect("an impl is of a type")).or_default().impls += 1;
            } else if word == "fn" || word == "extern" {
                found.entry(place(last())).or_default().functions += 1;
            } else if word.starts_with('{') {
                found.entry(place(last())).or_default().blocks += 1;
            } else {
                assert!(word.starts_with("fn("), "line {}: unsafe, but what? {line}", number + 1);
            }
        }
        if text.starts_with('}') || text.ends_with('}') && function(line).is_some() {
            functions.retain(|(at, _)| *at < indent);
        }
        if line.starts_with('}') || text.ends_with('}') && type_of_impl(line).is_some() {
            whose = None;
        }
    }
    found
}

/// What is unsafe in the crates' sources.
fn in_sources() -> Inventory {
    let mut inventory = Inventory::new();
    for name in crates() {
        for path in sources(&root().join("crates").join(name).join("src")) {
            let uses = uses(&fs::read_to_string(&path).unwrap());
            let path = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            if !uses.is_empty() {
                inventory.insert(path, uses);
            }
        }
    }
    inventory
}

/// The rows of the page: a file's heading, then where, how often, why, on what it relies, what watches it.
fn rows() -> Vec<(String, Vec<String>)> {
    let (mut file, mut rows) = (String::new(), Vec::new());
    for line in read(PAGE).lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            file = heading.split('`').nth(1).unwrap_or_default().to_string();
        } else if let Some(row) = line.strip_prefix("| `").and_then(|row| row.strip_suffix(" |")) {
            let columns: Vec<_> = format!("`{row}").split(" | ").map(str::to_string).collect();
            if !file.is_empty() {
                assert_eq!(columns.len(), 5, "{file}: {row}");
                rows.push((file.clone(), columns));
            }
        }
    }
    rows
}

#[test]
fn every_use_of_unsafe_is_in_the_inventory_and_no_other() {
    let mut page = BTreeMap::<String, BTreeMap<String, String>>::new();
    for (file, columns) in rows() {
        let place = columns[0].trim_matches('`').to_string();
        let before = page.entry(file.clone()).or_default().insert(place.clone(), columns[1].clone());
        assert!(before.is_none(), "{file}: {place} has two rows");
    }
    let mut wrong = Vec::new();
    let sources = in_sources();
    for (file, places) in &sources {
        for (place, uses) in places {
            let said = page.get(file).and_then(|rows| rows.get(place)).map_or("no row", String::as_str);
            if said != uses.to_string() {
                wrong.push(format!("{file}: {place} has {uses}, the page has {said}"));
            }
        }
    }
    for (file, places) in &page {
        for place in places.keys() {
            if !sources.get(file).is_some_and(|places| places.contains_key(place)) {
                wrong.push(format!("{file}: {place} is not unsafe, or not there"));
            }
        }
    }
    assert!(wrong.is_empty(), "{PAGE}:\n{}", wrong.join("\n"));
    let count: usize = sources.values().flat_map(BTreeMap::values).map(|uses| uses.blocks).sum();
    assert!(count > 100, "{count} blocks: the scan has gone blind");
}

#[test]
fn every_row_of_the_inventory_names_what_watches_it() {
    for (file, columns) in rows() {
        let names: Vec<_> = columns[4].split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{file}: {} is watched by nothing", columns[0]);
        for name in names {
            test_is_there(name, &format!("{file}: {}", columns[0]));
        }
        assert!(columns[2].len() > 3 && columns[3].len() > 3, "{file}: {} says too little", columns[0]);
    }
}

#[test]
fn only_the_modules_that_say_so_are_unsafe() {
    let sources = in_sources();
    for name in crates() {
        let page = read(format!("crates/{name}/src/lib.rs"));
        let is_unsafe = sources.keys().any(|file| file.starts_with(&format!("crates/{name}/")));
        let lint = if is_unsafe { "#![deny(unsafe_code)] // Lifted in" } else { "#![forbid(unsafe_code)]" };
        assert!(page.lines().any(|line| line.starts_with(lint)), "{name}: lib.rs does not say {lint}");
    }
}

#[test]
fn the_lints_for_unsafe_code_are_on_for_all() {
    let manifest = read("Cargo.toml");
    for lint in ["unsafe_op_in_unsafe_fn", "undocumented_unsafe_blocks", "multiple_unsafe_ops_per_block"] {
        assert!(manifest.contains(&format!("\n{lint} = \"warn\"")), "{lint} is off");
    }
    for name in crates() {
        assert!(
            read(format!("crates/{name}/Cargo.toml")).contains("[lints]\nworkspace = true"),
            "{name} has its own lints"
        );
    }
}

#[test]
fn the_scan_sees_code_and_nothing_else() {
    let source = r##"
// unsafe { comment }
/* unsafe /* { */ unsafe */
struct Table { run: unsafe fn(u8) }
impl<T: Fn() -> u8> Seat<T> {
    fn text<'a>(&'a self) -> char {
        let quote = ("\" unsafe {", r#"unsafe { " }"#, '"', '\'');
        if a { unsafe { one() } } else { unsafe { two() } }
    }
    pub(crate) unsafe fn raw() {
        fn inner() {
            unsafe { three() }
        }
        unsafe_name();
        x.map(|x| unsafe
            { four() })
    }
}
// SAFETY: none.
unsafe impl<T> Send for Seat<T> {}
fn free() { unsafe { five() } }
"##;
    let found = uses(source);
    let said: Vec<_> = found.iter().map(|(place, uses)| format!("{place}: {uses}")).collect();
    let wanted =
        ["Seat: 1 impl", "Seat::inner: 1 block", "Seat::raw: 1 fn, 1 block", "Seat::text: 2 blocks", "free: 1 block"];
    assert_eq!(said, wanted);
}
