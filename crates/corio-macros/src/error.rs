//! What is wrong with the program, said where it is.

use crate::attribute::Attribute;
use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// A sentence, and the place that it is about.
#[derive(Debug)]
pub(crate) struct Error {
    span: Span,
    message: String,
}

impl Error {
    /// Makes an error about `span`.
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Error {
        Error { span, message: message.into() }
    }

    /// Spells the error as `compile_error! { "..." }`, beside an empty `main`, lest the compiler also miss that.
    pub(crate) fn into_stream(self, attribute: Attribute) -> TokenStream {
        let message = TokenStream::from(self.place(Literal::string(&self.message).into()));
        let tokens = [
            Ident::new("compile_error", self.span).into(),
            Punct::new('!', Spacing::Alone).into(),
            Group::new(Delimiter::Brace, message).into(),
        ];
        let mut stream: TokenStream = tokens.map(|token| self.place(token)).into_iter().collect();
        stream.extend(attribute.stand_in().parse::<TokenStream>().expect("what is written in this crate is Rust"));
        stream
    }

    /// Moves a token to the place of the error.
    fn place(&self, mut token: TokenTree) -> TokenTree {
        token.set_span(self.span);
        token
    }
}
