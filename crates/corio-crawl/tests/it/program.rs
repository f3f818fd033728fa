//! Runs the program, and servers for it to meet.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a run may take before it counts as a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The rows, each once, without the header; panics unless they are in good order.
    pub(crate) fn rows(&self) -> BTreeSet<(&str, &str)> {
        rows(&self.stdout)
    }
}

pub(crate) fn rows(text: &str) -> BTreeSet<(&str, &str)> {
    let mut lines = text.strip_suffix('\n').expect("the last row is whole").split('\n');
    assert_eq!(lines.next(), Some("source_url\tparsed_url"));
    let mut rows = BTreeSet::new();
    for line in lines {
        let row = line.split_once('\t').unwrap_or_else(|| panic!("{line:?} is no row"));
        assert!(!row.1.contains('\t'), "{line:?}");
        assert!(rows.insert(row), "{line:?} comes twice");
    }
    rows
}

pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_corio-crawl"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("RUST_BACKTRACE");
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Run {
    end(program(arguments).spawn().unwrap())
}

/// Waits for a program's end, and kills it if it hangs.
pub(crate) fn end(mut child: Child) -> Run {
    let read = |mut pipe: Box<dyn Read + Send>| {
        thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).unwrap();
            text
        })
    };
    let stdout = child.stdout.take().map(|pipe| read(Box::new(pipe)));
    let stderr = child.stderr.take().map(|pipe| read(Box::new(pipe)));
    let (ended, hung) = mpsc::channel::<()>();
    let id = child.id().to_string();
    let watch = thread::spawn(move || {
        let hangs = hung.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout);
        if hangs {
            let _ = Command::new("kill").args(["-KILL", &id]).status();
        }
        hangs
    });
    let status = child.wait().unwrap().code();
    drop(ended);
    let text = |pipe: Option<thread::JoinHandle<String>>| pipe.map(|pipe| pipe.join().unwrap()).unwrap_or_default();
    let run = Run { status, stdout: text(stdout), stderr: text(stderr) };
    assert!(!watch.join().unwrap(), "the program hung: {run:?}");
    run
}

/// A server that answers each request, on a thread for each connection, as `answer` says for its path; what it returns
/// is sent as it is, and the connection closed unless it is to be kept.
pub(crate) fn serve(answer: impl Fn(&str, &mut TcpStream) -> Keep + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = std::sync::Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = std::sync::Arc::clone(&answer);
            thread::spawn(move || connection(stream.unwrap(), &*answer));
        }
    });
    format!("http://{address}")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Alive,
    Close,
}

fn connection(stream: TcpStream, answer: &dyn Fn(&str, &mut TcpStream) -> Keep) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut path = None;
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            path.get_or_insert_with(|| line.split(' ').nth(1).unwrap_or("").to_owned());
        }
        if answer(&path.unwrap_or_default(), &mut stream) == Keep::Close {
            return;
        }
    }
}

/// Sends a page of HTML, whole.
pub(crate) fn html(stream: &mut TcpStream, body: &str) -> Keep {
    let length = body.len();
    send(stream, &format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n{body}"))
}

/// Sends bytes as they are.
pub(crate) fn send(stream: &mut TcpStream, text: &str) -> Keep {
    let _ = stream.write_all(text.as_bytes());
    Keep::Alive
}

/// Makes a folder of its own with these files, and returns it.
pub(crate) fn folder(files: &[(&str, &str)]) -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("corio-crawl-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}
