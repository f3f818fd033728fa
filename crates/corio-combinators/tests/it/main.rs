//! What could go wrong, a file a danger.
//!
//! What asyncio promises, and where it is held:
//!
//! | promise | tests |
//! |---|---|
//! | several cancels, one delivery; chain; self-cancel; uncancel | `corio-task`'s `cancel`; `cancel`, `random` |
//! | shield: done, cancelled inner, late error | `conformance::n38`, `n78`, `completed::a_shield_of_*` |
//! | wait_for: none, zero, above; swallowed; error in cleanup | `conformance::n31`, `n32`, `completed::hazard_47_*`, `iterations` |
//! | timeout: the past, reschedule, nested, both due, foreign cancel | `conformance::n33`, `cancel::*timeout*`, `completed::hazard_47_*`, `drops` |
//! | group: late children, refusal, all failures, order, alone, re-armed, nested, own cancel | `groups`, `conformance::n35`, `n36`, `n75` |
//! | gather: order, twice, first error, cancelled child, cancelled gather, settled, all done | `conformance::n24`, `n26`, `completed`, `cancel::*gather*`, `iterations` |
//! | wait: modes, judged at wake-up, always yields, no time, empty, detaches | `conformance::n28`, `n29`, `completed::wait_*`, `iterations`, `drops` |
//! | as_completed: order, both iterations, an error's turn, timeout, left half-way, twice | `completed`, `drops`, `cancel` |
//! | staggered_race | `staggered` |
//! | level-triggered scopes, shields, deadlines | `scopes`, `random` |

mod kit;
mod spy;

mod iterations; // Does each wait take as many iterations as in asyncio?
mod cancel; // Is a request delivered where it must, once, and never lost?
mod scopes; // Is a cancelled scope a level, and a shield the only exemption?
mod moments; // When is a deadline, and who hears of it first?
mod groups; // Does a group end its children, together, and in order?
mod exits; // When is a group over, and how does its caller go on?
mod staggered; // Who begins when, and who wins?
mod completed; // Whose result is it, and is it there once?
mod turns; // Who of several that wait for results gets which, and is somebody always woken?
mod gathers; // What ends a gather or a wait, when, and whom does it ask?
mod failures; // Is a failure told as what it is, and does it come to who asks?
mod graph; // Who is seen to wait for whom, and whom does a request not reach?
mod random; // Does it hold for programs that nobody thought of?
mod context; // What do children and callbacks see, and what do they leave behind?
mod panic; // Whom does a panic reach, and whom not?
mod drops; // Is everything dropped, disarmed and taken back, once?
mod leaving; // Does whoever leaves half-way leave nothing behind, whatever the children are?
mod wake; // Who is polled when, and from which thread?
mod bells; // Is only who was woken polled, and by a waker that tells who may wake?
mod linear; // Does twice as much cost twice as much?
mod bare; // What works without a loop, and borrows?
mod words; // What they say to a person.
mod auto_traits; // Who may cross threads?
