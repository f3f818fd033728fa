use corio_generator::*;

/// Does not compile if `$type` implements `$bound`.
macro_rules! not {
    ($type:ty: $bound:ident) => {
        const _: fn() = || {
            trait Ambiguous<A> {
                fn check() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct Implements;
            impl<T: ?Sized + $bound> Ambiguous<Implements> for T {}
            let _ = <$type as Ambiguous<_>>::check;
        };
    };
}

not!(Generator<'static, u8>: Send);
not!(Yielder<u8>: Send);
not!(Yield<'static, u8, ()>: Send);
not!(AsyncGenerator<u8>: Send);
not!(AsyncYielder<u8>: Send);
not!(Step<'static, u8, ()>: Send);
not!(Close<'static, u8, ()>: Send);
not!(CatchClosed<'static, u8, (), std::future::Ready<()>>: Send);
not!(Closed: Send);
not!(ResumeClosed: Send);

fn unpin<T: Unpin>() {}

#[test]
fn steps_need_no_pin() {
    unpin::<(Generator<'_, u8>, Yield<'_, u8, ()>)>();
    unpin::<(AsyncGenerator<u8>, Step<'_, u8, ()>, Close<'_, u8, ()>, ResumeClosed)>();
}
