//! What the crawler promises, a file per danger.

mod links;
