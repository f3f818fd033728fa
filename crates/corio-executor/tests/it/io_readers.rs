//! `add_reader` and `add_writer`: level-triggered callbacks, one a direction.

use corio_executor::io::Source;
use corio_executor::{LoopHandle, run, yield_now};
use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

/// Two ends of a connection; the near one does not block.
fn pair() -> (Rc<UnixStream>, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    (Rc::new(near), far)
}

/// Lets the loop iterate until `done`, but not for ever.
async fn until(done: impl Fn() -> bool) {
    for _ in 0..1_000_000 {
        if done() {
            return;
        }
        yield_now().await;
    }
    panic!("it never happened");
}

/// A callback that counts.
fn counter() -> (Rc<Cell<u32>>, impl FnMut() + 'static) {
    let count = Rc::new(Cell::new(0));
    let counted = count.clone();
    (count, move || counted.set(counted.get() + 1))
}

#[test]
fn it_is_called_as_long_as_there_is_something() {
    run(async {
        let handle = LoopHandle::current();
        let (near, mut far) = pair();
        let (count, callback) = counter();
        handle.add_reader(&*near, callback).unwrap();
        for _ in 0..300 {
            yield_now().await;
        }
        assert_eq!(count.get(), 0);
        far.write_all(b"x").unwrap();
        until(|| count.get() >= 3).await;
        (&*near).read_exact(&mut [0]).unwrap();
        // The loop looks at the sources now and then: what it saw before may be under way.
        yield_now().await;
        yield_now().await;
        let seen = count.get();
        for _ in 0..300 {
            yield_now().await;
        }
        assert_eq!(count.get(), seen);
        assert!(handle.remove_reader(&*near));
        assert!(!handle.remove_reader(&*near));
    })
    .unwrap();
}

#[test]
fn adding_again_replaces() {
    run(async {
        let handle = LoopHandle::current();
        let (near, _far) = pair();
        let ((old, old_callback), (new, new_callback)) = (counter(), counter());
        handle.add_writer(&*near, old_callback).unwrap();
        until(|| old.get() > 0).await;
        handle.add_writer(&*near, new_callback).unwrap();
        assert_eq!(Rc::strong_count(&old), 1, "the old callback is dropped at once");
        let seen = old.get();
        until(|| new.get() > 1).await;
        assert_eq!(old.get(), seen);
        assert!(handle.remove_writer(&*near));
    })
    .unwrap();
}

#[test]
fn the_directions_are_independent() {
    run(async {
        let handle = LoopHandle::current();
        let (near, mut far) = pair();
        let ((read, reader), (written, writer)) = (counter(), counter());
        handle.add_reader(&*near, reader).unwrap();
        handle.add_writer(&*near, writer).unwrap();
        until(|| written.get() > 1).await;
        assert_eq!(read.get(), 0);
        assert!(handle.remove_writer(&*near) && !handle.remove_writer(&*near));
        far.write_all(b"x").unwrap();
        until(|| read.get() > 1).await;
        assert!(handle.remove_reader(&*near));
    })
    .unwrap();
}

#[test]
fn a_callback_may_remove_itself_and_the_other() {
    run(async {
        let handle = LoopHandle::current();
        let (near, mut far) = pair();
        far.write_all(b"x").unwrap();
        let calls = Rc::new(RefCell::new(Vec::new()));
        let callback = |name: &'static str| {
            let (calls, near) = (calls.clone(), near.clone());
            move || {
                calls.borrow_mut().push(name);
                let handle = LoopHandle::current();
                handle.remove_reader(&*near);
                handle.remove_writer(&*near);
            }
        };
        handle.add_reader(&*near, callback("reader")).unwrap();
        handle.add_writer(&*near, callback("writer")).unwrap();
        until(|| !calls.borrow().is_empty()).await;
        for _ in 0..300 {
            yield_now().await;
        }
        assert_eq!(calls.borrow().len(), 1, "a call that was queued does not happen once it is removed");
        assert_eq!(Rc::strong_count(&near), 1);
        drop(Source::new(Rc::try_unwrap(near).unwrap()).unwrap());
    })
    .unwrap();
}

#[test]
fn a_panic_is_reported_and_the_callback_stays() {
    run(async {
        let handle = LoopHandle::current();
        let reports = Rc::new(Cell::new(0));
        let counted = reports.clone();
        handle.set_exception_handler(move |_| counted.set(counted.get() + 1));
        let (near, _far) = pair();
        let calls = Rc::new(Cell::new(0));
        let called = calls.clone();
        handle
            .add_writer(&*near, move || {
                called.set(called.get() + 1);
                assert!(called.get() > 2, "on purpose");
            })
            .unwrap();
        until(|| calls.get() > 3).await;
        assert_eq!(reports.get(), 2);
        handle.remove_writer(&*near);
    })
    .unwrap();
}

#[test]
fn a_descriptor_is_a_source_or_has_callbacks() {
    run(async {
        let handle = LoopHandle::current();
        let (near, _far) = pair();
        let source = Source::new(near.clone()).unwrap();
        assert_eq!(handle.add_reader(&*near, || ()).unwrap_err().kind(), ErrorKind::AlreadyExists);
        drop(source);
        handle.add_reader(&*near, || ()).unwrap();
        assert_eq!(Source::new(near.clone()).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert!(handle.remove_reader(&*near));
    })
    .unwrap();
}

#[test]
fn hazard_37_a_descriptor_that_is_closed_first_harms_nobody() {
    run(async {
        let handle = LoopHandle::current();
        let (near, mut far) = pair();
        let (count, callback) = counter();
        handle.add_reader(&*near, callback).unwrap();
        drop(near); // Against the rules: the other end sees it open for as long as the loop watches it.
        far.write_all(b"x")?;
        until(|| count.get() > 0).await;
        io::Result::Ok(())
    })
    .unwrap()
    .unwrap();
}

#[test]
fn the_loop_drops_what_is_left() {
    let held = Rc::new(());
    let (near, _far) = pair();
    run(async {
        let held = held.clone();
        LoopHandle::current().add_reader(&*near, move || drop(held.clone())).unwrap();
    })
    .unwrap();
    assert_eq!(Rc::strong_count(&held), 1);
}
