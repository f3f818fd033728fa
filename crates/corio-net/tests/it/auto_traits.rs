use corio_net::{Address, Incoming, TcpListener, TcpStream};

/// Answers whether `$T` is `$Trait`, as a constant.
macro_rules! is {
    ($T:ty: $Trait:ident) => {{
        #[allow(dead_code)]
        trait No {
            const IS: bool = false;
        }
        impl<T: ?Sized> No for T {}
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        impl<T: ?Sized + $Trait> Probe<T> {
            const IS: bool = true;
        }
        <Probe<$T>>::IS
    }};
}

#[test]
fn a_stream_belongs_to_its_loop() {
    assert!(is!(Address: Send) && is!(Address: Sync));
    assert!(!is!(TcpStream: Send) && !is!(TcpStream: Sync));
    assert!(!is!(TcpListener: Send) && !is!(TcpListener: Sync));
    assert!(!is!(Incoming<'static>: Send) && !is!(Incoming<'static>: Sync));
    assert!(is!(TcpStream: Unpin) && is!(TcpListener: Unpin) && is!(Incoming<'static>: Unpin));
}
