use crate::{Count, my_turn, raise};
use corio_signal::{LoopBell, SIGUSR1, Signals};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

struct Bad;

impl Wake for Bad {
    fn wake(self: Arc<Self>) {
        panic!("a waker that panics (this is a test)");
    }
}

#[test]
fn hazard_06_a_panicking_waker_does_not_stop_the_others() {
    let _turn = my_turn();
    let bell = LoopBell::new();
    let mut bad = Signals::new([SIGUSR1]).unwrap();
    let mut good = Signals::new([SIGUSR1]).unwrap();
    let (count, waker) = Count::new();
    assert!(bad.poll_recv(&mut Context::from_waker(&Waker::from(Arc::new(Bad)))).is_pending());
    assert!(good.poll_recv(&mut Context::from_waker(&waker)).is_pending());

    raise(SIGUSR1);
    assert_eq!(bell.dispatch(), 2);
    assert_eq!(count.wakes(), 1);
    assert_eq!(bad.poll_recv(&mut Context::from_waker(&waker)), Poll::Ready(SIGUSR1));
    assert_eq!(good.poll_recv(&mut Context::from_waker(&waker)), Poll::Ready(SIGUSR1));
}

#[test]
fn waiting_where_nobody_watches_panics_with_a_sentence() {
    let _turn = my_turn();
    let mut signals = Signals::new([SIGUSR1]).unwrap();
    let wait = catch_unwind(AssertUnwindSafe(|| pollster::block_on(signals.recv())));
    let message = *wait.unwrap_err().downcast::<&'static str>().unwrap();
    assert!(message.starts_with("nobody watches for signals here: "), "{message}");

    raise(SIGUSR1);
    assert_eq!(signals.try_recv(), Some(SIGUSR1), "the listener is as good as before");
}
