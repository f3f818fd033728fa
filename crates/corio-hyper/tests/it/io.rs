use corio_hyper::Io;
use futures_lite::io::Cursor;
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWriteExt, future};
use hyper::rt::{Read, ReadBuf};
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Reads as hyper does, into memory that nobody has written.
async fn read(io: &mut (impl Read + Unpin), n: usize) -> io::Result<Vec<u8>> {
    let mut memory = vec![MaybeUninit::uninit(); n];
    let mut buffer = ReadBuf::uninit(&mut memory);
    poll_fn(|cx| Pin::new(&mut *io).poll_read(cx, buffer.unfilled())).await?;
    Ok(buffer.filled().to_vec())
}

#[test]
fn a_read_fills_what_there_is_room_for() {
    let data: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
    let mut io = Io::new(Cursor::new(data.clone()));
    future::block_on(async {
        assert_eq!(read(&mut io, 0).await.unwrap(), []);
        let mut seen = read(&mut io, 10).await.unwrap();
        assert_eq!(seen, data[..10]);
        loop {
            let piece = read(&mut io, 100_000).await.unwrap();
            if piece.is_empty() {
                break;
            }
            seen.extend(piece);
        }
        assert!(seen == data);
    });
}

#[test]
fn a_connection_through_two_adapters_is_the_same() {
    let mut io = Io::new(Io::new(Cursor::new(b"hello".to_vec())));
    future::block_on(async {
        let mut text = String::new();
        io.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello");
        io.write_all(b" world").await.unwrap();
        io.close().await.unwrap();
    });
    assert_eq!(io.into_inner().into_inner().into_inner(), b"hello world");
}

/// Reads through another adapter while it is read through one.
struct Nested(Io<Cursor<Vec<u8>>>);

impl AsyncRead for Nested {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut memory = [0; 3];
        let mut inner = ReadBuf::new(&mut memory);
        let Poll::Ready(outcome) = Read::poll_read(Pin::new(&mut self.0), cx, inner.unfilled()) else {
            return Poll::Pending;
        };
        outcome?;
        let bytes = inner.filled();
        buffer[..bytes.len()].copy_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }
}

#[test]
fn the_shared_buffer_is_not_shared_by_the_nested() {
    let mut io = Io::new(Nested(Io::new(Cursor::new(b"abcdef".to_vec()))));
    future::block_on(async {
        assert_eq!(read(&mut io, 8).await.unwrap(), b"abc");
        assert_eq!(read(&mut io, 2 + 1).await.unwrap(), b"def");
        assert_eq!(read(&mut io, 8).await.unwrap(), b"");
    });
}

#[test]
fn an_error_is_passed_on() {
    struct Broken;
    impl AsyncRead for Broken {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::Error::other("on purpose")))
        }
    }
    let error = future::block_on(read(&mut Io::new(Broken), 1)).unwrap_err();
    assert_eq!(error.to_string(), "on purpose");
}
