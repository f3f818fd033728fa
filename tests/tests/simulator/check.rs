//! A program on the model and on the loop, compared.

use crate::model::Model;
use crate::program::Program;
use crate::run;
use crate::threads::Threads;
use crate::trace::Event;
use std::rc::Rc;

/// Runs a program on the model and twice on the loop; returns the trace.
pub(crate) fn check(program: &Program, threads: &Rc<Threads>) -> Result<Vec<Event>, String> {
    let model = Model::run(program);
    let first = run::run(program, threads);
    if let Some(wrong) = first.wrongs.first() {
        return Err(wrong.clone());
    }
    if let Some(at) = first_difference(&model.events, &first.events) {
        let (must, does) = (model.events.get(at), first.events.get(at));
        return Err(format!("event {at} must be {must:?}, and is {does:?}"));
    }
    let second = run::run(program, threads);
    if let Some(at) = first_difference(&first.events, &second.events) {
        return Err(format!("event {at} of a second run is another one: the same seed gives two traces"));
    }
    Ok(model.events)
}

/// Returns where two traces part.
pub(crate) fn first_difference(one: &[Event], other: &[Event]) -> Option<usize> {
    let at = one.iter().zip(other).position(|(one, other)| one != other);
    at.or_else(|| (one.len() != other.len()).then(|| one.len().min(other.len())))
}
