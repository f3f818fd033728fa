use corio_net::{TcpListener, TcpStream};
use futures_lite::future::{or, poll_once, yield_now, zip};
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use std::io::{self, ErrorKind};
use std::pin::pin;

/// Two ends of a connection.
async fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (accepted, connected) = zip(listener.accept(), TcpStream::connect(listener.local_addr()?)).await;
    Ok((accepted?.0, connected?))
}

#[test]
fn the_end_is_read_after_everything_before_it() {
    let outcome = corio_executor::run(async {
        let (mut near, mut far) = pair().await?;
        near.write_all(b"last words").await?;
        drop(near);
        let mut text = String::new();
        far.read_to_string(&mut text).await?;
        assert_eq!(text, "last words");
        assert_eq!(far.read(&mut [0]).await?, 0, "the end stays");
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}

#[test]
fn a_reset_is_an_error_not_a_hang() {
    let outcome = corio_executor::run(async {
        let (mut near, far) = pair().await?;
        near.write_all(b"never read").await?;
        while far.peek(&mut [0; 10]).await? < 10 {}
        drop(far); // With bytes unread, the system resets the connection.
        let error = near.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        near.close().await?; // What is broken is well closed.
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}

#[test]
fn writing_to_the_gone_is_an_error_and_no_signal() {
    let outcome = corio_executor::run(async {
        let (mut near, far) = pair().await?;
        drop(far);
        let error = loop {
            match near.write_all(&[0; 65_536]).await {
                Ok(()) => yield_now().await,
                Err(error) => break error,
            }
        };
        assert!([ErrorKind::BrokenPipe, ErrorKind::ConnectionReset].contains(&error.kind()), "{error}");
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}

#[test]
fn a_read_that_was_left_has_taken_nothing() {
    let outcome = corio_executor::run(async {
        let (mut near, far) = pair().await?;
        for round in 0..100_u8 {
            let mut buffer = [0; 1];
            let mut reader = &far;
            {
                let mut read = pin!(reader.read(&mut buffer));
                assert!(poll_once(&mut read).await.is_none());
            }
            near.write_all(&[round]).await?;
            reader.read_exact(&mut buffer).await?;
            assert_eq!(buffer, [round]);
        }
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}

#[test]
fn an_accept_that_was_left_has_taken_nothing() {
    let outcome = corio_executor::run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        {
            let mut accept = pin!(listener.accept());
            assert!(poll_once(&mut accept).await.is_none());
        }
        let client = TcpStream::connect(listener.local_addr()?).await?;
        let (_, from) = listener.accept().await?;
        assert_eq!(from, client.local_addr()?);
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}

#[test]
fn a_connect_that_was_left_leaves_nothing_open() {
    let outcome = corio_executor::run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        // Whichever is first: connected at once, or left in the middle. Neither may disturb the next.
        for _ in 0..50 {
            let _ = or(async { TcpStream::connect(address).await.map(drop) }, async { Ok(()) }).await;
        }
        let connect = async { TcpStream::connect(address).await };
        let stream = connect.await?;
        loop {
            let (_, from) = listener.accept().await?;
            if from == stream.local_addr()? {
                return io::Result::Ok(());
            }
        }
    });
    outcome.unwrap().unwrap();
}

#[test]
fn two_tasks_may_read_one_connection() {
    let outcome = corio_executor::run(async {
        let (mut near, far) = pair().await?;
        let read = |mut far: &'static TcpStream| async move {
            let mut byte = [0];
            far.read_exact(&mut byte).await.map(|()| byte[0])
        };
        let far: &'static TcpStream = Box::leak(Box::new(far));
        let (read, write) = zip(zip(read(far), read(far)), near.write_all(b"12")).await;
        write?;
        let mut bytes = [read.0?, read.1?];
        bytes.sort_unstable();
        assert_eq!(&bytes, b"12");
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}
