//! Tapes without libFuzzer, of a random generator.
//!
//! A target that parses has a dictionary, and its tapes are made of the words there: random bytes would be refused at the
//! door.

use std::fs;
use std::path::Path;

/// Tries the first so many tapes on a target.
pub fn try_all(name: &str, run: impl Fn(&[u8]), tapes: u64) {
    let words = words(name);
    for seed in 0..tapes {
        eprintln!("tape {seed}");
        let mut random = Random(seed);
        run(&if words.is_empty() { random.bytes() } else { random.text(&words) });
    }
}

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

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.next() % 400;
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// Strings words together, and a random byte here and there: of few different ones, so that the same comes twice.
    fn text(&mut self, words: &[Vec<u8>]) -> Vec<u8> {
        let most = 1 + self.below(48);
        let pieces = self.below(most);
        let size = 1 + self.below(words.len());
        let hand: Vec<&[u8]> = (0..size).map(|_| &*words[self.below(words.len())]).collect();
        let mut text = Vec::new();
        for _ in 0..pieces {
            match self.below(24) {
                0 => text.push(self.next() as u8),
                _ => text.extend_from_slice(hand[self.below(hand.len())]),
            }
        }
        text
    }
}

/// Returns the words of a target's dictionary, which is in libFuzzer's form; none if it has no dictionary.
fn words(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dictionaries").join(name);
    let text = fs::read_to_string(path).unwrap_or_default();
    let quoted = text.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    quoted.map(unescape).collect()
}

/// Reads what stands between the quotes: `\\`, `\"`, and `\xHH` for any byte.
fn unescape(word: &str) -> Vec<u8> {
    let mut rest = word.as_bytes();
    let mut bytes = Vec::new();
    while let [first, behind @ ..] = rest {
        let (byte, length) = match (first, behind) {
            (b'\\', [b'x', digits @ ..]) => {
                let digits = std::str::from_utf8(&digits[..2]).expect("two digits");
                (u8::from_str_radix(digits, 16).expect("two digits"), 4)
            }
            (b'\\', [escaped, ..]) => (*escaped, 2),
            (byte, _) => (*byte, 1),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    bytes
}
