use corio_net::{TcpListener, TcpStream};
use futures_lite::future::zip;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;

/// Two ends of a connection.
async fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (accepted, connected) = zip(listener.accept(), TcpStream::connect(listener.local_addr()?)).await;
    Ok((accepted?.0, connected?))
}

/// Bytes of which none is in the place of another.
fn bytes(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i ^ (i >> 8) ^ (i >> 16)) as u8).collect()
}

#[test]
fn more_than_fits_goes_both_ways_at_once() {
    let data = bytes(8 << 20);
    let outcome = corio_executor::run(async {
        let (near, far) = pair().await?;
        let send = |stream| async move {
            let mut stream: &TcpStream = stream;
            stream.write_all(&data).await?;
            stream.close().await?;
            io::Result::Ok(data)
        };
        let receive = |stream| async move {
            let mut stream: &TcpStream = stream;
            let mut data = Vec::new();
            stream.read_to_end(&mut data).await?;
            io::Result::Ok(data)
        };
        let ((sent, there), (_, back)) =
            zip(zip(send.clone()(&near), receive(&far)), zip(send(&far), receive(&near))).await;
        let sent = sent?;
        assert!(sent == there? && sent == back?);
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}

#[test]
fn several_buffers_go_at_once() {
    let outcome = corio_executor::run(async {
        let (mut near, mut far) = pair().await?;
        let written = near.write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")]).await?;
        assert_eq!(written, 5);
        let (mut one, mut two) = ([0; 3], [0; 9]);
        let n = far.read_vectored(&mut [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)]).await?;
        assert_eq!((n, &one, &two[..2]), (5, b"abc", &b"de"[..]));
        near.flush().await
    });
    outcome.unwrap().unwrap();
}

#[test]
fn peeking_takes_nothing() {
    let outcome = corio_executor::run(async {
        let (mut near, mut far) = pair().await?;
        near.write_all(b"word").await?;
        let mut buffer = [0; 8];
        for _ in 0..2 {
            assert_eq!(far.peek(&mut buffer).await?, 4);
        }
        assert_eq!(far.read(&mut buffer).await?, 4);
        near.shutdown(Shutdown::Write)?;
        assert_eq!((far.peek(&mut buffer).await?, far.read(&mut buffer).await?), (0, 0));
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}

#[test]
fn a_connection_goes_to_another_thread_and_comes_back() {
    let outcome = corio_executor::run(async {
        let (near, mut far) = pair().await?;
        let near = near.into_std()?;
        let near = std::thread::spawn(move || {
            io::Write::write_all(&mut &near, b"from a thread")?;
            io::Result::Ok(near)
        });
        let mut text = [0; 13];
        far.read_exact(&mut text).await?;
        assert_eq!(&text, b"from a thread");

        let mut near = TcpStream::from_std(near.join().unwrap()?)?;
        near.write_all(b"from the loop").await?;
        far.read_exact(&mut text).await?;
        assert_eq!(&text, b"from the loop");
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}
