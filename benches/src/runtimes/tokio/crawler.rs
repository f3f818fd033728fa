//! A crawler on tokio and hyper, of the shape of corio-crawl: workers that take addresses from a queue, one writer of rows.
//!
//! It does less: no redirects, no TLS, no way to stop it, no summary. What it does is done as quickly as hyper's users can:
//! connections driven by local tasks, kept alive, and no locks.

use corio_crawl::frontier::{Frontier, Limits, Visit};
use corio_crawl::links::links;
use corio_crawl::{charset, tsv};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::spawn_local;
use url::{Position, Url};

/// As many pages at once as corio-crawl fetches.
const WORKERS: usize = crate::CRAWLERS;

/// How long a page may take.
const LIMIT: Duration = Duration::from_secs(30);

/// How many pages' rows may wait for the writer, and how many bytes are gathered for one write.
const ROWS_WAITING: usize = 64;
const BATCH: usize = 256 * 1024;

type Connection = SendRequest<Empty<Bytes>>;

/// What the workers share.
struct Crawl {
    frontier: RefCell<Frontier>,
    visits: (async_channel::Sender<Visit>, async_channel::Receiver<Visit>),
    /// How many addresses are not worked off.
    left: Cell<usize>,
    idle: RefCell<Vec<Connection>>,
    rows: mpsc::Sender<Vec<u8>>,
}

/// Crawls from `seed`, and writes the links to a file.
pub(super) async fn crawl(seed: Url, file: PathBuf) {
    let (rows, received) = mpsc::channel(ROWS_WAITING);
    let writer = spawn_local(write(received, File::create(file).expect("a file for the rows")));
    let mut frontier = Frontier::new(Limits { depth: None, max_pages: None });
    let first = frontier.seed(seed).expect("it is new");
    let crawl = Crawl {
        frontier: RefCell::new(frontier),
        visits: async_channel::unbounded(),
        left: Cell::new(0),
        idle: RefCell::default(),
        rows,
    };
    crawl.visit_later(vec![first]);
    let crawl = Rc::new(crawl);
    let workers: Vec<_> = (0..WORKERS).map(|_| spawn_local(Rc::clone(&crawl).work())).collect();
    for worker in workers {
        worker.await.expect("no worker panics");
    }
    drop(crawl);
    writer.await.expect("the writer does not panic");
}

/// Writes rows in the thread pool, as many at a time as have come.
async fn write(mut rows: mpsc::Receiver<Vec<u8>>, mut file: File) {
    let mut next = Some(Vec::from(tsv::HEADER));
    while let Some(mut batch) = next {
        while batch.len() < BATCH {
            let Ok(more) = rows.try_recv() else { break };
            batch.extend_from_slice(&more);
        }
        let written = tokio::task::spawn_blocking(move || file.write_all(&batch).map(|()| file));
        file = written.await.expect("the call completes").expect("room for the rows");
        next = rows.recv().await;
    }
}

impl Crawl {
    fn visit_later(&self, visits: Vec<Visit>) {
        self.left.set(self.left.get() + visits.len());
        for visit in visits {
            self.visits.0.try_send(visit).expect("the queue is open");
        }
    }

    async fn work(self: Rc<Self>) {
        while let Ok(visit) = self.visits.1.recv().await {
            let fetched = tokio::time::timeout(LIMIT, self.fetch(&visit.url)).await;
            let (content_type, body) = fetched.expect("an answer in time");
            self.take_in(&visit, &content_type, &body).await;
            self.left.set(self.left.get() - 1);
            if self.left.get() == 0 {
                self.visits.0.close();
            }
        }
    }

    async fn take_in(&self, visit: &Visit, content_type: &str, body: &[u8]) {
        if !charset::is_html(content_type) {
            return;
        }
        let (text, encoding) = charset::decode(body, content_type);
        let links = links(&text, &visit.url, encoding);
        let rows = tsv::rows(visit.url.as_str(), &links);
        self.visit_later(self.frontier.borrow_mut().admit_links(&links, visit.depth));
        if !rows.is_empty() {
            self.rows.send(rows).await.expect("the writer lives");
        }
    }

    async fn fetch(&self, url: &Url) -> (String, Bytes) {
        let mut connection = self.connection(url).await;
        let response = connection.send_request(request(url)).await.expect("an answer");
        assert!(response.status().is_success(), "{} for {url}", response.status());
        let content_type = response.headers().get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let content_type = content_type.unwrap_or_default().into_owned();
        let body = read(response).await;
        self.idle.borrow_mut().push(connection);
        (content_type, body)
    }

    /// Takes an idle connection, or makes one. All go to the one origin that the site has.
    async fn connection(&self, url: &Url) -> Connection {
        loop {
            let idle = self.idle.borrow_mut().pop();
            let Some(mut connection) = idle else { return connect(url).await };
            if connection.ready().await.is_ok() {
                return connection;
            }
        }
    }
}

async fn connect(url: &Url) -> Connection {
    let addresses = url.socket_addrs(|| None).expect("an address in figures");
    let stream = TcpStream::connect(&*addresses).await.expect("a connection");
    stream.set_nodelay(true).expect("an option");
    let (requests, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a connection");
    spawn_local(async move {
        let _ = connection.await; // Whoever waits for an answer learns of the error too.
    });
    requests
}

fn request(url: &Url) -> Request<Empty<Bytes>> {
    let request = Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, "corio-benches")
        .header(ACCEPT, "text/html, */*;q=0.5")
        .header(ACCEPT_ENCODING, "identity");
    request.body(Empty::new()).expect("a request")
}

/// Reads a body. One that comes in one piece is not copied.
async fn read(response: Response<Incoming>) -> Bytes {
    let mut body = response.into_body();
    let Some(first) = piece(&mut body).await else { return Bytes::new() };
    let Some(second) = piece(&mut body).await else { return first };
    let mut bytes = Vec::from(first);
    let mut next = Some(second);
    while let Some(piece_of_it) = next {
        bytes.extend_from_slice(&piece_of_it);
        next = piece(&mut body).await;
    }
    bytes.into()
}

async fn piece(body: &mut Incoming) -> Option<Bytes> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.expect("a whole answer").into_data() {
            return Some(data);
        }
    }
    None
}
