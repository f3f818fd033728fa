//! Tasks that end together: asyncio's `TaskGroup`.

use crate::member_task::MemberTask;
use crate::outcome::Outcome;
use crate::readiness::{NotStarted, Starting, TaskStatus};
use crate::signal::Signal;
use crate::turnstile::{Place, Turnstile};
use crate::{ErrorGroup, Failure};
use corio_seam::{IntMap, Waitable, Waiting, wait_on};
use corio_task::{
    Cancelled, Scope, ScopeHandle, Task, TaskOptions, TaskRef, create_task_with, current_task, defer_requests,
};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

/// Tasks that end together: a handle by which the body, and the children, add more of them. `!Send`.
///
/// [`TaskGroup::run`] runs a body, and returns when the body and all children are over. When one of them fails, the
/// others are cancelled, and their endings are waited for.
///
/// There is no group that was not entered, and none that is entered twice: both are errors of the compiler, where asyncio
/// raises `RuntimeError`.
///
/// ```compile_fail,E0599
/// let group = corio_combinators::TaskGroup::new();
/// group.create_task(async {});
/// ```
///
/// ```compile_fail,E0599
/// # async fn again(group: corio_combinators::TaskGroup) {
/// group.run(async |_| ()).await.unwrap();
/// # }
/// ```
#[derive(Clone)]
pub struct TaskGroup {
    state: Rc<State>,
}

impl TaskGroup {
    /// Runs `body`, and waits for it and for all tasks that it or they made in the group; asyncio's
    /// `async with TaskGroup() as g`.
    ///
    /// A child fails if it returns an `Err` (see [`Outcome`]) or panics. The first failure aborts the group: the children
    /// are asked to end, in the order of their making, and so is the body, in a scope of its own, so that nobody else in
    /// the caller's task is disturbed. While the group aborts it takes no new children. A child that is cancelled by
    /// itself is no failure. A body that returns an `Err` aborts as well.
    ///
    /// # Errors
    ///
    /// [`ErrorGroup`] with all failures, those of cleanup among them; cancellations never are. It is empty, and
    /// [says so](ErrorGroup::is_cancelled), if nobody failed, and the body was cut by [`cancel`](TaskGroup::cancel).
    ///
    /// # Panics
    ///
    /// If the body panics; the children are cancelled then, and not waited for.
    ///
    /// # Cancellation
    ///
    /// A request aimed at the caller cancels body and children, once; the group waits for them, and then the caller
    /// unwinds. If a child fails meanwhile, the error is returned, and the request hits the caller at its next suspension.
    /// So does one that comes while the group waits for children that were asked to end already.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it cancels its children and lets go: it cannot wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_combinators::TaskGroup;
    /// use corio_task::TaskSet;
    ///
    /// let set = TaskSet::new();
    /// pollster::block_on(set.run_until(async {
    ///     let sum = TaskGroup::run(async |group| {
    ///         let (one, two) = (group.create_task(async { 1 }), group.create_task(async { 2 }));
    ///         one.await.unwrap() + two.await.unwrap()
    ///     })
    ///     .await;
    ///     assert_eq!(sum.unwrap(), 3);
    ///
    ///     let failed = TaskGroup::run(async |group| {
    ///         group.create_task(std::future::pending::<()>());
    ///         group.create_task(async { Err::<(), _>("no") });
    ///     })
    ///     .await;
    ///     assert_eq!(failed.unwrap_err().failures()[0].to_string(), "no");
    /// })).unwrap();
    /// ```
    pub async fn run<T: Outcome>(body: impl AsyncFnOnce(TaskGroup) -> T) -> Result<T::Value, ErrorGroup> {
        let value = run(State::default(), body).await?;
        value.ok_or_else(|| ErrorGroup::new(Vec::new()))
    }

