//! A site of pages that link to each other, on a loopback port, served by the same loop.

use corio::net::{TcpListener, TcpStream};
use corio::{Task, create_task};
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use std::io;
use std::net::SocketAddr;

/// How many pages there are.
pub(crate) const PAGES: u64 = 200;
/// How many pages are fetched at once.
pub(crate) const AT_ONCE: usize = 8;
/// How many descriptors the site and a crawl have at once, at most: the listener; both ends of each fetch; and of the fetches
/// before them the servers' ends, which close after the fetch has seen the page's end.
pub(crate) const DESCRIPTORS: usize = 1 + AT_ONCE * 3;

/// A site that is open.
pub(crate) struct Site {
    address: SocketAddr,
    server: Task<()>,
}

impl Site {
    pub(crate) async fn open() -> io::Result<Site> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let server = create_task(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(create_task(async move { drop(serve(stream).await) }));
            }
        });
        Ok(Site { address, server })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn close(self) {
        self.server.cancel();
        let _ = self.server.await;
    }
}

/// The pages that a page links to.
pub(crate) fn links(page: u64) -> [u64; 3] {
    [page * 7 + 1, page * 13 + 5, page + 1].map(|link| link % PAGES)
}

/// Answers one request: the number of a page, a line, is answered by the numbers of those that it links to.
async fn serve(mut stream: TcpStream) -> io::Result<()> {
    let page: u64 = read_all(&mut stream).await?.trim().parse().map_err(io::Error::other)?;
    let text: String = links(page).iter().map(|link| format!("<a href={link}>{}</a>\n", "text ".repeat(200))).collect();
    stream.write_all(text.as_bytes()).await?;
    stream.close().await
}

/// Fetches a page, and returns its links.
pub(crate) async fn fetch(address: SocketAddr, page: u64) -> io::Result<Vec<u64>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(page.to_string().as_bytes()).await?;
    stream.close().await?;
    let text = read_all(&mut stream).await?;
    let link = |part: &str| part.split('>').next().and_then(|number| number.parse().ok());
    Ok(text.split("<a href=").skip(1).filter_map(link).collect())
}

async fn read_all(stream: &mut TcpStream) -> io::Result<String> {
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Ok(text)
}
