//! Runs a program, and compares the lines that it says with those that CPython prints.

use crate::python::spell;
use corio::combinators::Outcome;
use corio::{Panic, ReturnWhen, Task, wait};
use std::cell::RefCell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

thread_local! {
    /// What the program on this thread has said.
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Says a line: Python's `print`, with the arguments of `format!`.
macro_rules! say {
    ($($argument:tt)*) => { $crate::harness::say(&format!($($argument)*)) };
}

pub(crate) fn say(line: &str) {
    LINES.with_borrow_mut(|lines| lines.push(spell(line)));
}

/// Runs `main` on a loop with virtual time, as `asyncio.run(main())` does, and compares.
#[track_caller]
pub(crate) fn conforms(program: &str, main: impl Future<Output = ()>) {
    script(program, || corio::executor::test::run(main));
}

/// Runs a program that makes its loops itself, or has none, and compares.
#[track_caller]
pub(crate) fn script(program: &str, body: impl FnOnce()) {
    LINES.take();
    body();
    let (said, expected) = (LINES.take(), expected(program));
    assert!(said == expected, "{program} differs (-: CPython says it, +: corio says it)\n{}", diff(&expected, &said));
}

/// Returns CPython's lines, less those that the README's table lists: the n-th mention of a line takes out its n-th
/// occurrence, from the first on.
fn expected(program: &str) -> Vec<String> {
    let mut lines: Vec<_> = read(&format!("{program}.expected")).lines().map(str::to_owned).collect();
    for refused in refused().iter().filter(|refused| program.starts_with(&refused.program)) {
        let place = lines.iter().position(|line| *line == refused.line);
        lines.remove(place.unwrap_or_else(|| panic!("{program} has no line {:?}", refused.line)));
    }
    lines
}

/// A line that no port can say, for Rust refuses to compile what it is about.
struct Refused {
    /// `08_`
    program: String,
    line: String,
    /// The file whose `compile_fail` doc-test proves it.
    proof: String,
}

/// Reads the README's table: rows of program, line, reason and proof.
fn refused() -> Vec<Refused> {
    let readme = read("README.md");
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| ")?.split(" | ").map(|cell| cell.trim_matches(['`', '|', ' ']).to_owned());
        let (program, line, _why, proof) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
        let is_program = program.ends_with(|last: char| last.is_ascii_digit());
        is_program.then(|| Refused { program: format!("{program}_"), line, proof })
    };
    readme.lines().filter_map(row).collect()
}

#[test]
fn each_refused_line_is_proved_by_a_doc_test() {
    for Refused { program, line, proof } in refused() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(&proof);
        let source = fs::read_to_string(path).unwrap_or_else(|error| panic!("{program}: {proof}: {error}"));
        assert!(source.contains("```compile_fail,E"), "{program}: {proof} does not prove {line:?}");
    }
}

fn read(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "conformance", name].iter().collect();
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Shows what was expected and what was said, side by side: the longest common sequence of lines once.
fn diff(expected: &[String], said: &[String]) -> String {
    let mut common = vec![vec![0; said.len() + 1]; expected.len() + 1];
    for (i, wanted) in expected.iter().enumerate().rev() {
        for (j, found) in said.iter().enumerate().rev() {
            let skip = common[i + 1][j].max(common[i][j + 1]);
            common[i][j] = if wanted == found { common[i + 1][j + 1] + 1 } else { skip };
        }
    }
    let (mut i, mut j, mut text) = (0, 0, String::new());
    while i < expected.len() || j < said.len() {
        let (sign, line) = if expected.get(i) == said.get(j) {
            (i, j) = (i + 1, j + 1);
            (' ', &expected[i - 1])
        } else if j == said.len() || i < expected.len() && common[i + 1][j] >= common[i][j + 1] {
            i += 1;
            ('-', &expected[i - 1])
        } else {
            j += 1;
            ('+', &said[j - 1])
        };
        text.extend([sign, ' ']);
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Waits until `task` is over, and hands it back: `await asyncio.wait([task])`.
pub(crate) async fn until_done<T: Outcome>(task: Task<T>) -> Task<T> {
    let done = wait(&mut vec![task], ReturnWhen::AllCompleted, None).await;
    done.expect("one is enough").pop().expect("it is over")
}

pub(crate) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Calls what panics if it is misused, and returns the panic's message.
pub(crate) fn panic_of<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| Panic::new(payload).message().unwrap_or_default().to_owned())
}

#[test]
fn each_program_is_ported() {
    let folder = |name: &str| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    let names = |path: PathBuf| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let ports: String = names(folder("tests/conformance")).map(|path| fs::read_to_string(path).unwrap()).collect();
    let expected = names(folder("conformance")).filter(|path| path.extension().is_some_and(|ext| ext == "expected"));
    for path in expected {
        let program = path.file_stem().unwrap().to_str().unwrap();
        assert!(ports.contains(&format!("(\"{program}\", ")), "no port runs {program}");
    }
}
