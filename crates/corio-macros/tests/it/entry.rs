use std::process::{ExitCode, Termination};

/// Tells whether two exit codes are the same; they can only be printed.
fn same(left: ExitCode, right: ExitCode) -> bool {
    format!("{left:?}") == format!("{right:?}")
}

mod returns_nothing {
    #[corio_macros::main(crate = corio_executor)]
    pub(super) async fn main() {
        corio_executor::yield_now().await;
    }
}

mod returns_a_result {
    /// Says that it fails.
    #[allow(clippy::unnecessary_wraps)]
    #[corio_macros::main(crate = ::corio_executor)]
    pub(super) async fn main() -> Result<(), std::num::ParseIntError> {
        let number: Result<u8, _> = async { "256".parse() }.await;
        number?;
        Ok(())
    }
}

mod returns_a_status {
    use super::ExitCode;

    #[corio_macros::main(crate = corio_executor)]
    pub(super) async fn main() -> ExitCode {
        ExitCode::from(7)
    }
}

mod returns_what_has_braces {
    /// Terminates if its number is 1.
    pub(super) struct Number<const N: usize>;

    impl std::process::Termination for Number<1> {
        fn report(self) -> super::ExitCode {
            super::ExitCode::from(1)
        }
    }

    #[corio_macros::main(crate = corio_executor)]
    pub(super) async fn main() -> Number<{ 2 - 1 }> {
        Number
    }
}

mod shadows_what_the_expansion_says {
    #![allow(non_camel_case_types, dead_code)]

    struct Ok;
    struct Err;
    struct std;
    struct core;

    #[corio_macros::main(crate = corio_executor)]
    pub(super) async fn main() {}
}

mod is_stopped {
    #[corio_macros::main(crate = corio_executor)]
    pub(super) async fn main() {
        corio_executor::LoopHandle::current().stop();
        ::std::future::pending().await
    }
}

#[test]
fn the_status_is_that_of_a_plain_main() {
    assert!(same(returns_nothing::main(), ExitCode::SUCCESS));
    assert!(same(returns_a_result::main(), ExitCode::FAILURE));
    assert!(same(returns_a_status::main(), ExitCode::from(7)));
    assert!(same(returns_what_has_braces::main(), ExitCode::from(1)));
    assert!(same(shadows_what_the_expansion_says::main().report(), ExitCode::SUCCESS));
}

#[test]
fn a_loop_that_fails_is_status_1() {
    assert!(same(is_stopped::main(), ExitCode::FAILURE));
}

#[test]
#[should_panic(expected = "on purpose")]
fn a_panic_goes_on() {
    #[corio_macros::main(crate = corio_executor)]
    async fn main() {
        panic!("on purpose");
    }
    main();
}
