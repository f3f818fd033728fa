//! Sources on a running loop: woken, cancelled, closed, with real sockets on every selector.

use corio_executor::io::Source;
use corio_executor::{EventLoop, LoopHandle, PollingSelector, run, sleep, yield_now};
use futures_lite::future::poll_once;
use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

/// A loop on each selector that this system can have.
fn loops() -> Vec<EventLoop> {
    let makers = [PollingSelector::new, PollingSelector::portable, PollingSelector::oneshot];
    makers.map(|make| EventLoop::builder().selector(make().unwrap()).build().unwrap()).into()
}

/// A source and its other end, which blocks.
fn pair() -> (Source<UnixStream>, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    (Source::new(near).unwrap(), far)
}

/// Reads one byte.
async fn read_byte(source: &Source<UnixStream>) -> io::Result<u8> {
    let mut byte = [0];
    source.read_with(|mut stream| stream.read_exact(&mut byte)).await?;
    Ok(byte[0])
}

#[test]
fn a_reader_is_woken_by_another_thread() {
    for event_loop in loops() {
        let bytes = event_loop.run_until_complete(async {
            let (near, mut far) = pair();
            let (allow, allowed) = std::sync::mpsc::channel();
            let writer = thread::spawn(move || {
                for byte in 0..100 {
                    allowed.recv().unwrap();
                    far.write_all(&[byte]).unwrap();
                }
            });
            let mut bytes = Vec::new();
            for _ in 0..100 {
                allow.send(()).unwrap();
                bytes.push(read_byte(&near).await.unwrap());
            }
            writer.join().unwrap();
            bytes
        });
        assert!(bytes.unwrap().into_iter().eq(0..100));
    }
}

#[test]
fn a_writer_waits_for_room() {
    for event_loop in loops() {
        let moved = event_loop.run_until_complete(async {
            let (near, mut far) = pair();
            let reader = thread::spawn(move || io::copy(&mut far, &mut io::sink()).unwrap());
            let (block, mut left) = (vec![7; 100_000], 5_000_000);
            while left > 0 {
                left -= near.write_with(|mut stream| stream.write(&block[..left.min(block.len())])).await.unwrap();
            }
            drop(near);
            reader.join().unwrap()
        });
        assert_eq!(moved.unwrap(), 5_000_000);
    }
}

#[test]
fn readable_asks_the_kernel_and_takes_nothing() {
    for event_loop in loops() {
        let outcome = event_loop.run_until_complete(async {
            let (near, mut far) = pair();
            near.writable().await?;
            let seen = Rc::new(Cell::new(false));
            let flag = seen.clone();
            let near = Rc::new(near);
            let source = near.clone();
            let waiter = LoopHandle::current().create_task(async move {
                source.readable().await.unwrap();
                flag.set(true);
            });
            for _ in 0..5 {
                yield_now().await;
            }
            assert!(!seen.get(), "nothing has come");
            far.write_all(b"x")?;
            waiter.await.unwrap();
            near.readable().await?;
            read_byte(&near).await
        });
        assert_eq!(outcome.unwrap().unwrap(), b'x');
    }
}

#[test]
fn writable_waits_for_room() {
    for event_loop in loops() {
        let outcome = event_loop.run_until_complete(async {
            let (near, mut far) = pair();
            let mut filled = Vec::new();
            while let Ok(n) = near.get_ref().write(&[7; 4096]) {
                filled.resize(filled.len() + n, 0);
            }
            assert!(poll_once(near.writable()).await.is_none(), "there is no room");
            far.read_exact(&mut filled)?;
            near.writable().await
        });
        outcome.unwrap().unwrap();
    }
}

#[test]
fn cancelling_a_reader_loses_nothing() {
    let outcome = run(async {
        let (near, mut far) = pair();
        let near = Rc::new(near);
        let source = near.clone();
        let reader = LoopHandle::current().create_task(async move { read_byte(&source).await });
        yield_now().await;
        assert!(reader.cancel());
        assert!(reader.await.is_err_and(|error| error.is_cancelled()));
        far.write_all(b"y")?;
        read_byte(&near).await
    });
    assert_eq!(outcome.unwrap().unwrap(), b'y');
}

#[test]
fn dropping_the_source_closes_the_descriptor() {
    let outcome = run(async {
        let (near, mut far) = pair();
        drop(near);
        assert_eq!(far.read(&mut [0])?, 0, "the other end sees the end");
        for _ in 0..3000 {
            drop(pair()); // More than there are descriptors, if one leaks each time.
        }
        let (near, far) = pair();
        drop(far);
        assert_eq!(read_byte(&near).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        let near = near.into_inner();
        drop(Source::new(near)?); // Forgotten, it can be registered again.
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}

#[test]
fn a_source_may_outlive_its_loop() {
    let (near, mut far) = run(async { pair() }).unwrap();
    far.write_all(b"z").unwrap();
    let error = run(async { read_byte(&near).await }).unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the event loop of this source is closed");
    let mut byte = [0];
    near.into_inner().read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"z");
}

#[test]
fn without_a_loop_there_is_no_source() {
    let (near, _far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    assert!(Source::new(near).is_err());
}

#[test]
#[cfg(debug_assertions)]
fn a_blocking_descriptor_is_refused() {
    let outcome = run(async { Source::new(UnixStream::pair().unwrap().0).map(drop) });
    assert_eq!(outcome.unwrap().unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn hazard_19_yielding_for_ever_starves_no_source() {
    for event_loop in loops() {
        let outcome = event_loop.run_until_complete(async {
            let (near, mut far) = pair();
            let spinner = LoopHandle::current().create_task(async {
                loop {
                    yield_now().await;
                }
            });
            let writer = thread::spawn(move || far.write_all(b"w"));
            let byte = read_byte(&near).await;
            writer.join().unwrap().unwrap();
            spinner.cancel();
            byte
        });
        assert_eq!(outcome.unwrap().unwrap(), b'w');
    }
}

#[test]
fn a_ring_ends_the_sleep_in_a_selector() {
    for event_loop in loops() {
        let outcome = event_loop.run_until_complete(async {
            let (_near, _far) = pair(); // From here on the loop sleeps in its selector.
            let (promise, future) = corio_future::concurrent::promise();
            let setter = thread::spawn(move || promise.set_result(5).unwrap());
            let outcome = future.await;
            setter.join().unwrap();
            outcome.ok()
        });
        assert_eq!(outcome.unwrap(), Some(5));
    }
}

#[test]
fn timers_are_not_early_beside_a_source() {
    for event_loop in loops() {
        let outcome = event_loop.run_until_complete(async {
            let (_near, _far) = pair();
            for micros in [1, 300, 1000, 2300] {
                let (start, delay) = (std::time::Instant::now(), Duration::from_micros(micros));
                sleep(delay).await;
                assert!(start.elapsed() >= delay);
            }
        });
        outcome.unwrap();
    }
}
