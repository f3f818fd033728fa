//! A loop with a clock and a selector of one's own: what asyncio's subclasses of its loop do.
//!
//! The clock jumps from timer to timer instead of letting anybody wait, and says so (`executor::VirtualClock` is one such,
//! for tests). The selector is the system's, with somebody who looks over its shoulder. Tasks notice nothing of either.

use corio::executor::{Clock, Interest, Mode, PollingSelector, Ready, Selector, Wait, io::Source};
use corio::task::Bell;
use corio::{EventLoop, LoopTime, create_task, sleep};
use std::os::fd::BorrowedFd;
use std::time::Duration;
use std::{cell::Cell, error::Error, io, net::UdpSocket, sync::Arc};

#[derive(Default)]
struct JumpingClock(Cell<LoopTime>);

impl Clock for JumpingClock {
    fn now(&self) -> LoopTime {
        self.0.get()
    }

    /// The loop has nothing to do until then: how shall it wait?
    fn wait(&self, _until: LoopTime) -> Wait {
        Wait::Jump
    }

    fn advance_to(&self, when: LoopTime) {
        println!("clock: on to second {}", when.since_start().as_secs());
        self.0.set(when.max(self.0.get()));
    }
}

struct Onlooker(PollingSelector);

impl Selector for Onlooker {
    fn register(&self, fd: BorrowedFd<'_>, key: usize, interest: Interest, mode: Mode) -> io::Result<()> {
        println!("selector: watches a socket");
        self.0.register(fd, key, interest, mode)
    }

    fn modify(&self, fd: BorrowedFd<'_>, key: usize, interest: Interest, mode: Mode) -> io::Result<()> {
        self.0.modify(fd, key, interest, mode)
    }

    fn deregister(&self, fd: BorrowedFd<'_>, key: usize) -> io::Result<()> {
        self.0.deregister(fd, key)
    }

    fn wait(&self, ready: &mut Vec<Ready>, timeout: Option<Duration>) -> io::Result<()> {
        self.0.wait(ready, timeout)?;
        ready.iter().filter(|it| it.readable).for_each(|_| println!("selector: a socket can be read"));
        Ok(())
    }

    fn notifier(&self) -> Arc<dyn Bell> {
        self.0.notifier()
    }
}

async fn main_task() -> io::Result<String> {
    let (ours, theirs) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    let address = ours.local_addr()?;
    drop(create_task(async move {
        sleep(Duration::from_secs(3600)).await;
        println!("an hour is over");
        theirs.send_to(b"hello", address)
    }));
    ours.set_nonblocking(true)?;
    let ours = Source::new(ours)?;
    let mut buffer = [0; 16];
    let length = ours.read_with(|socket| socket.recv(&mut buffer)).await?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

/// Runs tasks on a loop of one's own.
pub fn main() -> Result<(), Box<dyn Error>> {
    let clock = JumpingClock::default();
    let event_loop = EventLoop::builder().clock(clock).selector(Onlooker(PollingSelector::new()?)).build()?;
    println!("main: {}", event_loop.run_until_complete(main_task())??);
    Ok(())
}
