//! The workloads: what each row of the table does, with each runtime.
//!
//! A workload is an `async fn` that makes `n` operations, generic over the runtime; it is written once, and every row stands
//! in the table twice: inside a task, and from the runtime's main future. Those of one family stand in one file. [`all`] is the
//! table of contents.

mod cells;
mod crawl;
mod floors;
mod in_place;
mod memory;
mod network;
mod queues;
mod tasks;
mod threads;
mod timers;

use crate::runtimes::{
    Compio, Corio, CorioEager, Epoll, Futures, Glommio, Kimojio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring,
};
use crate::{Runtime, calm};
use std::pin::Pin;
use std::time::{Duration, Instant};

/// Starts a runtime, makes so many operations so many times in it, and returns what they took each time.
pub type Work = fn(u64, u32) -> Vec<Slice>;

/// Makes so many operations without a runtime, and returns what they took.
pub type Bare = fn(u64) -> Sample;

/// What a run of a workload measured.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Sample {
    /// The time that all operations took together, of the clock or of the processor.
    Time(Duration),
    /// A figure of its own, in the row's unit: bytes, microseconds.
    Value(f64),
}

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slice {
    /// What it measured.
    pub sample: Sample,
    /// Whether it began and ended in a [calm](crate::calm) moment, if that was looked for.
    pub calm: bool,
}

impl Slice {
    /// Makes a slice of what is measured after a calm moment, if one comes.
    pub(crate) fn of(work: impl FnOnce() -> Sample) -> Slice {
        let began = calm::wait();
        let sample = work();
        Slice { sample, calm: began && calm::is_here() }
    }
}

/// How a row's runs become one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Work of one thread: what it costs when nobody disturbs it.
    Minimum,
    /// Work of several threads, or of the system.
    Median,
}

impl Figure {
    /// Makes one figure of several runs.
    #[must_use]
    pub fn of(self, mut runs: Vec<f64>) -> Option<f64> {
        runs.sort_by(f64::total_cmp);
        match self {
            Figure::Minimum => runs.first().copied(),
            Figure::Median => runs.get(runs.len() / 2).copied(),
        }
    }
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

/// What the same work costs without a runtime, as far as it can be done without one: measured in the same run.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// What it is.
    pub what: &'static str,
    /// The bare work.
    pub work: Bare,
    /// The ratio of corio to it that must not be passed; none where none was set.
    pub bar: Option<f64>,
}

/// A workload with all runtimes that can do it; corio first.
#[derive(Clone, Debug)]
pub struct Row {
    /// What the row's head says.
    pub name: String,
    /// The workload's name, without the position.
    pub workload: &'static str,
    /// Whether it is done in the runtime's main future, and not in a task.
    pub from_main: bool,
    /// The unit of its figures: "ns", if they are times of an operation.
    pub unit: &'static str,
    /// How many operations one run makes.
    pub operations: u64,
    /// How many operations belong together: a run makes a multiple.
    pub batch: u64,
    /// Whether a quick comparison has it.
    pub quick: bool,
    /// How runs become a figure.
    pub figure: Figure,
    /// Whether all threads are to share one processor.
    pub pinned: bool,
    /// The ratio to the best peer that must not be passed; none where none was set.
    pub bar: Option<f64>,
    /// The figure that must not be passed, in the row's unit; none where none was set.
    pub limit: Option<f64>,
    /// What the work costs without a runtime, where that is known.
    pub floor: Option<Floor>,
    /// The runtimes.
    pub columns: Vec<Column>,
}

impl Row {
    /// Makes a row of work of one thread, on one processor.
    fn new(workload: &'static str, operations: u64, columns: Vec<Column>) -> Row {
        Row {
            name: workload.to_owned(),
            workload,
            from_main: false,
            unit: "ns",
            operations,
            batch: 1,
            quick: true,
            figure: Figure::Minimum,
            pinned: true,
            bar: None,
            limit: None,
            floor: None,
            columns,
        }
    }

    /// Says how many operations belong together.
    fn batch(mut self, batch: u64) -> Row {
        self.batch = batch;
        self
    }

    /// Says which ratio to the best peer must not be passed.
    fn bar(mut self, bar: f64) -> Row {
        self.bar = Some(bar);
        self
    }

    /// Says which figure must not be passed.
    fn limit(mut self, limit: f64) -> Row {
        self.limit = Some(limit);
        self
    }

    /// Says what the work costs without a runtime.
    fn floor(mut self, what: &'static str, work: Bare) -> Row {
        self.floor = Some(Floor { what, work, bar: None });
        self
    }

    /// Says which ratio to the floor must not be passed.
    fn floor_bar(mut self, bar: f64) -> Row {
        self.floor = self.floor.map(|floor| Floor { bar: Some(bar), ..floor });
        self
    }

    /// Says that several threads have a part in it.
    fn threads(mut self) -> Row {
        self.figure = Figure::Median;
        self
    }

    /// Says that its threads are to have all processors.
    fn unpinned(mut self) -> Row {
        self.pinned = false;
        self
    }

    /// Says that its figures are no times of an operation.
    fn unit(mut self, unit: &'static str) -> Row {
        self.unit = unit;
        self
    }