    /// As [`run`](TaskGroup::run), for a group that is ended by [`cancel`](TaskGroup::cancel): that is no error, and
    /// `None` if it cut the body.
    ///
    /// # Errors
    ///
    /// [`ErrorGroup`] with all failures: at least one.
    ///
    /// # Panics
    ///
    /// If the body panics; the children are cancelled then, and not waited for.
    ///
    /// # Cancel safety
    ///
    /// As [`run`](TaskGroup::run).
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_combinators::TaskGroup;
    /// use corio_task::TaskSet;
    ///
    /// let set = TaskSet::new();
    /// pollster::block_on(set.run_until(async {
    ///     let ended = TaskGroup::run_to_cancel(async |group| {
    ///         let found = group.clone();
    ///         group.create_task(async move { found.cancel() });
    ///         std::future::pending::<()>().await
    ///     });
    ///     assert_eq!(ended.await.unwrap(), None);
    /// })).unwrap();
    /// ```
    pub async fn run_to_cancel<T: Outcome>(
        body: impl AsyncFnOnce(TaskGroup) -> T,
    ) -> Result<Option<T::Value>, ErrorGroup> {
        run(State::default(), body).await
    }

    /// As [`run`](TaskGroup::run), with at most `limit` children running at a time.
    ///
    /// The others wait in the order of their making. One that is cancelled while it waits never starts. A child holds its
    /// place to its end, also while it waits for something: if that is a child that has no place, neither gets on.
    ///
    /// # Errors
    ///
    /// As [`run`](TaskGroup::run).
    ///
    /// # Panics
    ///
    /// If `limit` is 0, for no child would ever run; and if the body panics.
    ///
    /// # Cancel safety
    ///
    /// As [`run`](TaskGroup::run).
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_combinators::TaskGroup;
    /// use corio_task::TaskSet;
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    ///
    /// let set = TaskSet::new();
    /// let running = Rc::new(Cell::new(0));
    /// pollster::block_on(set.run_until(TaskGroup::run_limited(2, async move |group: TaskGroup| {
    ///     for _ in 0..5 {
    ///         let running = Rc::clone(&running);
    ///         group.create_task(async move {
    ///             running.set(running.get() + 1);
    ///             assert!(running.get() <= 2);
    ///             std::future::ready(()).await;
    ///             running.set(running.get() - 1);
    ///         });
    ///     }
    /// }))).unwrap().unwrap();
    /// ```
    #[track_caller]
    pub fn run_limited<T: Outcome>(
        limit: usize,
        body: impl AsyncFnOnce(TaskGroup) -> T,
    ) -> impl Future<Output = Result<T::Value, ErrorGroup>> {
        assert!(
            limit > 0,
            "a task group that may run no task at a time would never end: give it a limit of at least 1"
        );
        let state = State { turnstile: Some(Rc::new(Turnstile::new(limit))), ..State::default() };
        async move {
            let value = run(state, body).await?;
            value.ok_or_else(|| ErrorGroup::new(Vec::new()))
        }
    }

    /// Ends the group without an error: asks the children, in the order of their making, and the body to end; Python
    /// 3.15's `TaskGroup.cancel`.
    ///
    /// The group waits for them as ever, and takes no new children. Failures of their cleanup are its error. A body that
    /// was never suspended is hit where it first is. A second call does nothing, and nor does one after the end. A
    /// cancellation of the caller stays one.
    pub fn cancel(&self) {
        self.state.abort();
    }

    /// Starts a child that tells when it is ready, and waits for that; trio's `nursery.start`.
    ///
    /// `child` is given a [`TaskStatus`], and calls [`started`](TaskStatus::started) with whatever its starter needs. From
    /// then on it is a child like any other. If it ends before, that is not the group's failure, but this call's. While
    /// it is getting ready the group waits for it, and cancels it with the others.
    ///
    /// # Errors
    ///
    /// [`NotStarted`] if the child ended, or dropped its status, without calling `started`; and if the group takes no
    /// more children. A child that dropped its status is asked to end.
    ///
    /// # Panics
    ///
    /// Where no loop runs.
    ///
    /// # Cancel safety
    ///
    /// Dropped before the child was ready, it cancels the child.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_combinators::{TaskGroup, TaskStatus};
    /// use corio_task::TaskSet;
    ///
    /// async fn serve(status: TaskStatus<u16>) -> Result<(), std::io::Error> {
    ///     let port = 8080; // It binds a socket here, which may fail.
    ///     status.started(port);
    ///     std::future::pending().await
    /// }
    ///
    /// let set = TaskSet::new();
    /// pollster::block_on(set.run_until(TaskGroup::run_to_cancel(async |group| {
    ///     assert_eq!(group.start(serve).await.unwrap(), 8080);
    ///     group.cancel();
    /// }))).unwrap().unwrap();
    /// ```
    pub async fn start<V, F>(&self, child: impl FnOnce(TaskStatus<V>) -> F) -> Result<V, NotStarted>
    where
        V: 'static,
        F: Future<Output: Outcome> + 'static,
    {
        let (status, starting) = Starting::new();
        if let Some(why) = self.state.refuses() {
            return Err(NotStarted::Refused(why));
        }
        let future = child(status);
        let failures = starting.failures();
        let task = self.spawn(TaskOptions::new(), future, Some(Box::new(move |failure| failures.note(failure))));
        starting.wait(task.task_ref()).await
    }

