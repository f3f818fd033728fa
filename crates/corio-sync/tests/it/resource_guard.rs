use corio_sync::ResourceGuard;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn the_second_user_hears_what_the_first_does() {
    let sending = ResourceGuard::new("sending to");
    let first = sending.enter().unwrap();
    let refused = sending.enter().unwrap_err();
    assert_eq!(refused.action(), "sending to");
    assert_eq!(refused.to_string(), "another task is already sending to this resource");
    assert!(sending.enter().is_err(), "being refused frees nothing");
    drop(first);
    assert!(!sending.is_busy() && sending.enter().is_ok());
    assert!(ResourceGuard::default().enter().is_ok());
}

#[test]
fn a_panic_leaves() {
    let guard = ResourceGuard::default();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _in_use = guard.enter().unwrap();
        panic!("the user's own affair");
    }));
    assert!(panicked.is_err() && !guard.is_busy());
}
