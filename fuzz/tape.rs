//! A tape of operations, read from bytes.

/// Bytes, and a place in them. Past the end each byte is 0, and [`Tape::is_over`] says so.
#[derive(Debug)]
pub struct Tape<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Tape<'b> {
    /// Makes a tape that begins with the first byte.
    pub fn new(bytes: &'b [u8]) -> Tape<'b> {
        Tape { bytes, at: 0 }
    }

    /// Tells whether all bytes were read.
    pub fn is_over(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Returns the next byte.
    pub fn byte(&mut self) -> u8 {
        self.at += 1;
        self.bytes.get(self.at - 1).copied().unwrap_or(0)
    }

    /// Returns a number below `bound`, made of the next byte.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound.max(1)
    }

    /// Picks the index of one of so many things; none of none.
    pub fn pick(&mut self, count: usize) -> Option<usize> {
        (count > 0).then(|| self.below(count))
    }
}

/// A tape of its own bytes, for what lives longer than the call that brought them.
#[derive(Debug, Default)]
pub struct OwnTape {
    bytes: Vec<u8>,
    at: usize,
}

impl OwnTape {
    /// Makes a tape that begins with the first byte.
    pub fn new(bytes: &[u8]) -> OwnTape {
        OwnTape { bytes: bytes.to_vec(), at: 0 }
    }

    /// Does something with the rest, and goes on where that has stopped.
    pub fn with<R>(&mut self, f: impl FnOnce(&mut Tape<'_>) -> R) -> R {
        let mut tape = Tape { bytes: &self.bytes, at: self.at };
        let result = f(&mut tape);
        self.at = tape.at;
        result
    }
}