    /// Starts a child; asyncio's `TaskGroup.create_task`.
    ///
    /// Its handle gives the value alone: an `Err` goes to the group, and the child then counts as cancelled.
    ///
    /// # Panics
    ///
    /// If the group is over, or is aborting ([`try_create_task`](TaskGroup::try_create_task) says so), or no loop runs.
    #[track_caller]
    pub fn create_task<F>(&self, future: F) -> Task<<F::Output as Outcome>::Value>
    where
        F: Future<Output: Outcome> + 'static,
    {
        self.create_task_with(TaskOptions::new(), future)
    }

    /// Starts a child as `options` say; asyncio's `TaskGroup.create_task` with keywords.
    ///
    /// # Panics
    ///
    /// As [`create_task`](TaskGroup::create_task).
    #[track_caller]
    pub fn create_task_with<F>(&self, options: TaskOptions, future: F) -> Task<<F::Output as Outcome>::Value>
    where
        F: Future<Output: Outcome> + 'static,
    {
        match self.try_create_task_with(options, future) {
            Ok(task) => task,
            Err(refused) => panic!("{refused}"),
        }
    }

    /// Starts a child, unless the group is over, or is aborting.
    ///
    /// # Errors
    ///
    /// [`Refused`], with the future.
    ///
    /// # Panics
    ///
    /// Where no loop runs.
    #[track_caller]
    pub fn try_create_task<F>(&self, future: F) -> Result<Task<<F::Output as Outcome>::Value>, Refused<F>>
    where
        F: Future<Output: Outcome> + 'static,
    {
        self.try_create_task_with(TaskOptions::new(), future)
    }

    /// Starts a child as `options` say, unless the group is over, or is aborting.
    ///
    /// # Errors
    ///
    /// [`Refused`], with the future.
    ///
    /// # Panics
    ///
    /// Where no loop runs.
    #[track_caller]
    pub fn try_create_task_with<F>(
        &self,
        options: TaskOptions,
        future: F,
    ) -> Result<Task<<F::Output as Outcome>::Value>, Refused<F>>
    where
        F: Future<Output: Outcome> + 'static,
    {
        let state = &self.state;
        if let Some(why) = state.refuses() {
            return Err(Refused { future, why });
        }
        Ok(self.spawn(options, future, None))
    }

    /// Makes the task of a child; `early` may take its failure in the group's stead.
    #[track_caller]
    fn spawn<F>(&self, options: TaskOptions, future: F, early: Option<Early>) -> Task<<F::Output as Outcome>::Value>
    where
        F: Future<Output: Outcome> + 'static,
    {
        let state = &self.state;
        let number = state.next_number();
        let failures = Rc::clone(state);
        let fail = move |failure| {
            let groups = match early {
                Some(early) => early(failure),
                None => Some(failure),
            };
            groups.into_iter().for_each(|failure| failures.note(number, failure));
        };
        let place = state.turnstile.as_ref().map(|turnstile| Place::new(turnstile, number));
        let entering = Rc::clone(state);
        let enter = move || entering.enter(number);
        state.creating.set(Some(number));
        let task = create_task_with(options, MemberTask::new(future, enter, fail, place));
        state.creating.set(None);
        state.children.borrow_mut().insert(number, task.task_ref());
        let state = Rc::clone(state);
        task.add_done_callback(move |task| state.ended(number, task));
        task
    }
}

/// Looks at a child's failure before the group does, and returns it if it is the group's.
type Early = Box<dyn FnOnce(Failure) -> Option<Failure>>;

/// Runs a group to its end: its body's value, if that was not cut.
async fn run<T: Outcome>(state: State, body: impl AsyncFnOnce(TaskGroup) -> T) -> Result<Option<T::Value>, ErrorGroup> {
    let state = Rc::new(state);
    let closing = Closing(Rc::clone(&state));
    let mut course = Course::default();
    let value = course.body(&state, body(TaskGroup { state: Rc::clone(&state) })).await;
    state.exiting.set(true);
    while state.has_children() {
        course.wait(&state).await;
    }
    drop(closing);
    course.end(&state, value).await
}

