//! A task's coroutine: what it does, what it waits for, and how that ends.

use super::{Guard, World, millis, pick};
use crate::drops::{Role, Tracked};
use crate::program::{Kind, Op, Wrapper};
use crate::trace::{Actor, Answer, Effect, Event};
use corio_combinators::{Failure, gather, shield, timeout};
use corio_executor::{sleep, yield_now};
use corio_future::FutureError;
use corio_queue::Queue;
use corio_task::{JoinError, Panic, Task, catch_cancelled};
use corio_threadpool::{Call, CallError};
use std::future::poll_fn;
use std::panic::panic_any;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

/// What a task waits for.
enum Leaf {
    Yield,
    Gate(usize),
    Task(Task<Tracked>),
    Cell(corio_future::Future<Tracked>),
    Sleep(Duration),
    Get(Queue<Tracked>),
    Put(Queue<Tracked>, Tracked),
    Pool(Call<Tracked>),
    Gather(corio_combinators::Gather<Vec<Tracked>>),
    Shield(corio_combinators::Shield<Tracked>),
}

impl World {
    /// Makes what an operation waits for: nothing if there is none; none if it is no such operation.
    fn leaf(self: &Rc<World>, me: usize, op: Op) -> Option<Option<Leaf>> {
        let queue = || self.queues[usize::from(op.a) % 2].borrow().clone();
        Some(match op.kind {
            Kind::Turn | Kind::AwaitYield => Some(Leaf::Yield),
            Kind::AwaitGate => Some(Leaf::Gate(usize::from(op.a) % 4)),
            Kind::AwaitTask => self.take_handle(op.a, me).map(Leaf::Task),
            Kind::AwaitCell => {
                let mut cells = self.cells.borrow_mut();
                let cell = pick(op.a, cells.len(), |cell| !cells[cell].ends.is_empty());
                cell.and_then(|cell| cells[cell].ends.pop()).map(Leaf::Cell)
            }
            Kind::AwaitSleep => Some(Leaf::Sleep(millis(op.a % 6))),
            Kind::AwaitGet => Some(Leaf::Get(queue())),
            Kind::AwaitPut => Some(Leaf::Put(queue(), self.ledger.track(Role::Item))),
            Kind::AwaitPool => Some(Leaf::Pool(self.submit(op.a % 8 == 7))),
            Kind::AwaitGather => {
                let children = (0..=op.a % 3).filter_map(|n| self.take_handle(op.a / 3 + n, me));
                let children: Vec<_> = children.collect();
                (!children.is_empty()).then(|| Leaf::Gather(gather(children)))
            }
            Kind::AwaitShield => self.take_handle(op.a, me).map(|child| Leaf::Shield(shield(child))),
            _ => return None,
        })
    }

    async fn wait(&self, me: usize, leaf: Leaf, op: Op) {
        let waiting = self.answer(leaf);
        let answer = match op.wrapper() {
            Wrapper::Bare => waiting.await,
            Wrapper::Catch => catch_cancelled(waiting).await.unwrap_or(Answer::Caught),
            Wrapper::CatchAndResume => match catch_cancelled(waiting).await {
                Ok(answer) => answer,
                Err(cancelled) => {
                    self.note(Event::Got(me as u32, Answer::Caught));
                    match cancelled.resume().await {}
                }
            },
            Wrapper::Timeout(delay) => timeout(Duration::from_millis(delay), waiting).await.unwrap_or(Answer::TimedOut),
        };
        self.note(Event::Got(me as u32, answer));
    }

