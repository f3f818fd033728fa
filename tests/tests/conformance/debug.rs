//! Debug mode.

use crate::harness::{ms, script};
use corio::{EventLoop, LoopHandle, Runner, create_task, yield_now};
use std::thread;

#[test]
fn c62_debug_slow_callback() {
    fn slow_cb() {
        thread::sleep(ms(50));
    }
    async fn slow_task() {
        thread::sleep(ms(50));
    }
    script("62_debug_slow_callback", || {
        let runner = Runner::with_loop_factory(|| EventLoop::builder().debug(true).build());
        let main = async {
            let event_loop = LoopHandle::current();
            event_loop.set_exception_handler(|report| {
                for name in ["slow_cb", "slow_task"] {
                    if report.message.contains("took") && report.message.contains(name) {
                        say!("slow: {name}");
                    }
                }
            });
            event_loop.set_slow_callback_duration(ms(30));
            event_loop.call_soon(slow_cb);
            yield_now().await;
            create_task(slow_task()).named("slow_task").await.unwrap();
            say!("debug {}", event_loop.debug());
        };
        runner.run(main).unwrap();
    });
}
