//! What is watched: resident memory, descriptors, and how long the loop's turns take.

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
}

/// What was seen.
pub(crate) struct Seen {
    /// Resident bytes and open descriptors, when things had settled, and the most since.
    settled: (u64, usize),
    most: (u64, usize),
    /// How many turns took less than two to the index microseconds.
    turns: [u64; BUCKETS],
}

impl Watch {
    pub(crate) fn new(time: Duration) -> Watch {
        Watch { settled: Instant::now() + Duration::from_secs(60).min(time / 2) }
    }

    /// Watches until `end`.
    pub(crate) async fn until(self, end: Instant) -> Seen {
        let mut seen = Seen { settled: (0, 0), most: (0, 0), turns: [0; BUCKETS] };
        let mut next_sample = Instant::now();
        while Instant::now() < end {
            sleep(Duration::from_millis(2)).await;
            seen.note_turn().await;
            if Instant::now() < next_sample {
                continue;
            }
            next_sample += Duration::from_millis(250);
            let now = (resident(), descriptors());
            if Instant::now() < self.settled {
                // What there is at most while things settle: the workers come and go.
                seen.settled = (seen.settled.0.max(now.0), seen.settled.1.max(now.1));
            } else {
                seen.most = (seen.most.0.max(now.0), seen.most.1.max(now.1));
            }
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

    /// Says what is not as it must be.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let limit = (self.settled.0 as f64 * GROWTH.0) as u64 + GROWTH.1;
        if self.most.0 > limit {
            wrong.push(format!("resident memory grew from {} to {} bytes", self.settled.0, self.most.0));
        }
        if self.most.1 > self.settled.1 {
            wrong.push(format!("open descriptors grew from {} to {}", self.settled.1, self.most.1));
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
        writeln!(f, "memory       {:.1} MB settled, {:.1} MB at most since", mega(self.settled.0), mega(self.most.0))?;
        writeln!(f, "descriptors  {} settled, {} at most since", self.settled.1, self.most.1)?;
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
