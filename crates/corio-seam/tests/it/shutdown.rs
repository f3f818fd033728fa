use crate::answers::answers;
use corio_seam::{Closed, OnShutdown, on_shutdown, take_shutdown_hooks};
use std::pin::Pin;
use std::rc::{Rc, Weak};

struct Named(&'static str);

impl OnShutdown for Named {
    fn close(self: Rc<Self>) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async {})
    }

    fn describe(&self) -> String {
        self.0.into()
    }
}

fn weak(what: &Rc<Named>) -> Weak<dyn OnShutdown> {
    let weak: Weak<Named> = Rc::downgrade(what);
    weak
}

fn taken() -> Vec<String> {
    take_shutdown_hooks().iter().map(|what| what.describe()).collect()
}

#[test]
fn without_a_loop_nothing_is_closed() {
    assert_eq!(on_shutdown(weak(&Rc::new(Named("one")))).unwrap_err(), Closed);
    assert!(take_shutdown_hooks().is_empty());
}

#[test]
fn what_is_left_is_closed_in_the_order_of_its_coming() {
    let (_seam, told) = answers();
    let things = ["one", "two", "three", "four"].map(|name| Rc::new(Named(name)));
    let mut hooks = things.each_ref().map(|thing| Some(on_shutdown(weak(thing)).unwrap()));
    hooks[1] = None; // Taken off the list.
    let [one, _two, three, four] = things;
    drop(three); // Gone: there is nothing to close.
    assert_eq!(taken(), ["one", "four"]);
    assert_eq!(taken(), [""; 0]);
    assert_eq!((Rc::strong_count(&one), Rc::strong_count(&four)), (1, 1));
    assert!(told.take().is_empty());
}

#[test]
fn after_the_shutdown_it_is_too_late() {
    let (_seam, told) = answers();
    let first = Rc::new(Named("first"));
    let _hook = on_shutdown(weak(&first)).unwrap();
    assert_eq!(taken(), ["first"]);
    let second = Rc::new(Named("second"));
    let _second = on_shutdown(weak(&second)).unwrap(); // Made by what was closed: it is asked for again.
    assert_eq!(taken(), ["second"]);
    assert!(taken().is_empty());
    assert_eq!(on_shutdown(weak(&first)).unwrap_err(), Closed);
    assert_eq!(told.take(), ["started after the loop's shutdown, which will not close it: first"]);
}

#[test]
fn what_its_owner_abandoned_is_closed_by_a_task() {
    let (_seam, told) = answers();
    let thing = Rc::new(Named("thing"));
    let hook = on_shutdown(weak(&thing)).unwrap();
    assert_eq!(format!("{hook:?}"), "ShutdownHook { loop_exists: true }");
    hook.abandon(thing.clone());
    assert_eq!(told.spawned.borrow().len(), 1);
    drop(told.spawned.take());
    assert_eq!(Rc::strong_count(&thing), 2, "kept until the shutdown");
    assert_eq!(taken(), ["thing"]);
    assert_eq!(Rc::strong_count(&thing), 1);
}

#[test]
fn another_loop_does_not_close_it() {
    let (seam, told) = answers();
    let thing = Rc::new(Named("thing"));
    let hook = on_shutdown(weak(&thing)).unwrap();
    drop(seam);
    hook.abandon(thing.clone());
    let (other, stranger) = answers();
    hook.abandon(thing.clone());
    assert!(told.spawned.borrow().is_empty() && stranger.spawned.borrow().is_empty());
    assert!(taken().is_empty());
    drop(other);
    drop(told);
    assert_eq!(format!("{hook:?}"), "ShutdownHook { loop_exists: false }");
    hook.abandon(thing.clone());
    assert_eq!(Rc::strong_count(&thing), 1, "dropped with its loop");
}
