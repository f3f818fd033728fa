//! Reading an `async fn` without arguments, token by token.

use crate::attribute::Attribute;
use crate::error::Error;
use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use std::iter::Peekable;

/// The parts of an `async fn` that an attribute was put on.
#[derive(Debug)]
pub(crate) struct Function {
    /// Its other attributes, documentation among them.
    pub(crate) attributes: TokenStream,
    /// `pub`, with what may stand behind it, or nothing.
    pub(crate) visibility: TokenStream,
    pub(crate) name: Ident,
    /// The arrow and the type behind it, or nothing.
    pub(crate) output: TokenStream,
    pub(crate) body: Group,
}

type Tokens = Peekable<proc_macro::token_stream::IntoIter>;

impl Function {
    /// Reads a function that stands under `attribute`.
    pub(crate) fn read(item: TokenStream, attribute: Attribute) -> Result<Function, Error> {
        let mut tokens = item.into_iter().peekable();
        let attributes = attributes(&mut tokens);
        let visibility = visibility(&mut tokens);
        check_qualifiers(&mut tokens, attribute)?;
        let Some(TokenTree::Ident(name)) = tokens.next() else { return Err(misplaced(Span::call_site(), attribute)) };
        check_parameters(&mut tokens, &name, attribute)?;
        let (output, body) = output_and_body(&mut tokens, &name)?;
        Ok(Function { attributes, visibility, name, output, body })
    }

    /// Refuses a plain `#[test]` beside ours: the test would run twice.
    pub(crate) fn check_is_no_test(&self) -> Result<(), Error> {
        let is_test =
            |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.stream().to_string() == "test");
        match self.attributes.clone().into_iter().find(is_test) {
            Some(test) => Err(Error::new(test.span(), "remove `#[test]`: `#[corio::test]` makes the function a test")),
            None => Ok(()),
        }
    }
}

/// Takes the attributes: each is a `#` and a group in brackets.
fn attributes(tokens: &mut Tokens) -> TokenStream {
    let mut attributes = TokenStream::new();
    while let Some(hash) = tokens.next_if(|token| is_punct(token, '#')) {
        attributes.extend([hash]);
        attributes.extend(tokens.next());
    }
    attributes
}

/// Takes the visibility.
fn visibility(tokens: &mut Tokens) -> TokenStream {
    let mut visibility = TokenStream::new();
    if let Some(word) = tokens.next_if(|token| is_word(token, "pub")) {
        visibility.extend([word]);
        visibility.extend(tokens.next_if(|token| is_group(token, Delimiter::Parenthesis)));
    }
    visibility
}

/// Takes `async fn`, and nothing else.
fn check_qualifiers(tokens: &mut Tokens, attribute: Attribute) -> Result<(), Error> {
    let is_async = tokens.next_if(|token| is_word(token, "async")).is_some();
    match tokens.next() {
        Some(token) if is_word(&token, "fn") && is_async => Ok(()),
        Some(token) if is_word(&token, "fn") => {
            let message = format!("write `async fn`: `#[{}]` is for functions that await", attribute.name());
            Err(Error::new(token.span(), message))
        }
        Some(token) if ["const", "unsafe", "extern"].iter().any(|word| is_word(&token, word)) => {
            let message = format!("`#[{}]` is for a plain `async fn`: remove `{token}`", attribute.name());
            Err(Error::new(token.span(), message))
        }
        Some(token) => Err(misplaced(token.span(), attribute)),
        None => Err(misplaced(Span::call_site(), attribute)),
    }
}

/// Takes the parentheses, which are empty, and no generics before them.
fn check_parameters(tokens: &mut Tokens, name: &Ident, attribute: Attribute) -> Result<(), Error> {
    match tokens.next() {
        Some(TokenTree::Group(group)) if group.stream().is_empty() => Ok(()),
        Some(TokenTree::Group(group)) => Err(Error::new(group.span(), attribute.on_parameters(name))),
        Some(token) => Err(Error::new(token.span(), format!("`{name}` cannot be generic: nobody chooses its types"))),
        None => Err(Error::new(name.span(), format!("`{name}` has no arguments and no body"))),
    }
}

/// Takes the rest: what stands before the last group in braces is the type.
fn output_and_body(tokens: &mut Tokens, name: &Ident) -> Result<(TokenStream, Group), Error> {
    let mut output = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace && tokens.peek().is_none() => {
                return Ok((output, body));
            }
            token if is_word(&token, "where") => {
                return Err(Error::new(token.span(), format!("`{name}` cannot be generic: nobody chooses its types")));
            }
            token => output.extend([token]),
        }
    }
    Err(Error::new(name.span(), format!("`{name}` has no body")))
}

/// The error of an attribute on something that is no function.
fn misplaced(span: Span, attribute: Attribute) -> Error {
    Error::new(span, format!("`#[{}]` is for an `async fn`", attribute.name()))
}

fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident.to_string() == word)
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}
