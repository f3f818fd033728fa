//! What stands in the parentheses of the attribute.

use crate::attribute::Attribute;
use crate::error::Error;
use proc_macro::{Literal, Span, TokenStream, TokenTree};

/// The arguments of an attribute.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// The path of what has the function to call.
    pub(crate) runtime: TokenStream,
    /// Under how many seeds to run a test, if it says so.
    pub(crate) seeds: Option<Literal>,
}

impl Arguments {
    /// Reads `name = value`, separated by commas.
    pub(crate) fn read(stream: TokenStream, attribute: Attribute) -> Result<Arguments, Error> {
        let runtime = attribute.runtime().parse().expect("a path is tokens");
        let mut arguments = Arguments { runtime, seeds: None };
        let tokens: Vec<_> = stream.into_iter().collect();
        let mut names = Vec::new();
        for argument in tokens.split(|token| is_punct(token, ',')) {
            // Nothing between two commas is something wrong; nothing behind the last one, or at all, is not.
            let Some(first) = argument.first() else { continue };
            if !arguments.take(argument, attribute) {
                return Err(Error::new(first.span(), attribute.on_arguments()));
            }
            let name = first.to_string();
            if names.contains(&name) {
                return Err(Error::new(first.span(), format!("`{name}` is said twice")));
            }
            names.push(name);
        }
        arguments.check_seeds()?;
        Ok(arguments)
    }

    /// Takes one argument; false if it is none of the attribute's.
    fn take(&mut self, argument: &[TokenTree], attribute: Attribute) -> bool {
        let [TokenTree::Ident(name), equals, value @ ..] = argument else { return false };
        if !is_punct(equals, '=') {
            return false;
        }
        match (name.to_string().as_str(), value) {
            ("crate", [_, ..]) if value.iter().all(is_of_a_path) => {
                self.runtime = value.iter().cloned().collect();
                true
            }
            ("seeds", [TokenTree::Literal(number)]) if attribute == Attribute::Test => {
                self.seeds = Some(number.clone());
                true
            }
            _ => false,
        }
    }

    /// Refuses a number of seeds under which nothing would run.
    fn check_seeds(&self) -> Result<(), Error> {
        let Some(seeds) = &self.seeds else { return Ok(()) };
        let wrong = |span: Span, what: &str| Err(Error::new(span, format!("`seeds` is {what}, such as `seeds = 20`")));
        match seeds.to_string().replace('_', "").parse::<u64>() {
            Ok(0) => wrong(seeds.span(), "at least 1: a test under no seed tests nothing"),
            Ok(_) => Ok(()),
            Err(_) => wrong(seeds.span(), "the number of seeds to run the test under"),
        }
    }
}

fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

/// Tells whether a path is made of such tokens.
fn is_of_a_path(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    }
}
