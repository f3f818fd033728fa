use crate::answers::{Plain, Thing, answers, panics};
use corio_seam::{
    Cancelled, Closed, Context, LoopId, Node, Seam, TargetId, Waitable, Waiting, call_soon, cancelling, heard, install,
    local, local_waker, loop_id, push, raised, remote, spawn, timer, wait_on, will_wake,
};
use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as Cx, Wake, Waker};

struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

/// Two wakers of two tasks.
fn two() -> [Waker; 2] {
    [Waker::from(Arc::new(Nobody)), Waker::from(Arc::new(Nobody))]
}

#[test]
fn where_nothing_runs_nobody_answers() {
    assert_eq!((loop_id(), raised(), cancelling()), (None, false, 0));
    assert!(remote().is_none() && local(|| 1).is_none());
    assert_eq!(call_soon(|| ()), Err(Closed));
    assert!(push(Node::new(|| ())).is_err());
    assert!(!heard(Thing.target_id(), true));
    wait_on(Waiting::Leaf(&"nothing"));
    let [one, other] = two();
    assert!(cfg!(miri) || local_waker(&one).will_wake(&one)); // Miri gives two names to one table.
    assert!((cfg!(miri) || will_wake(&one, &one.clone())) && !will_wake(&one, &other));
}

#[test]
fn what_needs_a_loop_says_so() {
    assert!(panics(|| spawn(async {})).starts_with("no loop runs on this thread"));
    assert!(panics(|| drop(timer())).starts_with("there is no timer here"));
    let mut resume = pin!(Cancelled::new().resume());
    let words = panics(|| resume.as_mut().poll(&mut Cx::from_waker(Waker::noop())));
    assert!(words.starts_with("`Cancelled::resume` has nowhere to go"));
}

#[test]
fn a_loop_that_is_closing_gives_back_what_it_is_given() {
    let (_seam, told) = answers();
    told.refuses.set(true);
    assert_eq!(call_soon(|| ()), Err(Closed));
    assert!(push(Node::new(|| ())).is_err());
    assert!(panics(|| spawn(async {})).starts_with("no loop runs on this thread"));
}

#[test]
fn a_loop_that_runs_takes_it() {
    let (_seam, told) = answers();
    let called = Rc::new(Cell::new(0));
    let (one, two) = (Rc::clone(&called), Rc::clone(&called));
    assert_eq!(call_soon(move || one.set(1)), Ok(()));
    assert!(push(Node::new(move || two.set(two.get() + 10))).is_ok());
    spawn(async {});
    assert_eq!((called.get(), told.spawned.borrow().len()), (0, 1));
    told.queue.batch().for_each(Node::run);
    assert_eq!(called.get(), 11);
}

#[test]
fn it_answers_for_the_loop_and_the_scope() {
    let (_seam, told) = answers();
    assert!(loop_id().is_some() && loop_id() == told.id.get());
    assert_eq!(remote().unwrap().loop_id(), loop_id().unwrap());
    assert_eq!(cancelling(), 3);
    let [one, other] = two();
    assert!(!raised() && !heard(Thing.target_id(), false) && !will_wake(&one, &other));
    told.says.set(true);
    assert!(raised() && heard(Thing.target_id(), true) && will_wake(&one, &other));
    assert_eq!(told.take(), ["heard false", "heard true"]);
}

#[test]
fn a_loop_has_one_value_of_a_type() {
    let (_seam, _told) = answers();
    let (first, again) = (local(|| 1_u8).unwrap(), local(|| 2_u8).unwrap());
    assert!(Rc::ptr_eq(&first, &again) && *first == 1);
    assert_eq!(*local(|| 2_u16).unwrap(), 2);
}

#[test]
fn a_leaf_says_what_it_waits_for() {
    let (_seam, told) = answers();
    wait_on(Waiting::Leaf(&"a leaf"));
    wait_on(Waiting::Target(Rc::new(Thing)));
    wait_on(Waiting::Listened(Rc::new(Thing)));
    let mut resume = pin!(Cancelled::with_message(Some("late".into())).resume());
    for _ in 0..2 {
        assert!(resume.as_mut().poll(&mut Cx::from_waker(Waker::noop())).is_pending());
    }
    let words = [r#"Leaf("a leaf")"#, r#"Target("a thing")"#, r#"Listened("a thing")"#, "cancelled: late"];
    assert_eq!(told.take()[..4], words);
    assert_eq!(told.take().len(), 0);
}

/// What a seam need not say: nothing is known of wakers, scopes and contexts.
#[test]
fn a_seam_may_leave_the_rest_to_the_trait() {
    let (_seam, told) = answers();
    let _plain = install(&Plain);
    wait_on(Waiting::Leaf(&"a leaf"));
    assert_eq!(told.take(), [r#"plain Leaf("a leaf")"#]);
    let [one, other] = two();
    assert!(cfg!(miri) || local_waker(&one).will_wake(&one)); // Miri gives two names to one table.
    assert!((cfg!(miri) || Plain.will_wake(&one, &one.clone())) && !will_wake(&one, &other));
    assert!(!raised());
    let made = Context::new();
    assert!(Plain.adopt_context(made.clone()) == made);
}

#[test]
fn seams_nest() {
    let (outer, told) = answers();
    let inner = install(&Plain);
    assert_eq!(loop_id(), None);
    drop(inner);
    assert_eq!(loop_id(), told.id.get());
    drop(outer);
    assert_eq!(loop_id(), None);
}

#[test]
fn identities_are_used_once() {
    assert!(LoopId::unique() < LoopId::unique());
    let (one, other) = (Rc::new(1), Rc::new(1));
    assert_eq!(TargetId::of(Rc::as_ptr(&one)), TargetId::of(&raw const *one));
    assert_ne!(TargetId::of(Rc::as_ptr(&one)), TargetId::of(Rc::as_ptr(&other)));
}

#[test]
fn a_waitable_may_leave_the_rest_to_the_trait() {
    let thing: Rc<dyn Waitable> = Rc::new(Thing);
    assert!(!thing.is_over());
    assert_eq!(thing.target_id(), TargetId::of(Rc::as_ptr(&thing)));
    thing.waits_for(&mut |_| panic!("it waits for nothing"));
}
