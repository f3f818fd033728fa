//! What a child may return: a result, whose `Err` counts as its exception, or a plain value.

use crate::Failure;
use crate::child::Child;
use crate::fallible::Fallible;
use crate::gather::Gather;
use crate::standing::Standing;
use corio_task::{JoinError, Task, TaskRef};
use std::any::Any;
use std::error::Error;

/// The output of a future that a combinator over tasks takes.
///
/// asyncio's children return a value or raise. Here an `Err` is what they raise, and so a combinator must see it: it is
/// implemented for every `Result<T, E>` with `E: Into<Box<dyn Error>>`, and for what is [`Plain`]. The handles of tasks,
/// cells and gathers are futures of results, and covered: their `Ok` is the value, their errors become
/// [`Failure::Cancelled`] and [`Failure::Panicked`]; and they are listened to as they are, without another task.
///
/// # Examples
///
/// A type of your own is a plain value if you say so, in one line:
///
/// ```
/// use corio_combinators::{Plain, gather};
/// use corio_task::TaskSet;
///
/// struct Page(usize);
/// impl Plain for Page {}
///
/// let set = TaskSet::new();
/// let pages = set.run_until(async { gather((1..=3).map(|n| async move { Page(n) })).await });
/// let pages = pollster::block_on(pages).unwrap().unwrap();
/// assert_eq!(pages.iter().map(|page| page.0).sum::<usize>(), 6);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known to be a result or a plain value",
    label = "a child returns this",
    note = "a combinator over tasks must know whether an output can be an error: return `Result<{Self}, E>`, \
            or `impl corio_combinators::Plain for {Self} {{}}`, or return `Some(value)` or `(value,)`",
    note = "a child that never returns is written as an `async fn`, for the `!` of a block cannot be named yet"
)]
pub trait Outcome: Sized + 'static {
    /// What a child that did not fail gives.
    type Value: 'static;

    /// Tells value from failure.
    #[doc(hidden)]
    fn settle(self) -> Result<Self::Value, Failure>;

    /// Tells whether it is a failure.
    #[doc(hidden)]
    fn is_failure(&self) -> bool {
        false
    }

    /// Takes a future that is the handle of something that goes on by itself.
    #[doc(hidden)]
    fn existing<F: Future<Output = Self> + 'static>(future: F) -> Result<Child<Self>, F> {
        Err(future)
    }

    /// Looks at a future that is the handle of something that goes on by itself.
    #[doc(hidden)]
    fn standing<F: Future<Output = Self> + 'static>(_: &F) -> Option<&dyn Standing> {
        None
    }
}

/// A type whose values are never errors: what a child may return that returns no `Result`.
///
/// See [`Outcome`]. `Option<T>`, `Vec<T>`, boxes and tuples are plain whatever is in them.
///
/// The `!` of a block that never returns is not, for that type cannot be named yet: write such a child as an `async fn`,
/// which returns `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known to be a result or a plain value",
    label = "a child returns this",
    note = "a combinator over tasks must know whether an output can be an error: return `Result<{Self}, E>`, \
            or `impl corio_combinators::Plain for {Self} {{}}`, or return `Some(value)` or `(value,)`",
    note = "a child that never returns is written as an `async fn`, for the `!` of a block cannot be named yet"
)]
pub trait Plain: 'static {}

impl<T: Plain> Outcome for T {
    type Value = T;

    fn settle(self) -> Result<T, Failure> {
        Ok(self)
    }
}

impl<T: 'static, E: Into<Box<dyn Error>> + 'static> Outcome for Result<T, E> {
    type Value = T;

    fn settle(self) -> Result<T, Failure> {
        self.map_err(Failure::of)
    }

    fn is_failure(&self) -> bool {
        self.is_err()
    }

    fn existing<F: Future<Output = Self> + 'static>(future: F) -> Result<Child<Self>, F> {
        let mut future = Some(future);
        let any: &mut dyn Any = &mut future;
        if let Some(task) = any.downcast_mut::<Option<Task<T>>>().and_then(Option::take) {
            return Ok(Child::Task(task));
        }
        if let Some(cell) = any.downcast_mut::<Option<corio_future::Future<T>>>().and_then(Option::take) {
            return Ok(Child::Cell(Box::new(cell)));
        }
        if let Some(gather) = any.downcast_mut::<Option<Gather<T>>>().and_then(Option::take) {
            return Ok(Child::Gather(Box::new(gather.into_cell())));
        }
        if let Some(fallible) = any.downcast_mut::<Option<Fallible<T>>>().and_then(Option::take) {
            return Ok(Child::Fallible(Box::new(fallible.into_handle())));
        }
        Err(future.expect("it was taken only to be returned"))
    }

    fn standing<F: Future<Output = Self> + 'static>(future: &F) -> Option<&dyn Standing> {
        let any: &dyn Any = future;
        let task = any.downcast_ref::<Task<T>>().map(|task| task as &dyn Standing);
        let cell = || any.downcast_ref::<corio_future::Future<T>>().map(|cell| cell as &dyn Standing);
        let gather = || any.downcast_ref::<Gather<T>>().map(|gather| gather as &dyn Standing);
        let fallible = || any.downcast_ref::<Fallible<T>>().map(|fallible| fallible.handle().as_standing());
        task.or_else(cell).or_else(gather).or_else(fallible)
    }
}

/// Makes types plain.
macro_rules! plain {
    ($($Type:ty),* $(,)?) => { $(impl Plain for $Type {})* };
}

plain!(
    (),
    bool,
    char,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64,
    &'static str,
    String,
    std::convert::Infallible,
    std::cmp::Ordering,
    std::time::Duration,
    std::time::Instant,
    std::time::SystemTime,
    std::net::IpAddr,
    std::net::SocketAddr,
    std::path::PathBuf,
    std::ffi::OsString,
    std::process::ExitCode,
    corio_seam::LoopTime,
    TaskRef,
    Failure,
    JoinError,
    crate::ErrorGroup,
    crate::TimedOut,
);

/// Makes generic types plain, whatever is in them.
macro_rules! plain_whatever {
    ($(|$($Param:ident),+| $Type:ty;)*) => {
        $(impl<$($Param: 'static),+> Plain for $Type {})*
    };
}

plain_whatever!(
    |T| Option<T>; |T| Vec<T>; |T| std::pin::Pin<T>; |T| std::cell::Cell<T>; |T| std::cell::RefCell<T>;
    |T| std::collections::VecDeque<T>; |T| std::collections::BTreeSet<T>; |T, U| std::collections::BTreeMap<T, U>;
    |T, S| std::collections::HashSet<T, S>; |T, U, S| std::collections::HashMap<T, U, S>;
    |T| Task<T>; |T| corio_future::Future<T>;
    |A| (A,); |A, B| (A, B); |A, B, C| (A, B, C); |A, B, C, D| (A, B, C, D); |A, B, C, D, E| (A, B, C, D, E);
    |A, B, C, D, E, F| (A, B, C, D, E, F); |A, B, C, D, E, F, G| (A, B, C, D, E, F, G);
    |A, B, C, D, E, F, G, H| (A, B, C, D, E, F, G, H);
);

impl<T: ?Sized + 'static> Plain for Box<T> {}
impl<T: ?Sized + 'static> Plain for std::rc::Rc<T> {}
impl<T: ?Sized + 'static> Plain for std::sync::Arc<T> {}
impl<T: 'static, const N: usize> Plain for [T; N] {}
