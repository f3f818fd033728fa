//! The workloads: what each row of the table does, with each runtime.
//!
//! A workload is a function that makes `n` operations on a runtime, and returns what they took. Those of one family stand in
//! one file. [`all`] is the table of contents.

mod cells;
mod in_place;
mod memory;
mod network;
mod queues;
mod tasks;
mod threads;
mod timers;

use crate::Runtime;
use crate::runtimes::{
    Compio, Corio, CorioEager, Epoll, Futures, Glommio, Kimojio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring,
};
use std::time::{Duration, Instant};

/// Makes so many operations, and returns what they took, in the row's unit a thousandth of which is one operation's.
pub type Work = fn(u64) -> Sample;

/// What a run of a workload measured.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Sample {
    /// The time that all operations took together, of the clock or of the processor.
    Time(Duration),
    /// A figure of its own, in the row's unit: bytes, microseconds.
    Value(f64),
}

/// How a row's runs become one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Work of one thread: what it costs when nobody disturbs it.
    Minimum,
    /// Work of several threads, or of the system.
    Median,
}

/// One column of a row.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The runtime's name.
    pub runtime: &'static str,
    /// Whether it counts in the ratio.
    pub counts: bool,
    /// Whether its tasks start at once.
    pub eager: bool,
    /// The workload on it.
    pub work: Work,
}

/// A workload with all runtimes that can do it; corio first.
#[derive(Clone, Debug)]
pub struct Row {
    /// What the row's head says.
    pub name: String,
    /// The unit of its figures: "ns", if they are times of an operation.
    pub unit: &'static str,
    /// How many operations one run makes.
    pub operations: u64,
    /// How runs become a figure.
    pub figure: Figure,
    /// Whether all threads are to share one processor.
    pub pinned: bool,
    /// The ratio to the best peer that must not be passed; none where none was set.
    pub bar: Option<f64>,
    /// The runtimes.
    pub columns: Vec<Column>,
}

impl Row {
    /// Makes a row of work of one thread.
    fn new(name: impl Into<String>, operations: u64, columns: Vec<Column>) -> Row {
        let (name, unit, figure) = (name.into(), "ns", Figure::Minimum);
        Row { name, unit, operations, figure, pinned: true, bar: None, columns }
    }

    /// Says which ratio to the best peer must not be passed.
    fn bar(mut self, bar: f64) -> Row {
        self.bar = Some(bar);
        self
    }

    /// Says that several threads have a part in it.
    fn threads(mut self) -> Row {
        self.figure = Figure::Median;
        self
    }

    /// Says that its figures are no times.
    fn unit(mut self, unit: &'static str) -> Row {
        self.unit = unit;
        self
    }
}

/// Returns all rows.
#[must_use]
pub fn all() -> Vec<Row> {
    let families = [
        tasks::rows(),
        cells::rows(),
        in_place::rows(),
        queues::rows(),
        timers::rows(),
        threads::rows(),
        network::rows(),
        memory::rows(),
    ];
    families.into_iter().flatten().collect()
}

/// Makes the columns of a workload: `columns!(work)` with every runtime, `columns!(work: A, B)` with those; `columns!(starts work)`
/// with every runtime, and with corio's eager tasks beside the ordinary ones.
macro_rules! columns {
    (starts $work:ident $(<$parameter:tt>)?) => {
        columns!($work $(<$parameter>)?: Corio, CorioEager, Tokio, TokioLocal, Smol, Futures, Monoio<Epoll>, Monoio<Uring>, Compio, Glommio, Kimojio, Runite)
    };
    ($work:ident $(<$parameter:tt>)?) => {
        columns!($work $(<$parameter>)?: Corio, Tokio, TokioLocal, Smol, Futures, Monoio<Epoll>, Monoio<Uring>, Compio, Glommio, Kimojio, Runite)
    };
    ($work:ident $(<$parameter:tt>)?: $($Runtime:ty),+) => {
        columns!(@each $work [$($parameter)?] $($Runtime),+)
    };
    (@each $work:ident $parameters:tt $($Runtime:ty),+) => {
        vec![$($crate::workloads::column::<$Runtime>(columns!(@one $work $parameters $Runtime))),+]
    };
    (@one $work:ident [] $Runtime:ty) => { $work::<$Runtime> };
    (@one $work:ident [$parameter:tt] $Runtime:ty) => { $work::<$Runtime, $parameter> };
}
use columns;

/// Makes a column.
fn column<R: Runtime>(work: Work) -> Column {
    Column { runtime: R::NAME, counts: R::COUNTS, eager: R::EAGER, work }
}

/// Times `work` in a task of the runtime.
fn in_task<R: Runtime, F: Future<Output = ()> + 'static>(work: impl FnOnce() -> F + 'static) -> Sample {
    R::block_on(async move { R::spawn(timed(work)).await })
}

/// Times `work` in the runtime's main future.
fn in_main<R: Runtime, F: Future<Output = ()> + 'static>(work: impl FnOnce() -> F + 'static) -> Sample {
    R::block_on(timed(work))
}

/// Times `work` on the clock.
async fn timed<F: Future<Output = ()>>(work: impl FnOnce() -> F) -> Sample {
    let start = Instant::now();
    work().await;
    Sample::Time(start.elapsed())
}
