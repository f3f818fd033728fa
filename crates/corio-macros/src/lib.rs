//! The attributes of corio: `#[corio::main]` for the entry of a program, `#[corio::test]` for a test.
//!
//! They are written by hand, without `syn` and `quote`, so that they cost a build next to nothing. You want them through
//! the umbrella crate `corio`, which hands them on; they expand to a call of `::corio::run`, or of one of the functions of
//! `::corio::executor::test`.
//!
//! # Examples
//!
//! ```
//! # extern crate corio_executor as corio;
//! use std::process::ExitCode;
//! use std::time::Duration;
//!
//! #[corio_macros::main] // `#[corio::main]`, with the umbrella crate.
//! async fn main() -> ExitCode {
//!     corio::sleep(Duration::from_millis(1)).await;
//!     ExitCode::SUCCESS
//! }
//! ```
//!
//! # Guarantees
//!
//! * The tokens of the function keep their places: an error in it is shown where it is.
//! * What is wrong with the function is said in a sentence, once.
//!
//! # How it works
//!
//! The function is kept as it is, inside a function of the same name that is not `async`, and gives it to `run`; that of
//! `main` turns what comes of it into an exit status. `function` reads the tokens, `arguments` those of the attribute,
//! `attribute` knows in what the two differ, `expand` writes.

#![forbid(unsafe_code)]

mod attribute;
mod function;
mod arguments;
mod expand;
mod error;

use attribute::Attribute;
use proc_macro::TokenStream;

/// Makes an `async fn main` the entry of a program: its body runs on a new loop, as by `corio::run`.
///
/// asyncio's `if __name__ == "__main__": asyncio.run(main())`.
///
/// `main` may return whatever a plain `main` may: `()`, `Result<(), E>` with `E: Debug`, `ExitCode`, anything that
/// implements [`Termination`](std::process::Termination). If the loop itself fails (see `RunError`: it was stopped, say),
/// the reason is printed to standard error and the exit status is 1.
///
/// Other attributes of the function, its documentation among them, stay with it.
///
/// # Arguments
///
/// `crate = path` names the crate whose `run` is called, where it is not `::corio`.
///
/// # Errors
///
/// A compile error, in a sentence, if the function is not named `main`, is not `async`, or has arguments or generics.
///
/// # Examples
///
/// ```
/// # extern crate corio_executor as runtime;
/// #[corio_macros::main(crate = runtime)]
/// async fn main() -> Result<(), std::num::ParseIntError> {
///     let number: u32 = "42".parse()?;
///     assert_eq!(number, 42);
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::main(arguments, item).unwrap_or_else(|error| error.into_stream(Attribute::Main))
}

/// Makes an `async fn` a test: its body runs on a new loop with a virtual clock, as by `corio::executor::test::run`.
///
/// A test that sleeps for an hour ends at once, and everything happens in the same order at every run. The counterpart of
/// pytest-asyncio's mark, with trio's clock that jumps.
///
/// The function may return whatever a plain test may: `()`, or `Result<(), E>` with `E: Debug`. Other attributes,
/// `#[should_panic]` and `#[ignore]` among them, stay with it; a `#[test]` is not needed.
///
/// # Arguments
///
/// `seeds = number` runs the test under that many seeds, each with another order of what asyncio leaves in no order: see
/// `corio::executor::test::run_seeds`. A failure names the seed, and `CORIO_SEED=seed cargo test name` runs it alone.
///
/// `crate = path` names what has the module `test`, where it is not `::corio::executor`: `crate = corio_executor` for who
/// takes that crate and not the umbrella.
///
/// # Errors
///
/// A compile error, in a sentence, if the function is not `async`, has arguments or generics, or is a test already.
///
/// # Examples
///
/// ```
/// use corio_executor::sleep;
/// use std::time::Duration;
///
/// #[corio_macros::test(crate = corio_executor)] // `#[corio::test]`, with the umbrella crate.
/// async fn an_hour_passes_at_once() {
///     sleep(Duration::from_secs(3600)).await;
/// }
///
/// #[corio_macros::test(seeds = 20, crate = corio_executor)]
/// async fn and_in_twenty_orders() -> Result<(), std::num::ParseIntError> {
///     let number: u32 = "42".parse()?;
///     assert_eq!(number, 42);
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::test(arguments, item).unwrap_or_else(|error| error.into_stream(Attribute::Test))
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
