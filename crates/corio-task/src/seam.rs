//! The seam, as a task set answers for it.

use crate::node::{Node, Slot};
use crate::raw::{self, TaskRef, current};
use crate::scope;
use crate::set::RemoteSet;
use crate::task::spawn_here;
use corio_seam::{Cancelled, Context, Installed, LoopId, Remote, Report, Seam, TargetId, ThinTarget, Timer, Waiting};
use std::any::{Any, TypeId};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

/// Answers for whichever set runs on the thread that asks.
pub(crate) struct Tasks;

/// The one value of it: its state is thread-local.
pub(crate) static TASKS: Tasks = Tasks;

/// Installs the seam where a scope is polled and no set of ours runs, so that what is inside finds the scope.
#[inline]
pub(crate) fn cover() -> Option<Installed> {
    current::core_address().is_null().then(|| corio_seam::install(&TASKS))
}

impl Seam for Tasks {
    fn loop_id(&self) -> Option<LoopId> {
        current::with_core(|core| core.inbox.id)
    }

    #[inline]
    fn push(&self, node: corio_seam::Node) -> Result<(), corio_seam::Node> {
        let mut node = Some(node);
        let pushed = current::with_core(|core| node.take().map_or(Ok(()), |node| core.push(node)));
        pushed.unwrap_or(Ok(()))?;
        node.map_or(Ok(()), Err)
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()>>>) -> Result<(), Pin<Box<dyn Future<Output = ()>>>> {
        spawn_here(future).map(drop)
    }

    fn remote(&self) -> Option<Arc<dyn Remote>> {
        current::with_core(|core| -> Arc<dyn Remote> { Arc::new(RemoteSet::of(&core.inbox)) })
    }

    fn timer(&self) -> Option<Rc<dyn Timer>> {
        current::with_core(|core| core.timer())?
    }

    fn local(&self, key: TypeId, init: &mut dyn FnMut() -> Rc<dyn Any>) -> Option<Rc<dyn Any>> {
        current::with_core(|core| core.local(key, init))?
    }

    fn report(&self, report: Report) -> Result<(), Report> {
        let mut report = Some(report);
        let reported = current::with_core(|core| report.take().map_or(Ok(()), |report| core.report(report)));
        reported.unwrap_or(Ok(()))?;
        report.map_or(Ok(()), Err)
    }

    #[inline]
    fn wait_on(&self, waiting: Waiting) {
        scope::note(match waiting {
            Waiting::Target(target) => Slot::Target(target),
            Waiting::Listened(target) => Slot::Listened(target),
            Waiting::Leaf(name) => Slot::Leaf(name),
        });
    }

    #[inline]
    fn wait_on_target(&self, target: ThinTarget) {
        scope::note_target(target);
    }

    #[inline]
    fn wait_on_leaf(&self, name: &'static &'static str) {
        scope::note_leaf(name);
    }

    #[inline]
    fn local_waker(&self, waker: &Waker) -> Waker {
        raw::keep(waker)
    }

    #[inline]
    fn will_wake(&self, kept: &Waker, waker: &Waker) -> bool {
        raw::will_wake(kept, waker)
    }

    #[inline]
    fn heard(&self, target: TargetId, cancelled: bool) -> bool {
        scope::heard(target, cancelled)
    }

    fn raise(&self, cancelled: Cancelled) -> Result<(), Cancelled> {
        match Node::current() {
            Some(node) => {
                node.raise(cancelled);
                Ok(())
            }
            None => Err(cancelled),
        }
    }

    fn raised(&self) -> bool {
        scope::raised()
    }

    fn cancelling(&self) -> usize {
        scope::requests_around()
    }

    fn adopt_context(&self, made: Context) -> Context {
        match TaskRef::current() {
            Some(task) => task.own_context_or(made),
            None => made,
        }
    }
}
