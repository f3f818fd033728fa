use crate::answers::{Clock, Thing, answers};
use corio_seam::{
    Alarm, Cancelled, Closed, Context, ContextVar, Description, LoopTime, Node, OnAlarm, ReadyQueue, SharedEntry,
    Timer, Waiting, carry_context, remote, seed, sleep_until,
};
use std::panic::Location;
use std::rc::Rc;
use std::task::Waker;

#[derive(Debug)]
struct Entry;

impl SharedEntry for Entry {
    fn run(&self) {}

    fn describe(&self) -> Description {
        Description { what: "an entry".into(), location: self.location() }
    }
}

impl OnAlarm for Entry {
    fn on_alarm(self: Rc<Self>) {}
}

#[test]
fn errors_are_sentences() {
    assert_eq!(Closed.to_string(), "no event loop runs on this thread, or it is closed");
    assert_eq!(Cancelled::new().to_string(), "cancelled");
    let late = Cancelled::with_message(Some("late".into()));
    assert_eq!((late.to_string(), late.message()), ("cancelled: late".to_owned(), Some("late")));
    assert_eq!(late.into_message().as_deref(), Some("late"));
}

#[test]
fn an_entry_says_what_it_is_and_where_it_was_made() {
    let (shared, node) = Node::shared(Entry);
    assert_eq!(format!("{shared:?} {node:?}"), "Shared(Entry) Node { .. }");
    assert_eq!(node.describe().to_string(), "an entry");
    let here = Location::caller();
    let placed = Description { what: "it".into(), location: Some(here) };
    assert_eq!(placed.to_string(), format!("it, made at {here}"));
    assert!(Node::bare(|| ()).describe().what.starts_with("callback it::words::"));
    assert!(Node::in_context(&Context::new(), || ()).describe().what.starts_with("callback it::words::"));
}

#[test]
fn queues_clocks_and_waits_say_how_they_stand() {
    let queue = ReadyQueue::default();
    queue.push(Node::bare(|| ()));
    assert_eq!(format!("{queue:?}"), "ReadyQueue { is_empty: false }");
    let clock: Rc<dyn Timer> = Rc::new(Clock::default());
    assert_eq!(format!("{clock:?}"), "Timer { now: LoopTime(0) }");
    assert_eq!(LoopTime::from_nanos(1_500_000_000).to_string(), "1.5s");
    assert_eq!(format!("{:?}", sleep_until(LoopTime::ZERO)), "Sleep { when: LoopTime(0), armed: false }");
    assert_eq!(format!("{:?}", Waiting::Target(Rc::new(Thing))), r#"Target("a thing")"#);
    let alarms = [Alarm::Wake(Waker::noop().clone()), Alarm::Call(Rc::new(Entry))];
    assert_eq!(format!("{alarms:?}"), "[Wake, Call]");
    assert!(OnAlarm::describe(&Entry).is_none());
}

#[test]
fn guards_and_doors_say_that_they_are_some() {
    let (seam, told) = answers();
    assert_eq!(format!("{seam:?} {:?}", seed(1)), "Installed { .. } Seeded { .. }");
    assert_eq!(format!("{:?}", remote().unwrap()), format!("Remote({:?})", told.id.get().unwrap()));
}

#[test]
fn contexts_name_what_is_set_in_them() {
    static HERE: ContextVar<u8> = ContextVar::new("here");
    static AND_THERE: ContextVar<u8> = ContextVar::for_threads("and there");
    let context = Context::new();
    assert_eq!(format!("{context:?}"), "Context {}");
    context.run(|| {
        assert_eq!(
            format!("{:?} {:?}", HERE.set(1), HERE.set(1)),
            "Token { was_set: false, .. } Token { was_set: true, .. }"
        );
        AND_THERE.set(2);
        assert_eq!(format!("{:?}", carry_context()), r#"Carried {"and there"}"#);
    });
    assert_eq!(format!("{context:?}"), r#"Context {"here", "and there"}"#);
    assert_eq!(format!("{HERE:?} {}", AND_THERE.name()), r#"ContextVar { name: "here", .. } and there"#);
}