impl fmt::Debug for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("children", &self.state.children.borrow().len())
            .field("phase", &self.state.phase.get())
            .finish_non_exhaustive()
    }
}

/// The error of adding a child to a group that takes no more: it gives the future back.
pub struct Refused<F> {
    future: F,
    why: &'static str,
}

impl<F> Refused<F> {
    /// Returns the future that was refused.
    pub fn into_future(self) -> F {
        self.future
    }
}

impl<F> fmt::Debug for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("why", &self.why).finish_non_exhaustive()
    }
}

impl<F> fmt::Display for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why)
    }
}

impl<F> std::error::Error for Refused<F> {}

/// How far a group has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// Everybody in it was asked to end.
    Aborting,
    /// Its future is over, or was dropped.
    Over,
}

/// What the group's handles, its future and its children share.
#[derive(Default)]
struct State {
    phase: Cell<Phase>,
    /// The body is over.
    exiting: Cell<bool>,
    /// The unfinished children, in the order of their making.
    children: RefCell<IntMap<TaskRef>>,
    last_number: Cell<u64>,
    /// The child that is being made.
    creating: Cell<Option<u64>>,
    /// The failures of children whose callbacks have not run yet.
    noted: RefCell<IntMap<Failure>>,
    failures: RefCell<Vec<Failure>>,
    /// The body's scope, from its first suspension to its end.
    body: RefCell<Option<ScopeHandle>>,
    /// We asked the body to end.
    asked_body: Cell<bool>,
    /// Rung when the last child has ended.
    empty: Signal,
    /// Where children wait for their turn, if only so many may run.
    turnstile: Option<Rc<Turnstile>>,
}

impl State {
    fn has_children(&self) -> bool {
        !self.children.borrow().is_empty()
    }

    fn next_number(&self) -> u64 {
        self.last_number.set(self.last_number.get() + 1);
        self.last_number.get()
    }

    /// Says why no child can be added, if none can.
    fn refuses(&self) -> Option<&'static str> {
        match self.phase.get() {
            Phase::Over => Some("the task group is finished: it takes no more tasks"),
            Phase::Open if self.exiting.get() && !self.has_children() => {
                Some("the task group is finished: it takes no more tasks")
            }
            Phase::Aborting => Some("the task group is shutting down: it takes no more tasks"),
            Phase::Open => None,
        }
    }

    /// Notes that a child is polled for the first time: if that is before its making was over, it is noted here and now,
    /// so that whatever it does to its group meets it there.
    fn enter(&self, number: u64) {
        if self.creating.get() == Some(number) {
            let task = current_task().expect("a child is polled as a task");
            self.children.borrow_mut().insert(number, task);
        }
    }

    /// Takes a failure from a child that is about to end.
    fn note(&self, number: u64, failure: Failure) {
        if let (Some(turnstile), false) = (&self.turnstile, failure.is_cancelled()) {
            turnstile.close(); // The group aborts in an iteration; until then nobody else begins.
        }
        self.noted.borrow_mut().insert(number, failure);
    }

    /// Notes that a child is over: its done callback.
    fn ended(&self, number: u64, task: &TaskRef) {
        let gone = self.children.borrow_mut().remove(number);
        let mut failure = self.noted.borrow_mut().remove(number);
        if failure.is_none() && task.panicked() {
            failure = Some(Failure::of("a task panicked while its future was dropped"));
        }
        drop(gone);
        if !self.has_children() {
            self.empty.ring();
        }
        match failure {
            None | Some(Failure::Cancelled(_)) => (),
            Some(failure) if self.phase.get() == Phase::Over => {
                failure.report_as("a task failed after its task group was dropped");
            }
            Some(failure) => {
                self.failures.borrow_mut().push(failure);
                self.abort();
            }
        }
    }

    /// Asks everybody to end, once.
    fn abort(&self) {
        if self.phase.get() != Phase::Open {
            return;
        }
        self.phase.set(Phase::Aborting);
        self.cancel_children();
        self.cut_body();
    }

    /// Asks the body to end, if it was ever suspended.
    fn cut_body(&self) {
        let body = self.body.borrow().clone();
        if let Some(body) = body {
            self.asked_body.set(body.request(None));
        }
    }

    /// Notes that the body is suspended, for the first time; the group may be aborting already.
    fn suspend_body(&self, scope: ScopeHandle) {
        self.body.replace(Some(scope));
        if self.phase.get() == Phase::Aborting {
            self.cut_body();
        }
    }

    fn cancel_children(&self) {
        let mut children: Vec<_> = self.children.borrow().iter().map(|(_, child)| child.clone()).collect();
        corio_seam::permute(&mut children); // asyncio's children are a set.
        for child in children {
            child.cancel();
        }
    }
}

