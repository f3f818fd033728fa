//! Each target without libFuzzer: what was once found, and tapes of a random generator.
//!
//! `loop_ops` is the simulator, and has its own seeds; `attributes` and `environment` want a process of their own.

use corio_fuzz::{addresses, cells, files_of, joins, links, queues, responses, timers};
use std::path::Path;

/// splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn tape(&mut self) -> Vec<u8> {
        let length = self.next() % 400;
        (0..length).map(|_| self.next() as u8).collect()
    }
}

fn try_all(name: &str, run: fn(&[u8]), tapes: u64) {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions").join(name);
    if kept.is_dir() {
        for file in files_of(&kept) {
            eprintln!("{}", file.display());
            run(&std::fs::read(&file).expect("the file can be read"));
        }
    }
    for seed in 0..tapes {
        eprintln!("tape {seed}");
        run(&Random(seed).tape());
    }
}

macro_rules! targets {
    ($($name:ident $tapes:literal,)*) => {$(
        #[test]
        fn $name() {
            try_all(stringify!($name), $name::run, $tapes);
        }
    )*};
}

targets! {
    queues 5_000,
    cells 5_000,
    timers 5_000,
    joins 5_000,
    links 2_000,
    addresses 2_000,
    responses 200,
}
