//! Generators without a loop: one that yields letters, one that is sent numbers, one that counts down in a `for`.
//!
//! A generator is left in the middle with a value, and entered there again with another: `y.yield_(value).await` hands one
//! out, and gives what the next `send` brings in. One that is sent nothing is an `Iterator`.

use corio::{Generator, generator};

fn letters() -> Generator<'static, char> {
    generator(async |y| {
        y.yield_('a').await;
        y.yield_('b').await;
        y.yield_('c').await;
    })
}

/// Adds up what is sent in, and yields each sum.
fn sums(start: u32) -> Generator<'static, u32, u32> {
    generator(async move |y| {
        let mut sum = start;
        loop {
            sum += y.yield_(sum).await;
        }
    })
}

fn countdown(from: u32) -> Generator<'static, u32> {
    generator(async move |y| {
        for n in (1..=from).rev() {
            y.yield_(n).await;
        }
    })
}

/// Runs the three.
pub fn main() {
    for letter in letters() {
        println!("{letter}");
    }

    let mut sums = sums(5);
    let first = sums.start().expect("it goes on for ever"); // Python's first `next(sums)`: up to the first `yield`.
    println!("next: {first}");
    for n in [3, 7] {
        println!("send({n}): {}", sums.send(n).expect("it goes on for ever"));
    }
    sums.close(); // It is dropped at its `yield`.
    println!("closed: {:?}", sums.send(1)); // Python raises StopIteration.

    for n in countdown(5) {
        println!("{n}");
    }
}
