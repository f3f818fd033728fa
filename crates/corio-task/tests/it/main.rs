//! What can go wrong with tasks, a file a danger.
#![cfg(not(loom))]

/// Steps, wakes and callbacks come in the order that the docs promise.
mod order;
/// Requests to end: when, where, how often, and what decides.
mod cancel;
/// Requests that are handed on to the task that is waited for.
mod forwarding;
/// Children polled in place, whose scopes nobody sees until somebody asks.
mod branches;
/// The names of what children in place wait for.
mod leaves;
/// A scope that is asked at an odd moment.
mod scopes;
/// Requests that are delivered twice, or to nobody.
mod requests;
/// Requests that shields keep out, and for how long.
mod shields;
/// Panics in a poll, a destructor, a callback, a waker.
mod panic;
/// Seats: done callbacks of many tasks in one allocation.
mod seats;
/// Seats of tasks that are over.
mod late_seats;
/// Ends that are announced before they are told.
mod audience;
/// What is dropped, when, and that it is dropped once.
mod drops;
/// Memory that goes with the last that needs it.
mod memory;
/// Contexts: copied, shared, never leaking.
mod context;
/// Tasks that make their first step at once.
mod eager;
/// Who waits for whom, and whether anybody can wake it.
mod call_graph;
/// The await graph as text: what it leaves out, or says of another.
mod drawn;
/// Wakers that are kept, and whom they wake.
mod wakers;
/// Wakers and doors on other threads.
mod threads;
/// The set as a plain future, its end, and its misuse.
mod set;
/// What a set says of itself, and where its doors and timers lead.
mod sets;
/// Timers made of foreign sleeps.
mod timers;
/// A batch that somebody looks at, entry by entry.
mod observe;
/// A handle and a view that say different things of one task.
mod handles;
/// What they say to a person.
mod words;
/// Who is Send.
mod auto_traits;
/// Tools of these tests.
mod kit;
