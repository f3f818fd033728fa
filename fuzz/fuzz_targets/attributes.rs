//! `#[corio::main]` and `#[corio::test]`: the bytes are the attribute's arguments, a line, and what it stands on.
//!
//! The modules are those of `corio-macros`, over a stand-in for `proc_macro` that works outside the compiler.

#![cfg_attr(fuzzing, no_main)]
#![allow(dead_code)]

extern crate proc_macro2 as proc_macro;

#[path = "../../crates/corio-macros/src/arguments.rs"]
mod arguments;
#[path = "../../crates/corio-macros/src/attribute.rs"]
mod attribute;
#[path = "../../crates/corio-macros/src/error.rs"]
mod error;
#[path = "../../crates/corio-macros/src/expand.rs"]
mod expand;
#[path = "../../crates/corio-macros/src/function.rs"]
mod function;

use attribute::Attribute;
use function::Function;
use proc_macro::{TokenStream, TokenTree};

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (arguments, item) = text.split_once('\n').unwrap_or(("", &text));
    let (Ok(arguments), Ok(item)) = (arguments.parse::<TokenStream>(), item.parse::<TokenStream>()) else { return };
    check(Attribute::Main, expand::main(arguments.clone(), item.clone()), &arguments, &item);
    check(Attribute::Test, expand::test(arguments.clone(), item.clone()), &arguments, &item);
}

/// Checks what an attribute makes of a function, or says of what is none.
fn check(attribute: Attribute, made: Result<TokenStream, error::Error>, arguments: &TokenStream, item: &TokenStream) {
    match made {
        Err(error) => {
            let said = error.into_stream(attribute).to_string();
            assert!(said.starts_with("compile_error ! {"), "{said}");
        }
        Ok(made) => {
            let made: Vec<TokenTree> = made.into_iter().collect();
            assert!(matches!(made.last(), Some(TokenTree::Group(_))), "no body");
            let text = TokenStream::from_iter(made).to_string();
            let function = Function::read(item.clone(), attribute).expect("it was read before");
            assert!(text.contains(&function.body.to_string()), "the body is lost: {text}");
            assert!(text.contains(&format!("async fn {}", function.name)), "the name is lost: {text}");
            check_arguments(attribute, arguments, &text);
        }
    }
}

/// Checks that what was taken for arguments reads like some.
fn check_arguments(attribute: Attribute, arguments: &TokenStream, made: &str) {
    let tokens: Vec<String> = arguments.clone().into_iter().map(|token| token.to_string()).collect();
    for argument in tokens.split(|token| token == ",").filter(|argument| !argument.is_empty()) {
        assert!(argument.len() > 2 && argument[1] == "=", "{argument:?} was taken");
        match argument[0].as_str() {
            "crate" => {}
            "seeds" => {
                assert_eq!(attribute, Attribute::Test);
                assert!(argument[2].replace('_', "").parse::<u64>().is_ok(), "{argument:?}");
                assert!(made.contains("run_seeds"), "{made}");
            }
            name => panic!("{name} was taken"),
        }
    }
}

corio_fuzz::target!(run);
