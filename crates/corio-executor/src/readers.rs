//! Callbacks on descriptors: asyncio's `add_reader` and its kin.

use crate::LoopHandle;
use crate::selector::Interest;
use crate::sys::{AsFd, borrow};
use std::io;

impl LoopHandle {
    /// Calls `callback` from the loop as long as `fd` is readable; asyncio's `loop.add_reader`.
    ///
    /// It is level-triggered: the callback runs once an iteration until it has read what there is. A reader that is there
    /// already is replaced. A descriptor has callbacks or an [`io::Source`](crate::io::Source), never both.
    ///
    /// The loop watches a duplicate of the descriptor: remove the reader before you close `fd`, or the other end sees it
    /// open until then.
    ///
    /// # Errors
    ///
    /// When the loop is closed, the descriptor belongs to a source, or the system refuses to watch it.
    ///
    /// # Panics
    ///
    /// A panic of the callback is reported to the exception handler, and the callback stays.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_executor::LoopHandle;
    /// use std::io::{Read, Write};
    /// use std::os::unix::net::UnixStream;
    ///
    /// let (near, mut far) = UnixStream::pair()?;
    /// let byte = std::rc::Rc::new(std::cell::Cell::new(0));
    /// let seen = byte.clone();
    /// corio_executor::run(async {
    ///     let handle = LoopHandle::current();
    ///     let reader = near.try_clone()?;
    ///     handle.add_reader(&near, move || {
    ///         let mut buffer = [0];
    ///         (&reader).read_exact(&mut buffer).expect("it is readable");
    ///         seen.set(buffer[0]);
    ///     })?;
    ///     far.write_all(b"!")?;
    ///     while byte.get() == 0 {
    ///         corio_executor::yield_now().await;
    ///     }
    ///     assert!(handle.remove_reader(&near));
    ///     std::io::Result::Ok(())
    /// })
    /// .unwrap()?;
    /// assert_eq!(byte.get(), b'!');
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn add_reader(&self, fd: &impl AsFd, callback: impl FnMut() + 'static) -> io::Result<()> {
        self.reactor()?.add_callback(borrow(fd), Interest::READABLE, Box::new(callback))
    }

    /// Calls `callback` from the loop as long as `fd` is writable; asyncio's `loop.add_writer`.
    ///
    /// # Errors
    ///
    /// As [`add_reader`](LoopHandle::add_reader).
    ///
    /// # Panics
    ///
    /// As [`add_reader`](LoopHandle::add_reader).
    #[track_caller]
    pub fn add_writer(&self, fd: &impl AsFd, callback: impl FnMut() + 'static) -> io::Result<()> {
        self.reactor()?.add_callback(borrow(fd), Interest::WRITABLE, Box::new(callback))
    }

    /// Stops calling the reader of `fd`; true if there was one. asyncio's `loop.remove_reader`.
    ///
    /// A call that is queued already does not happen.
    pub fn remove_reader(&self, fd: &impl AsFd) -> bool {
        self.reactor().is_ok_and(|reactor| reactor.remove_callback(borrow(fd), Interest::READABLE))
    }

    /// Stops calling the writer of `fd`; true if there was one. asyncio's `loop.remove_writer`.
    ///
    /// A call that is queued already does not happen.
    pub fn remove_writer(&self, fd: &impl AsFd) -> bool {
        self.reactor().is_ok_and(|reactor| reactor.remove_callback(borrow(fd), Interest::WRITABLE))
    }
}