impl Waitable for State {
    fn cancel(&self, _: Option<Arc<str>>) -> bool {
        false // A request stops at the group, which asks its children by itself.
    }

    fn describe(&self) -> String {
        "task group".to_string()
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        let children = self.children.borrow();
        for (_, child) in children.iter().filter(|(_, child)| !child.done()) {
            visit(Rc::new(child.clone()));
        }
    }
}

/// Lets go of the children when the group's future ends, or is dropped half-way.
struct Closing(Rc<State>);

impl Drop for Closing {
    fn drop(&mut self) {
        let was = self.0.phase.replace(Phase::Over);
        drop(self.0.body.take());
        if was == Phase::Open {
            self.0.cancel_children();
        }
    }
}

/// What a group's future remembers.
#[derive(Default)]
struct Course {
    /// The cancellation that the caller is to end with, if nobody failed.
    cancelled: Option<Cancelled>,
    /// The scope that a request from outside ended last: it can be armed again.
    cut: Option<Scope>,
}

impl Course {
    /// Runs the body to its end: its value or failure, or nothing if it was cancelled.
    async fn body<T: Outcome>(
        &mut self,
        state: &Rc<State>,
        body: impl Future<Output = T>,
    ) -> Option<Result<T::Value, Failure>> {
        let before = corio_seam::cancelling();
        let (scope, mut body) = (Scope::new(), pin!(Some(body)));
        let ended = poll_fn(|cx| {
            let polled = scope.poll(body.as_mut(), cx);
            if polled.is_pending() {
                if state.body.borrow().is_none() {
                    state.suspend_body(scope.handle());
                }
                wait_on(Waiting::Listened(Rc::clone(state) as Rc<dyn Waitable>)); // It will have to wait for them.
            }
            polled
        })
        .await;
        drop(state.body.take());
        match ended.map(T::settle) {
            Ok(Ok(value)) => return Some(Ok(value)),
            Ok(Err(Failure::Cancelled(cancelled))) => self.cancelled = Some(cancelled),
            Ok(Err(failure)) => {
                state.abort();
                return Some(Err(failure));
            }
            Err(_) if state.asked_body.get() && corio_seam::cancelling() <= before => return None,
            Err(cancelled) => {
                self.cancelled = Some(cancelled);
                self.cut = Some(scope);
            }
        }
        state.abort();
        None
    }

    /// Waits until no child is left, or a request comes, which aborts; a later one has nothing to do, and waits.
    async fn wait(&mut self, state: &Rc<State>) {
        let aborting = state.phase.get() == Phase::Aborting;
        let scope = if aborting { Scope::shielding() } else { Scope::new() };
        let mut body = pin!(Some(state.empty.wait(|| Rc::clone(state) as Rc<dyn Waitable>)));
        let Err(cancelled) = poll_fn(|cx| scope.poll(body.as_mut(), cx)).await else { return };
        if state.phase.get() == Phase::Open {
            self.cancelled = Some(cancelled);
            state.abort();
        }
        self.cut = Some(scope);
    }

    /// Says how the group ended.
    async fn end<V>(self, state: &State, value: Option<Result<V, Failure>>) -> Result<Option<V>, ErrorGroup> {
        let mut failures = state.failures.take();
        if let (Some(cancelled), true) = (self.cancelled, failures.is_empty()) {
            match cancelled.resume().await {}
        }
        match value {
            Some(Ok(value)) if failures.is_empty() => return Ok(Some(value)),
            Some(Err(failure)) => failures.push(failure),
            None if failures.is_empty() => return Ok(None),
            _ => (),
        }
        defer_requests();
        if let Some(cut) = self.cut {
            cut.rearm();
        }
        Err(ErrorGroup::new(failures))
    }
}