    /// Says that it takes too long for a quick comparison.
    fn slow(mut self) -> Row {
        self.quick = false;
        self
    }

    /// Makes a row of the main future out of a task's. The bars are a task's.
    fn of_main(self) -> Row {
        let floor = self.floor.map(|floor| Floor { bar: None, ..floor });
        Row { name: format!("{}, from main", self.workload), from_main: true, bar: None, limit: None, floor, ..self }
    }

    /// Tells whether its runs are to be made in calm moments: short work on one processor.
    #[must_use]
    pub fn wants_calm(&self) -> bool {
        self.pinned && self.unit == "ns" && self.operations <= 100_000 && self.quick
    }

    /// Returns the number of operations next to `operations` that a run can make.
    #[must_use]
    pub fn whole(&self, operations: u64) -> u64 {
        (operations / self.batch).max(1) * self.batch
    }
}

/// Returns all rows: those of a task, those of whole programs, then those of the main future.
#[must_use]
pub fn all() -> Vec<Row> {
    let mut rows = families::<InTask>();
    rows.extend(crawl::rows());
    rows.extend(families::<InMain>().into_iter().map(Row::of_main));
    rows
}

fn families<P: Position>() -> Vec<Row> {
    let families = [
        tasks::rows::<P>(),
        cells::rows::<P>(),
        in_place::rows::<P>(),
        queues::rows::<P>(),
        timers::rows::<P>(),
        threads::rows::<P>(),
        network::rows::<P>(),
        memory::rows::<P>(),
    ];
    families.into_iter().flatten().collect()
}

/// Where a runtime does a workload.
trait Position: 'static {
    /// Does it there, so many times, and times each.
    fn run<R: Runtime, F: Future<Output: Outcome> + 'static>(times: u32, work: impl Fn() -> F + 'static) -> Vec<Slice>;
}

/// Inside a task.
struct InTask;

impl Position for InTask {
    fn run<R: Runtime, F: Future<Output: Outcome> + 'static>(times: u32, work: impl Fn() -> F + 'static) -> Vec<Slice> {
        R::block_on(async move { R::spawn(timed(times, work)).await })
    }
}

/// In the main future.
struct InMain;

impl Position for InMain {
    fn run<R: Runtime, F: Future<Output: Outcome> + 'static>(times: u32, work: impl Fn() -> F + 'static) -> Vec<Slice> {
        // Boxed, so that a runtime's `block_on` is compiled once and not for each workload.
        let work: Pin<Box<dyn Future<Output = Vec<Slice>>>> = Box::pin(timed(times, work));
        R::block_on(work)
    }
}

/// What a workload ends with: nothing, and its time on the clock counts; or what it measured by itself.
trait Outcome: 'static {
    fn sample(self, elapsed: Duration) -> Sample;
}

impl Outcome for () {
    fn sample(self, elapsed: Duration) -> Sample {
        Sample::Time(elapsed)
    }
}

impl Outcome for Sample {
    fn sample(self, _: Duration) -> Sample {
        self
    }
}

async fn timed<F: Future<Output: Outcome>>(times: u32, work: impl Fn() -> F) -> Vec<Slice> {
    let mut slices = Vec::with_capacity(times as usize);
    for _ in 0..times {
        let began = calm::wait();
        let start = Instant::now();
        let outcome = work().await;
        let sample = outcome.sample(start.elapsed());
        slices.push(Slice { sample, calm: began && calm::is_here() });
    }
    slices
}

/// Makes the columns of a workload, in the position `P` of the function around: `columns!(work)` with every runtime,
/// `columns!(work: A, B)` with those; `columns!(starts work)` with every runtime, and with corio's eager tasks beside the
/// ordinary ones. What is in parentheses behind `work` is given to it behind the number of operations.
macro_rules! columns {
    (starts $work:ident $(($argument:expr))?) => {
        columns!($work $(($argument))?: Corio, CorioEager, Tokio, TokioLocal, Smol, Futures, Monoio<Epoll>, Monoio<Uring>, Compio, Glommio, Kimojio, Runite)
    };
    ($work:ident $(($argument:expr))?) => {
        columns!($work $(($argument))?: Corio, Tokio, TokioLocal, Smol, Futures, Monoio<Epoll>, Monoio<Uring>, Compio, Glommio, Kimojio, Runite)
    };
    ($work:ident $(($argument:expr))?: $($Runtime:ty),+) => {
        columns!(@each $work [$(, $argument)?] $($Runtime),+)
    };
    (@each $work:ident $argument:tt $($Runtime:ty),+) => {
        vec![$($crate::workloads::column::<$Runtime>(|n, times| {
            P::run::<$Runtime, _>(times, move || columns!(@one $work $argument $Runtime, n))
        })),+]
    };
    (@one $work:ident [$(, $argument:expr)?] $Runtime:ty, $n:ident) => { $work::<$Runtime>($n $(, $argument)?) };
}
use columns;

/// Makes a column.
fn column<R: Runtime>(work: Work) -> Column {
    Column { runtime: R::NAME, counts: R::COUNTS, eager: R::EAGER, work }
}
