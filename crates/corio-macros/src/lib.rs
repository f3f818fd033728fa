//! The #[corio::main] attribute.
