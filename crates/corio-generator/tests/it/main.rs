//! What can go wrong with a generator, one danger a file.

mod order; // What runs when, and what goes where.
mod misuse; // Sentences instead of hangs.
mod panic; // Bodies and destructors that panic.
mod drop; // What is dropped, when, and what is given back.
mod close; // A closing that is lost, or arrives twice.
mod shutdown; // What a loop cleans up, and who goes on with that.
mod woken; // Combinators in a body that poll what was woken, and nothing else.
mod words; // What they say to a person.
mod auto_traits; // What is `Send`.
mod kit; // What the tests share.
#[path = "../../../corio-future/tests/it/toy_loop.rs"]
#[allow(dead_code)] // Of its tools, only some are used here.
mod toy_loop;
