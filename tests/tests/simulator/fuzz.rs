//! The fuzz target `loop_ops`: bytes are a program, which runs on a loop and on the model. See `fuzz/README.md`.

#![cfg_attr(fuzzing, no_main)]
#![allow(dead_code)] // What makes programs from seeds, and prints traces, is the simulator's.

mod program;
mod model;
mod world;
mod run;
mod drops;
mod threads;
mod trace;
mod check;

use check::check;
use program::Program;
use std::rc::Rc;
use threads::Threads;

thread_local! {
    static THREADS: Rc<Threads> = Rc::new(Threads::new());
}

fn run_bytes(bytes: &[u8]) {
    let program = Program::from_bytes(bytes);
    if let Err(wrong) = THREADS.with(|threads| check(&program, threads)) {
        panic!("violated: {wrong}\n{program:#?}");
    }
}

corio_fuzz::target!(run_bytes);
