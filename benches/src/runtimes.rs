//! The runtimes, a file each.

mod corio;
mod smol;
mod tokio;

pub use corio::Corio;
pub use smol::Smol;
pub use tokio::Tokio;
