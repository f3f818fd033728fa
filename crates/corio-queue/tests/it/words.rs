use corio_queue::{Fifo, GetError, Lifo, LifoQueue, Priority, PriorityQueue, PutError, Queue, ShutDown, concurrent};

/// Has no `Debug`: what is in a queue is never shown.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Secret;

const EMPTY: &str = "Queue { maxsize: 2, len: 0, unfinished: 0, getters: 0, putters: 0, shut_down: false }";

#[test]
fn a_queue_says_how_full_it_is_and_not_of_what() {
    let queue = Queue::new(2);
    assert_eq!(format!("{queue:?}"), EMPTY);
    queue.put_nowait(Secret).unwrap();
    queue.shutdown(false);
    let now = "Queue { maxsize: 2, len: 1, unfinished: 1, getters: 0, putters: 0, shut_down: true }";
    assert_eq!(format!("{queue:?}"), now);
    assert_eq!(format!("{:?}", LifoQueue::<Secret>::new(2)), EMPTY);
    assert_eq!(format!("{:?}", PriorityQueue::<Secret>::new(2)), EMPTY);
}

#[test]
fn a_wait_says_for_which_queue() {
    let queue = Queue::new(2);
    assert_eq!(format!("{:?}", queue.get()), format!("Get {{ queue: {EMPTY}, .. }}"));
    assert_eq!(format!("{:?}", queue.put(Secret)), format!("Put {{ queue: {EMPTY}, .. }}"));
    assert_eq!(format!("{:?}", queue.join()), format!("Join {{ queue: {EMPTY}, .. }}"));
    assert_eq!(format!("{:?}", queue.stream()), format!("Items {{ queue: {EMPTY}, .. }}"));
}

#[test]
fn between_threads_too() {
    let queue = concurrent::Queue::new(2);
    assert_eq!(format!("{queue:?}"), EMPTY);
    assert_eq!(format!("{:?}", queue.get()), format!("Get {{ queue: {EMPTY}, .. }}"));
    assert_eq!(format!("{:?}", queue.put(Secret)), format!("Put {{ queue: {EMPTY}, .. }}"));
    assert_eq!(format!("{:?}", queue.join()), format!("Join {{ queue: {EMPTY}, .. }}"));
    assert_eq!(format!("{:?}", queue.stream()), format!("Items {{ queue: {EMPTY}, .. }}"));
}

#[test]
fn a_store_says_how_much_it_holds() {
    let (fifo, lifo, priority) = (Fifo::<Secret>::default(), Lifo::<Secret>::default(), Priority::<Secret>::default());
    assert_eq!(format!("{fifo:?} {lifo:?} {priority:?}"), "Fifo { len: 0 } Lifo { len: 0 } Priority { len: 0 }");
}

#[test]
fn errors_are_sentences_and_show_no_item() {
    let (full, shut) = (PutError::QueueFull(Secret), PutError::ShutDown(Secret));
    assert_eq!(format!("{full:?}: {full}"), "QueueFull(..): the queue is full");
    assert_eq!(format!("{shut:?}: {shut}"), "ShutDown(..): the queue has been shut down");
    assert_eq!(GetError::QueueEmpty.to_string(), "the queue is empty");
    assert_eq!(GetError::ShutDown.to_string(), "the queue has been shut down");
    let queue = Queue::new(0);
    queue.shutdown(false);
    let error: ShutDown<Secret> = pollster::block_on(queue.put(Secret)).unwrap_err();
    assert_eq!(format!("{error:?}: {error}"), "ShutDown(..): the queue has been shut down");
    let words = "`task_done` was called more often than items were put";
    assert_eq!(queue.task_done().unwrap_err().to_string(), words);
}
