//! A loop's queue stays with its loop; `queue::concurrent::Queue` is for threads.

fn main() {
    let queue = corio::Queue::<u32>::new(1);
    std::thread::spawn(move || drop(queue.put_nowait(1)));
}
