//! corio with tasks that start eagerly: what an eager peer is to be compared with.

use super::{Corio, Expecting};
use crate::{Get, Put, Runtime};
use corio::{TaskOptions, create_task_with};
use std::time::Duration;

/// corio, each task making its first step inside the call that makes it.
#[derive(Debug)]
pub struct CorioEager;

impl Runtime for CorioEager {
    const NAME: &'static str = "corio eager";
    const EAGER: bool = true;

    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        Corio::block_on(main)
    }

    type Task<T: 'static> = Expecting<corio::Task<T>>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Self::Task<T> {
        Expecting(create_task_with(TaskOptions::new().eager(true), future))
    }

    fn yield_now() -> impl Future<Output = ()> {
        Corio::yield_now()
    }

    fn oneshot<T: Send + 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        Corio::oneshot()
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        Corio::queue(capacity)
    }

    fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
        Corio::timeout(limit, future)
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + 'static {
        Corio::sleep(time)
    }

    fn gather<T: 'static>(tasks: Vec<Self::Task<T>>) -> impl Future<Output = Vec<T>> {
        Corio::gather(tasks)
    }

    fn as_completed<T: 'static>(tasks: Vec<Self::Task<T>>, each: impl FnMut(T)) -> impl Future<Output = ()> {
        Corio::as_completed(tasks, each)
    }
}
