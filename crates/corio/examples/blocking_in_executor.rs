//! Two calls that block, a sleep and an HTTP request, on threads of a pool; the loop goes on beside them.
//!
//! Called from a task directly, either would stop the loop: no timer, no other task, until it returns. `run_in_executor` has
//! it called on another thread, and gives a future of the answer. `to_thread` does the same with the loop's default pool.

use corio::{RunError, ThreadPoolExecutor, create_task, gather, interval, run, run_in_executor};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;
use std::{io, thread};

fn blocking_sleep(time: Duration) -> &'static str {
    thread::sleep(time);
    "slept"
}

fn blocking_request(server: SocketAddr) -> io::Result<String> {
    let mut connection = TcpStream::connect(server)?;
    connection.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Answers one request, after some time, from a thread of its own.
fn start_server(time: Duration) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let (mut connection, _) = listener.accept()?;
        let request = BufReader::new(connection.try_clone()?).lines();
        request.map_while(Result::ok).find(|line| line.is_empty()); // The head of the request ends there.
        thread::sleep(time);
        connection.write_all(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello")
    });
    Ok(address)
}

async fn tick(period: Duration) {
    let mut ticks = interval(period);
    for n in 1.. {
        ticks.tick().await;
        println!("tick {n}");
    }
}

/// Blocks two threads, and ticks meanwhile; `second` is how long a second is to be.
pub async fn program(second: Duration) -> io::Result<()> {
    let ticker = create_task(tick(second / 4));
    let server = start_server(second)?;

    let pool = ThreadPoolExecutor::new();
    let sleeping = run_in_executor(&pool, move || blocking_sleep(second * 2)); // It runs from now on.
    let asking = run_in_executor(&pool, move || blocking_request(server));
    let (slept, answer) = gather((sleeping, asking)).await.expect("neither panics");

    println!("the sleep: {slept}");
    println!("the request: {}", answer?.lines().next().unwrap_or("no answer"));
    ticker.cancel();
    Ok(())
}

fn main() -> Result<(), RunError> {
    Ok(run(program(Duration::from_secs(1)))??)
}
