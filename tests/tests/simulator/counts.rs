//! How often what has happened: a simulator that never gets anywhere finds nothing.

use crate::program::{Kind, Program};
use crate::trace::{Actor, Answer, Effect, Event};
use std::collections::BTreeMap;

/// How often an operation of each kind had an effect, who did it, and how awaits ended.
#[derive(Default)]
pub(crate) struct Counts {
    kinds: BTreeMap<Kind, u64>,
    actors: BTreeMap<&'static str, u64>,
    answers: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// Adds what happened in a program.
    pub(crate) fn add(&mut self, program: &Program, events: &[Event]) {
        for event in events {
            match *event {
                Event::Did(_, _, Effect::Nothing) => {}
                Event::Did(index, actor, _) => {
                    *self.kinds.entry(program.ops[index as usize].kind).or_default() += 1;
                    *self.actors.entry(name_of_actor(actor)).or_default() += 1;
                }
                Event::Got(_, answer) => *self.answers.entry(name_of_answer(answer)).or_default() += 1,
                _ => {}
            }
        }
    }

    /// Returns the kinds of which no operation had an effect.
    pub(crate) fn never(&self) -> Vec<Kind> {
        Kind::ALL.iter().copied().filter(|kind| !self.kinds.contains_key(kind)).collect()
    }

    pub(crate) fn print(&self) {
        for line in Kind::ALL.chunks(4) {
            let word = |kind: &Kind| {
                let count = self.kinds.get(kind).copied().unwrap_or_default();
                format!("{:>18} {count:<9}", format!("{kind:?}"))
            };
            println!("{}", line.iter().map(word).collect::<String>());
        }
        println!("by: {:?}\nawaits ended: {:?}", self.actors, self.answers);
    }
}

fn name_of_actor(actor: Actor) -> &'static str {
    match actor {
        Actor::Driver => "driver",
        Actor::Callback => "callback",
        Actor::Task(_) => "task",
        Actor::Destructor => "destructor",
        Actor::Waker => "waker",
        Actor::Thread => "thread while the loop sleeps",
    }
}

fn name_of_answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Ready => "ready",
        Answer::Value(_) => "value",
        Answer::Values(..) => "values",
        Answer::Cancelled => "cancelled by somebody else",
        Answer::Panicked(_) | Answer::PanickedSomehow => "panicked",
        Answer::Broken => "broken",
        Answer::ShutDown => "shut down",
        Answer::Caught => "caught",
        Answer::TimedOut => "timed out",
    }
}
