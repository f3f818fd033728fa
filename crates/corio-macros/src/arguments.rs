//! What stands in the parentheses of the attribute.

use crate::error::Error;
use proc_macro::{TokenStream, TokenTree};

/// The arguments of an attribute.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// The path of the crate that has `run`.
    pub(crate) runtime: TokenStream,
}

impl Arguments {
    /// Reads nothing, or `crate = path`.
    pub(crate) fn read(stream: TokenStream) -> Result<Arguments, Error> {
        let mut tokens = stream.into_iter();
        let Some(first) = tokens.next() else {
            return Ok(Arguments { runtime: "::corio".parse().expect("a path is tokens") });
        };
        let is_equals = |token: TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '=');
        let is_crate = first.to_string() == "crate" && tokens.next().is_some_and(is_equals);
        let runtime: TokenStream = tokens.collect();
        if !is_crate || runtime.is_empty() || !runtime.clone().into_iter().all(is_of_a_path) {
            return Err(Error::new(first.span(), "the only argument is `crate = path`, the path of corio"));
        }
        Ok(Arguments { runtime })
    }
}

/// Tells whether a path is made of such tokens.
fn is_of_a_path(token: TokenTree) -> bool {
    match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    }
}
