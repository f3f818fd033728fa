use corio_executor::LoopHandle;
use corio_net::{TcpListener, TcpStream};
use futures_lite::future::{poll_once, yield_now, zip};
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use std::io;
use std::net::Shutdown;

/// Two ends of a connection.
pub(crate) async fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (accepted, connected) = zip(listener.accept(), TcpStream::connect(listener.local_addr()?)).await;
    let (near, far) = (accepted?.0, connected?);
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    Ok((near, far))
}

/// Runs a test with each number below `count`, in a task of its own.
pub(crate) fn all_at_once(count: u64, test: impl AsyncFn(u64) -> io::Result<()> + Copy + 'static) {
    let outcome = corio_executor::run(async {
        let task = |number| LoopHandle::current().create_task(async move { test(number).await });
        let tasks: Vec<_> = (0..count).map(task).collect();
        for task in tasks {
            task.await.unwrap()?;
        }
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}

/// Numbers that look random, and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Writes `n_pieces` pieces, now and then with a pause, and perhaps the end.
async fn write_pieces(mut stream: &TcpStream, mut random: Random, n_pieces: u64) -> io::Result<u64> {
    let mut n_bytes = 0;
    for _ in 0..n_pieces {
        let piece = vec![1; 1 + random.below(20) as usize];
        stream.write_all(&piece).await?;
        n_bytes += piece.len() as u64;
        for _ in 0..random.below(4) * random.below(3) {
            yield_now().await;
        }
    }
    stream.shutdown(Shutdown::Write)?;
    Ok(n_bytes)
}

/// Reads to the end, with buffers of all sizes.
async fn read_pieces(mut stream: &TcpStream, mut random: Random) -> io::Result<u64> {
    let (mut n_bytes, mut buffer) = (0, [0; 25]);
    loop {
        let size = 1 + random.below(25) as usize;
        match stream.read(&mut buffer[..size]).await? {
            0 => return Ok(n_bytes),
            n => n_bytes += n as u64,
        }
        for _ in 0..random.below(3) {
            yield_now().await;
        }
    }
}

#[test]
fn nothing_is_waited_for_that_is_there_already() {
    all_at_once(300, async |seed| {
        let (near, far) = pair().await?;
        let n_pieces = Random(seed).below(30);
        let writing = write_pieces(&near, Random(seed + 1000), n_pieces);
        let (written, read) = zip(writing, read_pieces(&far, Random(seed + 2000))).await;
        assert_eq!(written?, read?);
        Ok(())
    });
}

#[test]
fn an_end_that_came_with_the_data_is_read() {
    let outcome = corio_executor::run(async {
        let (near, mut far) = pair().await?;
        assert!(poll_once(far.read(&mut [0; 8])).await.is_none());
        (&near).write_all(b"words").await?;
        near.shutdown(Shutdown::Write)?;
        // Both are there when the loop first hears of either.
        let mut buffer = [0; 8];
        assert_eq!(far.read(&mut buffer).await?, 5);
        assert_eq!(far.read(&mut buffer).await?, 0);
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn data_behind_urgent_data_is_read() {
    use rustix::net::{SendFlags, send};
    let outcome = corio_executor::run(async {
        for pause in [false, true] {
            let (near, mut far) = pair().await?;
            assert!(poll_once(far.read(&mut [0; 8])).await.is_none());
            let mut buffer = [0; 8];
            (&near).write_all(b"ab").await?;
            if pause {
                assert_eq!(far.read(&mut buffer).await?, 2);
            }
            send(&near, b"!", SendFlags::OOB)?; // Out of band: a read stops before it.
            (&near).write_all(b"cd").await?;
            if !pause {
                assert_eq!(far.read(&mut buffer).await?, 2);
            }
            assert_eq!(far.read(&mut buffer).await?, 2);
            assert_eq!(&buffer[..2], b"cd");
        }
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}
