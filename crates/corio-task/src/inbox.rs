//! Where other threads meet the set: a locked list, swapped whole, and a bell that is rung only for a sleeper.
//!
//! ```text
//!            push (any thread)                         owner
//!   AWAKE  ── entry appended ──▶ AWAKE          drain: list taken whole
//!   ASLEEP ── entry appended, bell rung ─▶ AWAKE   fall_asleep: ASLEEP only if the list is empty
//!   CLOSED ── entry given back                  close: for good
//! ```
//! "Asleep" and "closed" stand under the same lock as the list. So a push either comes before `fall_asleep` looks, and
//! is seen, or after, and rings: no wake-up falls between. A burst of pushes rings once.

use crate::raw::RemoteTask;
use crate::sync::{AtomicBool, Mutex, Ordering, lock};
use corio_seam::{IntMap, LoopId};
use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc as Shared;

/// A closure from another thread.
pub(crate) type Call = Box<dyn FnOnce() + Send>;

/// What another thread wants of the set.
pub(crate) enum Entry {
    /// A task was woken; the entry is the reference that the mark QUEUED stands for.
    Wake(RemoteTask),
    /// A function is to be called.
    Call(Call),
}

/// Tells whoever parks for a set that it has something to do; asyncio's `_write_to_self`.
pub trait Bell: Send + Sync {
    /// Wakes the parked thread. Called from any thread, at most once for each time it fell asleep, under no lock.
    fn ring(&self);
}

/// Whether the owner looks at the list by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mood {
    /// The owner runs, and will look before it parks.
    Awake,
    /// The owner is parked, or about to; whoever pushes first rings.
    Asleep,
    /// The set is closed; nothing is accepted.
    Closed,
}

struct Inner {
    entries: Vec<Entry>,
    /// Who sent each entry, in a set made under a seed.
    senders: Option<Vec<u64>>,
    mood: Mood,
    bell: Option<Shared<dyn Bell>>,
}

/// The part of a task set that other threads see.
pub(crate) struct Inbox {
    inner: Mutex<Inner>,
    /// Whether `inner.entries` may hold something: written under the lock, read without. A stale `false` costs a turn
    /// of the loop at most, for the way to sleep looks again under the lock.
    filled: AtomicBool,
    pub(crate) id: LoopId,
}

impl Inbox {
    pub(crate) fn new() -> Inbox {
        let senders = corio_seam::is_seeded().then(Vec::new);
        let inner = Inner { entries: Vec::new(), senders, mood: Mood::Awake, bell: None };
        Inbox { inner: Mutex::new(inner), filled: AtomicBool::new(false), id: LoopId::unique() }
    }

    pub(crate) fn set_bell(&self, bell: Shared<dyn Bell>) {
        let old = lock(&self.inner).bell.replace(bell);
        drop(old); // User code: not under the lock.
    }

    /// Appends an entry and rings if the owner sleeps; gives the entry back if the set is closed.
    pub(crate) fn push(&self, entry: Entry) -> Result<(), Entry> {
        let mut inner = lock(&self.inner);
        if inner.mood == Mood::Closed {
            return Err(entry);
        }
        inner.entries.push(entry);
        if let Some(senders) = &mut inner.senders {
            senders.push(this_thread());
        }
        self.filled.store(true, Ordering::Relaxed);
        let was_asleep = std::mem::replace(&mut inner.mood, Mood::Awake) == Mood::Asleep;
        let bell = if was_asleep { inner.bell.clone() } else { None };
        drop(inner);
        if let Some(bell) = bell {
            bell.ring();
        }
        Ok(())
    }

    /// Sends a woken task in; refused, it gives its mark back by itself.
    pub(crate) fn push_task(&self, task: RemoteTask) {
        let refused = self.push(Entry::Wake(task));
        drop(refused); // Not under the lock: it may be the task's last reference.
    }

    /// Rings if the owner sleeps: something became ready on its own thread, while it was not running.
    pub(crate) fn kick(&self) {
        let mut inner = lock(&self.inner);
        if inner.mood != Mood::Asleep {
            return;
        }
        inner.mood = Mood::Awake;
        let bell = inner.bell.clone();
        drop(inner);
        if let Some(bell) = bell {
            bell.ring();
        }
    }

    /// Tells whether it is worth the lock to look.
    #[inline]
    pub(crate) fn may_hold_entries(&self) -> bool {
        self.filled.load(Ordering::Relaxed)
    }

    /// Takes all entries, oldest first, into `into`, which must be empty and whose room the list inherits.
    pub(crate) fn drain(&self, into: &mut Vec<Entry>) {
        let mut inner = lock(&self.inner);
        self.filled.store(false, Ordering::Relaxed);
        std::mem::swap(&mut inner.entries, into);
        let senders = inner.senders.as_mut().map(std::mem::take);
        drop(inner);
        if let Some(senders) = senders {
            interleave(into, senders);
        }
    }

    /// Says that the owner is about to park: false if there is something to do instead.
    pub(crate) fn fall_asleep(&self) -> bool {
        let mut inner = lock(&self.inner);
        let may = inner.entries.is_empty() && inner.mood != Mood::Closed;
        if may {
            inner.mood = Mood::Asleep;
        }
        may
    }

    /// Tells whether the owner still sleeps: nothing has come since it fell asleep.
    pub(crate) fn is_asleep(&self) -> bool {
        lock(&self.inner).mood == Mood::Asleep
    }

    /// Says that the owner is no longer parked, whoever woke it.
    pub(crate) fn wake_up(&self) {
        let mut inner = lock(&self.inner);
        if inner.mood == Mood::Asleep {
            inner.mood = Mood::Awake;
        }
    }

    /// Refuses entries from now on, and returns those that are left.
    pub(crate) fn close(&self) -> Vec<Entry> {
        let mut inner = lock(&self.inner);
        inner.mood = Mood::Closed;
        let bell = inner.bell.take();
        let entries = std::mem::take(&mut inner.entries);
        drop(inner);
        drop(bell); // User code: not under the lock.
        entries
    }

    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.inner).mood == Mood::Closed
    }
}

thread_local! {
    /// This thread's number among those that have sent something to a set made under a seed; 0 before it has.
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}

/// Returns the number of this thread, which no other thread has.
#[cold]
fn this_thread() -> u64 {
    static LAST: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    if NUMBER.get() == 0 {
        NUMBER.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
    }
    NUMBER.get()
}

/// Puts entries into another order, as the seed says, in which each sender's own stay in theirs. Which sender was first
/// heard does not matter.
#[cold]
fn interleave(entries: &mut Vec<Entry>, mut senders: Vec<u64>) {
    let mut queues: IntMap<VecDeque<Entry>> = IntMap::new();
    for (sender, entry) in senders.drain(..).zip(entries.drain(..)) {
        match queues.get_mut(sender) {
            Some(queue) => queue.push_back(entry),
            None => _ = queues.insert(sender, VecDeque::from([entry])),
        }
    }
    for (sender, queue) in queues.iter() {
        senders.resize(senders.len() + queue.len(), sender);
    }
    corio_seam::permute(&mut senders);
    entries.extend(senders.into_iter().filter_map(|sender| queues.get_mut(sender)?.pop_front()));
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("id", &self.id).finish_non_exhaustive()
    }
}
