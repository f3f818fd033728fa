//! What the crawler promises, a file per danger.

mod charset;
mod frontier;
mod links;
mod misuse;
mod network;
mod output;
mod program;
mod seeds;
mod serve;
mod site;
mod tls;
