//! A crawl of a hostile server, over real sockets: whatever it sends, the crawl ends, and tells of it in plain text.

use crate::addresses::is_plain;
use corio_combinators::timeout;
use corio_crawl::crawl::{Crawl, MAX_REDIRECTS, Options};
use corio_crawl::frontier::Limits;
use corio_crawl::output::Output;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;
use url::Url;

/// What the server sends.
static SERVER: Mutex<Answers> = Mutex::new(Answers { list: Vec::new(), asked: 0, sent: 0 });

/// Answers, one a connection, and from the first again after the last: a server does not run out of redirects.
struct Answers {
    list: Vec<Vec<u8>>,
    /// How many were asked for.
    asked: usize,
    /// How many bytes went out.
    sent: u64,
}

/// Between two answers in the bytes.
const BREAK: &[u8] = b"\xff\xff";

/// In an answer: the number of the answer, so that no two are alike.
const NUMBER: u8 = 0xfe;

/// How many pages are fetched.
const PAGES: usize = 6;

/// How many answers a crawl may ask for: of each page, and of each redirect on the way there, once.
const MOST_ASKED: usize = PAGES * (MAX_REDIRECTS + 1);

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
    let answer = server().next();
    stream.write_all(&answer)
}

fn server() -> MutexGuard<'static, Answers> {
    SERVER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Answers {
    /// Returns the next answer; nothing, once more were asked for than may be, for then the crawl has to end by itself.
    fn next(&mut self) -> Vec<u8> {
        let answer = &self.list[self.asked % self.list.len()];
        let answer = if self.asked > MOST_ASKED { Vec::new() } else { numbered(answer, self.asked) };
        self.asked += 1;
        self.sent += answer.len() as u64;
        answer
    }
}

/// Writes a number wherever an answer wants one.
fn numbered(answer: &[u8], number: usize) -> Vec<u8> {
    let parts: Vec<&[u8]> = answer.split(|&byte| byte == NUMBER).collect();
    parts.join(number.to_string().as_bytes())
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
    if leads_away(&numbered(bytes, 1), &seed) {
        return;
    }
    *server() = Answers { list: split(bytes), asked: 0, sent: 0 };
    let options = Options {
        concurrency: NonZeroUsize::MIN,
        limits: Limits { depth: Some(2), max_pages: Some(PAGES) },
        timeout: Duration::from_secs(5),
    };
    let crawl = Crawl::new(vec![seed], options);
    let output = Output::open(Some(Path::new("/dev/null"))).expect("there is such a file");
    let ended = corio_executor::run(timeout(PATIENCE, async { crawl.run(output).await }));
    let in_time = ended.expect("a loop can be made").expect("the crawl ends in time");
    in_time.expect("the output can be written");
    let summary = crawl.summary();
    let told = summary.to_string();
    assert!(told.split('\n').all(is_plain), "{told:?}");
    let is_bad = |line: &str| ["  internal:", "  timeout:"].iter().any(|class| line.starts_with(class));
    assert!(!told.lines().any(is_bad), "{told}");
    let (server, visited) = (server(), summary.pages + summary.failed);
    assert!((1..=PAGES).contains(&visited), "{visited} pages were accounted for: {told}");
    assert!(server.asked <= MOST_ASKED, "{} answers were asked for: {told}", server.asked);
    assert!(summary.bytes <= server.sent, "more was received than was sent: {told}");
}

/// Splits the bytes into answers.
fn split(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut answers = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(BREAK.len()).position(|window| window == BREAK) {
        answers.push(rest[..at].to_vec());
        rest = &rest[at + BREAK.len()..];
    }
    answers.push(rest.to_vec());
    answers
}
