//! The runtimes, a file each.

mod corio;
mod smol;
mod tokio;

pub use corio::{Corio, Joined as CorioTask};
pub use smol::Smol;
pub use tokio::{Joined as TokioTask, Tokio};
