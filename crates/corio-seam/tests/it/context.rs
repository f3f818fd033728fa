use crate::answers::{answers, panics};
use corio_seam::{
    Context, ContextVar, Node, capture_context, carry_context, copy_context, enter_context, leave_context,
    outside_context, run_callback, swap_context,
};
use std::cell::RefCell;
use std::rc::Rc;

static ONE: ContextVar<u32> = ContextVar::new("one");
static TWO: ContextVar<u32> = ContextVar::new("two");
static THREE: ContextVar<u32> = ContextVar::for_threads("three");

/// All three, for comparison.
fn all() -> [Option<u32>; 3] {
    [ONE.get(), TWO.get(), THREE.get()]
}

type Last = Box<dyn FnOnce()>;

/// Does what it holds when the last of its clones is dropped.
#[derive(Clone)]
struct OnDrop(Rc<RefCell<Option<Last>>>);

impl OnDrop {
    fn new(f: impl FnOnce() + 'static) -> OnDrop {
        OnDrop(Rc::new(RefCell::new(Some(Box::new(f)))))
    }
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        if Rc::strong_count(&self.0) == 1 {
            let f = self.0.take();
            f.into_iter().for_each(|f| f());
        }
    }
}

#[test]
fn each_variable_has_its_own_value() {
    ONE.set(1);
    let token = TWO.set(2);
    THREE.set(3);
    assert_eq!((all(), token.old_value()), ([Some(1), Some(2), Some(3)], None));
    let again = TWO.set(20);
    assert_eq!((all(), again.old_value()), ([Some(1), Some(20), Some(3)], Some(2)));
    TWO.reset(again);
    assert_eq!(all(), [Some(1), Some(2), Some(3)]);
    TWO.reset(token);
    assert_eq!(all(), [Some(1), None, Some(3)]);
}

#[test]
fn a_copy_goes_its_own_way_and_a_clone_does_not() {
    let context = Context::new();
    assert!(context.is_empty());
    context.run(|| ONE.set(1));
    let (copy, clone) = (context.copy(), context.clone());
    assert!(copy != context && clone == context && !copy.is_empty());
    copy.run(|| ONE.set(2));
    clone.run(|| TWO.set(2));
    assert_eq!(
        (context.get(&ONE), context.get(&TWO), copy.get(&ONE), copy.get(&TWO)),
        (Some(1), Some(2), Some(2), None)
    );
    assert_eq!(context.with(&ONE, |one| one.copied()), Some(1));
}

#[test]
fn a_token_belongs_to_its_variable_and_its_context() {
    let token = ONE.set(1);
    assert!(panics(|| TWO.reset(token)).starts_with("a token of another context variable"));
    let token = ONE.set(2);
    assert!(panics(|| Context::new().run(|| ONE.reset(token))).contains("in another context than it was made in"));
    assert_eq!(ONE.get(), Some(2));
}

#[test]
fn what_is_made_takes_a_copy_along_if_there_is_something_to_copy() {
    assert!(capture_context().is_none() && copy_context().is_empty());
    let token = ONE.set(1);
    let captured = capture_context().unwrap();
    let copied = copy_context();
    ONE.reset(token);
    assert!(capture_context().is_none(), "an empty one is not worth it");
    assert_eq!((captured.get(&ONE), copied.get(&ONE), ONE.get()), (Some(1), Some(1), None));
}

#[test]
fn what_a_callback_sets_goes_with_it() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    let see = move || log.borrow_mut().push(all());
    let inner = see.clone();
    Node::bare(move || {
        ONE.set(1);
        run_callback(None, || {
            inner();
            TWO.set(2);
        });
        inner();
    })
    .run();
    see();
    let context = Context::new();
    context.run(|| TWO.set(2));
    Node::in_context(&context, see.clone()).run();
    run_callback(Some(context), &see);
    let none = [None; 3];
    let two = [None, Some(2), None];
    assert_eq!(*seen.borrow(), [none, [Some(1), None, None], none, two, two]);
}

