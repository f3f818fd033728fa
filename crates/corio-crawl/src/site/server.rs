//! An HTTP server on a loopback port, on a loop and thread of its own.

use super::Site;
use corio::concurrent::{self, Promise};
use corio::net::{TcpListener, TcpStream};
use corio::{ExecutorExt, ThreadPoolExecutor, create_task, race, run};
use corio_hyper::{Io, Timer};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use url::Url;

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    /// Completed, or broken, it stops the server.
    _stop: Promise<()>,
    /// The one thread that the server's loop runs on. Dropped last, it waits for that thread.
    _thread: ThreadPoolExecutor,
}

impl Server {
    /// Serves `site` on `port` of the loopback address; 0 takes any free one.
    ///
    /// # Errors
    ///
    /// If the port is in use, or no loop can be made.
    pub async fn start(site: Site, port: u16) -> io::Result<Server> {
        let builder = ThreadPoolExecutor::builder().max_threads(1).name_prefix("corio-crawl-site");
        let thread = builder.build().map_err(io::Error::other)?;
        let (stop, stopped) = concurrent::promise();
        let (bound, address) = concurrent::promise();
        let serving = thread.submit(move || run(serve(site, port, bound, stopped)));
        let serving = serving.map_err(|error| io::Error::other(error.into_reason()))?;
        match address.await {
            Ok(address) => Ok(Server { address: address?, _stop: stop, _thread: thread }),
            // The loop ended before it told its address: its error says why.
            Err(_) => Err(serving.await.map_or_else(io::Error::other, |ended| match ended {
                Ok(()) => io::Error::other("the server ended at once"),
                Err(error) => io::Error::other(error),
            })),
        }
    }

    /// Returns the address of the site's front page.
    ///
    /// # Panics
    ///
    /// Never: a socket's address makes a URL.
    #[must_use]
    pub fn url(&self) -> Url {
        let url = format!("http://{}/", self.address);
        url.parse().expect("a socket's address makes a URL")
    }
}

/// The server's main future: it ends when `stopped` does.
async fn serve(site: Site, port: u16, bound: Promise<io::Result<SocketAddr>>, stopped: concurrent::Future<()>) {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => listener,
        Err(error) => {
            let _ = bound.set_result(Err(error));
            return;
        }
    };
    let _ = bound.set_result(listener.local_addr());
    let stopped = async {
        let _ = stopped.await;
    };
    race((accept(listener, Rc::new(site)), stopped)).await;
}

/// Accepts connections, a task each. An error, such as too many open files, is waited out.
async fn accept(listener: TcpListener, site: Rc<Site>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(create_task(connection(stream, Rc::clone(&site)))),
            Err(_) => corio::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn connection(stream: TcpStream, site: Rc<Site>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let site = Rc::clone(&site);
        async move { Ok::<_, Infallible>(site.answer(&request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(Timer).header_read_timeout(HEAD_TIMEOUT);
    // A client that breaks the connection off is none of the server's troubles.
    let _ = builder.serve_connection(Io::vectored(stream), service).await;
}
