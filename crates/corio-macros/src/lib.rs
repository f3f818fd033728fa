//! The entry attribute of corio: `#[corio::main]`.
//!
//! It is written by hand, without `syn` and `quote`, so that it costs a build next to nothing. You want it through the
//! umbrella crate `corio`, which hands it on; it expands to a call of `::corio::run`.
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
//! The function is kept as it is, inside a function of the same name that is not `async`, gives it to `run`, and turns
//! what comes of it into an exit status. `function` reads the tokens, `arguments` those of the attribute, `expand` writes.

#![forbid(unsafe_code)]

mod function;
mod arguments;
mod expand;
mod error;

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
    expand::main(arguments, item).unwrap_or_else(error::Error::into_stream)
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
