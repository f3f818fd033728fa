use crate::short_reads::{all_at_once, pair};
use corio_net::TcpStream;
use futures_lite::future::{block_on, poll_once, zip};
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use std::io::{self, Read, Write};
use std::net::Shutdown;

const MESSAGE: usize = 64;

/// Answers each message with the same, to the end.
async fn serve(mut stream: &TcpStream) -> io::Result<u64> {
    let (mut message, mut n_messages) = ([0; MESSAGE], 0);
    while stream.read(&mut message[..1]).await? == 1 {
        stream.read_exact(&mut message[1..]).await?;
        stream.write_all(&message).await?;
        n_messages += 1;
    }
    Ok(n_messages)
}

/// Sends messages and reads the answers, some of several at once.
async fn ask(mut stream: &TcpStream, n_messages: u64, at_once: impl Fn(u64) -> usize) -> io::Result<u64> {
    let mut n_sent = 0;
    for n in 0..n_messages {
        let messages = vec![n as u8; at_once(n) * MESSAGE];
        stream.write_all(&messages).await?;
        for _ in 0..at_once(n) {
            let mut answer = [0; MESSAGE];
            stream.read_exact(&mut answer).await?;
            assert_eq!(answer, [n as u8; MESSAGE]);
            n_sent += 1;
        }
    }
    stream.shutdown(Shutdown::Write)?;
    Ok(n_sent)
}

/// Echoes messages whole.
async fn echo(mut stream: &TcpStream) -> io::Result<u64> {
    let (mut message, mut n_messages) = ([0; MESSAGE], 0);
    while stream.read_exact(&mut message).await.is_ok() {
        stream.write_all(&message).await?;
        n_messages += 1;
    }
    Ok(n_messages)
}

#[test]
fn messages_of_all_habits_arrive() {
    const HABITS: [fn(u64) -> usize; 4] = [
        |_| 1,
        |n| if n % 50 == 49 { 20 } else { 1 },
        |n| 1 + (n / 30 % 2) as usize * 40, // Thirty of one, thirty of the other.
        |n| if n % 7 == 6 { 2 } else { 1 },
    ];
    all_at_once(40, async |n| {
        let (near, far) = pair().await?;
        let asking = ask(&far, 300, HABITS[n as usize % 4]);
        let (read, sent) = match n % 3 {
            0 => zip(serve(&near), asking).await,
            _ => zip(echo(&near), asking).await,
        };
        assert_eq!(read?, sent?);
        Ok(())
    });
}

#[test]
fn a_connection_that_is_used_to_messages_is_taken_away() {
    let outcome = corio_executor::run(async {
        let (near, far) = pair().await?;
        for stream in [&near, &far] {
            let mut buffer = [0; MESSAGE];
            assert!(poll_once((&*stream).read(&mut buffer)).await.is_none());
        }
        let mut message = [7; MESSAGE];
        for _ in 0..20 {
            (&near).write_all(&message).await?;
            (&far).read_exact(&mut message).await?;
            (&far).write_all(&message).await?;
            (&near).read_exact(&mut message).await?;
        }
        let (mut near, mut far) = (near.into_std()?, far.into_std()?);
        near.write_all(b"word")?;
        far.read_exact(&mut message[..4])?;
        assert_eq!(&message[..4], b"word");

        let far = TcpStream::from_std(far)?; // It can come back.
        near.write_all(&message)?;
        (&far).read_exact(&mut message).await?;
        io::Result::Ok(far)
    });
    let far = outcome.unwrap().unwrap();
    assert!(block_on((&far).write_all(b"word")).is_err(), "its loop is closed");
}
