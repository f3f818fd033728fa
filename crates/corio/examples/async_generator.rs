//! An async generator of powers of two, which sleeps between its items, and two lists made of it.
//!
//! Python's `async def` with a `yield` in it is a function that is given something to yield with. Its body runs inside the
//! steps of whoever asks for the next item, and nowhere else; `while let Some(x) = g.next().await` is `async for x in g`.

use corio::{AsyncGenerator, RunError, async_generator, run, sleep};
use std::time::Duration;

fn powers_of_two(n: u32) -> AsyncGenerator<u64> {
    async_generator(async move |y| {
        for i in 0..n {
            y.yield_(1 << i).await;
            sleep(Duration::from_millis(100)).await;
        }
    })
}

/// Makes both lists.
pub async fn program() {
    // [x async for x in powers_of_two(10)]
    let mut all = Vec::new();
    let mut powers = powers_of_two(10);
    while let Some(x) = powers.next().await {
        all.push(x);
    }
    println!("{all:?}");

    // [x async for x in powers_of_two(20) if x / 3 % 5 == 0]. A generator is a `Stream`, too: with `futures-lite`'s
    // `StreamExt` this is `powers_of_two(20).filter(|x| x / 3 % 5 == 0).collect().await`.
    let mut some = Vec::new();
    let mut powers = powers_of_two(20);
    while let Some(x) = powers.next().await {
        if x / 3 % 5 == 0 {
            some.push(x);
        }
    }
    println!("{some:?}");
}

fn main() -> Result<(), RunError> {
    run(program())
}
