//! Scripted threads: real ones, each of which does one thing at a time, when it is told to.
//!
//! Whoever tells a thread waits until it has done so: what happens is always in one order, and yet it happens on another
//! thread, with another thread's locals, locks and memory. The threads live as long as the simulator.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

type Action = Box<dyn FnOnce() + Send>;
type Ended = Result<(), Box<dyn Any + Send>>;

/// One thread, and the way to talk to it.
struct Puppet {
    actions: Option<Sender<Action>>,
    ended: Receiver<Ended>,
    thread: Option<JoinHandle<()>>,
}

impl Puppet {
    fn new(name: &str) -> Puppet {
        let (actions, todo) = channel::<Action>();
        let (tell, ended) = channel();
        let work = move || {
            for action in todo {
                let outcome = catch_unwind(AssertUnwindSafe(action));
                if tell.send(outcome).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name(name.to_string()).spawn(work).expect("a thread can be started");
        Puppet { actions: Some(actions), ended, thread: Some(thread) }
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        drop(self.actions.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// The two foreign threads.
pub(crate) struct Threads([Puppet; 2]);

impl Threads {
    pub(crate) fn new() -> Threads {
        Threads([Puppet::new("simulated-1"), Puppet::new("simulated-2")])
    }

    /// Has `action` done on a thread, and waits for its end. A panic of it goes on here.
    pub(crate) fn act<R: Send + 'static>(&self, thread: usize, action: impl FnOnce() -> R + Send + 'static) -> R {
        let (give, take) = channel();
        let puppet = &self.0[thread];
        let actions = puppet.actions.as_ref().expect("it is taken by the destructor");
        let sent = actions.send(Box::new(move || drop(give.send(action()))));
        sent.expect("the thread lives as long as this");
        match puppet.ended.recv().expect("the thread answers each action") {
            Ok(()) => take.recv().expect("the action has sent its result"),
            Err(payload) => resume_unwind(payload),
        }
    }
}
