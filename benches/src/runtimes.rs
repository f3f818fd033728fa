//! The runtimes, a file each.

mod compio;
mod corio;
mod corio_eager;
mod expecting;
mod futures;
mod glommio;
mod kimojio;
mod monoio;
mod runite;
mod smol;
mod tokio;
mod tokio_local;

pub use self::compio::Compio;
pub use self::corio::Corio;
pub use self::corio_eager::CorioEager;
pub use self::expecting::Expecting;
pub use self::futures::Futures;
pub use self::glommio::{Glommio, GlommioTask};
pub use self::kimojio::Kimojio;
pub use self::monoio::{Driver, Epoll, Monoio, Uring};
pub use self::runite::Runite;
pub use self::smol::Smol;
pub use self::tokio::Tokio;
pub use self::tokio_local::TokioLocal;
