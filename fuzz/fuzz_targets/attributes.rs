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
use std::collections::HashSet;

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
            let is_right = is_plain(&words(item), attribute) && are_arguments(&words(arguments), attribute);
            assert!(!is_right, "`{arguments}` and `{item}` were refused: {said}");
        }
        Ok(made) => {
            let function = Function::read(item.clone(), attribute).expect("it was read before");
            check_parts(&function, &words(item));
            check_made(attribute, &function, &made);
            check_arguments(attribute, arguments, &made.to_string());
        }
    }
}

/// Checks that a function was read whole: all but the parentheses is in one of its parts.
fn check_parts(function: &Function, item: &[String]) {
    let Function { attributes, visibility, name, output, body } = function;
    let name = [String::from("async"), String::from("fn"), name.to_string()];
    let front = [words(attributes), words(visibility), name.to_vec()].concat();
    let back = [words(output), vec![body.to_string()]].concat();
    assert!(item.starts_with(&front) && item[front.len() + 1..] == back, "{function:?} was read from {item:?}");
}

/// Checks that what is made begins as the function does, is a function, and has the other one inside.
fn check_made(attribute: Attribute, function: &Function, made: &TokenStream) {
    let Function { attributes, visibility, name, output, body } = function;
    let front = match attribute {
        Attribute::Main => format!("{attributes} {visibility} fn {name}()"),
        Attribute::Test => format!("#[::core::prelude::v1::test] {attributes} {visibility} fn {name}()"),
    };
    let inner = format!("async fn {name}() {output} {body}");
    let (front, inner) = (spelled(&front), spelled(&inner));
    let text = made.to_string();
    assert!(spelled(&text).starts_with(&front), "{text} does not begin with {front}");
    assert!(spelled(&text).contains(&inner), "{inner} is lost: {text}");
    assert!(matches!(made.clone().into_iter().last(), Some(TokenTree::Group(_))), "no body: {text}");
}

/// Returns what tokens are, without the white space between them.
fn spelled(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Spells each token.
fn words(stream: &TokenStream) -> Vec<String> {
    stream.clone().into_iter().map(|token| token.to_string()).collect()
}

/// Tells whether this is a function that the attribute must take.
fn is_plain(item: &[String], attribute: Attribute) -> bool {
    let Some(at) = item.iter().position(|word| word == "async") else { return false };
    let mut front = &item[..at];
    while let [hash, brackets, rest @ ..] = front {
        if hash != "#" || !brackets.starts_with('[') {
            break;
        }
        if attribute == Attribute::Test && spelled(brackets) == "[test]" {
            return false; // It would run twice.
        }
        front = rest;
    }
    let visible = match front {
        [] => true,
        [word] => word == "pub",
        [word, within] => word == "pub" && within.starts_with('('),
        _ => false,
    };
    let [_, word, name, parentheses, output @ .., body] = &item[at..] else { return false };
    let named = is_word(name) && (attribute == Attribute::Test || name == "main");
    let is_function = word == "fn" && named && spelled(parentheses) == "()" && body.starts_with('{');
    visible && is_function && output.iter().all(|word| word != "where")
}

/// Tells whether these are arguments that the attribute must take.
fn are_arguments(words: &[String], attribute: Attribute) -> bool {
    let is_of_a_path = |word: &String| word == ":" || is_word(word);
    let names: Vec<&String> = words.split(|word| word == ",").filter_map(<[String]>::first).collect();
    let is_once = |name: &&String| names.iter().filter(|other| *other == name).count() == 1;
    names.iter().all(is_once)
        && words.split(|word| word == ",").all(|argument| match argument {
            [] => true,
            [name, equals, path @ ..] if name == "crate" && equals == "=" => {
                !path.is_empty() && path.iter().all(is_of_a_path)
            }
            [name, equals, number] if name == "seeds" && equals == "=" && attribute == Attribute::Test => {
                number.replace('_', "").parse::<u64>().is_ok_and(|number| number > 0)
            }
            _ => false,
        })
}

/// Tells whether a token is a word, and no literal that begins like one.
fn is_word(token: &str) -> bool {
    token.starts_with(char::is_alphabetic) && !token.contains(['"', '\''])
}

/// Checks that what was taken for arguments reads like some, and is used.
fn check_arguments(attribute: Attribute, arguments: &TokenStream, made: &str) {
    let words = words(arguments);
    let mut names = HashSet::new();
    for argument in words.split(|word| word == ",").filter(|argument| !argument.is_empty()) {
        assert!(argument.len() > 2 && argument[1] == "=", "{argument:?} was taken");
        assert!(names.insert(&argument[0]), "{arguments} was taken");
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
