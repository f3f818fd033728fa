//! What is watched: resident memory, descriptors, and how long the loop's turns take.

use crate::site;
use corio::{sleep, yield_now};
use std::fmt;
use std::time::{Duration, Instant};

/// The longest that a hundredth of the turns may take.
const LONGEST: Duration = Duration::from_millis(20);
/// How far memory may grow, as a part of what it was, and at any rate: the allocator's own affairs.
const GROWTH: (f64, u64) = (1.05, 1 << 20);
/// How many pieces of a microsecond's power of two the turns are counted in.
const BUCKETS: usize = 24;

/// The watch, while it lasts.
pub(crate) struct Watch {
    /// When what is there counts as what there must be.
    settled: Instant,
    /// How many descriptors were open before there was work.
    before: usize,
}

/// What was seen.
pub(crate) struct Seen {
    /// Resident bytes, when things had settled, and the most since.
    settled: u64,
    most: u64,
    /// Open descriptors: before there was work, and the most ever since.
    before: usize,
    busiest: usize,
    /// How many turns took less than two to the index microseconds.
    turns: [u64; BUCKETS],
}

impl Watch {
    pub(crate) fn new(time: Duration) -> Watch {
        Watch { settled: Instant::now() + Duration::from_secs(60).min(time / 2), before: descriptors() }
    }

    /// Watches until `end`.
    pub(crate) async fn until(self, end: Instant) -> Seen {
        let mut seen = Seen { settled: 0, most: 0, before: self.before, busiest: 0, turns: [0; BUCKETS] };
        let mut next_sample = Instant::now();
        while Instant::now() < end {
            sleep(Duration::from_millis(2)).await;
            seen.note_turn().await;
            if Instant::now() < next_sample {
                continue;
            }
            next_sample += Duration::from_millis(250);
            seen.busiest = seen.busiest.max(descriptors());
            // What there is at most while things settle: the workers come and go.
            let until_now = if Instant::now() < self.settled { &mut seen.settled } else { &mut seen.most };
            *until_now = resident().max(*until_now);
        }
        seen
    }
}

impl Seen {
    /// Measures a turn of the loop: from one of its iterations to the next.
    async fn note_turn(&mut self) {
        let start = Instant::now();
        yield_now().await;
        let micros = start.elapsed().as_micros() as u64;
        self.turns[(u64::BITS - micros.leading_zeros()) as usize % BUCKETS] += 1;
    }

    /// Returns a time that 99 of 100 turns did not take.
    fn p99(&self) -> Duration {
        let all: u64 = self.turns.iter().sum();
        let mut below = 0;
        let bucket = self.turns.iter().position(|turns| {
            below += turns;
            below * 100 >= all * 99
        });
        Duration::from_micros(1 << bucket.unwrap_or(BUCKETS))
    }

    /// Says what is not as it must be, after the last of the work.
    ///
    /// How many descriptors are open at one instant depends on what a crawl is doing then, so the most of one time says little
    /// about the most of another. What a crawl may have open at once is known, however, and so is what is left after it: what
    /// was there before. One that leaks reaches the limit after some pages, and the last one is seen at the end.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let (mut wrong, left) = (Vec::new(), descriptors());
        let limit = (self.settled as f64 * GROWTH.0) as u64 + GROWTH.1;
        if self.most > limit {
            wrong.push(format!("resident memory grew from {} to {} bytes", self.settled, self.most));
        }
        if self.busiest > self.before + site::DESCRIPTORS {
            wrong.push(format!("{} descriptors were open, of {} before there was work", self.busiest, self.before));
        }
        if left != self.before {
            wrong.push(format!("{left} descriptors are open after all work, and were {} before", self.before));
        }
        if self.p99() > LONGEST * 2 {
            wrong.push(format!("a turn in a hundred takes more than {:?}", self.p99() / 2));
        }
        wrong
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mega = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        writeln!(f, "memory       {:.1} MB settled, {:.1} MB at most since", mega(self.settled), mega(self.most))?;
        writeln!(f, "descriptors  {} before and after, {} at most between", self.before, self.busiest)?;
        write!(f, "turns        99 of 100 below {:?}, of {}", self.p99(), self.turns.iter().sum::<u64>())
    }
}

/// Returns the resident bytes of this process; 0 where the system does not tell.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

/// Returns how many descriptors are open; 0 where the system does not tell.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count())
}
