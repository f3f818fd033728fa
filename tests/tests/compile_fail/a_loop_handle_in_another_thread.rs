//! A loop is called from its own thread; `LoopHandle::remote` is for the others.

fn main() {
    corio::run(async {
        let event_loop = corio::LoopHandle::current();
        std::thread::spawn(move || drop(event_loop.call_soon(|| ())));
    })
    .unwrap();
}