    async fn answer(&self, leaf: Leaf) -> Answer {
        match leaf {
            Leaf::Yield => {
                yield_now().await;
                Answer::Ready
            }
            Leaf::Gate(gate) => poll_fn(|cx| self.poll_gate(gate, cx)).await,
            Leaf::Task(task) => of_join(task.await),
            Leaf::Cell(future) => match future.await {
                Ok(value) => Answer::Value(value.number),
                Err(FutureError::Cancelled(_)) => Answer::Cancelled,
                Err(FutureError::Panicked(_)) => Answer::PanickedSomehow,
                Err(_) => Answer::Broken,
            },
            Leaf::Sleep(delay) => {
                sleep(delay).await;
                Answer::Ready
            }
            Leaf::Get(queue) => queue.get().await.map_or(Answer::ShutDown, |item| Answer::Value(item.number)),
            Leaf::Put(queue, item) => queue.put(item).await.map_or(Answer::ShutDown, |()| Answer::Ready),
            Leaf::Pool(call) => match call.await {
                Ok(value) => Answer::Value(value.number),
                Err(CallError::Panicked(panic)) => of_panic(panic),
                Err(CallError::Cancelled(_)) => Answer::Cancelled,
                Err(_) => Answer::Broken,
            },
            Leaf::Gather(gathering) => match gathering.await {
                Ok(values) => {
                    let sum = values.iter().map(|value| u64::from(value.number)).sum();
                    Answer::Values(values.len() as u32, sum)
                }
                Err(failure) => of_failure(failure),
            },
            Leaf::Shield(shielded) => match shielded.await {
                Ok(value) => Answer::Value(value.number),
                Err(failure) => of_failure(failure),
            },
        }
    }

    fn poll_gate(&self, gate: usize, cx: &Context<'_>) -> Poll<Answer> {
        let open = &self.gates[gate];
        if open.load(Ordering::Relaxed) > 0 {
            open.fetch_sub(1, Ordering::Relaxed);
            return Poll::Ready(Answer::Ready);
        }
        self.keep_waker(cx);
        Poll::Pending
    }

    fn keep_waker(&self, cx: &Context<'_>) {
        let waker = cx.waker().clone();
        self.stash.borrow_mut().push(waker);
    }
}

/// A task's coroutine: it does operations, one after the other, until one of them ends it.
pub(crate) async fn coroutine(world: Rc<World>, row: usize, guard: Guard, role: Role) -> Tracked {
    let ledger = Arc::clone(&world.ledger);
    let mut body = pin!(body(world, row, role));
    let output = poll_fn(|cx| {
        ledger.note(Event::Step(row as u32));
        body.as_mut().poll(cx)
    });
    let output = output.await;
    drop(guard);
    output
}

async fn body(world: Rc<World>, row: usize, role: Role) -> Tracked {
    let me = Actor::Task(row as u32);
    while let Some((index, op)) = world.take() {
        match op.kind {
            Kind::Complete => {
                world.did(index, me, Effect::Done);
                break;
            }
            Kind::Panic => {
                let payload = world.payload();
                world.did(index, me, Effect::Done);
                panic_any(payload);
            }
            Kind::KeepWaker => {
                poll_fn(|cx| {
                    world.keep_waker(cx);
                    Poll::Ready(())
                })
                .await;
                world.did(index, me, Effect::Done);
            }
            _ => match world.leaf(row, op) {
                Some(Some(leaf)) => {
                    world.did(index, me, Effect::Done);
                    world.wait(row, leaf, op).await;
                }
                Some(None) => world.did(index, me, Effect::Nothing),
                None => world.perform(index, op, me),
            },
        }
    }
    world.ledger.track(role)
}

/// Returns the number of a panic's payload, which is dropped.
pub(super) fn number_of(panic: Panic) -> Option<u32> {
    panic.into_payload().downcast::<Tracked>().ok().map(|payload| payload.number)
}

fn of_panic(panic: Panic) -> Answer {
    number_of(panic).map_or(Answer::PanickedSomehow, Answer::Panicked)
}

fn of_join(result: Result<Tracked, JoinError>) -> Answer {
    match result {
        Ok(value) => Answer::Value(value.number),
        Err(JoinError::Panicked(panic)) => of_panic(panic),
        Err(_) => Answer::Cancelled,
    }
}

fn of_failure(failure: Failure) -> Answer {
    match failure {
        Failure::Cancelled(_) => Answer::Cancelled,
        Failure::Panicked(panic) => of_panic(panic),
        _ => Answer::Broken,
    }
}
