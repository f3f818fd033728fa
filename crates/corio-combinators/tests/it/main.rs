//! What could go wrong, a file a danger.

mod kit;

mod conformance; // Does it print what CPython prints?
mod iterations; // Does each wait take as many iterations as in asyncio?
mod cancel; // Is a request delivered where it must, once, and never lost?
mod context; // What do children and callbacks see, and what do they leave behind?
mod panic; // Whom does a panic reach, and whom not?
mod drops; // Is everything dropped, disarmed and taken back, once?
mod wake; // Who is polled when, and from which thread?
mod linear; // Does twice as much cost twice as much?
mod bare; // What works without a loop, and borrows?
mod auto_traits; // Who may cross threads?
