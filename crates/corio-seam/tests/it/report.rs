use crate::answers::answers;
use corio_seam::{Panic, Report, catch_and_report, catch_and_report_from, report};
use std::panic::{Location, catch_unwind};

#[test]
fn a_report_says_whom_it_concerns_and_why() {
    let panic = Panic::new(Box::new("boom"));
    let full = Report::new("it failed").with_source("task 1").with_error("no bread").with_panic(panic);
    assert_eq!(full.to_string(), "it failed: task 1: no bread: panicked: boom");
    let words = r#"Report { message: "it failed", source: Some("task 1"), error: Some("no bread"), panic: Some(Panic("boom")) }"#;
    assert_eq!(format!("{full:?}"), words);
    assert_eq!(Report::new("it failed").to_string(), "it failed");
}

#[test]
fn the_loop_s_handler_hears_of_it() {
    let (_seam, told) = answers();
    report(Report::new("it failed"));
    catch_and_report("in a test", || panic!("its own affair"));
    let here = Location::caller();
    catch_and_report_from("in a test", Some(here), || panic!("its own affair"));
    let placed = format!("in a test: scheduled at {here}: panicked: its own affair");
    assert_eq!(told.take(), ["it failed", "in a test: panicked: its own affair", &placed]);
}

#[test]
fn a_loop_that_does_not_listen_is_not_in_the_way() {
    let (_seam, told) = answers();
    told.refuses.set(true);
    report(Report::new("on standard error (this is a test)"));
    assert!(told.take().is_empty());
}

#[test]
fn a_panic_keeps_its_payload() {
    let number = Panic::new(Box::new(7));
    assert_eq!((number.message(), number.to_string()), (None, "panicked".to_owned()));
    assert_eq!(format!("{number:?}"), r#"Panic("..")"#);
    assert_eq!(number.into_payload().downcast_ref(), Some(&7));
    let text = Panic::new(catch_unwind(|| panic!("number 7")).unwrap_err());
    assert_eq!((text.message(), text.to_string()), (Some("number 7"), "panicked: number 7".to_owned()));
    let again = catch_unwind(|| text.resume_unwind()).unwrap_err();
    assert_eq!(Panic::new(again).message(), Some("number 7"));
}
