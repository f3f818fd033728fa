use corio_net::{TcpListener, TcpStream};
use futures_lite::future::zip;
use futures_lite::{AsyncReadExt, AsyncWriteExt, StreamExt};
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

/// An address of this machine at which nobody listens, nor will while the socket lives: it is bound, and no more.
fn nobody() -> (OwnedFd, SocketAddr) {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = SocketAddr::try_from(getsockname(&socket).unwrap()).unwrap();
    (socket, address)
}

#[test]
fn both_ends_know_each_other() {
    let outcome = corio_executor::run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (accepted, connected) = zip(listener.accept(), TcpStream::connect(address)).await;
        let ((near, from), far) = (accepted?, connected?);
        assert_eq!((from, near.peer_addr()?), (far.local_addr()?, far.local_addr()?));
        assert_eq!((far.peer_addr()?, near.local_addr()?), (address, address));
        far.set_nodelay(true)?;
        assert!(far.nodelay()? && !near.nodelay()?);
        assert!(format!("{far:?} {listener:?}").contains("127.0.0.1"));
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}

#[test]
fn a_name_is_connected_to() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = corio_executor::run(TcpStream::connect(format!("localhost:{port}"))).unwrap().unwrap();
    assert_eq!(stream.peer_addr().unwrap().port(), port);
}

#[test]
fn the_next_address_is_tried() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (_sockets, nobodies): (Vec<_>, Vec<_>) = [nobody(), nobody()].into_iter().unzip();
    let addresses = vec![nobodies[0], listener.local_addr().unwrap(), nobodies[1]];
    let stream = corio_executor::run(TcpStream::connect(addresses.clone())).unwrap().unwrap();
    assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
}

#[test]
fn one_error_names_all_addresses() {
    let (_sockets, addresses): (Vec<_>, Vec<_>) = [nobody(), nobody()].into_iter().unzip();
    let error = corio_executor::run(TcpStream::connect(addresses.clone())).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let text = error.to_string();
    assert!(text.starts_with(&format!("cannot connect to {}, {}: ", addresses[0], addresses[1])), "{text}");
    assert_eq!(text.matches("refused").count(), 2, "{text}");

    let error = corio_executor::run(TcpStream::connect(Vec::new())).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn an_address_in_use_is_an_error_that_names_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = corio_executor::run(TcpListener::bind(address)).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().starts_with(&format!("cannot listen at {address}: ")), "{error}");
}

#[test]
fn many_connections_come_in_order() {
    let n_connections = 200;
    let outcome = corio_executor::run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serve = async {
            let mut incoming = listener.incoming().take(n_connections);
            let mut served = 0;
            while let Some(stream) = incoming.next().await {
                let mut number = [0; 4];
                let mut stream = stream?;
                stream.read_exact(&mut number).await?;
                assert_eq!(u32::from_le_bytes(number), served);
                stream.write_all(&number).await?;
                served += 1;
            }
            io::Result::Ok(served)
        };
        let ask = async {
            for number in 0..n_connections as u32 {
                let mut stream = TcpStream::connect(address).await?;
                stream.write_all(&number.to_le_bytes()).await?;
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).await?;
                assert_eq!(answer, number.to_le_bytes());
            }
            io::Result::Ok(())
        };
        let (served, asked) = zip(serve, ask).await;
        asked?;
        served
    });
    assert_eq!(outcome.unwrap().unwrap(), n_connections as u32);
}