#[test]
fn a_context_is_entered_left_and_swapped() {
    assert!(swap_context(None).is_none());
    ONE.set(1);
    enter_context(None, || {
        assert_eq!(ONE.get(), None);
        ONE.set(2);
    });
    outside_context(|| {
        assert_eq!(ONE.get(), None);
        ONE.set(3);
    });
    assert_eq!(ONE.get(), Some(1));
    let before = swap_context(None).unwrap();
    assert_eq!((before.get(&ONE), ONE.get()), (Some(1), None));
    assert!(swap_context(Some(before.clone())).is_none());
    assert_eq!(ONE.get(), Some(1));
    assert!(swap_context(Some(Context::new())).unwrap() == before);
    assert_eq!(ONE.get(), None);
    leave_context();
    assert!(swap_context(None).is_none());
}

#[test]
fn a_panic_leaves_the_context_behind() {
    let context = Context::new();
    ONE.set(1);
    let words = panics(|| {
        context.run(|| {
            ONE.set(2);
            panic!("in a context");
        })
    });
    assert_eq!((words.as_str(), ONE.get(), context.get(&ONE)), ("in a context", Some(1), Some(2)));
}

/// A task that has no context is offered the one that is made in its step, and no other.
#[test]
fn a_first_value_is_the_task_s() {
    let (_seam, told) = answers();
    ONE.set(1);
    assert_eq!(told.take(), ["adopt"]);
    TWO.set(2);
    assert!(told.take().is_empty(), "there is one already");
    leave_context();
    TWO.set(3);
    assert_eq!((told.take(), all()), (vec!["adopt".to_owned()], [Some(1), Some(3), None]));
    leave_context();
    Node::bare(|| drop(ONE.set(4))).run();
    assert!(told.take().is_empty(), "a callback is no task");
    assert_eq!(outside_context(|| ONE.get()), None);
    ONE.set(5);
    assert_eq!(told.take(), ["adopt"]);
    outside_context(|| drop(ONE.set(6)));
    assert_eq!((told.take(), ONE.get()), (vec!["adopt".to_owned()], Some(6)), "a task that is polled inside");
}

#[test]
fn a_task_that_enters_a_context_has_one_of_its_own_first() {
    let (_seam, told) = answers();
    Context::new().run(|| ONE.set(1));
    assert_eq!((told.take(), ONE.get()), (vec!["adopt".to_owned()], None));
}

#[test]
fn a_value_s_destructor_that_sets_one_again_is_not_the_last() {
    static HELD: ContextVar<OnDrop> = ContextVar::new("held");
    let gone = Rc::new(RefCell::new(0));
    let (first, second) = (Rc::clone(&gone), Rc::clone(&gone));
    Node::bare(move || {
        HELD.set(OnDrop::new(move || {
            *first.borrow_mut() += 1;
            HELD.set(OnDrop::new(move || *second.borrow_mut() += 1));
        }));
    })
    .run();
    assert_eq!(*gone.borrow(), 2);
    assert!(swap_context(None).is_none());
}

#[test]
fn a_value_s_destructor_that_panics_is_reported_and_the_others_go() {
    static HELD: ContextVar<OnDrop> = ContextVar::new("held");
    static KEPT: ContextVar<Rc<()>> = ContextVar::new("kept");
    let (_seam, told) = answers();
    let (context, kept) = (Context::new(), Rc::new(()));
    context.run(|| {
        HELD.set(OnDrop::new(|| panic!("a value's own affair")));
        KEPT.set(Rc::clone(&kept));
    });
    told.take();
    drop(context);
    let words = "exception while a context variable's value was dropped: panicked: a value's own affair";
    assert_eq!((told.take(), Rc::strong_count(&kept)), (vec![words.to_owned()], 1));
    leave_context();
}

#[test]
fn what_travels_is_what_was_made_for_it() {
    assert!(carry_context().is_empty());
    ONE.set(1);
    assert!(carry_context().is_empty());
    THREE.set(3);
    let carried = carry_context();
    assert!(!carried.is_empty());
    let there = std::thread::spawn(move || (carried.run(all), all()));
    assert_eq!(there.join().unwrap(), ([None, None, Some(3)], [None; 3]));
    TWO.set(2);
    carry_context().run(|| THREE.set(30));
    assert_eq!(all(), [Some(1), Some(2), Some(3)]);
}
