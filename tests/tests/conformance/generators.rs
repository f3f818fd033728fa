//! Generators, and async ones.

use crate::harness::{conforms, ms, script, until_done};
use crate::python::{ValueError, none_or};
use corio::generator::{AsyncYielder, Yielder};
use corio::{
    AsyncGenerator, Generator, async_generator, catch_cancelled, create_task, executor, generator, sleep, yield_now,
};
use std::cell::{Cell, RefCell};

#[test]
fn c55_asyncgen() {
    fn produce(tag: &'static str, n: u32, block_at: Option<u32>) -> AsyncGenerator<u32> {
        async_generator(async move |y: AsyncYielder<u32>| {
            let body = async {
                for i in 0..n {
                    if block_at == Some(i) {
                        say!("{tag} blocks");
                        sleep(ms(1000)).await;
                    }
                    say!("{tag} produce {i}");
                    y.yield_(i).await;
                    yield_now().await;
                }
            };
            let ended = catch_cancelled(y.catch_closed(body)).await;
            if ended.is_err() {
                say!("{tag} cancelled");
            }
            yield_now().await;
            say!("{tag} closed");
            match ended {
                Ok(Ok(())) => (),
                Ok(Err(closed)) => match closed.resume().await {},
                Err(cancelled) => match cancelled.resume().await {},
            }
        })
    }
    script("55_asyncgen", || {
        let keep = RefCell::new(Vec::new());
        executor::test::run(async {
            let mut full = produce("full", 2, None);
            while let Some(x) = full.next().await {
                say!("  consume {x}");
            }
            let mut early = produce("early", 3, None);
            if let Some(x) = early.next().await {
                say!("  consume {x}");
            }
            early.close().await;
            say!("explicitly closed");
            let consumer = create_task(async {
                let mut cancelled = produce("cancel", 3, Some(1));
                while let Some(x) = cancelled.next().await {
                    say!("  consume {x}");
                }
            });
            sleep(ms(20)).await;
            consumer.cancel();
            say!("consumer cancelled {}", until_done(consumer).await.cancelled());
            let mut left = produce("left", 3, None);
            say!("anext {}", left.next().await.unwrap());
            keep.borrow_mut().push(left);
            say!("main ends");
        });
        say!("run returned");
    });
}

/// Says that it was dropped: a `finally` without awaits.
struct CleansUp(&'static str);

impl Drop for CleansUp {
    fn drop(&mut self) {
        say!("{} cleans up", self.0);
    }
}

#[test]
fn x36_asyncgen_steps() {
    type Items = AsyncGenerator<Result<u32, ValueError>>;
    fn two(tag: &'static str, fail: bool) -> Items {
        async_generator(async move |y: AsyncYielder<_>| {
            say!("{tag} begins");
            let cleanup = CleansUp(tag);
            y.yield_(Ok(1)).await;
            if fail {
                drop(cleanup);
                y.yield_(Err(ValueError(tag))).await; // An error is the last item.
                return;
            }
            y.yield_(Ok(2)).await;
        })
    }
    async fn next_or_over(items: &mut Items) -> String {
        items.next().await.map_or("over".to_owned(), |item| item.unwrap().to_string())
    }
    async fn rest<T: 'static>(mut items: AsyncGenerator<T>) -> (Vec<T>, AsyncGenerator<T>) {
        let mut rest = Vec::new();
        while let Some(item) = items.next().await {
            rest.push(item);
        }
        (rest, items)
    }
    conforms("x36_asyncgen_steps", async {
        let mut items = two("lazy", false);
        yield_now().await;
        say!("not begun");
        say!("next {}", next_or_over(&mut items).await);
        yield_now().await;
        let (left, mut items) = rest(items).await;
        say!("rest {:?}", Vec::from_iter(left.into_iter().map(Result::unwrap)));
        say!("after the end {}", next_or_over(&mut items).await);
        let mut items = two("never asked", false);
        items.close().await;
        say!("closed {}", next_or_over(&mut items).await);
        let mut items = two("failing", true);
        say!("next {}", next_or_over(&mut items).await);
        if let Some(Err(error)) = items.next().await {
            say!("ValueError {error}");
        }
        say!("after the error {}", next_or_over(&mut items).await);
        let mut items = two("closed twice", false);
        next_or_over(&mut items).await;
        items.close().await;
        items.close().await;
        let squares = async_generator(async |y: AsyncYielder<u32>| {
            for i in 0..4 {
                yield_now().await;
                y.yield_(i * i).await;
            }
        });
        say!("{:?}", rest(squares).await.0);
    });
}

#[test]
fn x37_generator_send() {
    /// Says what it holds when it is dropped.
    struct ClosedAt<'a>(&'a Cell<Option<i64>>);
    impl Drop for ClosedAt<'_> {
        fn drop(&mut self) {
            say!("closed at {}", none_or(self.0.get()));
        }
    }
    fn averager() -> Generator<'static, Option<i64>, i64> {
        generator(async |y| {
            let average = Cell::new(None);
            let _closed_at = ClosedAt(&average);
            let (mut total, mut count) = (0, 0);
            loop {
                total += y.yield_(average.get()).await;
                count += 1;
                average.set(Some(total / count));
            }
        })
    }
    fn countdown(mut n: u32) -> Generator<'static, u32, Option<u32>> {
        generator(async move |y: Yielder<u32, Option<u32>>| {
            while n > 0 {
                n -= y.yield_(n).await.unwrap_or(1);
            }
        })
    }
    script("x37_generator_send", || {
        let mut average = averager();
        say!("begun {}", none_or(average.start().unwrap()));
        for n in [10, 20, 60] {
            say!("sent {n} -> {}", none_or(average.send(n).unwrap()));
        }
        average.close();
        average.close();
        let mut numbers = countdown(3);
        let mut list = Vec::from_iter(numbers.start());
        while let Some(n) = numbers.send(None) {
            list.push(n);
        }
        say!("{list:?}");
        let mut numbers = countdown(5);
        let mut steps = vec![numbers.start(), numbers.send(Some(2)), numbers.send(Some(2))];
        steps.extend([numbers.send(None), numbers.send(None)]);
        let spelled = steps.into_iter().map(|step| step.map_or("over".to_owned(), |n| n.to_string()));
        say!("{}", Vec::from_iter(spelled).join(" "));
    });
}
