//! Trees of `join`, `race`, `by_completion` and `gather`, woken here and elsewhere, cancelled and dropped, against their meaning.

use crate::puppet::elsewhere;
use crate::tape::Tape;
use crate::wakes::Mark;
use corio_combinators::{Plain, by_completion, gather, join, race};
use corio_task::{Task, TaskSet};
use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};

/// What a tree is made of.
#[derive(Debug)]
enum Tree {
    Leaf(usize),
    Join(Vec<Tree>),
    Race(Vec<Tree>),
    ByCompletion(Vec<Tree>),
    Gather(Vec<Tree>),
}

/// What a tree gives.
#[derive(Clone, Debug)]
enum Out {
    Leaf(usize),
    Join(Vec<Out>),
    Race(Box<Out>),
    ByCompletion(Vec<Out>),
    Gather(Vec<Out>),
}

impl Plain for Out {}

/// A leaf, as its future and the driver see it.
#[derive(Default)]
struct Leaf {
    is_open: Cell<bool>,
    panics: Cell<bool>,
    /// Whether it opens while it is polled, and wakes: another poll must follow.
    opens_itself: Cell<bool>,
    /// Whether it may be polled without being woken: a sibling's waker is its own.
    is_crowded: Cell<bool>,
    polls: Cell<usize>,
    wakes: Cell<usize>,
    is_over: Cell<bool>,
    drops: Cell<usize>,
    wakers: RefCell<Vec<Waker>>,
}

/// The future of a leaf.
struct Wait {
    leaf: Rc<Leaf>,
    number: usize,
    _mark: Mark,
}

/// What a leaf panics with.
struct Meant;

impl Future for Wait {
    type Output = Out;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Out> {
        let leaf = &self.leaf;
        assert!(!leaf.is_over.get(), "a leaf was polled after its end");
        leaf.polls.set(leaf.polls.get() + 1);
        let is_asked_for = leaf.is_crowded.get() || leaf.polls.get() <= leaf.wakes.get() + 1;
        assert!(is_asked_for, "a leaf with a waker of its own was polled, and not woken");
        if leaf.is_open.get() {
            leaf.is_over.set(true);
            if leaf.panics.get() {
                resume_unwind(Box::new(Meant));
            }
            return Poll::Ready(Out::Leaf(self.number));
        }
        if leaf.opens_itself.get() {
            leaf.is_open.set(true);
            leaf.wakes.set(leaf.wakes.get() + 1);
            cx.waker().wake_by_ref();
        }
        let mut wakers = leaf.wakers.borrow_mut();
        if wakers.last().is_none_or(|last| !last.will_wake(cx.waker())) {
            wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.leaf.drops.set(self.leaf.drops.get() + 1);
    }
}

type Boxed = Pin<Box<dyn Future<Output = Out>>>;

/// Up to so many children are polled with the caller's waker; beyond, each has its own.
const FEW: usize = 30;

struct Builder {
    leaves: Vec<Rc<Leaf>>,
    alive: Arc<AtomicIsize>,
}

impl Builder {
    fn tree(&mut self, tape: &mut Tape<'_>, depth: usize) -> Tree {
        let kind = if depth == 0 { 0 } else { tape.below(6) };
        match kind {
            0 | 1 => {
                self.leaves.push(Rc::default());
                Tree::Leaf(self.leaves.len() - 1)
            }
            2 => Tree::Join(self.children(tape, depth, 0)),
            3 => Tree::Race(self.children(tape, depth, 1)),
            4 => Tree::ByCompletion(self.children(tape, depth, 0)),
            _ => Tree::Gather(self.children(tape, depth, 0)),
        }
    }

    fn children(&mut self, tape: &mut Tape<'_>, depth: usize, least: usize) -> Vec<Tree> {
        let count = match tape.below(8) {
            7 => FEW - 1 + tape.below(8),
            few => few.max(least),
        };
        // Where there are many, most are leaves: trees are to stay small.
        (0..count).map(|index| self.tree(tape, if index < 5 { depth - 1 } else { 0 })).collect()
    }

    /// Makes the future. `crowded` tells whether it shares its waker with others.
    fn future(&self, tree: &Tree, crowded: bool) -> Boxed {
        let all = |trees: &[Tree], crowded: bool| -> Vec<Boxed> {
            trees.iter().map(|tree| self.future(tree, crowded)).collect()
        };
        let among = |trees: &[Tree]| trees.len() <= FEW;
        match tree {
            Tree::Leaf(number) => {
                let leaf = Rc::clone(&self.leaves[*number]);
                leaf.is_crowded.set(crowded);
                Box::pin(Wait { leaf, number: *number, _mark: Mark::new(&self.alive) })
            }
            Tree::Join(trees) => {
                let children = all(trees, among(trees));
                Box::pin(async move { Out::Join(join(children).await) })
            }
            Tree::Race(trees) => {
                let children = all(trees, among(trees));
                Box::pin(async move { Out::Race(Box::new(race(children).await)) })
            }
            Tree::ByCompletion(trees) => {
                let children = all(trees, among(trees));
                Box::pin(async move {
                    let (mut children, mut outs) = (by_completion(children), Vec::new());
                    while let Some(out) = children.next().await {
                        outs.push(out);
                    }
                    Out::ByCompletion(outs)
                })
            }
            Tree::Gather(trees) => {
                let children = all(trees, true);
                Box::pin(async move {
                    match gather(children).await {
                        Ok(outs) => Out::Gather(outs),
                        Err(_) => std::future::pending().await, // A child's panic; nothing is said of such a tree.
                    }
                })
            }
        }
    }

