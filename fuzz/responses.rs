//! A crawl of a hostile server, over real sockets: whatever it sends, the crawl ends, and tells of it in plain text.

use corio_combinators::timeout;
use corio_crawl::crawl::{Crawl, Options};
use corio_crawl::frontier::Limits;
use corio_crawl::output::Output;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;
use url::Url;

/// What is sent next, an answer a connection.
static ANSWERS: Mutex<VecDeque<Vec<u8>>> = Mutex::new(VecDeque::new());

/// Between two answers in the bytes.
const BREAK: &[u8] = b"\xff\xff";

/// How long a crawl of a few answers may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts the server, once a process.
fn port() -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        let listener = TcpListener::bind("0.0.0.0:0").expect("a port can be had");
        let port = listener.local_addr().expect("it is bound").port();
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(answer(stream))));
        port
    })
}

/// Reads one request, answers it, and hangs up.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    let answer = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    stream.write_all(&answer.unwrap_or_default())
}

/// Returns an address of the server: each run has another, lest addresses run out while connections linger.
fn address() -> Url {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Relaxed);
    let [_, a, b, c] = (number % 0xfe_ffff + 1).to_be_bytes();
    Url::parse(&format!("http://127.{a}.{b}.{c}:{}/", port())).expect("it is an address")
}

/// Tells whether an answer would send the crawler to somebody else.
fn leads_away(bytes: &[u8], base: &Url) -> bool {
    bytes.split(|byte| matches!(byte, b'\r' | b'\n')).any(|line| {
        let line = String::from_utf8_lossy(line);
        let target = line.split_once(':').filter(|(name, _)| name.trim().eq_ignore_ascii_case("location"));
        let target = target.and_then(|(_, target)| base.join(target.trim()).ok());
        target.is_some_and(|target| target.origin() != base.origin())
    })
}

/// Takes the bytes for the server's answers.
pub fn run(bytes: &[u8]) {
    let seed = address();
    if leads_away(bytes, &seed) {
        return;
    }
    let mut answers = VecDeque::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(BREAK.len()).position(|window| window == BREAK) {
        answers.push_back(rest[..at].to_vec());
        rest = &rest[at + BREAK.len()..];
    }
    answers.push_back(rest.to_vec());
    *ANSWERS.lock().unwrap_or_else(PoisonError::into_inner) = answers;
    let options = Options {
        concurrency: NonZeroUsize::MIN,
        limits: Limits { depth: Some(2), max_pages: Some(6) },
        timeout: Duration::from_secs(5),
    };
    let crawl = Crawl::new(vec![seed], options);
    let output = Output::open(Some(Path::new("/dev/null"))).expect("there is such a file");
    let ended = corio_executor::run(timeout(PATIENCE, async { crawl.run(output).await }));
    let in_time = ended.expect("a loop can be made").expect("the crawl ends in time");
    in_time.expect("the output can be written");
    let told = crawl.summary().to_string();
    assert!(!told.contains(|letter: char| letter.is_control() && letter != '\n'), "{told:?}");
    assert!(!told.contains("internal") && !told.contains("timeout"), "{told}");
    assert!(crawl.summary().pages + crawl.summary().failed > 0, "{told}");
}
