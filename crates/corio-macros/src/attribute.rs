//! The attributes, and what differs between them in what is said.

use proc_macro::Ident;

/// One of the attributes of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    Main,
    Test,
}

impl Attribute {
    /// Returns its name as programs spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Attribute::Main => "corio::main",
            Attribute::Test => "corio::test",
        }
    }

    /// Returns where the function that it calls is found, unless the program says otherwise.
    pub(crate) fn runtime(self) -> &'static str {
        match self {
            Attribute::Main => "::corio",
            Attribute::Test => "::corio::executor",
        }
    }

    /// Says what is wrong with parameters.
    pub(crate) fn on_parameters(self, name: &Ident) -> String {
        match self {
            Attribute::Main => format!("`{name}` takes no arguments; those of the program are in `std::env::args`"),
            Attribute::Test => format!("`{name}` takes no arguments: a test is called by nobody who has any"),
        }
    }

    /// Says what is wrong with an argument of the attribute.
    pub(crate) fn on_arguments(self) -> &'static str {
        match self {
            Attribute::Main => "the only argument is `crate = path`, the path of corio",
            Attribute::Test => {
                "the arguments are `seeds = number` and `crate = path`, the path of what has `test::run`"
            }
        }
    }

    /// Returns what stands beside an error, lest the compiler miss that too.
    pub(crate) fn stand_in(self) -> &'static str {
        match self {
            Attribute::Main => "fn main() {}",
            Attribute::Test => "",
        }
    }
}
