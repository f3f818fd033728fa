//! Writing what an attribute stands for.

use crate::arguments::Arguments;
use crate::attribute::Attribute;
use crate::error::Error;
use crate::function::Function;
use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// What `main` becomes, but for `ASYNC_MAIN`, the function as it was written, `RUN`, and `REPORT`.
///
/// Standard error may be closed, so nothing here may panic for it.
const MAIN: &str = "{
    ASYNC_MAIN
    match RUN(main()) {
        ::core::result::Result::Ok(output) => REPORT,
        ::core::result::Result::Err(error) => {
            let mut message = ::std::string::ToString::to_string(&error);
            let mut source = ::core::error::Error::source(&error);
            while let ::core::option::Option::Some(error) = source {
                message = ::std::format!(\"{message}: {error}\");
                source = error.source();
            }
            message.push('\\n');
            let _ = ::std::io::Write::write_all(&mut ::std::io::stderr(), message.as_bytes());
            ::std::process::ExitCode::FAILURE
        }
    }
}";

/// Expands `#[main]`.
pub(crate) fn main(arguments: TokenStream, item: TokenStream) -> Result<TokenStream, Error> {
    let function = Function::read(item, Attribute::Main)?;
    if function.name.to_string() != "main" {
        let message = format!("a program begins with `main`, not with `{}`", function.name);
        return Err(Error::new(function.name.span(), message));
    }
    let mut run = Arguments::read(arguments, Attribute::Main)?.runtime;
    run.extend(tokens("::run"));
    // A type that no `main` may return is an error of `REPORT`; it is shown at the type, which is behind `-` and `>`.
    let place = function.output.clone().into_iter().nth(2).map_or(Span::call_site(), |token| token.span());
    let report = at(tokens("::std::process::Termination::report(output)"), place);
    let Function { attributes, visibility, name, output, body } = function;

    let async_main = async_function(name.clone(), output, body);
    let mut stream = attributes;
    stream.extend(visibility);
    stream.extend(tokens("fn"));
    stream.extend([TokenTree::from(name)]);
    stream.extend(tokens("() -> ::std::process::ExitCode"));
    stream.extend(fill(tokens(MAIN), &[("ASYNC_MAIN", async_main), ("RUN", run), ("REPORT", report)]));
    Ok(stream)
}

/// What a test becomes, but for `ASYNC_TEST`, the function as it was written, and `RUN`, with what it is given.
const TEST: &str = "{ ASYNC_TEST RUN }";

/// Expands `#[test]`.
pub(crate) fn test(arguments: TokenStream, item: TokenStream) -> Result<TokenStream, Error> {
    let function = Function::read(item, Attribute::Test)?;
    function.check_is_no_test()?;
    let Arguments { runtime: mut run, seeds } = Arguments::read(arguments, Attribute::Test)?;
    let Function { attributes, visibility, name, output, body } = function;
    let mut stream = tokens("#[::core::prelude::v1::test]");
    stream.extend(attributes);
    stream.extend(visibility);
    stream.extend(tokens("fn"));
    stream.extend([TokenTree::from(name.clone()), Group::new(Delimiter::Parenthesis, TokenStream::new()).into()]);
    let call = match seeds {
        // Its failure is a panic, in which the seed is named.
        Some(seeds) => fill(
            tokens("::test::run_seeds(SEEDS, NAME)"),
            &[("SEEDS", TokenTree::from(seeds).into()), ("NAME", TokenTree::from(name.clone()).into())],
        ),
        None => {
            stream.extend(output.clone());
            fill(tokens("::test::run(NAME())"), &[("NAME", TokenTree::from(name.clone()).into())])
        }
    };
    run.extend(call);
    let async_test = async_function(name, output, body);
    stream.extend(fill(tokens(TEST), &[("ASYNC_TEST", async_test), ("RUN", run)]));
    Ok(stream)
}

/// Writes the function as it was, but for its attributes and its visibility.
fn async_function(name: Ident, output: TokenStream, body: Group) -> TokenStream {
    let mut function = tokens("async fn");
    function.extend([TokenTree::from(name), Group::new(Delimiter::Parenthesis, TokenStream::new()).into()]);
    function.extend(output);
    function.extend([TokenTree::from(body)]);
    function
}

/// Reads tokens that are written here; their names mean what they mean where the attribute stands.
fn tokens(text: &str) -> TokenStream {
    text.parse().expect("what is written in this file is Rust")
}

/// Moves tokens to `span`, without changing what their names mean.
fn at(stream: TokenStream, span: Span) -> TokenStream {
    let place = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), at(group.stream(), span)).into();
        }
        token.set_span(Span::call_site().located_at(span));
        token
    };
    stream.into_iter().map(place).collect()
}

/// Replaces words by tokens.
fn fill(stream: TokenStream, words: &[(&str, TokenStream)]) -> TokenStream {
    let replace = |token: TokenTree| match token {
        TokenTree::Group(group) => {
            let mut filled = Group::new(group.delimiter(), fill(group.stream(), words));
            filled.set_span(group.span());
            TokenTree::from(filled).into()
        }
        TokenTree::Ident(ident) => {
            let found = words.iter().find(|(word, _)| ident.to_string() == *word);
            found.map_or_else(|| TokenTree::from(ident).into(), |(_, tokens)| tokens.clone())
        }
        token => token.into(),
    };
    stream.into_iter().map(replace).collect()
}
