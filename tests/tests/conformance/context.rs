//! Context variables.

use crate::harness::{conforms, ms};
use corio::{
    ContextVar, LoopHandle, TaskOptions, copy_context, create_task, create_task_with, gather, promise, sleep, yield_now,
};

#[test]
fn c07_task_context() {
    static V: ContextVar<&str> = ContextVar::new("v");
    fn v() -> &'static str {
        V.get().unwrap_or("default")
    }
    async fn child(tag: &'static str) {
        say!("{tag} sees {}", v());
        V.set(tag);
        yield_now().await;
        say!("{tag} keeps {}", v());
    }
    conforms("07_task_context", async {
        V.set("one");
        LoopHandle::current().call_soon(|| say!("callback sees {}", v()));
        let t1 = create_task(child("t1"));
        V.set("two");
        let t2 = create_task(child("t2"));
        let (set, future) = promise();
        future.add_done_callback(|_| say!("done cb sees {}", v()));
        V.set("three");
        set.set_result(()).unwrap();
        gather([t1, t2]).await.unwrap();
        say!("main sees {}", v());
        let context = copy_context();
        create_task_with(TaskOptions::new().context(&context), child("t3")).await.unwrap();
        say!("main sees {} | ctx holds {}", v(), context.get(&V).unwrap());
    });
}

#[test]
fn x35_contextvars() {
    static USER: ContextVar<&str> = ContextVar::new("user");
    fn user() -> &'static str {
        USER.get().unwrap_or("nobody")
    }
    async fn child(name: &'static str) -> (&'static str, &'static str) {
        let before = user();
        USER.set(name);
        yield_now().await;
        (before, user())
    }
    conforms("x35_contextvars", async {
        let token = USER.set("one");
        LoopHandle::current().call_later(ms(10), || say!("timer sees {}", user()));
        let both = gather([child("a"), child("b")]);
        USER.set("two");
        say!("{:?} {}", both.await.unwrap(), user());
        USER.reset(token);
        say!("reset {}", user());
        let context = copy_context();
        let inside = context.run(|| {
            USER.set("inside");
            user()
        });
        say!("{inside} {} {}", context.get(&USER).unwrap(), user());
        let task = create_task(child("c"));
        task.add_done_callback(|_| say!("done callback sees {}", user()));
        USER.set("later");
        say!("{:?}", task.await.unwrap());
        sleep(ms(20)).await;
        say!("{} {}", USER.name(), user());
    });
}