    /// Tells whether what is open suffices.
    fn is_done(&self, tree: &Tree) -> bool {
        match tree {
            Tree::Leaf(number) => self.leaves[*number].is_open.get(),
            Tree::Race(trees) => trees.iter().any(|tree| self.is_done(tree)),
            Tree::Join(trees) | Tree::ByCompletion(trees) | Tree::Gather(trees) => {
                trees.iter().all(|tree| self.is_done(tree))
            }
        }
    }

    /// Tells whether the tree may give that.
    fn may_give(&self, tree: &Tree, out: &Out) -> bool {
        match (tree, out) {
            (Tree::Leaf(number), Out::Leaf(given)) => number == given && self.leaves[*number].is_open.get(),
            (Tree::Join(trees), Out::Join(outs)) | (Tree::Gather(trees), Out::Gather(outs)) => {
                trees.len() == outs.len() && trees.iter().zip(outs).all(|(tree, out)| self.may_give(tree, out))
            }
            (Tree::Race(trees), Out::Race(out)) => trees.iter().any(|tree| self.may_give(tree, out)),
            (Tree::ByCompletion(trees), Out::ByCompletion(outs)) => self.may_give_in_any_order(trees, outs),
            _ => false,
        }
    }

    /// Each child gives one output. Leaves tell which child an output is of, but for trees without any.
    fn may_give_in_any_order(&self, trees: &[Tree], outs: &[Out]) -> bool {
        let mut left: Vec<&Tree> = trees.iter().collect();
        let each = outs.iter().all(|out| {
            let found = left.iter().position(|tree| self.may_give(tree, out));
            found.map(|at| left.swap_remove(at)).is_some()
        });
        each && left.is_empty()
    }
}

/// A tree as the one task of a set.
struct World {
    set: TaskSet,
    root: Option<Task<Out>>,
    tree: Tree,
    builder: Builder,
    is_cancelled: bool,
    panicked: bool,
}

impl World {
    fn settle(&mut self) {
        loop {
            self.set.drain_inbox();
            if !self.set.has_ready() {
                break;
            }
            self.set.run_batch();
        }
        let leaves = &self.builder.leaves;
        self.panicked |= leaves.iter().any(|leaf| leaf.panics.get() && leaf.is_over.get());
        let Some(root) = &self.root else { return };
        if self.panicked {
            return;
        }
        assert_eq!(root.done(), self.is_cancelled || self.builder.is_done(&self.tree), "whether the tree is over");
        if let Some(out) = root.output() {
            assert!(self.builder.may_give(&self.tree, out), "{:?} cannot give {out:?}", self.tree);
        }
    }

    /// Wakes by a waker that a leaf was polled with, be it an old one.
    fn wake(&self, tape: &mut Tape<'_>, leaf: &Leaf, opens: bool) {
        if opens {
            leaf.is_open.set(true);
        }
        let mut wakers = leaf.wakers.borrow().clone();
        if !opens && !wakers.is_empty() {
            wakers = vec![wakers[tape.below(wakers.len())].clone()];
        }
        leaf.wakes.set(leaf.wakes.get() + wakers.len());
        let (away, by_ref) = (tape.below(3) == 0, tape.below(2) == 0);
        let wake = move || {
            for waker in wakers {
                if by_ref { waker.wake_by_ref() } else { waker.wake() }
            }
        };
        if away { elsewhere(wake) } else { wake() }
    }

    fn operate(&mut self, tape: &mut Tape<'_>) {
        let count = self.builder.leaves.len();
        let leaf = tape.pick(count).map(|index| Rc::clone(&self.builder.leaves[index]));
        match (tape.below(12), leaf) {
            (0..=3, Some(leaf)) => self.wake(tape, &leaf, true),
            (4 | 5, Some(leaf)) => self.wake(tape, &leaf, false),
            (6, Some(leaf)) => {
                // An old one: the last is the one that must be woken.
                let mut wakers = leaf.wakers.borrow_mut();
                let old = (wakers.len() > 1).then(|| wakers.remove(0));
                drop(wakers);
                if tape.below(2) == 0 { elsewhere(move || drop(old)) } else { drop(old) }
            }
            (7, Some(leaf)) if tape.below(8) == 0 => leaf.panics.set(true),
            (10, Some(leaf)) => leaf.opens_itself.set(true),
            (8, _) if tape.below(8) == 0 => {
                if let Some(root) = &self.root {
                    self.is_cancelled |= root.cancel();
                }
            }
            (9, _) if tape.below(8) == 0 => self.root = None,
            _ => self.settle(),
        }
    }
}

/// Does what the bytes say with a tree.
pub fn run(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let alive = Arc::new(AtomicIsize::new(0));
    let mut builder = Builder { leaves: Vec::new(), alive: Arc::clone(&alive) };
    let tree = builder.tree(&mut tape, 3);
    let set = TaskSet::new();
    set.set_report_handler(Some(Rc::new(|_| ())));
    let root = set.spawn(builder.future(&tree, true));
    let mut world = World { set, root: Some(root), tree, builder, is_cancelled: false, panicked: false };
    while !tape.is_over() {
        world.operate(&mut tape);
    }
    world.settle();
    let World { set, root, builder, .. } = world;
    match tape.below(2) {
        0 => drop((root, set)),
        _ => {
            set.close();
            drop((set, root));
        }
    }
    for leaf in &builder.leaves {
        assert_eq!(leaf.drops.get(), 1, "a leaf was dropped so often");
    }
    let Builder { leaves, .. } = builder;
    drop(leaves);
    assert_eq!(alive.load(SeqCst), 0, "leaves were leaked");
}
